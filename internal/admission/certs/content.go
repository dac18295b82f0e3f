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

// errEmpty means that the Secret has no certificate yet.
var errEmpty = errors.New("the Secret is empty")

// content is the parsed content of a Secret.
type content struct {
	pair *tls.Certificate
	ca   []byte // PEM
}

// read parses and validates the content of a Secret.
func read(secret *corev1.Secret) (*content, error) {
	certificate, key, ca := secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey], secret.Data[corev1.ServiceAccountRootCAKey]
	if len(certificate) == 0 && len(key) == 0 {
		return nil, errEmpty
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return nil, fmt.Errorf("read tls.crt and tls.key: %w", err)
	}
	// The API server would reject a webhook configuration with this bundle. Without a bundle, it would expect a public
	// CA.
	if !x509.NewCertPool().AppendCertsFromPEM(ca) {
		return nil, errors.New("read ca.crt: it has no certificate in PEM; the issuer must publish its CA")
	}
	return &content{pair: &pair, ca: ca}, nil
}

// same reports whether nothing has changed. c is nil before the first content.
func (c *content) same(other *content) bool {
	return c != nil && bytes.Equal(c.pair.Leaf.Raw, other.pair.Leaf.Raw) && c.trusts(other)
}

// trusts reports whether the CA bundles are equal.
func (c *content) trusts(other *content) bool { return c != nil && bytes.Equal(c.ca, other.ca) }
