// SPDX-License-Identifier: Apache-2.0

package access

import (
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/k1s-io/k1s/internal/abi"
)

// objectHead has the fields of a guest's object that the host reads.
type objectHead struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name            string `json:"name"`
		Namespace       string `json:"namespace"`
		UID             string `json:"uid"`
		ResourceVersion string `json:"resourceVersion"`
	} `json:"metadata"`
}

func (h objectHead) key() abi.ObjectKey {
	return abi.ObjectKey{APIVersion: h.APIVersion, Kind: h.Kind, Namespace: h.Metadata.Namespace, Name: h.Metadata.Name}
}

// headOf reads an object's head in the same case-sensitive way as the API server, so that a guest cannot show one name
// to the host and another one to the API server.
func headOf(object json.RawMessage) (objectHead, schema.GroupVersionKind, error) {
	var head objectHead
	if err := utiljson.Unmarshal(object, &head); err != nil {
		return head, schema.GroupVersionKind{}, apierrors.NewBadRequest("object: " + err.Error())
	}
	if head.APIVersion == "" || head.Kind == "" {
		return head, schema.GroupVersionKind{}, apierrors.NewBadRequest("object has no apiVersion or no kind")
	}
	gvk, err := parseGVK(head.APIVersion, head.Kind)
	return head, gvk, err
}

// statusOnly returns the configuration to apply for an object's status. An object that was read has fields that cannot
// be applied, or that the plugin does not intend to own.
func statusOnly(head objectHead, object json.RawMessage) (json.RawMessage, error) {
	var members struct {
		Status json.RawMessage `json:"status"`
	}
	if err := utiljson.Unmarshal(object, &members); err != nil { // which is case-sensitive
		return nil, apierrors.NewBadRequest("object: " + err.Error())
	}
	metadata := map[string]string{"name": head.Metadata.Name}
	for member, value := range map[string]string{
		"namespace": head.Metadata.Namespace, "uid": head.Metadata.UID, "resourceVersion": head.Metadata.ResourceVersion,
	} {
		if value != "" {
			metadata[member] = value
		}
	}
	configuration := map[string]any{"apiVersion": head.APIVersion, "kind": head.Kind, "metadata": metadata}
	if len(members.Status) > 0 && string(members.Status) != "null" {
		configuration["status"] = members.Status
	}
	return json.Marshal(configuration)
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
