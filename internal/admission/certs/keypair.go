// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"
)

const (
	commonName   = "k1s-webhook-ca"
	organization = "k1s"
	// skew is how far the API server's clock may be behind.
	skew = time.Hour
)

// keyPair is a certificate and its private key.
type keyPair struct {
	leaf             *x509.Certificate
	private          crypto.Signer
	certificate, key []byte // PEM
}

// newCA returns a self-signed CA.
func newCA(now time.Time, lifetime time.Duration) (*keyPair, error) {
	return issue(nil, &x509.Certificate{
		Subject: pkix.Name{CommonName: commonName, Organization: []string{organization}},
		IsCA:    true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}, now, lifetime)
}

// issueServer returns a certificate of the CA for a server with the given DNS names.
func (p *keyPair) issueServer(names []string, now time.Time, lifetime time.Duration) (*keyPair, error) {
	return issue(p, &x509.Certificate{
		Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, now, lifetime)
}

// issue completes a template and signs it; a nil CA means self-signed.
func issue(ca *keyPair, template *x509.Certificate, now time.Time, lifetime time.Duration) (*keyPair, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return nil, err
	}
	template.NotBefore, template.NotAfter = now.Add(-skew), now.Add(lifetime)
	parent, signer := template, crypto.Signer(private)
	if ca != nil {
		parent, signer = ca.leaf, ca.private
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, private.Public(), signer)
	if err != nil {
		return nil, err
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	return parsePair(
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
	)
}

// parsePair parses a certificate and its key in PEM.
func parsePair(certificate, key []byte) (*keyPair, error) {
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return nil, err
	}
	private, ok := pair.PrivateKey.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a key of type %T cannot sign", pair.PrivateKey)
	}
	return &keyPair{leaf: pair.Leaf, private: private, certificate: certificate, key: key}, nil
}

// isCA reports whether the pair can issue certificates until a time.
func (p *keyPair) isCA(until time.Time) bool { return p.leaf.IsCA && p.leaf.NotAfter.After(until) }

// isServer reports whether the pair is a certificate of the CA for all names until a time.
func (p *keyPair) isServer(ca *keyPair, names []string, until time.Time) bool {
	for _, name := range names {
		if p.leaf.VerifyHostname(name) != nil {
			return false
		}
	}
	return p.leaf.NotAfter.After(until) && p.leaf.CheckSignatureFrom(ca.leaf) == nil
}
