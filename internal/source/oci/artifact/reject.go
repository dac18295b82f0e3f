// SPDX-License-Identifier: Apache-2.0

package artifact

import (
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/text"
)

const (
	// maxListed is the maximum number of layers or modules that a message lists.
	maxListed = 5
	// maxQuoted is the maximum number of bytes that a message shows of a name or a media type. The longest media type of
	// the known formats has 65.
	maxQuoted = 80
	// shortDigits is the number of a digest's digits in messages.
	shortDigits = 12
)

// noModule returns the error of an artifact in which no module was found. It has at least one finding.
func (s *search) noModule() error {
	top := 0
	for i, f := range s.findings {
		if f.rank > s.findings[top].rank {
			top = i
		}
	}
	reason, advice := s.findings[top].rank.reason(), s.findings[top].advice
	if top >= maxListed {
		s.findings[0], s.findings[top] = s.findings[top], s.findings[0]
	}
	var all []string
	for _, f := range s.findings {
		all = append(all, f.where+" "+f.what)
	}
	return plugin.Reject(reason, "the artifact has no WebAssembly core module: %s: %s", listOf(all, len(all)), advice)
}

// severalModules returns the error of an artifact with more than one module.
func (s *search) severalModules() error {
	var all []string
	for _, c := range s.modules {
		all = append(all, c.where)
	}
	return plugin.Reject(pluginsv1alpha1.ReasonSeveralModules,
		"the artifact has more than one WebAssembly module: %s: push each module in an artifact of its own", listOf(all, len(all)))
}

// listOf returns a list of names for a message, of which there are n in all.
func listOf(names []string, n int) string {
	names = names[:min(len(names), maxListed)]
	list := strings.Join(names, "; ")
	if more := n - len(names); more > 0 {
		list += fmt.Sprintf("; and %d more", more)
	}
	return list
}

// quote returns a name or a media type of the artifact for a message.
func quote(name string) string { return fmt.Sprintf("%q", text.Truncate(name, maxQuoted)) }

// short returns the beginning of a valid digest for a message.
func short(d digest.Digest) string {
	digits := d.Encoded()
	return fmt.Sprintf("%s:%s", d.Algorithm(), digits[:min(len(digits), shortDigits)])
}
