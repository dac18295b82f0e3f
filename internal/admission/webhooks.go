// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// group is the content of one webhook: the rules of the targets with the same namespaces.
type group struct {
	name       string
	namespaces *metav1.LabelSelector
	rules      []admissionregistrationv1.RuleWithOperations
}

// groups returns the webhooks that a plugin needs, in a stable order: the one for all namespaces comes first.
func groups(p *Plugin, hook webhook, exempt Exempt) []group {
	operations := p.operations(hook)
	if len(operations) == 0 {
		return nil
	}
	byScope := map[string]*group{}
	for _, t := range p.Targets {
		scope := t.Validate
		if hook == mutating {
			scope = t.Mutate
		}
		scope = slices.DeleteFunc(slices.Clone(scope), exempt.has)
		if exemptGroup(t.GVR.Group) || len(scope) == 0 || !t.Namespaced && !scope.All() {
			continue
		}
		key := ""
		if !scope.All() {
			key = strings.Join(scope, ",")
		}
		g := byScope[key]
		if g == nil {
			g = &group{namespaces: selector(scope, exempt)}
			byScope[key] = g
		}
		g.rules = append(g.rules, rule(t, operations))
	}
	all := make([]group, 0, len(byScope))
	for i, key := range slices.Sorted(maps.Keys(byScope)) {
		g := byScope[key]
		g.name = hook.name(p.Name, i)
		slices.SortFunc(g.rules, compareRules)
		all = append(all, *g)
	}
	return all
}

// name returns the name of one of a plugin's webhooks. The API server requires at least three domain segments.
func (w webhook) name(plugin types.NamespacedName, i int) string {
	first := string(w)
	if i > 0 {
		first = fmt.Sprintf("%s-%d", w, i+1)
	}
	return first + "." + plugin.Name + "." + plugin.Namespace + ".plugins.k1s.io"
}

// operations returns the operations that the plugin has exports for.
func (p *Plugin) operations(hook webhook) []admissionregistrationv1.OperationType {
	var operations []admissionregistrationv1.OperationType
	for _, operation := range []string{abi.OperationCreate, abi.OperationUpdate, abi.OperationDelete} {
		if len(p.exports(hook, operation)) > 0 {
			operations = append(operations, admissionregistrationv1.OperationType(operation))
		}
	}
	return operations
}

func rule(t Target, operations []admissionregistrationv1.OperationType) admissionregistrationv1.RuleWithOperations {
	scope := admissionregistrationv1.ClusterScope
	if t.Namespaced {
		scope = admissionregistrationv1.NamespacedScope
	}
	return admissionregistrationv1.RuleWithOperations{
		Operations: operations,
		Rule: admissionregistrationv1.Rule{
			APIGroups:   []string{t.GVR.Group},
			APIVersions: []string{t.GVR.Version},
			Resources:   []string{t.GVR.Resource},
			Scope:       &scope,
		},
	}
}

func compareRules(a, b admissionregistrationv1.RuleWithOperations) int {
	return cmp.Or(
		slices.Compare(a.APIGroups, b.APIGroups),
		slices.Compare(a.APIVersions, b.APIVersions),
		slices.Compare(a.Resources, b.Resources),
	)
}

// selector returns a namespaceSelector for a scope. It does not apply to cluster-scoped objects.
func selector(scope plugin.Namespaces, exempt Exempt) *metav1.LabelSelector {
	s := &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
		{Key: corev1.LabelMetadataName, Operator: metav1.LabelSelectorOpNotIn, Values: exempt.namespaces},
	}}
	if !scope.All() {
		s.MatchExpressions = append(s.MatchExpressions,
			metav1.LabelSelectorRequirement{Key: corev1.LabelMetadataName, Operator: metav1.LabelSelectorOpIn, Values: scope})
	}
	return s
}

// conditions returns matchConditions that exclude requests for which Server would not call the plugin.
func (p *Plugin) conditions(rules []admissionregistrationv1.RuleWithOperations) []admissionregistrationv1.MatchCondition {
	all := isLive()
	forConfigMaps := func(r admissionregistrationv1.RuleWithOperations) bool {
		return slices.Contains(r.APIGroups, "") && slices.Contains(r.Resources, "configmaps")
	}
	if p.Module.Name == "" || !slices.ContainsFunc(rules, forConfigMaps) {
		return all
	}
	// A deletion of a collection has no request.name, and a creation has no oldObject.
	return append(all, admissionregistrationv1.MatchCondition{
		Name: "not-the-module-of-this-plugin",
		Expression: fmt.Sprintf(`!(request.resource.group == "" && request.resource.resource == "configmaps" && request.namespace == %[1]q && `+
			`(has(request.name) && request.name == %[2]q || oldObject != null && oldObject.metadata.name == %[2]q))`, p.Module.Namespace, p.Module.Name),
	})
}

// isLive returns the matchCondition that excludes the steps of a deletion that was already allowed, so that objects can
// be deleted while the operator is unavailable.
func isLive() []admissionregistrationv1.MatchCondition {
	return []admissionregistrationv1.MatchCondition{{
		Name: "not-being-deleted", Expression: "oldObject == null || !has(oldObject.metadata.deletionTimestamp)",
	}}
}

// failurePolicy returns what the API server does if it cannot reach the operator.
func (p *Plugin) failurePolicy() *admissionregistrationv1.FailurePolicyType {
	if p.FailurePolicy == pluginsv1alpha1.FailurePolicyIgnore {
		return new(admissionregistrationv1.Ignore)
	}
	return new(admissionregistrationv1.Fail)
}

// timeoutSeconds returns Timeout in the unit and the range of the API server.
func (p *Plugin) timeoutSeconds() *int32 {
	const least, most = 1, 30
	return new(int32(min(max((p.Timeout+time.Second-1)/time.Second, least), most)))
}

// objects returns ObjectSelector, or an empty selector, which matches all objects.
func (p *Plugin) objects() *metav1.LabelSelector {
	if p.ObjectSelector == nil {
		return &metav1.LabelSelector{}
	}
	return p.ObjectSelector
}
