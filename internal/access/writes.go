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
	"github.com/k1s-io/k1s/internal/access/audit"
	"github.com/k1s-io/k1s/internal/access/rbac"
)

const subresourceStatus = "status"

// Create creates an object.
func (c *RestrictedClient) Create(ctx context.Context, req abi.WriteRequest) ([]byte, error) {
	head, gvk, err := headOf(req.Object)
	if err != nil {
		return nil, err
	}
	w := writing{verb: "create", gvk: gvk, namespace: head.Metadata.Namespace, name: head.Metadata.Name}
	return c.write(ctx, w, func(rbac.Action) (*rest.Request, error) {
		return c.asPlugin.Post().Body([]byte(req.Object)), nil
	})
}

// Update replaces an object.
func (c *RestrictedClient) Update(ctx context.Context, req abi.WriteRequest) ([]byte, error) {
	head, gvk, err := headOf(req.Object)
	if err != nil {
		return nil, err
	}
	if err := needName(head.Metadata.Name); err != nil {
		return nil, c.malformed(about("update", gvk, "", head.Metadata.Namespace, ""), err)
	}
	w := writing{verb: "update", gvk: gvk, namespace: head.Metadata.Namespace, name: head.Metadata.Name}
	return c.write(ctx, w, func(a rbac.Action) (*rest.Request, error) {
		if head.Metadata.UID == "" && createsOnUpdate(a) {
			if err := c.alsoCreate(a, "an update without metadata.uid may create"); err != nil {
				return nil, err
			}
		}
		return c.asPlugin.Put().Body([]byte(req.Object)), nil
	})
}

// UpdateStatus sets an object's status to the one that the plugin wants. It uses server-side apply, so that fields of
// other owners are not changed. A change to such a field is a Conflict.
func (c *RestrictedClient) UpdateStatus(ctx context.Context, req abi.WriteRequest) ([]byte, error) {
	head, _, err := headOf(req.Object)
	if err != nil {
		return nil, err
	}
	configuration, err := statusOnly(head, req.Object)
	if err != nil {
		return nil, err
	}
	return c.PatchStatus(ctx, abi.PatchRequest{ObjectKey: head.key(), PatchType: abi.PatchApply, Patch: configuration})
}

// Patch changes parts of an object.
func (c *RestrictedClient) Patch(ctx context.Context, req abi.PatchRequest) ([]byte, error) {
	return c.patch(ctx, req, "")
}

// PatchStatus applies an object's status. Any other patch type is denied.
func (c *RestrictedClient) PatchStatus(ctx context.Context, req abi.PatchRequest) ([]byte, error) {
	return c.patch(ctx, req, subresourceStatus)
}

// Apply applies an object with server-side apply.
func (c *RestrictedClient) Apply(ctx context.Context, req abi.ApplyRequest) ([]byte, error) {
	head, _, err := headOf(req.Object)
	if err != nil {
		return nil, err
	}
	return c.patch(ctx, abi.PatchRequest{
		ObjectKey: head.key(), PatchType: abi.PatchApply, Patch: req.Object, Force: req.Force,
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
	w := writing{verb: "patch", gvk: gvk, subresource: subresource, namespace: req.Namespace, name: req.Name, patchType: patchType}
	return c.write(ctx, w, func(a rbac.Action) (*rest.Request, error) {
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

// createsOnUpdate reports whether the API server may create an object that an update, even of the status,
// does not find. It does so for some built-in kinds (Lease, Service), and never for custom resources.
func createsOnUpdate(a rbac.Action) bool { return clientgoscheme.Scheme.IsGroupRegistered(a.Group) }

// alsoCreate checks the allowlist for the creation that a request can lead to. For RBAC, the API server checks this
// itself.
func (c *RestrictedClient) alsoCreate(a rbac.Action, because string) error {
	a.Verb, a.Subresource = "create", ""
	if why := c.Allowlist.Denies(a); why != "" {
		return forbidden(audit.LayerAllowlist, a, "%s (%s)", why, because)
	}
	return nil
}

// about returns the action of a request before its kind is looked up.
func about(verb string, gvk schema.GroupVersionKind, subresource, namespace, name string) rbac.Action {
	return rbac.Action{Verb: verb, Group: gvk.Group, Resource: gvk.Kind, Subresource: subresource, Namespace: namespace, ObjectName: name}
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
	w := writing{verb: "delete", gvk: gvk, namespace: req.Namespace, name: req.Name}
	_, err = c.write(ctx, w, func(rbac.Action) (*rest.Request, error) {
		return c.asPlugin.Delete().Body(options), nil
	})
	return err
}

// writing is one request that changes something.
type writing struct {
	verb        string
	gvk         schema.GroupVersionKind
	subresource string
	namespace   string
	// name is the name of the object.
	name string
	// patchType is set if the verb is patch.
	patchType types.PatchType
}

// action returns the action of a request before its kind is looked up.
func (w writing) action() rbac.Action {
	a := about(w.verb, w.gvk, w.subresource, w.namespace, w.name)
	a.Namespaced = w.namespace != ""
	return a
}

// capable denies requests for which the plugin lacks the capability. A status has several owners, so that the plugin
// can write it only with server-side apply, which reports conflicts with other owners.
func (c *RestrictedClient) capable(w writing) error {
	if err := c.changes(w.action()); err != nil {
		return err
	}
	switch {
	case w.subresource != subresourceStatus:
		return nil
	case !c.StatusUpdate:
		return forbidden(audit.LayerCapability, w.action(), "the plugin does not have the capability %q", "status_update")
	case w.patchType != types.ApplyPatchType:
		return forbidden(audit.LayerCapability, w.action(), "the status is written by apply only: use patchType apply")
	}
	return nil
}

// write makes one changing request as the plugin: the API server itself enforces RBAC. For a creation, the name is in
// the body only, so that the action has no name.
func (c *RestrictedClient) write(ctx context.Context, w writing, build func(rbac.Action) (*rest.Request, error)) (out []byte, err error) {
	seen := c.observe(w.action())
	defer func() { seen.changed(err) }()
	if w.verb == "create" {
		w.name = ""
	}
	if err := c.capable(w); err != nil {
		return nil, err
	}
	about, err := c.action(ctx, w.verb, w.gvk, w.subresource, w.namespace, w.name)
	seen.about(about.Action)
	if err != nil {
		return nil, err
	}
	r, err := build(about.Action)
	if err != nil {
		return nil, err
	}
	r = r.AbsPath(about.Path()...)
	if w.verb != "delete" {
		r = r.Param("fieldManager", c.Identity.FieldManager())
	}
	return c.limited(func() ([]byte, error) {
		return c.perform(ctx, about, func() ([]byte, error) {
			result := r.Do(ctx)
			// Raw knows the status code only; Error reads the Status in the body.
			if err := result.Error(); err != nil {
				return nil, err
			}
			raw, err := result.Raw()
			if err == nil {
				c.Writes.add(raw)
			}
			return raw, err
		})
	})
}
