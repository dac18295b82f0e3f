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

// maxReview is the maximum length of a request's body, in bytes: two objects of up to 3 MiB, which is the API server's
// limit, and the other fields of the AdmissionReview.
const maxReview = 7 << 20

// maxBodyTime limits how long a body may take to arrive. The API server has the whole body before it connects.
const maxBodyTime = 5 * time.Second

// requestCost is the minimum number of bytes that a request counts, so that the number of requests is limited too.
const requestCost = 8 << 10

// sizeOf returns how many bytes a request counts: those of its body, or the maximum of a body if the request has no
// Content-Length.
func sizeOf(r *http.Request) int64 {
	if r.ContentLength < 0 || r.ContentLength > maxReview {
		return maxReview
	}
	return max(r.ContentLength, requestCost)
}

// readReview reads the API server's AdmissionReview, until the deadline. With an error it returns the HTTP status.
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
		return nil, http.StatusBadRequest, errors.New("it is not an AdmissionReview of admission.k8s.io/v1 with a request")
	}
	return review.Request, 0, nil
}

// readBody reads a body into a buffer that does not have to grow if the request has a Content-Length.
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
	// The client sends nothing more while it waits for the response. The read deadline must not count as a closed
	// connection.
	if err := controller.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return nil, err
	}
	return body.Bytes(), nil
}
