// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/k1s-io/k1s/internal/access/rbac"
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

// Grant is a missing Role: verbs on resources in a namespace, or in all namespaces if it is empty.
type Grant struct {
	namespace string
	verbs     []string
	resources []string
	// names are the objects that the role is for; empty means all.
	names []string
}

// GrantsFor combines missing permissions into as few roles as possible, in a fixed order.
func GrantsFor(missing []Permission) []Grant {
	var out []Grant
	for _, p := range missing {
		i := slices.IndexFunc(out, func(g Grant) bool {
			return g.namespace == p.Namespace && slices.Equal(g.verbs, p.Verbs) && len(g.resources) < grantResources
		})
		if i < 0 {
			out = append(out, Grant{namespace: p.Namespace, verbs: p.Verbs})
			i = len(out) - 1
		}
		out[i].resources = append(out[i].resources, ResourceName(p.Mapping))
	}
	return out
}

// GrantToGet returns the role to get Secrets in a namespace by their names.
func GrantToGet(namespace string, secrets []string) Grant {
	return Grant{namespace: namespace, verbs: []string{"get"}, resources: []string{"secrets"}, names: secrets}
}

// String returns what is missing.
func (g Grant) String() string {
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
func (g Grant) commands(id rbac.Identity) string {
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

// GrantMessage returns a message with everything that is missing, and with the commands that grant it. What does not
// fit is reported after the rest has been granted.
func GrantMessage(id rbac.Identity, grants []Grant) string {
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
