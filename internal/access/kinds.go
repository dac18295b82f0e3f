// SPDX-License-Identifier: Apache-2.0

package access

import (
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/k1s-io/k1s/internal/plugin"
)

// parseGVK parses the kind that a guest names. Group and version become parts of a URL when the operator looks up an
// unknown kind, so that only valid names are accepted.
func parseGVK(apiVersion, kind string) (schema.GroupVersionKind, error) {
	gvk, err := plugin.ParseType(apiVersion, kind)
	if err != nil {
		return gvk, apierrors.NewBadRequest(err.Error())
	}
	var problems []string
	if gvk.Group != "" {
		problems = validation.IsDNS1123Subdomain(gvk.Group)
	}
	problems = append(problems, validation.IsDNS1035Label(gvk.Version)...)
	if len(problems) > 0 {
		return gvk, apierrors.NewBadRequest(fmt.Sprintf("apiVersion %q: %s", apiVersion, problems[0]))
	}
	if problems := validation.IsDNS1035Label(strings.ToLower(kind)); len(problems) > 0 {
		return gvk, apierrors.NewBadRequest(fmt.Sprintf("kind %q: %s", kind, problems[0]))
	}
	return gvk, nil
}
