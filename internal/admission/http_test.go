// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/access/ownwrite"
	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/plugin/metrics"
	"github.com/k1s-io/k1s/internal/testenv"
)

// authority is an Authorizer with one answer for everything.
type authority struct {
	allowed bool
	err     error
}

func (a authority) Authorize(context.Context, rbac.Identity, rbac.Action) (rbac.Decision, error) {
	return rbac.Decision{Allowed: a.allowed}, a.err
}

// direct is a server that tests call directly.
type direct struct {
	*Server

	metrics *metrics.Metrics
	series  *prometheus.Registry
	marks   *ownwrite.Marks
	// timeout is the timeout of the webhook client.
	timeout string
}

const pluginName = "home/script"

func newDirect(t *testing.T, a Authorizer) *direct {
	t.Helper()
	d := &direct{series: prometheus.NewRegistry(), timeout: "10s"}
	var err error
	if d.metrics, err = metrics.New(d.series); err != nil {
		t.Fatal(err)
	}
	d.metrics.Begin(pluginName)
	d.marks = newMarks(t)
	d.Server = NewServer(ServerOptions{Authorizer: a, Exempt: NewExempt(operatorNamespace), Marks: d.marks, Metrics: d.metrics, Log: logr.Discard()})
	return d
}

// directPlugin returns a plugin whose webhooks match every Item.
func directPlugin(runner plugin.Runner, change ...func(*Plugin)) *Plugin {
	w := &testCluster{home: "home"}
	return w.plugin(runner, append([]func(*Plugin){allNamespaces}, change...)...)
}

// counted returns the counters of admission requests.
func (d *direct) counted(t *testing.T) []string {
	t.Helper()
	families, err := d.series.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if !strings.Contains(f.GetName(), "admission") || m.GetCounter() == nil {
				continue
			}
			text := f.GetName()
			for _, l := range m.GetLabel() {
				text += " " + l.GetValue()
			}
			all = append(all, fmt.Sprint(text, " ", m.GetCounter().GetValue()))
		}
	}
	return all
}

// review sends an AdmissionReview like the API server.
func (d *direct) review(t *testing.T, hook webhook, change func(*admissionv1.AdmissionRequest)) (*admissionv1.AdmissionResponse, *httptest.ResponseRecorder) {
	t.Helper()
	target := items(nil)
	request := &admissionv1.AdmissionRequest{
		UID: "u", Kind: metav1.GroupVersionKind(target.GVK), Resource: metav1.GroupVersionResource(target.GVR),
		Namespace: "shop", Name: "it", Operation: admissionv1.Create,
		UserInfo: authenticationv1.UserInfo{Username: "jane"},
		Object:   raw(`{"apiVersion":"inventory.example.com/v1alpha1","kind":"Item","metadata":{"name":"it","namespace":"shop"},"spec":{}}`),
	}
	if change != nil {
		change(request)
	}
	review := admissionv1.AdmissionReview{Request: request}
	review.SetGroupVersionKind(admissionv1.SchemeGroupVersion.WithKind("AdmissionReview"))
	body, err := json.Marshal(review)
	if err != nil {
		t.Fatal(err)
	}
	recorder := d.post(t, hook.path(types.NamespacedName{Namespace: "home", Name: "script"}), body)
	if recorder.Code != http.StatusOK {
		return nil, recorder
	}
	var answer admissionv1.AdmissionReview
	if err := json.Unmarshal(recorder.Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	if answer.Response == nil || answer.Response.UID != "u" || answer.Kind != "AdmissionReview" || answer.APIVersion != "admission.k8s.io/v1" {
		t.Fatalf("answer %s", recorder.Body)
	}
	return answer.Response, recorder
}

func (d *direct) post(t *testing.T, path string, body []byte) *httptest.ResponseRecorder {
	t.Helper()
	recorder := httptest.NewRecorder()
	d.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodPost, path+"?timeout="+d.timeout, bytes.NewReader(body)))
	return recorder
}

