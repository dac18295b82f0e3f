// SPDX-License-Identifier: Apache-2.0

package configmap

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/k1s-io/k1s/internal/text"
)

const (
	// maxKeys is the maximum number of keys that a message names.
	maxKeys = 10
	// maxKey is the maximum number of bytes that it shows of a key.
	maxKey = 63 + len("…")
)

// keys lists the keys of a ConfigMap for a message, and says how to choose one.
func keys(cm *corev1.ConfigMap) string {
	all := slices.AppendSeq(slices.Collect(maps.Keys(cm.BinaryData)), maps.Keys(cm.Data))
	if len(all) == 0 {
		return "it has no keys, add the module with `kubectl create configmap --from-file`"
	}
	slices.Sort(all)
	var named []string
	for _, key := range all[:min(len(all), maxKeys)] {
		named = append(named, fmt.Sprintf("%q", text.Truncate(key, maxKey)))
	}
	more := ""
	if n := len(all) - len(named); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("it has %s%s, set spec.source.configMap.key to the module's", strings.Join(named, ", "), more)
}
