// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"strconv"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"

	"github.com/k1s-io/k1s/internal/abi"
)

const subresourceStatus = "status"

// Create creates an object.
func (c *RestrictedClient) Create(ctx context.Context, req abi.WriteRequest) ([]byte, error) {
	head, gvk, err := headOf(req.Object)
	if err != nil {
		return nil, err
	}
	return c.write(ctx, "create", gvk, "", head.Metadata.Namespace, head.Metadata.Name, func(Action) (*rest.Request, error) {
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
	head, gvk, err := headOf(req.Object)
	if err != nil {
		return nil, err
	}
	if err := needName(head.Metadata.Name); err != nil {
		return nil, c.malformed(about("update", gvk, subresource, head.Metadata.Namespace, ""), err)
	}
	return c.write(ctx, "update", gvk, subresource, head.Metadata.Namespace, head.Metadata.Name, func(a Action) (*rest.Request, error) {
		if head.Metadata.UID == "" && createsOnUpdate(a) {
			if err := c.alsoCreate(a, "an update without metadata.uid may create"); err != nil {
				return nil, err
			}
		}
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
	head, _, err := headOf(req.Object)
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
	patchType, err := patchTypeOf(req)
	if err == nil {
		err = needName(req.Name)
	}
	if err != nil {
		return nil, c.malformed(about("patch", gvk, subresource, req.Namespace, req.Name), err)
	}
	return c.write(ctx, "patch", gvk, subresource, req.Namespace, req.Name, func(a Action) (*rest.Request, error) {
		r := c.asPlugin.Patch(patchType).Body([]byte(req.Patch))
		if patchType != types.ApplyPatchType {
			return r, nil
		}
		if subresource == "" || createsOnUpdate(a) {
			if err := c.alsoCreate(a, "apply may create"); err != nil {
				return nil, err
			}
		}
		return r.Param("force", strconv.FormatBool(req.Force)), nil
	})
}

// createsOnUpdate says whether the API server may create an object that an update, even of the status,
// does not find. It does so for some built-in kinds (Lease, Service), and never for custom resources.
func createsOnUpdate(a Action) bool { return clientgoscheme.Scheme.IsGroupRegistered(a.Group) }

// alsoCreate asks the allowlist about what else a request can lead to. RBAC does so by itself.
func (c *RestrictedClient) alsoCreate(a Action, because string) error {
	a.Verb, a.Subresource = "create", ""
	if why := c.Allowlist.Refuses(a); why != "" {
		return forbidden(layerAllowlist, a, "%s (%s)", why, because)
	}
	return nil
}

// about is what is known of a request before its kind is looked up.
func about(verb string, gvk schema.GroupVersionKind, subresource, namespace, name string) Action {
	return Action{Verb: verb, Group: gvk.Group, Resource: gvk.Kind, Subresource: subresource, Namespace: namespace, ObjectName: name}
}

// Delete deletes an object.
func (c *RestrictedClient) Delete(ctx context.Context, req abi.DeleteRequest) error {
	gvk, err := parseGVK(req.APIVersion, req.Kind)
	if err != nil {
		return err
	}
	options, err := deleteOptions(req)
	if err == nil {
		err = needName(req.Name)
	}
	if err != nil {
		return c.malformed(about("delete", gvk, "", req.Namespace, req.Name), err)
	}
	_, err = c.write(ctx, "delete", gvk, "", req.Namespace, req.Name, func(Action) (*rest.Request, error) {
		return c.asPlugin.Delete().Body(options), nil
	})
	return err
}

// write does one changing request as the plugin: the API server itself enforces RBAC. The name is that of
// the object; one that is created is named in the body alone, so that nothing has asked about its name.
func (c *RestrictedClient) write(ctx context.Context, verb string, gvk schema.GroupVersionKind, subresource, namespace, name string,
	build func(Action) (*rest.Request, error),
) (out []byte, err error) {
	seen := c.observe(about(verb, gvk, subresource, namespace, name))
	defer func() { seen.changed(err) }()
	if verb == "create" {
		name = ""
	}
	if err := c.changes(Action{Verb: verb, Group: gvk.Group, Resource: gvk.Kind, Subresource: subresource, Namespace: namespace, ObjectName: name, Namespaced: namespace != ""}); err != nil {
		return nil, err
	}
	if subresource == subresourceStatus && !c.StatusUpdate {
		a := Action{Verb: verb, Group: gvk.Group, Resource: gvk.Kind, Subresource: subresource, Namespace: namespace, ObjectName: name, Namespaced: namespace != ""}
		return nil, forbidden(layerCapability, a, "the plugin does not have the capability %q", "status_update")
	}
	a, err := c.action(verb, gvk, subresource, namespace, name)
	seen.about(a)
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
	return c.limited(func() ([]byte, error) {
		result := r.Do(ctx)
		// Raw knows the status code only; Error reads the Status in the body.
		if err := result.Error(); err != nil {
			return nil, err
		}
		return result.Raw()
	})
}
