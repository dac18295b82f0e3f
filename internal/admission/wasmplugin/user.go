// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

const (
	// verbUse is the verb to run code as a ServiceAccount; verbImpersonate includes it.
	verbUse         = "use"
	verbImpersonate = "impersonate"

	serviceAccountPrefix = "system:serviceaccount:"
)

// checkUser denies the request if the user is not allowed to run code as the plugin's ServiceAccount. It checks every
// change of the spec except suspend. source and serviceAccountName decide what runs as which ServiceAccount, but other
// fields matter too: settings control what the plugin does with the permissions, settingsFrom gives it Secrets that the
// ServiceAccount can read, and security decides where it can send them. A list of harmless fields could become
// incomplete.
func (v *validator) checkUser(ctx context.Context, wp *pluginsv1alpha1.WasmPlugin) error {
	if !v.CheckServiceAccountUse {
		return nil
	}
	request, err := admission.RequestFromContext(ctx)
	if err != nil {
		return apierrors.NewInternalError(err)
	}
	// The operator creates the WasmPlugins of its plugin directory, for whoever can write there.
	operator, err := v.Operator.Username(ctx)
	if err != nil {
		return apierrors.NewInternalError(err)
	}
	user, account := request.UserInfo, wp.Spec.ServiceAccount()
	if user.Username == operator {
		return nil
	}
	for _, verb := range []string{verbUse, verbImpersonate} {
		allowed, err := v.review(ctx, user, authorizationv1.ResourceAttributes{
			Verb: verb, Version: "v1", Resource: "serviceaccounts", Namespace: wp.Namespace, Name: account,
		})
		if err != nil {
			return apierrors.NewInternalError(fmt.Errorf("review whether %q is allowed to %s ServiceAccount %q: %w", user.Username, verb, account, err))
		}
		if allowed {
			return nil
		}
	}
	return fmt.Errorf("user %q is allowed neither to use nor to impersonate ServiceAccount %q in namespace %q, which the plugin acts as%s",
		user.Username, account, wp.Namespace, grant(user.Username, account, wp.Namespace))
}

// review reports whether a user is allowed an action.
func (v *validator) review(ctx context.Context, user authenticationv1.UserInfo, attributes authorizationv1.ResourceAttributes) (bool, error) {
	extra := make(map[string]authorizationv1.ExtraValue, len(user.Extra))
	for k, values := range user.Extra {
		extra[k] = authorizationv1.ExtraValue(values)
	}
	review, err := v.Reviews.Create(ctx, &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: user.Username, UID: user.UID, Groups: user.Groups, Extra: extra,
		ResourceAttributes: &attributes,
	}}, metav1.CreateOptions{})
	if err != nil {
		return false, err
	}
	return review.Status.Allowed, nil
}

// plainName matches names that need no quoting in a shell.
var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:@/-]*$`)

// grant returns how to grant the permission, in a form that can be pasted. `kubectl create role` does not accept the
// verb.
func grant(user, account, namespace string) string {
	if !plainName.MatchString(user) || !plainName.MatchString(account) {
		return fmt.Sprintf("; grant it: a Role with the verb %q on serviceaccounts, bound to that user", verbUse)
	}
	subject := "--user=" + user
	if name, ok := strings.CutPrefix(user, serviceAccountPrefix); ok {
		subject = "--serviceaccount=" + name
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q", user, account))
	binding := "k1s-use-" + hex.EncodeToString(sum[:4])
	role := fmt.Sprintf(`{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":%q,"namespace":%q},`+
		`"rules":[{"apiGroups":[""],"resources":["serviceaccounts"],"resourceNames":[%q],"verbs":[%q]}]}`, binding, namespace, account, verbUse)
	return fmt.Sprintf("; grant it: echo '%s' | kubectl create -f -; kubectl -n %s create rolebinding %s --role=%s %s", role, namespace, binding, binding, subject)
}