func raw(text string) runtime.RawExtension { return runtime.RawExtension{Raw: []byte(text)} }

func TestServer_notLoaded(t *testing.T) {
	d := newDirect(t, authority{allowed: true})
	if _, recorder := d.review(t, validating, nil); recorder.Code != http.StatusServiceUnavailable {
		t.Errorf("unknown: status %d", recorder.Code)
	}

	p := directPlugin(plugin.NewSlot(time.Minute)) // empty
	d.Set(p)
	response, _ := d.review(t, validating, nil)
	if response == nil || response.Allowed || response.Result.Code != http.StatusServiceUnavailable || !strings.Contains(response.Result.Message, "is not loaded") {
		t.Errorf("without a revision: %+v", response)
	}

	now := time.Now()
	d.now = func() time.Time { return now }
	d.Remove(p.Name)
	if response, recorder := d.review(t, validating, nil); response == nil || !response.Allowed {
		t.Errorf("just removed: status %d, %s", recorder.Code, recorder.Body)
	}
	now = now.Add(linger + time.Second)
	if _, recorder := d.review(t, validating, nil); recorder.Code != http.StatusServiceUnavailable {
		t.Errorf("removed before: status %d", recorder.Code)
	}
}

func TestServer_noReview(t *testing.T) {
	d := newDirect(t, authority{allowed: true})
	d.Set(directPlugin(plugin.NewSlot(time.Minute)))
	const path = PathPrefix + "validate/home/script"
	for name, tt := range map[string]struct {
		path, body string
		code       int
	}{
		"empty":            {path, ``, http.StatusBadRequest},
		"no JSON":          {path, `{`, http.StatusBadRequest},
		"another kind":     {path, `{"apiVersion":"v1","kind":"Pod"}`, http.StatusBadRequest},
		"another version":  {path, `{"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview","request":{}}`, http.StatusBadRequest},
		"without request":  {path, `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}`, http.StatusBadRequest},
		"too long":         {path, `"` + strings.Repeat("x", maxReview) + `"`, http.StatusRequestEntityTooLarge},
		"another webhook":  {PathPrefix + "convert/home/script", `{}`, http.StatusNotFound},
		"no name":          {PathPrefix + "validate/home", `{}`, http.StatusNotFound},
		"more than a name": {path + "/x", `{}`, http.StatusNotFound},
		"names of nothing": {PathPrefix + "validate/Home/..", `{}`, http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			if recorder := d.post(t, tt.path, []byte(tt.body)); recorder.Code != tt.code {
				t.Errorf("status %d, want %d: %s", recorder.Code, tt.code, recorder.Body)
			}
		})
	}
}

