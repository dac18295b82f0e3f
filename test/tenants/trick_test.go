// SPDX-License-Identifier: Apache-2.0

package tenants

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// The host functions, by the letters that the trickster knows them by.
const (
	get = 'a' + iota
	list
	creates
	update
	patch
	apply
	deletes
	updateStatus
	patchStatus
	event
	request
)

// call is what the trickster is to do.
type call struct {
	function byte
	request  string
	// times is how often, 0 for once; four # in the request are another number each time.
	times int
}

// encode writes a call as the trickster reads it. The name has four characters.
func (c call) encode(name string) string {
	return fmt.Sprintf("~trick:%s%c%04x%s", name, c.function, max(c.times, 1), hex.EncodeToString([]byte(c.request)))
}

// trick is something hostile, and what is to become of it. In the texts, {own} and {other} stand for the namespaces of
// the tenant and of the one it is after, and other braces for what fill knows.
type trick struct {
	name string
	// plugin is which one of the tenant's tries it.
	plugin string
	call
	// want are parts of the reply. What is refused says which layer did.
	want []string
	// harmless says that the reply is no error, because nothing of the other tenant's is concerned.
	harmless bool
	// record is a line of the audit log, see recordLine; empty where there is none, because something was read, or
	// because the request cannot be read.
	record string
}

// The objects that tricks are about. An item without a namespace is put into the tenant's own.
const (
	itemOf     = `"apiVersion":"inventory.example.com/v1alpha1","kind":"Item"`
	categoryOf = `"apiVersion":"inventory.example.com/v1alpha1","kind":"Category"`
	secretOf   = `"apiVersion":"v1","kind":"Secret"`
	configOf   = `"apiVersion":"v1","kind":"ConfigMap"`
	podOf      = `"apiVersion":"v1","kind":"Pod"`
	otherKey   = `"namespace":"{other}","name":"treasure"`
	ownKey     = `"namespace":"{own}","name":"treasure"`
)

// object is the request of a function that takes a whole object.
func object(text string) string { return `{"object":{` + text + `}}` }

// item is an Item with the given metadata.
func item(metadata string) string {
	return object(itemOf + `,"metadata":{` + metadata + `},"spec":{"name":"stolen"}`)
}

// fill replaces what stands in braces.
func fill(text string, values map[string]string) string {
	for name, value := range values {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}
