// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// errEmpty is a Secret that nobody has filled yet.
var errEmpty = errors.New("the Secret is empty")

// content is what a Secret holds.
type content struct {
	pair *tls.Certificate
	ca   []byte // PEM
}

// read checks what a Secret holds.
func read(secret *corev1.Secret) (*content, error) {
	certificate, key, ca := secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey], secret.Data[corev1.ServiceAccountRootCAKey]
	if len(certificate) == 0 && len(key) == 0 {
		return nil, errEmpty
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return nil, fmt.Errorf("read tls.crt and tls.key: %w", err)
	}
	// The API server would refuse a webhook configuration with this; without, it would look for a public authority.
	if !x509.NewCertPool().AppendCertsFromPEM(ca) {
		return nil, errors.New("read ca.crt: it has no certificate in PEM; the authority must be one that tells its own")
	}
	return &content{pair: &pair, ca: ca}, nil
}

// same reports whether nothing has changed; nil is what was before the first.
func (c *content) same(other *content) bool {
	return c != nil && bytes.Equal(c.pair.Leaf.Raw, other.pair.Leaf.Raw) && c.trusts(other)
}

// trusts reports whether the authorities are the same.
func (c *content) trusts(other *content) bool { return c != nil && bytes.Equal(c.ca, other.ca) }