func TestServer_passes(t *testing.T) {
	d := newDirect(t, authority{allowed: true})
	runner := load(t, newEngine(t), nil, scripted(abi.ExportValidateCreate, anything, traps, ""),
		scripted(abi.ExportValidateUpdate, anything, traps, ""), scripted(abi.ExportValidateDelete, anything, traps, ""))
	d.Set(directPlugin(slot(t, runner), func(p *Plugin) {
		for _, group := range exemptGroups {
			target := items(plugin.Namespaces{plugin.AllNamespaces})
			target.GVK.Group, target.GVR.Group = group, group
			p.Targets = append(p.Targets, target)
		}
		p.Targets = append(p.Targets, Target{
			GVK: corev1.SchemeGroupVersion.WithKind("Namespace"), GVR: corev1.SchemeGroupVersion.WithResource("namespaces"), Validate: plugin.Namespaces{plugin.AllNamespaces},
		})
	}))
	const ownAccount = "system:serviceaccount:home:" + account
	own := d.sign(t, pluginName)
	going := raw(`{"apiVersion":"a/b","metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"}}`)
	living := raw(`{"apiVersion":"a/b","metadata":{}}`)
	for name, tt := range map[string]struct {
		change func(*admissionv1.AdmissionRequest)
		asked  bool
	}{
		"asked":                {func(*admissionv1.AdmissionRequest) {}, true},
		"another kind":         {func(r *admissionv1.AdmissionRequest) { r.Kind.Kind = "Category" }, false},
		"another resource":     {func(r *admissionv1.AdmissionRequest) { r.Kind.Kind, r.Resource.Resource = "Category", "categories" }, false},
		"kube-system":          {func(r *admissionv1.AdmissionRequest) { r.Namespace = "kube-system" }, false},
		"operator's namespace": {func(r *admissionv1.AdmissionRequest) { r.Namespace = operatorNamespace }, false},
		"kube-system itself": {func(r *admissionv1.AdmissionRequest) {
			r.Kind, r.Resource = metav1.GroupVersionKind{Version: "v1", Kind: "Namespace"}, metav1.GroupVersionResource{Version: "v1", Resource: "namespaces"}
			r.Namespace, r.Name = "", "kube-system"
		}, false},
		"another Namespace": {func(r *admissionv1.AdmissionRequest) {
			r.Kind, r.Resource = metav1.GroupVersionKind{Version: "v1", Kind: "Namespace"}, metav1.GroupVersionResource{Version: "v1", Resource: "namespaces"}
			r.Namespace, r.Name = "", "shop"
		}, true},
		"subresource": {func(r *admissionv1.AdmissionRequest) { r.SubResource = "status" }, false},
		"connection":  {func(r *admissionv1.AdmissionRequest) { r.Operation = admissionv1.Connect }, false},
		"own write":   {func(r *admissionv1.AdmissionRequest) { r.UserInfo = userInfo(ownAccount, own...) }, false},
		"own account": {func(r *admissionv1.AdmissionRequest) { r.UserInfo = userInfo(ownAccount) }, true},
		"own account, another plugin's mark": {func(r *admissionv1.AdmissionRequest) {
			r.UserInfo = userInfo(ownAccount, d.sign(t, "home/another")...)
		}, true},
		"own account, a mark that is made up": {func(r *admissionv1.AdmissionRequest) {
			r.UserInfo = userInfo(ownAccount, "v1.99999999999.AAAA")
		}, true},
		"another account, own mark": {func(r *admissionv1.AdmissionRequest) {
			r.UserInfo = userInfo("system:serviceaccount:home:default", own...)
		}, true},
		"update":       {func(r *admissionv1.AdmissionRequest) { r.Operation, r.OldObject = admissionv1.Update, living }, true},
		"update, gone": {func(r *admissionv1.AdmissionRequest) { r.Operation, r.OldObject = admissionv1.Update, going }, false},
		"update, only the new one says gone": {func(r *admissionv1.AdmissionRequest) {
			r.Operation, r.OldObject, r.Object = admissionv1.Update, living, going
		}, true},
		"delete": {func(r *admissionv1.AdmissionRequest) {
			r.Operation, r.OldObject, r.Object = admissionv1.Delete, living, raw("null")
		}, true},
		"delete again": {func(r *admissionv1.AdmissionRequest) {
			r.Operation, r.OldObject, r.Object = admissionv1.Delete, going, raw("null")
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			response, _ := d.review(t, validating, tt.change)
			if response == nil || response.Allowed == tt.asked {
				t.Errorf("%+v; asked: %t", response, tt.asked)
			}
		})
	}
	for _, group := range exemptGroups {
		if response, _ := d.review(t, validating, func(r *admissionv1.AdmissionRequest) { r.Kind.Group, r.Resource.Group = group, group }); !response.Allowed {
			t.Errorf("requests for group %s are sent to the webhook", group)
		}
	}
}

// userInfo returns a user with marks.
func userInfo(name string, marks ...string) authenticationv1.UserInfo {
	user := authenticationv1.UserInfo{Username: name}
	if len(marks) > 0 {
		user.Extra = map[string]authenticationv1.ExtraValue{ownwrite.ExtraKey: marks}
	}
	return user
}

