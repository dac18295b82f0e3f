// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k1s-io/k1s/internal/abi"
)

func TestDenial(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		message metav1.Status
		code    int32
		reason  metav1.StatusReason
	}{
		"nothing":                     {metav1.Status{}, 403, "Forbidden"},
		"403":                         {metav1.Status{Code: 403}, 403, "Forbidden"},
		"409":                         {metav1.Status{Code: 409}, 409, "Conflict"},
		"422":                         {metav1.Status{Code: 422}, 422, "Invalid"},
		"Forbidden":                   {metav1.Status{Reason: "Forbidden"}, 403, "Forbidden"},
		"Conflict":                    {metav1.Status{Reason: "Conflict"}, 409, "Conflict"},
		"Invalid":                     {metav1.Status{Reason: "Invalid"}, 422, "Invalid"},
		"a code less than 0":          {metav1.Status{Code: -1, Reason: "Conflict"}, 409, "Conflict"},
		"a code that means success":   {metav1.Status{Code: 200}, 403, "Forbidden"},
		"a code that means elsewhere": {metav1.Status{Code: 307, Reason: "Invalid"}, 422, "Invalid"},
		"400":                         {metav1.Status{Code: 400}, 422, "Invalid"},
		"BadRequest":                  {metav1.Status{Code: 400, Reason: "BadRequest"}, 422, "Invalid"},
		"401":                         {metav1.Status{Code: 401, Reason: "Unauthorized"}, 403, "Forbidden"},
		"404":                         {metav1.Status{Code: 404}, 403, "Forbidden"},
		"NotFound":                    {metav1.Status{Reason: "NotFound"}, 403, "Forbidden"},
		"405":                         {metav1.Status{Code: 405, Reason: "MethodNotAllowed"}, 403, "Forbidden"},
		"AlreadyExists":               {metav1.Status{Code: 409, Reason: "AlreadyExists"}, 409, "Conflict"},
		"Gone":                        {metav1.Status{Code: 410, Reason: "Gone"}, 403, "Forbidden"},
		"Expired":                     {metav1.Status{Code: 410, Reason: "Expired"}, 403, "Forbidden"},
		"413":                         {metav1.Status{Code: 413, Reason: "RequestEntityTooLarge"}, 422, "Invalid"},
		"418":                         {metav1.Status{Code: 418, Reason: "Invalid"}, 422, "Invalid"},
		"the reason of another code":  {metav1.Status{Code: 403, Reason: "NotFound"}, 403, "Forbidden"},
		"the reason of another no":    {metav1.Status{Code: 403, Reason: "Invalid"}, 403, "Forbidden"},
		"a reason of its own":         {metav1.Status{Code: 404, Reason: "OverBudget"}, 403, "OverBudget"},
	} {
		tt.message.Message = "m"
		want := &metav1.Status{Status: metav1.StatusFailure, Code: tt.code, Reason: tt.reason, Message: "m"}
		got := denial(&tt.message)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		// The behavior of a client depends on these.
		err := &apierrors.StatusError{ErrStatus: *got}
		for call, is := range map[string]func(error) bool{
			"not found": apierrors.IsNotFound, "already exists": apierrors.IsAlreadyExists, "gone": apierrors.IsGone,
			"expired": apierrors.IsResourceExpired, "unauthorized": apierrors.IsUnauthorized, "too many requests": apierrors.IsTooManyRequests,
			"timeout": apierrors.IsTimeout, "server timeout": apierrors.IsServerTimeout, "unavailable": apierrors.IsServiceUnavailable,
		} {
			if is(err) {
				t.Errorf("%s: a client takes it for %q", name, call)
			}
		}
	}
}

func TestDenial_text(t *testing.T) {
	t.Parallel()
	if got := denial(&metav1.Status{}).Message; got != "the plugin gives no reason" {
		t.Errorf("got %q", got)
	}
	long := denial(&metav1.Status{Message: strings.Repeat("m", 1<<20), Reason: metav1.StatusReason(strings.Repeat("r", 1<<20))})
	if len(long.Message) > maxDenialMessage || len(long.Reason) > maxDenialReason {
		t.Errorf("%d bytes of a message, %d of a reason", len(long.Message), len(long.Reason))
	}
}

// The effect on a client: a controller that deletes objects that may already be gone must not take a denial for a
// missing object.
func TestServer_denialIsNoAbsence(t *testing.T) {
	w := newTestCluster(t)
	w.grant(t, w.shop, VerbValidate)
	hammer := newItem(w.shop, "hammer")
	w.Create(t, hammer)
	w.configure(t, w.plugin(nil),
		scripted(abi.ExportValidateDelete, anything, respondsError, `{"reason":"NotFound","code":404,"message":"no approval was found"}`),
		scripted(abi.ExportValidateUpdate, anything, respondsError, `{"reason":"Expired","code":410,"message":"the approval has expired"}`),
	)
	denied(t, client.IgnoreNotFound(w.Client.Delete(t.Context(), hammer)), 403, metav1.StatusReasonForbidden, "no approval was found")
	hammer.Spec.Category = "tools"
	denied(t, w.Client.Update(t.Context(), hammer), 403, metav1.StatusReasonForbidden, "the approval has expired")
}
