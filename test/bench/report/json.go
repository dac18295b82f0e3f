// SPDX-License-Identifier: Apache-2.0

package report

import (
	"encoding/json"
	"io"
	"math"
)

// figure is the JSON object of a row.
type figure struct {
	Name   string   `json:"name"`
	Unit   string   `json:"unit"`
	Value  *float64 `json:"value"`
	Target *float64 `json:"target"`
	Met    *bool    `json:"met"`
}

// JSON writes an array with one object for each row: name, unit, value (null if it was not measured), target and met
// (both null without a target).
func JSON(w io.Writer, sections []Section) error {
	figures := []figure{}
	for _, s := range sections {
		for _, r := range s.Rows {
			f := figure{Name: r.Name, Unit: r.Unit, Met: r.Met()}
			if r.Value != nil {
				rounded := round(*r.Value)
				f.Value = &rounded
			}
			if r.Target != nil {
				f.Target = &r.Target.Bound
			}
			figures = append(figures, f)
		}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(figures)
}

// round rounds to four significant digits, because the rest is noise.
func round(n float64) float64 {
	if n == 0 {
		return 0
	}
	scale := math.Pow(10, 3-math.Floor(math.Log10(math.Abs(n))))
	return math.Round(n*scale) / scale
}
