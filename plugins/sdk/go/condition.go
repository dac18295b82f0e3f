// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"github.com/k1s-io/k1s/plugins/sdk/go/internal/merge"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// ConditionStatus is the status of a condition.
type ConditionStatus string

// The statuses of a condition.
const (
	ConditionTrue    ConditionStatus = "True"
	ConditionFalse   ConditionStatus = "False"
	ConditionUnknown ConditionStatus = "Unknown"
)

// Condition is one aspect of an object's state, like metav1.Condition.
type Condition struct {
	Type   string
	Status ConditionStatus
	// ObservedGeneration is the metadata.generation that the condition is based on. 0 means that it is not set.
	ObservedGeneration int64
	// LastTransitionTime is the time of the last change of Status, in RFC 3339.
	LastTransitionTime string
	// Reason is a CamelCase word for programs. It must not be empty. Message is for people.
	Reason, Message string
}

// FindCondition returns the condition of a type, or nil.
func FindCondition(conditions []Condition, conditionType string) *Condition {
	for i := range conditions {
		if conditions[i].Type == conditionType {
			return &conditions[i]
		}
	}
	return nil
}

// IsConditionTrue reports whether the condition of a type exists and is True.
func IsConditionTrue(conditions []Condition, conditionType string) bool {
	c := FindCondition(conditions, conditionType)
	return c != nil && c.Status == ConditionTrue
}

// SetCondition adds a condition, or updates the one of the same type, and reports whether anything changed. The
// transition time changes only with the status: it becomes that of the new condition, or the current time if that is
// empty.
func SetCondition(conditions *[]Condition, c Condition) bool {
	old := FindCondition(*conditions, c.Type)
	if old != nil && old.Status == c.Status {
		c.LastTransitionTime = old.LastTransitionTime
	}
	if c.LastTransitionTime == "" {
		c.LastTransitionTime = Timestamp(Now())
	}
	switch {
	case old == nil:
		*conditions = append(*conditions, c)
	case *old == c:
		return false
	default:
		*old = c
	}
	return true
}

// UnmarshalK1s decodes the condition.
func (c *Condition) UnmarshalK1s(d *json.Decoder) {
	*c = Condition{}
	for name := range d.Members() {
		switch name {
		case "type":
			c.Type = d.String()
		case "status":
			c.Status = ConditionStatus(d.String())
		case "observedGeneration":
			c.ObservedGeneration = d.Int()
		case "lastTransitionTime":
			c.LastTransitionTime = d.String()
		case "reason":
			c.Reason = d.String()
		case "message":
			c.Message = d.String()
		}
	}
}

// MarshalK1s encodes the condition.
func (c *Condition) MarshalK1s(e *json.Encoder) {
	e.BeginObject()
	e.Key("type").String(c.Type)
	e.Key("status").String(string(c.Status))
	if c.ObservedGeneration != 0 {
		e.Key("observedGeneration").Int(c.ObservedGeneration)
	}
	e.Key("lastTransitionTime").String(c.LastTransitionTime)
	e.Key("reason").String(c.Reason)
	e.Key("message").String(c.Message)
	e.EndObject()
}

// ReadConditions decodes an array of conditions.
func ReadConditions(d *json.Decoder) []Condition {
	var conditions []Condition
	for range d.Elements() {
		var c Condition
		c.UnmarshalK1s(d)
		conditions = append(conditions, c)
	}
	return conditions
}

// WriteConditions encodes an array of conditions.
func WriteConditions(e *json.Encoder, conditions []Condition) {
	e.BeginArray()
	for i := range conditions {
		e.Value(&conditions[i])
	}
	e.EndArray()
}

// mergeConditions encodes conditions, and keeps the other contents of an existing array of conditions.
func mergeConditions(there json.Raw, conditions []Condition) (json.Raw, error) {
	was := make(map[string]json.Raw)
	d := json.NewDecoder(string(there))
	if d.Kind() == json.KindArray {
		for range d.Elements() {
			raw := d.Raw()
			var c Condition
			if raw.Decode(&c) == nil {
				was[c.Type] = raw
			}
		}
	}
	var e json.Encoder
	e.BeginArray()
	for i := range conditions {
		after, err := json.Marshal(&conditions[i])
		if err != nil {
			return "", err
		}
		text := json.Raw(after)
		if raw, ok := was[conditions[i].Type]; ok && raw != "" {
			if text, err = mergeCondition(raw, text); err != nil {
				return "", err
			}
		}
		e.Raw(text)
	}
	e.EndArray()
	return json.Raw(e.Bytes()), e.Err()
}

// mergeCondition encodes a condition, and keeps the other members of the existing one.
func mergeCondition(there, after json.Raw) (json.Raw, error) {
	var was Condition
	if err := there.Decode(&was); err != nil {
		return "", err
	}
	before, err := json.Marshal(&was)
	if err != nil {
		return "", err
	}
	return merge.Apply(there, json.Raw(before), after)
}
