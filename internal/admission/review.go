// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
)

// maxReview bounds a request's body: two objects, each of which the API server takes up to 3 MiB of, and what comes
// with them.
const maxReview = 7 << 20

// maxBodyTime limits how long a body may take to arrive. The API server has it whole before it connects.
const maxBodyTime = 5 * time.Second

// requestCost is what a request takes beside its body, so that the number of requests is limited too.
const requestCost = 8 << 10

// sizeOf returns how many bytes a request counts: those of its body, or the most that a body may have where the request
// does not say.
func sizeOf(r *http.Request) int64 {
	if r.ContentLength < 0 || r.ContentLength > maxReview {
		return maxReview
	}
	return max(r.ContentLength, requestCost)
}

// readReview reads what the API server asks, until the deadline. With an error it returns the HTTP status.
func readReview(w http.ResponseWriter, r *http.Request, deadline time.Time) (*admissionv1.AdmissionRequest, int, error) {
	body, err := readBody(w, r, deadline)
	if long := (*http.MaxBytesError)(nil); errors.As(err, &long) {
		return nil, http.StatusRequestEntityTooLarge, fmt.Errorf("the AdmissionReview is longer than the %d bytes that are read", long.Limit)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, http.StatusRequestTimeout, fmt.Errorf("read the AdmissionReview: %w", err)
	}
	if err != nil {
		return nil, http.StatusBadRequest, fmt.Errorf("read the AdmissionReview: %w", err)
	}
	var review admissionv1.AdmissionReview
	if err := json.Unmarshal(body, &review); err != nil {
		return nil, http.StatusBadRequest, fmt.Errorf("decode the AdmissionReview: %w", err)
	}
	if review.GroupVersionKind() != admissionv1.SchemeGroupVersion.WithKind("AdmissionReview") || review.Request == nil {
		return nil, http.StatusBadRequest, errors.New("it is no AdmissionReview of admission.k8s.io/v1 with a request")
	}
	return review.Request, 0, nil
}

// readBody reads a body into a buffer that does not have to grow where the request says how long it is.
func readBody(w http.ResponseWriter, r *http.Request, deadline time.Time) ([]byte, error) {
	if r.ContentLength > maxReview {
		return nil, &http.MaxBytesError{Limit: maxReview}
	}
	controller := http.NewResponseController(w)
	if err := controller.SetReadDeadline(deadline); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return nil, err
	}
	var body bytes.Buffer
	if r.ContentLength > 0 {
		body.Grow(int(r.ContentLength) + bytes.MinRead) // ReadFrom grows a buffer with less room than that
	}
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, maxReview))
	if err != nil {
		return nil, err
	}
	// Whoever waits for the answer sends nothing more, and must not be taken for gone because of that.
	if err := controller.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return nil, err
	}
	return body.Bytes(), nil
}
