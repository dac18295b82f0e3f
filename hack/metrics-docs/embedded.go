// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/k1s-io/k1s/internal/embedded"
	"github.com/k1s-io/k1s/internal/plugin/metrics"
)

// described collects the descriptions of the registered metrics.
type described struct {
	prometheus.Registerer
	descriptions []string
}

// Register implements prometheus.Registerer.
func (d *described) Register(c prometheus.Collector) error {
	out := make(chan *prometheus.Desc)
	go func() {
		c.Describe(out)
		close(out)
	}()
	for desc := range out {
		d.descriptions = append(d.descriptions, desc.String())
	}
	return nil
}

// description matches the text of a Desc, which is the only way to read its contents.
var description = regexp.MustCompile(`fqName: ("(?:[^"\\]|\\.)*"), help: ("(?:[^"\\]|\\.)*").*variableLabels: \{([^}]*)\}`)

// embeddedFamilies returns the metrics of the embedded controllers, without starting any controller.
func embeddedFamilies() ([]metrics.Family, error) {
	var d described
	if err := embedded.NewRegistry().RegisterMetrics(&d); err != nil {
		return nil, err
	}
	var families []metrics.Family
	for _, text := range d.descriptions {
		part := description.FindStringSubmatch(text)
		if part == nil {
			return nil, fmt.Errorf("a metric's description reads otherwise than expected: %s", text)
		}
		name, err := strconv.Unquote(part[1])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", part[1], err)
		}
		help, err := strconv.Unquote(part[2])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		f := metrics.Family{Name: name, Help: help, Type: metrics.Gauge, Labels: strings.Split(part[3], ",")}
		if strings.HasSuffix(name, "_total") {
			f.Type = metrics.Counter
		}
		families = append(families, f)
	}
	return families, nil
}
