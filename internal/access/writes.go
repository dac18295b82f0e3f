// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/k1s-io/k1s/internal/abi"
)

const subresourceStatus = "status"

// Create creates an object.
func (c *RestrictedClient) Create(ctx context.Context, req abi.WriteRequest) ([]byte, error) {
	head, gvk, err := objectHead(req.Object)
	if err != nil {
		return nil, err
	}
	return c.write(ctx, "create", gvk, "", head.Metadata.Namespace, "", func(a Action) (*rest.Request, error) {
		return c.asPlugin.Post().Body([]byte(req.Object)), nil
	})
}

// Update replaces an object.
func (c *RestrictedClient) Update(ctx context.Context, req abi.WriteRequest) ([]byte, error) {
	return c.update(ctx, req, "")
}

// UpdateStatus replaces an object's status.
func (c *RestrictedClient) UpdateStatus(ctx context.Context, req abi.WriteRequest) ([]byte, error) {
	return c.update(ctx, req, subresourceStatus)
}

func (c *RestrictedClient) update(ctx context.Context, req abi.WriteRequest, subresource string) ([]byte, error) {
	head, gvk, err := objectHead(req.Object)
	if err != nil {
		return nil, err
	}
	if err := needName(head.Metadata.Name); err != nil {
		return nil, err
	}
	return c.write(ctx, "update", gvk, subresource, head.Metadata.Namespace, head.Metadata.Name, func(Action) (*rest.Request, error) {
		return c.asPlugin.Put().Body([]byte(req.Object)), nil
	})
}

// Patch changes parts of an object.
func (c *RestrictedClient) Patch(ctx context.Context, req abi.PatchRequest) ([]byte, error) {
	return c.patch(ctx, req, "")
}

// PatchStatus changes parts of an object's status.
func (c *RestrictedClient) PatchStatus(ctx context.Context, req abi.PatchRequest) ([]byte, error) {
	return c.patch(ctx, req, subresourceStatus)
}

// Apply is server-side apply of an object.
func (c *RestrictedClient) Apply(ctx context.Context, req abi.ApplyRequest) ([]byte, error) {
	head, _, err := objectHead(req.Object)
	if err != nil {
		return nil, err
	}
	return c.patch(ctx, abi.PatchRequest{
		ObjectKey: abi.ObjectKey{
			APIVersion: head.APIVersion, Kind: head.Kind,
			Namespace: head.Metadata.Namespace, Name: head.Metadata.Name,
		},
		PatchType: abi.PatchApply, Patch: req.Object, Force: req.Force,
	}, "")
}

func (c *RestrictedClient) patch(ctx context.Context, req abi.PatchRequest, subresource string) ([]byte, error) {
	gvk, err := parseGVK(req.APIVersion, req.Kind)
	if err != nil {
		return nil, err
	}
	if err := needName(req.Name); err != nil {
		return nil, err
	}
	patchType, err := patchTypeOf(req)
	if err != nil {
		return nil, err
	}
	return c.write(ctx, "patch", gvk, subresource, req.Namespace, req.Name, func(a Action) (*rest.Request, error) {
		r := c.asPlugin.Patch(patchType).Body([]byte(req.Patch))
		if patchType != types.ApplyPatchType {
			return r, nil
		}
		if subresource == "" {
			// Applying an object that is not there creates it, so the allowlist must have that too.
			create := a
			create.Verb = "create"
			if why := c.Allowlist.Refuses(create); why != "" {
				return nil, forbidden(layerAllowlist, create, "%s (apply may create)", why)
			}
		}
		return r.Param("force", strconv.FormatBool(req.Force)), nil
	})
}

// Delete deletes an object.
func (c *RestrictedClient) Delete(ctx context.Context, req abi.DeleteRequest) error {
	gvk, err := parseGVK(req.APIVersion, req.Kind)
	if err != nil {
		return err
	}
	if err := needName(req.Name); err != nil {
		return err
	}
	options, err := deleteOptions(req)
	if err != nil {
		return err
	}
	_, err = c.write(ctx, "delete", gvk, "", req.Namespace, req.Name, func(Action) (*rest.Request, error) {
		return c.asPlugin.Delete().Body(options), nil
	})
	return err
}

// write does one changing request as the plugin: the API server itself enforces RBAC.
func (c *RestrictedClient) write(ctx context.Context, verb string, gvk schema.GroupVersionKind, subresource, namespace, name string,
	build func(Action) (*rest.Request, error),
) ([]byte, error) {
	end, err := c.begin()
	if err != nil {
		return nil, err
	}
	defer end()
	if subresource == subresourceStatus && !c.StatusUpdate {
		a := Action{Verb: verb, Group: gvk.Group, Resource: gvk.Kind, Subresource: subresource, Namespace: namespace, ObjectName: name, Namespaced: namespace != ""}
		return nil, forbidden(layerCapability, a, "the plugin does not have the capability %q", "status_update")
	}
	a, err := c.action(verb, gvk, subresource, namespace, name)
	if err != nil {
		return nil, err
	}
	r, err := build(a)
	if err != nil {
		return nil, err
	}
	r = r.AbsPath(a.segments()...)
	if verb != "delete" {
		r = r.Param("fieldManager", c.Identity.FieldManager())
	}
	return r.Do(ctx).Raw()
}

func objectHead(object json.RawMessage) (abi.ObjectHead, schema.GroupVersionKind, error) {
	head, err := abi.DecodeHead(object)
	if err != nil {
		return head, schema.GroupVersionKind{}, apierrors.NewBadRequest(err.Error())
	}
	gvk, err := parseGVK(head.APIVersion, head.Kind)
	return head, gvk, err
}

func patchTypeOf(req abi.PatchRequest) (types.PatchType, error) {
	if len(req.Patch) == 0 {
		return "", apierrors.NewBadRequest("patch is empty")
	}
	if req.Force && req.PatchType != abi.PatchApply {
		return "", apierrors.NewBadRequest(`force goes with patchType "apply" only`)
	}
	switch req.PatchType {
	case abi.PatchMerge:
		return types.MergePatchType, nil
	case abi.PatchJSON:
		return types.JSONPatchType, nil
	case abi.PatchStrategic:
		return types.StrategicMergePatchType, nil
	case abi.PatchApply:
		return types.ApplyPatchType, nil
	default:
		return "", apierrors.NewBadRequest(fmt.Sprintf("patchType %q: want merge, json, strategic or apply", req.PatchType))
	}
}

func deleteOptions(req abi.DeleteRequest) ([]byte, error) {
	options := metav1.DeleteOptions{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "DeleteOptions"}}
	switch policy := metav1.DeletionPropagation(req.PropagationPolicy); policy {
	case "":
	case metav1.DeletePropagationBackground, metav1.DeletePropagationForeground, metav1.DeletePropagationOrphan:
		options.PropagationPolicy = &policy
	default:
		return nil, apierrors.NewBadRequest(fmt.Sprintf("propagationPolicy %q: want Background, Foreground or Orphan", req.PropagationPolicy))
	}
	if req.UID != "" || req.ResourceVersion != "" {
		options.Preconditions = &metav1.Preconditions{}
		if req.UID != "" {
			options.Preconditions.UID = new(types.UID(req.UID))
		}
		if req.ResourceVersion != "" {
			options.Preconditions.ResourceVersion = &req.ResourceVersion
		}
	}
	return json.Marshal(options)
}
