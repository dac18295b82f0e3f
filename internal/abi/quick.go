// SPDX-License-Identifier: Apache-2.0

package abi

// quick decodes the payloads of nearly every call, without reflection. It returns false, and changes
// nothing, for whatever is not in the plainest form: then encoding/json decides, and says what is wrong.
func quick(payload []byte, into any) bool {
	switch v := into.(type) {
	case *ObjectKey:
		return quickKey(payload, v)
	case *ReconcileResult:
		return quickResult(payload, v)
	default:
		return false
	}
}

func quickKey(payload []byte, into *ObjectKey) bool {
	s := scan{rest: payload}
	var apiVersion, kind, namespace, name []byte
	for s.member() {
		value := s.text()
		switch string(s.name) {
		case "apiVersion":
			apiVersion = value
		case "kind":
			kind = value
		case "namespace":
			namespace = value
		case "name":
			name = value
		default:
			return false
		}
	}
	if !s.ended() {
		return false
	}
	*into = ObjectKey{APIVersion: string(apiVersion), Kind: string(kind), Namespace: string(namespace), Name: string(name)}
	return true
}

func quickResult(payload []byte, into *ReconcileResult) bool {
	s := scan{rest: payload}
	var result ReconcileResult
	for s.member() {
		if string(s.name) != "requeueAfterMillis" {
			return false
		}
		result.RequeueAfterMillis = s.number()
	}
	if !s.ended() {
		return false
	}
	*into = result
	return true
}

// scan reads an object in JSON of the plainest form from the beginning of what is left.
type scan struct {
	rest []byte
	// name is that of the member whose value comes next.
	name []byte
	// inside is set within the object, bad when something is not as expected.
	inside, bad bool
}

// member reads up to the value of the next member, or returns false at the object's end.
func (s *scan) member() bool {
	switch {
	case s.bad:
		return false
	case !s.inside:
		if s.inside = true; !s.take('{') {
			return s.fail()
		}
		if s.take('}') {
			return false
		}
	case s.take('}'):
		return false
	case !s.take(','):
		return s.fail()
	}
	s.name = s.text()
	return !s.bad && (s.take(':') || s.fail())
}

// ended reports whether all was as expected, and nothing is left.
func (s *scan) ended() bool {
	s.space()
	return !s.bad && len(s.rest) == 0
}

func (s *scan) fail() bool {
	s.bad = true
	return false
}

func (s *scan) space() {
	for len(s.rest) > 0 && (s.rest[0] == ' ' || s.rest[0] == '\n' || s.rest[0] == '\t' || s.rest[0] == '\r') {
		s.rest = s.rest[1:]
	}
}

// take reads one byte, if it is the next.
func (s *scan) take(c byte) bool {
	s.space()
	if len(s.rest) == 0 || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// text reads a string of ASCII without escapes.
func (s *scan) text() []byte {
	if s.take('"') {
		for i, c := range s.rest {
			if c == '"' {
				text := s.rest[:i]
				s.rest = s.rest[i+1:]
				return text
			}
			if c == '\\' || c < 0x20 || c >= 0x80 {
				break
			}
		}
	}
	s.fail()
	return nil
}

// number reads a whole number of up to 18 digits that is not negative.
func (s *scan) number() (n int64) {
	s.space()
	i := 0
	for i < len(s.rest) && i <= 18 && s.rest[i] >= '0' && s.rest[i] <= '9' {
		n = n*10 + int64(s.rest[i]-'0')
		i++
	}
	if i == 0 || i > 18 || (i > 1 && s.rest[0] == '0') {
		s.fail()
		return 0
	}
	s.rest = s.rest[i:]
	return n
}
