// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/text"
)

// admissionExports are the exports that the plugin's admission webhooks call, in the order in which they are called.
var admissionExports = []string{
	abi.ExportValidateCreate, abi.ExportValidateUpdate, abi.ExportValidateDelete, abi.ExportSetDefaults, abi.ExportAdmit,
}

// operationsOf returns the operations of the admission requests that an export handles, sorted.
func operationsOf(export string) []string {
	switch export {
	case abi.ExportValidateCreate:
		return []string{abi.OperationCreate}
	case abi.ExportValidateUpdate:
		return []string{abi.OperationUpdate}
	case abi.ExportValidateDelete:
		return []string{abi.OperationDelete}
	case abi.ExportSetDefaults:
		return []string{abi.OperationCreate, abi.OperationUpdate}
	case abi.ExportAdmit:
		return []string{abi.OperationCreate, abi.OperationDelete, abi.OperationUpdate}
	default:
		return nil
	}
}

// AdmissionExports returns the exports that handle an operation, in the order in which they are called.
func AdmissionExports(operation string) []string {
	return slices.DeleteFunc(slices.Clone(admissionExports), func(export string) bool { return !slices.Contains(operationsOf(export), operation) })
}

// OperationsOf returns the operations of the admission requests for which an export is called, sorted: those that the
// export handles and that the module's metadata asks for. If there are none, the export need not be called.
func (m Metadata) OperationsOf(export string) []string {
	all := operationsOf(export)
	if m.Operations == nil {
		return all
	}
	return slices.DeleteFunc(all, func(operation string) bool { return !slices.Contains(m.Operations, operation) })
}

// parseOperations reads admission.operations of the metadata. It rejects operations that leave one of the module's
// admission capabilities without any request.
func (m *Metadata) parseOperations(operations []string) error {
	if operations == nil {
		return nil
	}
	known := operationsOf(abi.ExportAdmit)
	m.Operations = []string{}
	for i, operation := range operations {
		if !slices.Contains(known, operation) {
			return fmt.Errorf("metadata admission.operations[%d]: unknown operation %q, known are %q", i, operation, known)
		}
		if !slices.Contains(m.Operations, operation) {
			m.Operations = append(m.Operations, operation)
		}
	}
	for _, c := range m.Capabilities {
		exports := Exports(c)
		if !slices.ContainsFunc(exports, InAdmission) {
			continue
		}
		if !slices.ContainsFunc(exports, func(export string) bool { return len(m.OperationsOf(export)) > 0 }) {
			return fmt.Errorf("metadata admission.operations leaves nothing for the capability %q: leave it out, or name what the module is to be asked about", c)
		}
	}
	return nil
}

// InAdmission reports whether an export handles admission requests. Such an export can only read from the API server.
func InAdmission(export string) bool { return slices.Contains(admissionExports, export) }

// Validate calls validate_create, validate_update or validate_delete and returns the guest's warnings. An error of
// KindGuest means that the guest denied the request or could not decide: its Status tells which.
func Validate(ctx context.Context, runner Runner, export string, req abi.AdmissionRequest) ([]string, error) {
	input, err := abi.AppendAdmissionRequest(nil, req)
	if err != nil {
		return nil, &CallError{Kind: KindInput, Export: export, Err: err}
	}
	return warnings(ctx, runner, Call{Export: export, Input: input, Object: req.ObjectKey})
}

// Admit calls the admit export. It returns warnings and errors as Validate does.
func Admit(ctx context.Context, runner Runner, req abi.AdmitRequest) ([]string, error) {
	input, err := json.Marshal(req)
	if err != nil {
		return nil, &CallError{Kind: KindInput, Export: abi.ExportAdmit, Err: err}
	}
	return warnings(ctx, runner, Call{Export: abi.ExportAdmit, Input: input, Object: req.ObjectKey})
}

func warnings(ctx context.Context, runner Runner, call Call) ([]string, error) {
	call.Accept = func(reply []byte) error {
		_, err := parseAdmissionReply(reply)
		return err
	}
	reply, err := runner.Call(ctx, call)
	if err != nil {
		return nil, err
	}
	parsed, err := parseAdmissionReply(reply) // not every Runner calls Accept
	if err != nil {
		return nil, &CallError{Kind: KindViolation, Export: call.Export, Err: err}
	}
	return parsed.Warnings, nil
}

func parseAdmissionReply(reply []byte) (parsed abi.AdmissionReply, err error) {
	if len(reply) == 0 {
		return parsed, nil
	}
	if err := abi.Decode(reply, &parsed); err != nil {
		return abi.AdmissionReply{}, err
	}
	if err := parsed.Check(); err != nil {
		return abi.AdmissionReply{}, err
	}
	for i, w := range parsed.Warnings {
		parsed.Warnings[i] = text.Printable(w)
	}
	return parsed, nil
}

// SetDefaults calls set_defaults. The reply is empty (no change), a JSON object (the object with its defaults) or a
// JSON array (a JSON patch, RFC 6902).
func SetDefaults(ctx context.Context, runner Runner, req abi.AdmissionRequest) (json.RawMessage, error) {
	const export = abi.ExportSetDefaults
	input, err := abi.AppendAdmissionRequest(nil, req)
	if err != nil {
		return nil, &CallError{Kind: KindInput, Export: export, Err: err}
	}
	reply, err := runner.Call(ctx, Call{Export: export, Input: input, Object: req.ObjectKey, Accept: checkDefaults})
	if err != nil {
		return nil, err
	}
	if err := checkDefaults(reply); err != nil { // not every Runner calls Accept
		return nil, &CallError{Kind: KindViolation, Export: export, Err: err}
	}
	return reply, nil
}

func checkDefaults(reply []byte) error {
	if len(reply) == 0 {
		return nil
	}
	if !json.Valid(reply) {
		return errors.New("it is not JSON")
	}
	for _, c := range reply {
		switch c {
		case ' ', '\t', '\n', '\r':
			continue
		case '{', '[':
			return nil
		}
		break
	}
	return errors.New("it is neither an object nor a JSON patch")
}
