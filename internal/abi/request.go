// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"encoding/json"
	"errors"
	"strconv"
)

// AppendReconcileRequest appends the JSON of a request. The object, which is nearly all of it, is
// copied as it is: encoding/json would scan and compact it again for every call.
func AppendReconcileRequest(dst []byte, req ReconcileRequest) ([]byte, error) {
	if len(req.Object) > MaxPayload {
		return nil, errors.New("object is larger than the largest payload")
	}
	dst = append(dst, `{"apiVersion":`...)
	dst = appendString(dst, req.APIVersion)
	dst = append(dst, `,"kind":`...)
	dst = appendString(dst, req.Kind)
	if req.Namespace != "" {
		dst = append(dst, `,"namespace":`...)
		dst = appendString(dst, req.Namespace)
	}
	dst = append(dst, `,"name":`...)
	dst = appendString(dst, req.Name)
	dst = append(dst, `,"object":`...)
	if len(req.Object) == 0 {
		dst = append(dst, "null"...)
	} else {
		dst = append(dst, req.Object...)
	}
	dst = append(dst, `,"attempt":`...)
	dst = strconv.AppendInt(dst, int64(req.Attempt), 10)
	return append(dst, '}'), nil
}

// appendString appends a JSON string. Names in Kubernetes hardly ever need escaping.
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
