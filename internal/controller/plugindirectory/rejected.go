// SPDX-License-Identifier: Apache-2.0

package plugindirectory

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/source/directory"
)

// isRejected returns the change that records on the WasmPlugin that the API server has rejected what its file defines, and
// whether that change is necessary.
func isRejected(c change, existing []pluginsv1alpha1.WasmPlugin, err error) (change, bool) {
	problem := directory.Problem{
		Name: c.plugin.Name, File: c.file, Reason: pluginsv1alpha1.ReasonInvalidPluginFile,
		Message: fmt.Sprintf("%s: the API server rejects it: %s", c.file, causes(err)),
	}
	return toward(named(existing, c.plugin.Name), c.plugin.Name, c.plugin.Namespace, c.file,
		func(wp *pluginsv1alpha1.WasmPlugin) { withProblem(wp, problem) })
}

// causes returns what the API server found wrong, always in the same order, so that the same result changes nothing.
func causes(err error) string {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Details == nil || len(status.Status().Details.Causes) == 0 {
		return err.Error()
	}
	var all []string
	for _, c := range status.Status().Details.Causes {
		all = append(all, c.Field+": "+c.Message)
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}
