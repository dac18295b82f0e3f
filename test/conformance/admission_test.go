// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/access"
	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/kinds"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv/logs"
	"github.com/k1s-io/k1s/internal/testenv/testfile"
	"github.com/k1s-io/k1s/internal/wasm"
)

// guest is a running module with the client that the operator would give it, which can only read during an admission
// request. There is no cluster behind the client.
type guest struct {
	plugin.Runner
	metadata plugin.Metadata

	log logs.Recorder
}

// configMaps implements access.Kinds without an API server.
type configMaps struct{}

func (configMaps) Resolve(_ context.Context, gvk schema.GroupVersionKind) (*meta.RESTMapping, error) {
	if gvk != corev1.SchemeGroupVersion.WithKind("ConfigMap") {
		return nil, &kinds.NotServedError{GVK: gvk}
	}
	return &meta.RESTMapping{GroupVersionKind: gvk, Resource: gvk.GroupVersion().WithResource("configmaps"), Scope: meta.RESTScopeNamespace}, nil
}

func (configMaps) Changes(string) uint64 { return 0 }

func (configMaps) Invalidate(...string) {}

func newGuest(t *testing.T, text []byte) *guest {
	t.Helper()
	factory := access.NewFactory(&rest.Config{}, configMaps{}, nil, nil, clock.RealClock{})
	client, err := factory.New(access.Options{
		Identity: rbac.Identity{Namespace: "shop", Plugin: "guest", ServiceAccount: "tester"}, MaxConcurrentRequests: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return load(t, text, client, client.Reader(), 512)
}

// load runs a module with host, and with reader during an admission request, in the given number of memory pages.
func load(t *testing.T, text []byte, host, reader plugin.Host, pages uint32) *guest {
	t.Helper()
	g := &guest{}
	engine, err := wasm.New(t.Context(), wasm.Options{CacheDir: nativeCode(), Log: g.log.Logger()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close(context.Background()) })
	module := plugin.NewModule(text)
	limits := plugin.Limits{MaxMemoryPages: pages, CallTimeout: time.Minute, MaxInstances: 1, IdleTimeout: time.Hour}
	defer compiles(string(module.Digest))()
	if g.metadata, err = engine.Describe(t.Context(), module, limits); err != nil {
		t.Fatal(err)
	}
	g.Runner, _, err = engine.Load(t.Context(), plugin.LoadRequest{
		Name: "shop/guest", Module: module, Settings: []byte("{}"), Limits: limits, Host: host, Reader: reader,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close(context.Background()) })
	return g
}

func mirror(t *testing.T) *guest {
	t.Helper()
	text := testfile.Read(t, "testdata", "mirror.wasm")
	return newGuest(t, text)
}

// built returns a running plugin that is written in Go.
func built(t *testing.T, module, path string) *guest {
	t.Helper()
	return newGuest(t, build(t, module, path))
}

// build compiles a plugin in Go to a module, as authors do.
func build(t *testing.T, module, path string) []byte {
	t.Helper()
	file := filepath.Join(shared, strings.ReplaceAll(module+path, "/", "_")+".wasm")
	defer compiles(file)()
	if text, err := os.ReadFile(file); err == nil {
		return text
	}
	// The file is renamed when it is complete.
	unfinished := file + ".unfinished"
	cmd := exec.CommandContext(t.Context(), "go", "-C", filepath.Join("..", "..", "plugins", module), "build",
		"-buildmode=c-shared", "-trimpath", "-ldflags", "-s -w", "-o", unfinished, path)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.Rename(unfinished, file); err != nil {
		t.Fatal(err)
	}
	text := testfile.Read(t, file)
	return text
}

// outcome is the result of a call: its reply or its error.
type outcome struct {
	answer string
	kind   plugin.Kind
	status string // reason, code and message
	cause  string // part of the error
}

func (want outcome) check(t *testing.T, what, answer string, err error) {
	t.Helper()
	got := outcome{answer: answer, kind: plugin.KindOf(err)}
	var call *plugin.CallError
	if errors.As(err, &call) && call.Status != nil {
		got.status = fmt.Sprintf("%s %d %s", call.Status.Reason, call.Status.Code, call.Status.Message)
	}
	if err != nil && want.cause != "" && strings.Contains(err.Error(), want.cause) {
		got.cause, got.status = want.cause, ""
	}
	if err != nil {
		got.answer = ""
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(outcome{})); diff != "" {
		t.Errorf("%s: %v (-want +got)\n%s", what, err, diff)
	}
}

const (
	invalid  = `"error":{"reason":"Invalid","message":"spec.size is negative","code":422}`
	noIdea   = `"error":{"reason":"InternalError","message":"no idea","code":500}`
	writes   = `"patch":{"apiVersion":"v1","kind":"ConfigMap","namespace":"shop","name":"a","patchType":"merge","patch":{"data":{"a":"b"}}}`
	onlyRead = "answered Forbidden: capability: cannot patch"
)

// common returns the outcomes that every guest must have for these objects, in each export that can warn or deny.
func common() map[string]outcome {
	return map[string]outcome{
		`{}`:           {},
		`{"reply":{}}`: {},
		`{"reply":{"warnings":["first","second \"quoted\" ü"]}}`: {answer: `["first","second \"quoted\" ü"]`},
		`{` + invalid + `}`: {kind: plugin.KindGuest, status: "Invalid 422 spec.size is negative"},
		`{` + noIdea + `}`:  {kind: plugin.KindGuest, status: "InternalError 500 no idea"},
		`{` + writes + `}`:  {kind: plugin.KindGuest, cause: onlyRead},
	}
}

// checks calls all exports that can warn or deny, with an object that tells the guest what to do.
func (g *guest) checks(t *testing.T, object string, want outcome) {
	t.Helper()
	key := abi.ObjectKey{APIVersion: "v1", Kind: "ConfigMap", Namespace: "shop", Name: "a"}
	now, other := json.RawMessage(object), json.RawMessage(`{"error":{"message":"the wrong object"}}`)
	requests := map[string]abi.AdmissionRequest{
		abi.ExportValidateCreate: {ObjectKey: key, Object: now},
		abi.ExportValidateUpdate: {ObjectKey: key, Object: now, OldObject: other},
		abi.ExportValidateDelete: {ObjectKey: key, OldObject: now},
	}
	for export, req := range requests {
		got, err := plugin.Validate(t.Context(), g, export, req)
		want.check(t, export+" "+object, list(got), err)
	}
	got, err := plugin.Admit(t.Context(), g, abi.AdmitRequest{AdmissionRequest: requests[abi.ExportValidateUpdate], Operation: abi.OperationUpdate})
	want.check(t, "admit "+object, list(got), err)
}

func list(warnings []string) string {
	if warnings == nil {
		return ""
	}
	text, _ := json.Marshal(warnings)
	return string(text)
}

// A guest that is written only from the specification passes all cases, and violates the ABI in each way.
func TestMirror_warnsAndDenies(t *testing.T) {
	t.Parallel()
	g := mirror(t)
	all := common()
	violation := func(cause string) outcome { return outcome{kind: plugin.KindViolation, cause: cause} }
	full := `"` + strings.Repeat("w", abi.MaxWarning) + `"`
	most := `[` + full + strings.Repeat(`,`+full, abi.MaxWarnings-1) + `]`
	all[`{"reply":{"warnings":`+most+`}}`] = outcome{answer: most}
	all[`{"reply":{"warnings":`+most[:len(most)-1]+`,"w"]}}`] = violation("17 warnings, more than the 16 allowed")
	all[`{"reply":{"warnings":["w`+full[1:]+`]}}`] = violation("warnings[0] has 257 bytes")
	all[`{"reply":{"warnings":[""]}}`] = violation("an empty warning")
	all[`{"reply":{"allowed":true}}`] = violation(`unknown field "allowed"`)
	all[`{"reply":[]}`] = violation("cannot unmarshal array")
	all[`{"reply":"no"}`] = violation("cannot unmarshal string")
	all[`{"raw":"not JSON"}`] = violation("invalid character 'o'")
	all[`{"error":"no"}`] = violation("error reply is not a Status")
	all[`{"error":{}}`] = outcome{kind: plugin.KindGuest, status: " 0 "}
	all[`{"error":{"code":503,"message":"m"}}`] = outcome{kind: plugin.KindGuest, status: " 503 m"}
	all[`{"trap":1}`] = outcome{kind: plugin.KindTrap, cause: "unreachable"}
	all[`{"event":{"apiVersion":"v1","kind":"ConfigMap","namespace":"shop","name":"a","type":"Normal","reason":"R","message":"m"}}`] = outcome{
		kind: plugin.KindGuest, cause: "answered Forbidden: capability: cannot create",
	}
	// A read passes the check of the capabilities. It is denied because the plugin is not allowed anything.
	all[`{"get":{"apiVersion":"v1","kind":"ConfigMap","namespace":"shop","name":"a"}}`] = outcome{kind: plugin.KindGuest, cause: "answered Forbidden: allowlist: cannot get"}
	for object, want := range all {
		g.checks(t, object, want)
	}
}

func TestMirror_defaults(t *testing.T) {
	t.Parallel()
	g := mirror(t)
	for object, want := range map[string]outcome{
		`{}`: {},
		`{"reply":{"kind":"ConfigMap","data":{"a":"b"}}}`:    {answer: `{"kind":"ConfigMap","data":{"a":"b"}}`},
		`{"reply":[{"op":"add","path":"/data","value":{}}]}`: {answer: `[{"op":"add","path":"/data","value":{}}]`},
		`{"reply":{}}`:      {answer: `{}`},
		`{"reply":[]}`:      {answer: `[]`},
		`{"reply":"{}"}`:    {kind: plugin.KindViolation, cause: "neither an object nor a JSON patch"},
		`{"reply":7}`:       {kind: plugin.KindViolation, cause: "neither an object"},
		`{"reply":null}`:    {kind: plugin.KindViolation, cause: "neither an object"},
		`{"raw":"{} {}"}`:   {kind: plugin.KindViolation, cause: "not JSON"},
		`{"raw":"[{"}`:      {kind: plugin.KindViolation, cause: "not JSON"},
		`{"trap":1}`:        {kind: plugin.KindTrap, cause: "unreachable"},
		`{` + invalid + `}`: {kind: plugin.KindGuest, status: "Invalid 422 spec.size is negative"},
		`{` + writes + `}`:  {kind: plugin.KindGuest, cause: onlyRead},
	} {
		got, err := plugin.SetDefaults(t.Context(), g, abi.AdmissionRequest{Object: json.RawMessage(object)})
		want.check(t, object, string(got), err)
	}
}

// finalizes checks the results of finalize.
func (g *guest) finalizes(t *testing.T, more map[string]outcome) {
	t.Helper()
	all := map[string]outcome{
		`{}`:                                    {answer: "0"},
		`{"reply":{"requeueAfterMillis":5000}}`: {answer: "5000"},
		`{` + invalid + `}`:                     {kind: plugin.KindGuest, status: "Invalid 422 spec.size is negative"},
		// A write passes the check of the capabilities here.
		`{` + writes + `}`: {kind: plugin.KindGuest, cause: "answered Forbidden: allowlist: cannot patch"},
	}
	for object, want := range more {
		all[object] = want
	}
	for object, want := range all {
		got, err := plugin.Finalize(t.Context(), g, abi.ReconcileRequest{
			ObjectKey: abi.ObjectKey{APIVersion: "v1", Kind: "ConfigMap", Name: "a"}, Object: json.RawMessage(object), Attempt: 1,
		})
		want.check(t, object, fmt.Sprint(got.RequeueAfterMillis), err)
	}
}

func TestMirror_finalizes(t *testing.T) {
	t.Parallel()
	mirror(t).finalizes(t, map[string]outcome{
		`{"reply":{}}`:                        {answer: "0"},
		`{"reply":{"requeueAfterMillis":-1}}`: {kind: plugin.KindViolation, cause: "requeueAfterMillis"},
		`{"reply":{"done":true}}`:             {kind: plugin.KindViolation, cause: `unknown field "done"`},
		`{"trap":1}`:                          {kind: plugin.KindTrap, cause: "unreachable"},
	})
}

// The guest receives everything that the specification says about a request.
func TestMirror_input(t *testing.T) {
	t.Parallel()
	g := mirror(t)
	req := abi.AdmitRequest{
		AdmissionRequest: abi.AdmissionRequest{ObjectKey: abi.ObjectKey{APIVersion: "v1", Kind: "Namespace"}, OldObject: json.RawMessage(`{"log":1}`)},
		UID:              "u1", Operation: abi.OperationDelete, DryRun: true, UserInfo: json.RawMessage(`{"username":"jane"}`),
	}
	if _, err := plugin.Admit(t.Context(), g, req); err != nil {
		t.Fatal(err)
	}
	if _, err := plugin.Validate(t.Context(), g, abi.ExportValidateCreate, abi.AdmissionRequest{Object: json.RawMessage(`{"log":2}`)}); err != nil {
		t.Fatal(err)
	}
	logged := strings.ReplaceAll(strings.Join(g.log.Lines(), "\n"), `\"`, `"`)
	for _, want := range []string{
		`{"apiVersion":"v1","kind":"Namespace","name":"","object":null,"oldObject":{"log":1},"uid":"u1","operation":"DELETE","dryRun":true,"userInfo":{"username":"jane"},"options":null}`,
		`{"apiVersion":"","kind":"","name":"","object":{"log":2},"oldObject":null}`,
	} {
		if !strings.Contains(logged, want) {
			t.Errorf("the guest did not get %s but\n%s", want, logged)
		}
	}
}

// The Go SDK passes the same cases in the engine.
func TestGoSDK(t *testing.T) {
	t.Parallel()
	g := built(t, "sdk/go", "./internal/conformance")
	if want := []plugin.Capability{
		plugin.CapabilityReconcile, plugin.CapabilityFinalization, plugin.CapabilityValidation, plugin.CapabilityDefaulting, plugin.CapabilityAdmission,
	}; !slices.Equal(g.metadata.Capabilities, want) || !slices.Equal(g.metadata.Operations, []string{"CREATE", "UPDATE", "DELETE"}) {
		t.Errorf("metadata %+v", g.metadata)
	}
	panics := outcome{kind: plugin.KindGuest, status: "InternalError 500 panic: oh"}
	all := common()
	all[`{"panic":"oh"}`] = panics
	// The SDK cuts what the operator would not accept.
	all[`{"reply":{"warnings":["","`+strings.Repeat("w", 300)+`"]}}`] = outcome{answer: `["` + strings.Repeat("w", 253) + `…"]`}
	for object, want := range all {
		g.checks(t, object, want)
	}
	g.finalizes(t, map[string]outcome{`{"panic":"oh"}`: panics})
	for object, want := range map[string]outcome{
		`{"data":{"a":"b"}}`:                    {},
		`{"fill":"x","spec":{"a":[1,{"b":2}]}}`: {answer: `{"fill":"x","spec":{"a":[1,{"b":2}],"filled":"x"}}`},
		`{"fill":"x","spec":{"filled":"x"}}`:    {},
		`{"panic":"oh"}`:                        panics,
		`{` + invalid + `}`:                     {kind: plugin.KindGuest, status: "Invalid 422 spec.size is negative"},
		`{` + writes + `}`:                      {kind: plugin.KindGuest, cause: onlyRead},
	} {
		got, err := plugin.SetDefaults(t.Context(), g, abi.AdmissionRequest{
			ObjectKey: abi.ObjectKey{APIVersion: "v1", Kind: "ConfigMap"}, Object: json.RawMessage(object),
		})
		want.check(t, object, string(got), err)
	}
	got, err := plugin.Admit(t.Context(), g, abi.AdmitRequest{
		AdmissionRequest: abi.AdmissionRequest{ObjectKey: abi.ObjectKey{APIVersion: "v1", Kind: "ConfigMap"}, OldObject: json.RawMessage(`{"who":true}`)},
		Operation:        abi.OperationDelete, UserInfo: json.RawMessage(`{"username":"jane"}`), Options: json.RawMessage(`{"a":1}`),
	})
	outcome{answer: `["jane","DELETE","{\"a\":1}"]`}.check(t, "who", list(got), err)
}

// The sample plugin does what its settings say, in WebAssembly as in its own tests.
func TestItemValidator(t *testing.T) {
	t.Parallel()
	g := built(t, "item-validator", ".")
	if !g.metadata.Deterministic || len(g.metadata.OperationsOf(abi.ExportValidateDelete)) > 0 || len(g.metadata.OperationsOf(abi.ExportSetDefaults)) != 2 {
		t.Errorf("metadata %+v", g.metadata)
	}
	req := abi.AdmissionRequest{
		ObjectKey: abi.ObjectKey{APIVersion: "inventory.example.com/v1alpha1", Kind: "Item", Namespace: "shop"},
		Object:    json.RawMessage(`{"metadata":{"generateName":"ring-"},"spec":{"name":"Ring","quantity":1,"category":"premium"}}`),
	}
	_, err := plugin.Validate(t.Context(), g, abi.ExportValidateCreate, req)
	outcome{kind: plugin.KindGuest, status: `Invalid 422 spec.price must be set in the category "premium"`}.check(t, "premium", "", err)
	req.Object = json.RawMessage(`{"spec":{"name":"Ring","quantity":1}}`)
	got, err := plugin.Validate(t.Context(), g, abi.ExportValidateCreate, req)
	outcome{answer: `["spec.price is not set: the item is in stock and cannot be sold"]`}.check(t, "no price", list(got), err)
}
