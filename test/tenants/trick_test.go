// SPDX-License-Identifier: Apache-2.0

package tenants

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/k1s-io/k1s/internal/testenv/table"
)

// functions are the host functions that the trickster calls, by the letters a, b, c, ….
var functions = []string{"get", "list", "create", "update", "patch", "apply", "delete", "updateStatus", "patchStatus", "event", "request"}

// call is a call of a host function by the trickster.
type call struct {
	Function string
	Request  table.JSON
	// Times is how often the call is made; 0 means once. Four # in the request are replaced by another number each
	// time.
	Times int
}

// encode returns a call in the format of the trickster. The name has four characters.
func (c call) encode(name string) string {
	function := slices.Index(functions, c.Function)
	if function < 0 {
		panic("no function " + c.Function)
	}
	return fmt.Sprintf("~trick:%s%c%04x%s", name, 'a'+function, max(c.Times, 1), hex.EncodeToString([]byte(c.Request)))
}

// trick is a hostile call, and its expected result. In the texts, {own} and {other} stand for the namespaces of the
// tenant and of its target, and other braces for the values of fill.
type trick struct {
	Name string
	// Plugin is which plugin of the tenant makes the call.
	Plugin string
	call
	// Want are parts of the reply. If the request is denied, the reply names the layer.
	Want []string
	// Harmless is whether the reply is not an error, because it has nothing of the other tenant.
	Harmless bool
	// Record is a line of the audit log, see recordLine. It is empty if there is none, because the call is a read, or
	// because the request cannot be decoded.
	Record string
}

// Objects that tricks use.
const (
	itemOf     = `"apiVersion":"inventory.example.com/v1alpha1","kind":"Item"`
	categoryOf = `"apiVersion":"inventory.example.com/v1alpha1","kind":"Category"`
	otherKey   = `"namespace":"{other}","name":"private"`
	ownKey     = `"namespace":"{own}","name":"private"`
)

// fill replaces the names in braces.
func fill[T ~string](text T, values map[string]string) T {
	for name, value := range values {
		text = T(strings.ReplaceAll(string(text), "{"+name+"}", value))
	}
	return text
}
