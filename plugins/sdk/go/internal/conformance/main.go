// SPDX-License-Identifier: Apache-2.0

// Command conformance implements a plugin that does what a member of the object says, in every export of the ABI. The
// operator's conformance tests use it to run the SDK in the engine: "patch" is a request to the host, "error" the error
// that it returns, "reply" the warnings or the requeue that it returns, "fill" the value that it sets spec.filled to,
// and "panic" makes it panic. A [Pod] is changed as its annotation says, see test/conformance/testdata/merge.json.
package main

import (
	"context"
	"time"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

const apiVersion, kind = "v1", "ConfigMap"

func init() {
	k1s.Register(k1s.Plugin{
		Name:        "conformance",
		Version:     "v1.0.0",
		Reconcilers: []k1s.Handler{k1s.ForKind(apiVersion, kind, k1s.ReconcileFunc[*k1s.Object](pause)), k1s.For[Pod](k1s.ReconcileFunc[*Pod](reconcilePod))},
		Finalizers:  []k1s.Handler{k1s.FinalizeKind(apiVersion, kind, pause)},
		Admission: []k1s.AdmissionHandler{
			k1s.ValidateKind(apiVersion, kind, k1s.Validator[*k1s.Object]{
				Create: warn,
				Update: func(ctx context.Context, _, o *k1s.Object) (k1s.Warnings, error) { return warn(ctx, o) },
				Delete: warn,
			}),
			k1s.DefaultKind(apiVersion, kind, fill),
			k1s.Default(editPod),
			k1s.AdmitKind(apiVersion, kind, k1s.Admitter[*k1s.Object]{Admit: admit}),
		},
	})
}

func main() {}

// obey executes the members of the object that return no result.
func obey(ctx context.Context, o *k1s.Object) error {
	if text, ok := o.GetString("panic"); ok {
		panic(text)
	}
	if raw, ok := o.GetRaw("error"); ok {
		denial := new(k1s.Error)
		if err := json.Unmarshal(string(raw), denial); err != nil {
			return err
		}
		return denial
	}
	if patch, ok := o.GetRaw("patch", "patch"); ok {
		name, _ := o.GetString("patch", "name")
		return k1s.Patch(ctx, k1s.NewObject(apiVersion, kind, k1s.Key{Namespace: "shop", Name: name}), k1s.MergePatch, patch)
	}
	return nil
}

func pause(ctx context.Context, _ k1s.Request, o *k1s.Object) (k1s.Result, error) {
	millis, _ := o.GetInt("reply", "requeueAfterMillis")
	return k1s.Result{RequeueAfter: time.Duration(millis) * time.Millisecond}, obey(ctx, o)
}

func warn(ctx context.Context, o *k1s.Object) (k1s.Warnings, error) {
	warnings, _ := o.GetStrings("reply", "warnings")
	return warnings, obey(ctx, o)
}

// admit replies like warn, or with the user and the operation of the request.
func admit(ctx context.Context, req k1s.AdmissionRequest[*k1s.Object]) (k1s.Warnings, error) {
	o := req.Object
	if o == nil {
		o = req.OldObject
	}
	if who, _ := o.GetBool("who"); who {
		return k1s.Warnings{req.UserInfo.Username, string(req.Operation), string(req.Options)}, nil
	}
	return warn(ctx, o)
}

func fill(ctx context.Context, o *k1s.Object) error {
	if text, ok := o.GetString("fill"); ok {
		return o.SetString(text, "spec", "filled")
	}
	return obey(ctx, o)
}
