// SPDX-License-Identifier: Apache-2.0

package merge

import (
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// Apply returns object with the differences between before and after. If that would drop a field that before does not
// have, it returns an error that names the path of the field.
func Apply(object, before, after json.Raw) (json.Raw, error) {
	var m merger
	m.value(nil, object, before, after)
	if err := m.out.Err(); err != nil {
		return "", err
	}
	return json.Raw(m.out.Bytes()), nil
}

// merger writes the result. Its methods continue after a failure, because the Encoder keeps the first one.
type merger struct{ out json.Encoder }

// value writes value with the differences between before and after.
func (m *merger) value(at *path, value, before, after json.Raw) {
	now, is := kindOf(value), kindOf(after)
	switch {
	case before == after:
		m.out.Raw(value)
	case value == before: // the type knows all of it
		m.out.Raw(after)
	case now == json.KindObject && is == now && (isNull(before) || kindOf(before) == now):
		// If before is absent, the type has omitted a field that is empty to it.
		m.object(at, value, before, after)
	case now == json.KindArray && (is == now || isNull(after)):
		m.array(at, value, before, after)
	default:
		// A null removes an object with everything in it.
		if field := unknown(value, before); field != "" && is != json.KindNull {
			m.fail(at, "changed from an "+now.String()+" to a value of another kind, but the plugin's type has no field "+
				quote(field)+" of it")
		}
		m.out.Raw(after)
	}
}

func (m *merger) object(at *path, value, before, after json.Raw) {
	there, was, is := membersOf(value), membersOf(before), membersOf(after)
	m.out.BeginObject()
	for i, member := range there.list {
		then, known := was.get(member.name)
		now, wanted := is.get(member.name)
		here := path{parent: at, name: member.name}
		switch last := there.isLast(i); {
		case wanted && last:
			m.out.Key(member.name)
			m.value(&here, member.value, then, now)
			continue
		case wanted && now != then: // of a duplicate name, the last one counts
			member.value = now
		case !wanted && known:
			if last {
				m.leftOut(&here, member.value, then)
			}
			continue
		}
		m.out.Key(member.name).Raw(member.value)
	}
	for _, member := range is.list {
		_, already := there.get(member.name)
		then, _ := was.get(member.name)
		if !already && then != member.value {
			m.out.Key(member.name).Raw(member.value)
		}
	}
	m.out.EndObject()
}

// leftOut fails if a member cannot be removed: an object may only have become empty to the type, and a list may have
// elements that the type does not know.
func (m *merger) leftOut(at *path, value, before json.Raw) {
	switch kindOf(value) {
	case json.KindObject:
		if field := unknown(value, before); field != "" {
			m.fail(at, "left out, but the plugin's type has no field "+quote(field)+
				" of it: let the type write {} to keep that field, or null to remove everything")
		}
	case json.KindArray:
		if _, ok := align(elementsOf(value), textsOf(before)); !ok {
			m.fail(at, notOneByOne)
		}
	}
}

const notOneByOne = "the plugin's type does not write the elements one by one as it read them: " +
	"let it keep the number and the order of the elements"

// fail records the path, the problem, and a way to fix it that always works.
func (m *merger) fail(at *path, problem string) {
	m.out.Fail(at.String() + ": " + problem + "; or change the object without a type (k1s.Object)")
}
