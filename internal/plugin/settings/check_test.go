// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv/table"
)

const (
	invalid   = pluginsv1alpha1.ReasonSettingsInvalid
	badReason = pluginsv1alpha1.ReasonSchemaInvalid
)

type checkCase struct {
	Name             string
	Schema, Settings table.JSON
	Reason           string // empty if the settings are valid
	Want             string // the end of the message
}

func checkCases(t testing.TB) []checkCase {
	t.Helper()
	return append(table.Read[checkCase](t, "check.yaml"), checkCase{
		Name: "a number of many digits", Reason: invalid, Schema: `{}`, Settings: table.JSON(`{"a":` + strings.Repeat("9", 500) + `}`),
		Want: "number 99999999999999999999 is out of range",
	})
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, tt := range checkCases(t) {
		t.Run(tt.Name, func(t *testing.T) {
			t.Parallel()
			for range 10 { // maps have no order
				err := Check(t.Context(), json.RawMessage(tt.Schema), json.RawMessage(tt.Settings))
				if tt.Reason == "" {
					if err != nil {
						t.Fatal(err)
					}
					continue
				}
				var load *plugin.LoadError
				if !errors.As(err, &load) || load.Reason != tt.Reason || !strings.HasSuffix(load.Error(), tt.Want) {
					t.Fatalf("got %v\nwant %s: %s", err, tt.Reason, tt.Want)
				}
			}
		})
	}
}

func FuzzCheck(f *testing.F) {
	for _, tt := range checkCases(f) {
		f.Add([]byte(tt.Schema), []byte(tt.Settings))
	}
	f.Fuzz(func(t *testing.T, schema, settings []byte) {
		err := Check(t.Context(), schema, settings)
		if second := Check(t.Context(), schema, settings); (err == nil) != (second == nil) || err != nil && err.Error() != second.Error() {
			t.Errorf("got %v, then %v", err, second)
		}
		var load *plugin.LoadError
		if err != nil && !errors.As(err, &load) {
			t.Errorf("got %v, want a plugin.LoadError", err)
		}
	})
}
