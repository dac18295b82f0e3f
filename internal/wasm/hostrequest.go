// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero/api"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// answer returns the host function with the given name. It decodes a JSON request, calls do and replies. A mistake in
// the JSON results in an error that the guest can handle, a pointer outside its memory stops the guest. Outside the
// export of a capability, and for requests above the size limit, nothing is decoded.
func answer[T any](function string, do func(plugin.Host, context.Context, T) ([]byte, error)) api.GoModuleFunction {
	return api.GoModuleFunc(func(ctx context.Context, module api.Module, stack []uint64) {
		in := mustReply(ctx)
		payload := in.mustView(module, stack[0], stack[1])
		var out []byte
		var err error
		switch limit := abi.MaxRequest(function); {
		case in.host == nil:
			err = &apierrors.StatusError{ErrStatus: metav1.Status{
				Status: metav1.StatusFailure, Code: 403, Reason: metav1.StatusReasonForbidden,
				Message: "capability: the cluster can only be reached inside the export of a capability, such as reconcile",
			}}
		case len(payload) > limit:
			err = apierrors.NewRequestEntityTooLargeError(fmt.Sprintf(
				"a request of %d bytes is larger than the %d that %s takes", len(payload), limit, function))
		default:
			var req T
			if err = abi.Decode(payload, &req); err != nil {
				err = apierrors.NewBadRequest(err.Error())
				break
			}
			in.without(ctx, func() { out, err = do(in.host, ctx, req) })
		}
		// wazero checks the context at loop headers only, so a guest whose time has run out in this function is stopped
		// here.
		if ctx.Err() != nil {
			panic(timeout(ctx))
		}
		stack[0] = uint64(in.reply(ctx, out, err))
	})
}

// reply writes a result or an error to the guest's memory.
func (in *instance) reply(ctx context.Context, out []byte, err error) abi.Reply {
	if err == nil && len(out) > abi.MaxPayload {
		err = apierrors.NewRequestEntityTooLargeError(fmt.Sprintf(
			"the reply has %d bytes, more than the %d of one payload: ask for less, with a selector or a limit", len(out), abi.MaxPayload))
	}
	isError := err != nil
	if isError {
		out = statusJSON(err)
	}
	ptr, err := in.place(ctx, out)
	if err != nil {
		panic(err)
	}
	return abi.NewReply(ptr, uint32(len(out)), isError)
}

// statusJSON returns an error as the Status that the ABI specifies.
func statusJSON(err error) []byte {
	status := metav1.Status{Code: 500, Reason: metav1.StatusReasonInternalError, Message: err.Error()}
	var api apierrors.APIStatus
	switch {
	case errors.As(err, &api):
		status = api.Status()
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		status.Code, status.Reason = 504, metav1.StatusReasonTimeout
	}
	status.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
	status.Status = metav1.StatusFailure
	out, err := json.Marshal(status)
	if err != nil { // a Status always marshals
		return []byte(`{"apiVersion":"v1","kind":"Status","status":"Failure","code":500,"reason":"InternalError"}`)
	}
	return out
}

// mustReply returns the calling instance. It stops the guest if no reply can be written to the instance now.
func mustReply(ctx context.Context) *instance {
	in := instanceFrom(ctx)
	switch {
	case in.starting:
		panic(violation("the module's start function called a host function that replies: do so in an export"))
	case in.allocating:
		panic(violation("%s called a host function that replies", abi.ExportAlloc))
	}
	return in
}

// mustView returns bytes of the guest's memory that a host function is about to read, and charges fuel for them. It
// stops the guest if they are outside its memory, or if its time has run out.
func (in *instance) mustView(module api.Module, ptr, length uint64) []byte {
	in.MustContinue()
	bytes, err := view(module, uint32(ptr), uint32(length))
	if err != nil {
		panic(violation("a host function was given %w", err))
	}
	in.Charge(len(bytes))
	return bytes
}
