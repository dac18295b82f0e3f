// SPDX-License-Identifier: Apache-2.0

package configmap

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

const (
	// maxKeys is how many keys a message names.
	maxKeys = 10
	// maxKey is how much of a key it names, in bytes. Keys are ASCII.
	maxKey = 63
)

// keys says which keys a ConfigMap has, and how to choose one.
func keys(cm *corev1.ConfigMap) string {
	all := slices.AppendSeq(slices.Collect(maps.Keys(cm.BinaryData)), maps.Keys(cm.Data))
	if len(all) == 0 {
		return "it has no keys, add the module with `kubectl create configmap --from-file`"
	}
	slices.Sort(all)
	var named []string
	for _, key := range all[:min(len(all), maxKeys)] {
		if len(key) > maxKey {
			key = key[:maxKey] + "…"
		}
		named = append(named, fmt.Sprintf("%q", key))
	}
	more := ""
	if n := len(all) - len(named); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("it has %s%s, set spec.source.configMap.key to the module's", strings.Join(named, ", "), more)
}
