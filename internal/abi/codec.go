// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Decode reads one JSON value and nothing after it. Members that the type does not have are refused,
// so that a misspelt one is noticed.
func Decode(payload []byte, into any) error {
	if quick(payload, into) {
		return nil
	}
	switch v := into.(type) { // what has limits to its number is counted on the way
	case *HTTPRequest:
		return v.decode(payload)
	case *AdmissionReply:
		return v.decode(payload)
	}
	return decodeStrict(payload, into)
}

// decodeStrict is Decode for everything else.
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

// ObjectHead is what the host reads of an object that a guest hands over.
type ObjectHead struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name         string `json:"name"`
		GenerateName string `json:"generateName"`
		Namespace    string `json:"namespace"`
	} `json:"metadata"`
}

// DecodeHead reads an object's kind and name and ignores the rest.
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
