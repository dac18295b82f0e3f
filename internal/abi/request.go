// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"encoding/json"
	"errors"
	"strconv"
)

// AppendReconcileRequest appends the JSON of a request. The object, which is nearly the whole request, is copied
// unchanged: encoding/json would scan and compact it again for every call.
func AppendReconcileRequest(dst []byte, req ReconcileRequest) ([]byte, error) {
	if len(req.Object) > MaxPayload {
		return nil, errors.New("object is larger than the largest payload")
	}
	dst = appendKey(append(dst, '{'), req.ObjectKey)
	dst = appendRaw(append(dst, `,"object":`...), req.Object)
	dst = append(dst, `,"attempt":`...)
	dst = strconv.AppendInt(dst, int64(req.Attempt), 10)
	return append(dst, '}'), nil
}

// AppendAdmissionRequest appends the JSON of a request. The objects are copied unchanged.
func AppendAdmissionRequest(dst []byte, req AdmissionRequest) ([]byte, error) {
	if len(req.Object) > MaxPayload || len(req.OldObject) > MaxPayload {
		return nil, errors.New("object is larger than the largest payload")
	}
	dst = appendKey(append(dst, '{'), req.ObjectKey)
	dst = appendRaw(append(dst, `,"object":`...), req.Object)
	dst = appendRaw(append(dst, `,"oldObject":`...), req.OldObject)
	return append(dst, '}'), nil
}

// appendKey appends the members of a key, without braces.
func appendKey(dst []byte, key ObjectKey) []byte {
	dst = append(dst, `"apiVersion":`...)
	dst = appendString(dst, key.APIVersion)
	dst = append(dst, `,"kind":`...)
	dst = appendString(dst, key.Kind)
	if key.Namespace != "" {
		dst = append(dst, `,"namespace":`...)
		dst = appendString(dst, key.Namespace)
	}
	dst = append(dst, `,"name":`...)
	return appendString(dst, key.Name)
}

// appendRaw appends JSON unchanged, or null if it is empty.
func appendRaw(dst []byte, raw json.RawMessage) []byte {
	if len(raw) == 0 {
		return append(dst, "null"...)
	}
	return append(dst, raw...)
}

// appendString appends a JSON string. Names in Kubernetes rarely need escaping.
func appendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(s) // a string always marshals
			return append(dst, quoted...)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}
