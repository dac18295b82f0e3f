// SPDX-License-Identifier: Apache-2.0

package tenants

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// Host functions, by the letters with which the trickster calls them.
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

// call is a call of a host function by the trickster.
type call struct {
	function byte
	request  string
	// times is how often the call is made; 0 means once. Four # in the request are replaced by another number each
	// time.
	times int
}

// encode returns a call in the format of the trickster. The name has four characters.
func (c call) encode(name string) string {
	return fmt.Sprintf("~trick:%s%c%04x%s", name, c.function, max(c.times, 1), hex.EncodeToString([]byte(c.request)))
}

// trick is a hostile call, and its expected result. In the texts, {own} and {other} stand for the namespaces of the
// tenant and of its target, and other braces for the values of fill.
type trick struct {
	name string
	// plugin is which plugin of the tenant makes the call.
	plugin string
	call
	// want are parts of the reply. If the request is denied, the reply names the layer.
	want []string
	// harmless is whether the reply is not an error, because it has nothing of the other tenant.
	harmless bool
	// record is a line of the audit log, see recordLine. It is empty if there is none, because the call is a read, or
	// because the request cannot be decoded.
	record string
}

// Objects that tricks use. An item without a namespace is in the tenant's own namespace.
const (
	itemOf     = `"apiVersion":"inventory.example.com/v1alpha1","kind":"Item"`
	categoryOf = `"apiVersion":"inventory.example.com/v1alpha1","kind":"Category"`
	secretOf   = `"apiVersion":"v1","kind":"Secret"`
	configOf   = `"apiVersion":"v1","kind":"ConfigMap"`
	podOf      = `"apiVersion":"v1","kind":"Pod"`
	otherKey   = `"namespace":"{other}","name":"private"`
	ownKey     = `"namespace":"{own}","name":"private"`
)

// object returns the request of a function that takes a whole object.
func object(text string) string { return `{"object":{` + text + `}}` }

// item returns an Item with the given metadata.
func item(metadata string) string {
	return object(itemOf + `,"metadata":{` + metadata + `},"spec":{"name":"stolen"}`)
}

// fill replaces the names in braces.
func fill(text string, values map[string]string) string {
	for name, value := range values {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}
