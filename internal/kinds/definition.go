// SPDX-License-Identifier: Apache-2.0

package kinds

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

// definitionPage is how many CustomResourceDefinitions are in one page of a list.
const definitionPage = 100

// Definition returns the name of the CustomResourceDefinition of a kind; empty if there is none. A kind that has one
// can have objects even if the API server serves none of its versions.
func (r *Resolver) Definition(ctx context.Context, gk schema.GroupKind) (string, error) {
	names, err := r.definitionNames(ctx, gk.Group)
	if err != nil {
		return "", fmt.Errorf("list CustomResourceDefinitions: %w", err)
	}
	for _, name := range names {
		kind, err := r.definedKind(ctx, name)
		if err != nil {
			return "", fmt.Errorf("read CustomResourceDefinition %q: %w", name, err)
		}
		if kind == gk.Kind {
			return name, nil
		}
	}
	return "", nil
}

// definitionNames returns the names of a group's CustomResourceDefinitions. The names do not contain the kinds.
func (r *Resolver) definitionNames(ctx context.Context, group string) ([]string, error) {
	var names []string
	for token := ""; ; {
		request := r.listDefinitions().Param("limit", fmt.Sprint(definitionPage)).
			SetHeader("Accept", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")
		if token != "" {
			request = request.Param("continue", token)
		}
		body, err := request.Do(ctx).Raw()
		if apierrors.IsNotFound(err) { // an API server without CustomResourceDefinitions
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		var page metav1.PartialObjectMetadataList
		if err := json.Unmarshal(body, &page); err != nil {
			return nil, err
		}
		for i := range page.Items {
			if _, of, _ := strings.Cut(page.Items[i].Name, "."); of == group {
				names = append(names, page.Items[i].Name)
			}
		}
		if token = page.Continue; token == "" {
			return names, nil
		}
	}
}

// definedKind returns the kind that a CustomResourceDefinition defines. It uses list and not get, because the operator
// has the permission to list them.
func (r *Resolver) definedKind(ctx context.Context, name string) (string, error) {
	body, err := r.listDefinitions().Param("fieldSelector", fields.OneTermEqualSelector(metav1.ObjectNameField, name).String()).Do(ctx).Raw()
	if err != nil {
		return "", err
	}
	var list struct {
		Items []struct {
			Status struct {
				// AcceptedNames are empty if another definition has the kind.
				AcceptedNames struct {
					Kind string `json:"kind"`
				} `json:"acceptedNames"`
			} `json:"status"`
		} `json:"items"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return "", err
	}
	if len(list.Items) == 0 {
		return "", nil
	}
	return list.Items[0].Status.AcceptedNames.Kind, nil
}

func (r *Resolver) listDefinitions() *rest.Request {
	return r.client.Get().AbsPath("/apis/" + definitions.GroupVersion().String() + "/" + definitions.Resource).Timeout(requestTimeout)
}