// sign returns the marks for a plugin's request.
func (d *direct) sign(t *testing.T, plugin string) []string {
	t.Helper()
	marks, err := d.marks.Sign(plugin)
	if err != nil {
		t.Fatal(err)
	}
	return marks
}

// A plugin that acts as the operator writes as the operator. Only if the operator is not a ServiceAccount, all writes
// of the operator count as the plugin's.
func TestServer_passes_asOperator(t *testing.T) {
	const operator, person = "system:serviceaccount:k1s-system:k1s", "kubernetes-admin"
	d := newDirect(t, authority{allowed: true})
	runner := slot(t, load(t, newEngine(t), nil, scripted(abi.ExportValidateCreate, anything, traps, "")))
	own := d.sign(t, pluginName)
	for name, tt := range map[string]struct {
		operator string
		user     authenticationv1.UserInfo
		asked    bool
	}{
		"its own":                        {operator, userInfo(operator, own...), false},
		"another plugin's":               {operator, userInfo(operator, d.sign(t, "home/another")...), true},
		"the operator's":                 {operator, userInfo(operator), true},
		"another account's":              {operator, userInfo("system:serviceaccount:home:" + account), true},
		"somebody's":                     {operator, userInfo("jane"), true},
		"of an operator that is a user":  {person, userInfo(person), false},
		"somebody's, an operator's user": {person, userInfo("jane"), true},
	} {
		d.Set(directPlugin(runner, func(p *Plugin) { p.Identity.Operator = tt.operator }))
		response, _ := d.review(t, validating, func(r *admissionv1.AdmissionRequest) { r.UserInfo = tt.user })
		if response == nil || response.Allowed == tt.asked {
			t.Errorf("%s: %+v; asked: %t", name, response, tt.asked)
		}
	}
}

func TestServer_right(t *testing.T) {
	engine := newEngine(t)
	for name, tt := range map[string]struct {
		authority authority
		change    func(*Plugin)
		allowed   bool
		result    string
	}{
		"no right":          {authority{}, func(*Plugin) {}, true, "skipped"},
		"no answer":         {authority{err: errors.New("away")}, func(*Plugin) {}, false, "failed_closed"},
		"no answer, Ignore": {authority{err: errors.New("away")}, ignore, true, "failed_open"},
		"denied":            {authority{allowed: true}, func(*Plugin) {}, false, "denied"},
		"other operations":  {authority{allowed: true}, func(p *Plugin) { p.Operations = []string{"DELETE"} }, true, "skipped"},
		"no export":         {authority{allowed: true}, func(p *Plugin) { p.Exports = []string{abi.ExportValidateUpdate} }, true, "skipped"},
		"another export":    {authority{allowed: true}, func(p *Plugin) { p.Exports = []string{abi.ExportAdmit} }, true, "allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDirect(t, tt.authority)
			d.Set(directPlugin(slot(t, load(t, engine, nil, scripted(abi.ExportValidateCreate, anything, respondsError, `{}`))), tt.change))
			if response, _ := d.review(t, validating, nil); response.Allowed != tt.allowed {
				t.Errorf("%+v", response)
			}
			if diff := cmp.Diff([]string{`k1s_plugin_admission_requests_total home/script ` + tt.result + ` validate 1`}, d.counted(t)); diff != "" {
				t.Error(diff)
			}
			d.metrics.Forget(pluginName)
			d.metrics.AdmissionRequest(pluginName, "validate", metrics.AdmissionAllowed, time.Second)
			if left := d.counted(t); left != nil {
				t.Errorf("left: %q", left)
			}
		})
	}
}

// panickingRunner is a runner with a bug.
type panickingRunner struct{ plugin.Runner }

func (panickingRunner) Call(context.Context, plugin.Call) ([]byte, error) { panic("a bug") }

