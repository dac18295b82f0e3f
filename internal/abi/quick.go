// SPDX-License-Identifier: Apache-2.0

package abi

// quick decodes the payloads of nearly every call, without reflection. If the JSON is not in the simplest form, it
// returns false and changes nothing. encoding/json then decodes the payload or returns an error.
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

// scan reads a JSON object in the simplest form from the beginning of rest.
type scan struct {
	rest []byte
	// name is the name of the member whose value comes next.
	name []byte
	// inside is true within the object. bad is true after an error.
	inside, bad bool
}

// member advances to the value of the next member. It returns false at the end of the object, or after an error.
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

// ended reports whether there was no error and nothing remains.
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

// take skips white space and consumes the byte c if it is next. It reports whether it is.
func (s *scan) take(c byte) bool {
	s.space()
	if len(s.rest) == 0 || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// text reads an ASCII string without escape sequences.
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

// number reads a non-negative integer of up to 18 digits.
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
