// SPDX-License-Identifier: Apache-2.0

package k1stest

import (
	"slices"
	"strings"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/internal/host"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// Verb is a verb of the client.
type Verb string

// The verbs. ApplyStatus of the SDK is a VerbPatchStatus.
const (
	VerbGet          Verb = "get"
	VerbList         Verb = "list"
	VerbCreate       Verb = "create"
	VerbUpdate       Verb = "update"
	VerbUpdateStatus Verb = "update_status"
	VerbPatch        Verb = "patch"
	VerbPatchStatus  Verb = "patch_status"
	VerbApply        Verb = "apply"
	VerbDelete       Verb = "delete"
	VerbEvent        Verb = "event"
	VerbHTTP         Verb = "http_request"
)

// verbOf returns the verb of a function of the guest ABI.
func verbOf(f host.Func) Verb {
	return Verb(strings.TrimPrefix(strings.TrimPrefix(f.Name(), "k1s_"), "client_"))
}

// Call is a call of the client. It may have succeeded or failed.
type Call struct {
	Verb Verb
	Type k1s.TypeReference
	Key  k1s.Key
	// Request is the complete request in the format of the guest ABI.
	Request json.Raw
}

// Event is an Event that was emitted.
type Event struct {
	Object  k1s.TypeReference
	Key     k1s.Key
	UID     string
	Type    k1s.EventType
	Reason  string
	Message string
	Action  string
}

// LogLine is a line of the plugin's log.
type LogLine struct {
	Level string // debug, info, warning or error
	Text  string
}

var levels = map[host.Level]string{
	host.Debug: "debug", host.Info: "info", host.Warning: "warning", host.Error: "error",
}

// Calls returns the calls of the client since New or ClearRecords, in order.
func (h *Host) Calls() []Call {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.calls)
}

// Writes returns the calls that write to the API server, without Events and HTTP requests.
func (h *Host) Writes() []Call {
	return slices.DeleteFunc(h.Calls(), func(c Call) bool {
		return c.Verb == VerbGet || c.Verb == VerbList || c.Verb == VerbEvent || c.Verb == VerbHTTP
	})
}

// Events returns the Events emitted since New or ClearRecords, in order.
func (h *Host) Events() []Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.events)
}

// Logs returns the lines logged since New or ClearRecords, in order.
func (h *Host) Logs() []LogLine {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.logs)
}

// ClearRecords clears the results of Calls, Writes, Events and Logs.
func (h *Host) ClearRecords() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls, h.events, h.logs = nil, nil, nil
}

// Intercept calls fault before every call of the client. If fault returns an error, the call fails with it and has no
// effect. Of several functions, the one added last is called first.
func (h *Host) Intercept(fault func(Call) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.faults = append(h.faults, fault)
}

// FailNext makes the next call with this verb fail.
func (h *Host) FailNext(verb Verb, err error) {
	failed := false
	h.Intercept(func(c Call) error {
		if failed || c.Verb != verb {
			return nil
		}
		failed = true
		return err
	})
}
