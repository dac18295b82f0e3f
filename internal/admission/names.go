// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/k1s-io/k1s/internal/plugin/metrics"
)

// PathPrefix is the prefix of the webhooks' URL paths. It is followed by "validate" or "mutate", and by the namespace
// and the name of the plugin.
const PathPrefix = "/plugins/"

// webhook is a type of admission webhook: validating or mutating. Its value is used in paths, in names of webhooks and
// in metrics, and is the verb that a plugin's ServiceAccount needs.
type webhook string

const (
	validating webhook = metrics.WebhookValidate
	mutating   webhook = metrics.WebhookMutate
)

// path returns the URL path of a plugin's webhook.
func (w webhook) path(name types.NamespacedName) string {
	return PathPrefix + string(w) + "/" + name.Namespace + "/" + name.Name
}

// parsePath parses the result of path.
func parsePath(path string) (w webhook, name types.NamespacedName, ok bool) {
	rest, ok := strings.CutPrefix(path, PathPrefix)
	if !ok {
		return "", name, false
	}
	parts := strings.Split(rest, "/")
	if len(parts) != 3 {
		return "", name, false
	}
	w = webhook(parts[0])
	name = types.NamespacedName{Namespace: parts[1], Name: parts[2]}
	ok = (w == validating || w == mutating) &&
		len(validation.IsDNS1123Label(name.Namespace)) == 0 && len(validation.IsDNS1123Subdomain(name.Name)) == 0
	return w, name, ok
}
