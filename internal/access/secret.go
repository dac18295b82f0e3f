// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/validate/content"
)

// Secret returns the data of a Secret in a plugin's namespace. It is read as the plugin's ServiceAccount, because the
// operator itself has no permission to read it. Errors are the API server's. The error is also Forbidden if the
// operator has no permission to impersonate the ServiceAccount.
func (f *Factory) Secret(ctx context.Context, id Identity, name string) (map[string][]byte, error) {
	if problems := content.IsPathSegmentName(name); len(problems) > 0 {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("name %q: %s", name, problems[0]))
	}
	asPlugin, err := f.impersonate(id)
	if err != nil {
		return nil, fmt.Errorf("make a client for %s: %w", id.Username(), err)
	}
	a := Action{Verb: "get", Version: "v1", Resource: "secrets", Namespace: id.Namespace, ObjectName: name}
	body, err := read(ctx, asPlugin.Get().AbsPath(a.segments()...))
	if err != nil {
		return nil, err
	}
	var secret corev1.Secret
	if err := json.Unmarshal(body, &secret); err != nil {
		return nil, errors.New("the API server's answer is not a Secret") // decoding errors quote the Secret
	}
	return secret.Data, nil
}
