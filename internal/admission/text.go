// SPDX-License-Identifier: Apache-2.0

package admission

import "strings"

// cut truncates a text to a number of bytes, and keeps it valid UTF-8.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	const more = "…"
	return strings.ToValidUTF8(text[:limit-len(more)], "") + more
}
