// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/k1s-io/k1s/internal/access"
	"github.com/k1s-io/k1s/internal/plugin"
)

const (
	// maxGrants limits a message about missing permissions, in bytes, so that no command in it is ever truncated: a
	// condition holds 2048, and some conditions repeat the message after a few words.
	maxGrants = 1900
	// grantResources is how many resources one command names.
	grantResources = 8
	// maxGrantName limits the plugin's part of a role's name, which has at most 253 bytes.
	maxGrantName = 200
)

// grant is a missing Role: verbs on resources in a namespace, or in all namespaces if it is empty.
type grant struct {
	namespace string
	verbs     []string
	resources []string
	// names are the objects that the role is for; empty means all.
	names []string
}

// lack is one or more verbs that a ServiceAccount lacks on a resource.
type lack struct {
	namespace, resource string
	verbs               []string
}

// grantsFor combines missing permissions into as few roles as possible, in a fixed order.
func grantsFor(lacks []lack) []grant {
	var out []grant
	for _, l := range lacks {
		i := slices.IndexFunc(out, func(g grant) bool {
			return g.namespace == l.namespace && slices.Equal(g.verbs, l.verbs) && len(g.resources) < grantResources
		})
		if i < 0 {
			out = append(out, grant{namespace: l.namespace, verbs: l.verbs})
			i = len(out) - 1
		}
		out[i].resources = append(out[i].resources, l.resource)
	}
	return out
}

// String returns what is missing.
func (g grant) String() string {
	where := "in all namespaces"
	if g.namespace != "" {
		where = fmt.Sprintf("in namespace %q", g.namespace)
	}
	what := strings.Join(g.resources, ", ")
	if len(g.names) > 0 {
		what += fmt.Sprintf(" %q", g.names)
	}
	return fmt.Sprintf("%s %s %s", strings.Join(g.verbs, " and "), what, where)
}

// commands returns the commands that create the role and its binding. The role's name depends on its rules, so that
// granting more later does not conflict with the existing role. If only one of role and binding exists, the commands
// create the other one.
func (g grant) commands(id access.Identity) string {
	what, binding, flag := "role", "rolebinding", "-n "+plugin.ShellQuote(g.namespace)+" "
	if g.namespace == "" {
		what, binding, flag = "clusterrole", "clusterrolebinding", ""
	}
	rules := fmt.Appendf(nil, "%q %q %q %q", id.Namespace, id.ServiceAccount, g.verbs, g.resources)
	resources := plugin.ShellQuote(strings.Join(g.resources, ","))
	if len(g.names) > 0 {
		rules = fmt.Appendf(rules, " %q", g.names)
		for _, name := range g.names {
			resources += " --resource-name=" + plugin.ShellQuote(name)
		}
	}
	sum := sha256.Sum256(rules)
	name := "k1s-" + id.Plugin[:min(len(id.Plugin), maxGrantName)] + "-" + hex.EncodeToString(sum[:4])
	return fmt.Sprintf("kubectl %screate %s %s --verb=%s --resource=%s; kubectl %screate %s %s --%s=%s --serviceaccount=%s",
		flag, what, name, strings.Join(g.verbs, ","), resources,
		flag, binding, name, what, name, plugin.ShellQuote(id.Namespace+":"+id.ServiceAccount))
}

// grantMessage returns a message with everything that is missing, and with the commands that grant it. What does not
// fit is reported after the rest has been granted.
func grantMessage(id access.Identity, grants []grant) string {
	for n := len(grants); n > 0; n-- {
		denials, commands := make([]string, n), make([]string, n)
		for i, g := range grants[:n] {
			denials[i], commands[i] = g.String(), g.commands(id)
		}
		more := ""
		if left := len(grants) - n; left > 0 {
			more = fmt.Sprintf("; %d more are missing and are named when these are granted", left)
		}
		message := fmt.Sprintf("ServiceAccount %q cannot %s%s; grant it: %s",
			id.ServiceAccount, strings.Join(denials, "; nor "), more, strings.Join(commands, "; "))
		if len(message) <= maxGrants || n == 1 {
			return message
		}
	}
	return ""
}
