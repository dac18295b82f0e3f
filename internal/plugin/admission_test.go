// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/k1s-io/k1s/internal/abi"
)

func TestMetadata_OperationsOf(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		wanted []string
		want   map[string][]string
	}{
		"all": {nil, map[string][]string{
			abi.ExportValidateCreate: {"CREATE"}, abi.ExportValidateUpdate: {"UPDATE"}, abi.ExportValidateDelete: {"DELETE"},
			abi.ExportSetDefaults: {"CREATE", "UPDATE"}, abi.ExportAdmit: {"CREATE", "DELETE", "UPDATE"},
			abi.ExportReconcile: nil, abi.ExportFinalize: nil,
		}},
		"some": {[]string{"UPDATE", "CREATE"}, map[string][]string{
			abi.ExportValidateCreate: {"CREATE"}, abi.ExportValidateUpdate: {"UPDATE"}, abi.ExportValidateDelete: {},
			abi.ExportSetDefaults: {"CREATE", "UPDATE"}, abi.ExportAdmit: {"CREATE", "UPDATE"},
		}},
		"one": {[]string{"DELETE"}, map[string][]string{
			abi.ExportValidateCreate: {}, abi.ExportValidateDelete: {"DELETE"}, abi.ExportSetDefaults: {}, abi.ExportAdmit: {"DELETE"},
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := Metadata{Operations: tt.wanted}
			for export, want := range tt.want {
				if diff := cmp.Diff(want, m.OperationsOf(export)); diff != "" {
					t.Errorf("%s (-want +got)\n%s", export, diff)
				}
			}
		})
	}
}

// constantRunner is a Runner that returns the same reply to everything and does not call Accept.
type constantRunner string

func (s constantRunner) Call(context.Context, Call) ([]byte, error) { return []byte(s), nil }
func (constantRunner) Close(context.Context) error                  { return nil }

// Replies are validated even if the Runner does not call Accept.
func TestValidate_replies(t *testing.T) {
	t.Parallel()
	tests := []struct {
		reply string
		want  []string
		error string
	}{
		{"", nil, ""},
		{"{}", nil, ""},
		{`{"warnings":["a","b\n\u001b[31mc"]}`, []string{"a", "b  [31mc"}, ""},
		{`{"warnings":[""]}`, nil, "an empty warning"},
		{`{"warnings":"a"}`, nil, "cannot unmarshal string"},
		{`{"allowed":false}`, nil, `unknown field "allowed"`},
		{`[]`, nil, "cannot unmarshal array"},
		{`{`, nil, "unexpected EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.reply, func(t *testing.T) {
			t.Parallel()
			for export, ask := range map[string]func() ([]string, error){
				abi.ExportValidateDelete: func() ([]string, error) {
					return Validate(t.Context(), constantRunner(tt.reply), abi.ExportValidateDelete, abi.AdmissionRequest{})
				},
				abi.ExportAdmit: func() ([]string, error) { return Admit(t.Context(), constantRunner(tt.reply), abi.AdmitRequest{}) },
			} {
				got, err := ask()
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("%s (-want +got)\n%s", export, diff)
				}
				checkReply(t, export, err, tt.error)
			}
		})
	}
}

func TestSetDefaults_replies(t *testing.T) {
	t.Parallel()
	for reply, want := range map[string]string{
		"": "", "{}": "", " \n[]": "", `{"a":[]}`: "",
		"null": "neither an object nor a JSON patch", `"{}"`: "neither an object", "7": "neither an object",
		"{": "not JSON", "{}{}": "not JSON", "x": "not JSON", " ": "not JSON",
	} {
		t.Run(reply, func(t *testing.T) {
			t.Parallel()
			got, err := SetDefaults(t.Context(), constantRunner(reply), abi.AdmissionRequest{})
			checkReply(t, abi.ExportSetDefaults, err, want)
			if want == "" && string(got) != reply {
				t.Errorf("got %q", got)
			}
		})
	}
}

func checkReply(t *testing.T, export string, err error, want string) {
	t.Helper()
	var call *CallError
	switch {
	case want == "" && err != nil:
		t.Errorf("%s: got %v", export, err)
	case want == "":
	case !errors.As(err, &call) || call.Kind != KindViolation || call.Export != export || !strings.Contains(err.Error(), want):
		t.Errorf("%s: got %v, want a violation with %q", export, err, want)
	}
}

// A request that exceeds the maximum size of a payload is not a fault of the guest.
func TestValidate_tooLarge(t *testing.T) {
	t.Parallel()
	req := abi.AdmissionRequest{Object: json.RawMessage(strings.Repeat(" ", abi.MaxPayload+1))}
	if _, err := Validate(t.Context(), constantRunner(""), abi.ExportValidateCreate, req); KindOf(err) != KindInput {
		t.Errorf("got %v", err)
	}
	if _, err := SetDefaults(t.Context(), constantRunner(""), req); KindOf(err) != KindInput {
		t.Errorf("got %v", err)
	}
}
