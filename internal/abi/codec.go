// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Decode decodes one JSON value and rejects anything after it. It rejects unknown fields, so that misspelled names are
// noticed.
func Decode(payload []byte, into any) error {
	if quick(payload, into) {
		return nil
	}
	switch v := into.(type) { // these types limit the number of their elements, and count them while they decode
	case *HTTPRequest:
		return v.decode(payload)
	case *AdmissionReply:
		return v.decode(payload)
	}
	return decodeStrict(payload, into)
}

// decodeStrict implements Decode for all other types.
func decodeStrict(payload []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(payload))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		if errors.Is(err, io.EOF) {
			return errors.New("empty payload")
		}
		return fmt.Errorf("decode payload: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("decode payload: more than one JSON value")
	}
	return nil
}

// ObjectHead contains the fields that the host reads of an object from a guest.
type ObjectHead struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name         string `json:"name"`
		GenerateName string `json:"generateName"`
		Namespace    string `json:"namespace"`
	} `json:"metadata"`
}

// DecodeHead decodes the kind and the name of an object and ignores the rest.
func DecodeHead(object []byte) (ObjectHead, error) {
	var head ObjectHead
	if err := json.Unmarshal(object, &head); err != nil {
		return ObjectHead{}, fmt.Errorf("decode object: %w", err)
	}
	if head.APIVersion == "" || head.Kind == "" {
		return ObjectHead{}, errors.New("object has no apiVersion or no kind")
	}
	return head, nil
}
