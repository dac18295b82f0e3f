// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"github.com/k1s-io/k1s/plugins/sdk/go/internal/host"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// EventType is the type of an Event.
type EventType string

// The types of Events.
const (
	Normal  EventType = "Normal"
	Warning EventType = "Warning"
)

// Event emits a Kubernetes Event about an object. The reason is one CamelCase word, the message is for people. An Event
// that equals one of the last five minutes is not sent again.
//
// Events are for people, and nothing should depend on them: a failure to send one is logged and not returned as an
// error.
func Event(obj Identity, eventType EventType, reason, message string) {
	EventAction(obj, eventType, reason, "", message)
}

// EventAction is Event with an action, which is one CamelCase word. An empty action means "Reconcile".
func EventAction(obj Identity, eventType EventType, reason, action, message string) {
	var e json.Encoder
	e.BeginObject()
	writeKey(&e, obj.TypeRef(), KeyOf(obj))
	optional(&e, "uid", obj.GetUID())
	e.Key("type").String(string(eventType))
	e.Key("reason").String(reason)
	e.Key("message").String(message)
	optional(&e, "action", action)
	e.EndObject()
	if reply := host.Call(host.Event, e.Bytes()); reply.IsError {
		Log.Warning("event was not sent", "object", KeyOf(obj), "reason", reason, "error", errorOf(reply))
	}
}