func TestServer_panic(t *testing.T) {
	d := newDirect(t, authority{allowed: true})
	d.Set(directPlugin(panickingRunner{}))
	if response, _ := d.review(t, mutating, nil); response.Allowed || response.Result.Code != http.StatusInternalServerError {
		t.Errorf("%+v", response)
	}
	d.Set(directPlugin(panickingRunner{}, ignore))
	if response, _ := d.review(t, mutating, nil); !response.Allowed || len(response.Warnings) != 1 {
		t.Errorf("%+v", response)
	}
}

// closingRunner is a revision that is closed during its call. The revision that replaces it answers.
type closingRunner struct {
	plugin.Runner
	calls *int
}

func (l closingRunner) Call(ctx context.Context, call plugin.Call) ([]byte, error) {
	if *l.calls++; *l.calls == 1 {
		return nil, &plugin.CallError{Kind: plugin.KindClosed, Export: call.Export, Err: errors.New("closed")}
	}
	return l.Runner.Call(ctx, call)
}

func TestServer_revisionLeavesDuringCall(t *testing.T) {
	d := newDirect(t, authority{allowed: true})
	runner := load(t, newEngine(t), nil, scripted(abi.ExportSetDefaults, anything, replies, `[{"op":"add","path":"/spec/category","value":"c"}]`))
	d.Set(directPlugin(closingRunner{slot(t, runner), new(int)}))
	response, _ := d.review(t, mutating, nil)
	if diff := cmp.Diff(`[{"op":"add","path":"/spec/category","value":"c"}]`, string(response.Patch)); diff != "" || *response.PatchType != admissionv1.PatchTypeJSONPatch {
		t.Errorf("%+v: %s", response, diff)
	}
}

// A plugin that exceeds its own timeout fails, which counts for its circuit breaker, its status and its rollback. It is
// not a failure of the plugin if the webhook client has a shorter timeout.
func TestServer_slowIsAFault(t *testing.T) {
	engine := newEngine(t)
	for name, tt := range map[string]struct {
		own   time.Duration
		asked string
		want  plugin.Verdict
	}{
		"its own bound":     {time.Second, "1s", plugin.Failing},
		"the asker's bound": {30 * time.Second, "1s", plugin.Unproven},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDirect(t, authority{allowed: true})
			d.timeout = tt.asked
			track := plugin.NewTrack(nil)
			runner := load(t, engine, nil, scripted(abi.ExportValidateCreate, anything, loops, ""))
			d.Set(directPlugin(slot(t, track.Runner(runner)), func(p *Plugin) { p.Timeout = tt.own }))
			verdict := func() plugin.Verdict {
				var asking sync.WaitGroup
				for range 4 { // one for each instance
					asking.Go(func() { d.review(t, validating, nil) })
				}
				asking.Wait()
				got, _ := track.Verdict()
				return got
			}
			// On a busy machine, a request can end before its call has had the plugin's time, which does not count.
			testenv.Eventually(t, fmt.Sprintf("the verdict is %d", tt.want), func(context.Context) error {
				verdict()
				if got := verdict(); got != tt.want {
					return fmt.Errorf("got %d", got)
				}
				return nil
			})
		})
	}
}

func TestRequestTimeout(t *testing.T) {
	for _, tt := range []struct {
		own   time.Duration
		asked string
		want  time.Duration
	}{
		{5 * time.Second, "5s", 4750 * time.Millisecond},
		{5 * time.Second, "2s", 1800 * time.Millisecond},
		{5 * time.Second, "10s", 4750 * time.Millisecond},
		{30 * time.Second, "", 29750 * time.Millisecond},
		{time.Second, "-1s", 950 * time.Millisecond},
		{time.Second, "soon", 950 * time.Millisecond},
	} {
		if got := timeoutOf(tt.own, tt.asked); got != tt.want {
			t.Errorf("patience(%s, %q) = %s, want %s", tt.own, tt.asked, got, tt.want)
		}
	}
}
