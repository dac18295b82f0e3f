// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/net/http/httpproxy"
	"k8s.io/utils/clock"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/access"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/plugin/metrics"
	"github.com/k1s-io/k1s/internal/source/oci"
	"github.com/k1s-io/k1s/internal/source/oci/blobs"
	"github.com/k1s-io/k1s/internal/source/oci/signature"
	"github.com/k1s-io/k1s/internal/wasm/codecache"
)

// RegistryOptions configure where modules are pulled from.
type RegistryOptions struct {
	// Allowed is a comma-separated list of patterns of the repositories that plugins can use. Empty allows all.
	Allowed string
	// Mirrors is a comma-separated list of PREFIX=TARGET.
	Mirrors string
	// CAFile is a file of root certificates in PEM, in addition to the system's.
	CAFile string
	// RequiredSignatures is a comma-separated list of PREFIX=FILE: artifacts of the registry, or of its repositories that
	// begin like that, must be signed with the public key in the file.
	RequiredSignatures string
	// AllowedCIDRs is a comma-separated list of addresses to which the operator connects although plugins cannot reach
	// them, such as those of a registry on the same host.
	AllowedCIDRs string
	// MinPoll is the shortest interval between polls of a tag. 0 means that of package oci. It is for tests.
	MinPoll time.Duration
}

func (o *RegistryOptions) addFlags(f *flag.FlagSet) {
	f.StringVar(&o.Allowed, "allowed-registries", o.Allowed, `repositories from which modules are pulled, with "*" for any text: registry.example/plugins/*,*.internal.example/*; empty allows all`)
	f.StringVar(&o.Mirrors, "registry-mirrors", o.Mirrors, "mirrors that are tried before a registry, in their order: docker.io=mirror.example/docker.io,registry.example=http://10.0.0.1:5000")
	f.StringVar(&o.CAFile, "registry-ca-file", o.CAFile, "file of root certificates (PEM) for registries, besides those of the system")
	f.StringVar(&o.RequiredSignatures, "require-signature", o.RequiredSignatures, "registries, or beginnings of repositories, whose artifacts must be signed with cosign, each with the file of the public key (PEM): registry.example/plugins=/etc/k1s/cosign.pub; a WasmPlugin can require more, but not less")
	f.StringVar(&o.AllowedCIDRs, "allowed-registry-cidrs", o.AllowedCIDRs, "addresses that registries may have although they are loopback, link-local or the operator's own, such as 127.0.0.0/8")
}

// registries returns the operator's rules for registries.
func (o *RegistryOptions) registries(denied access.Egress) (oci.Registries, error) {
	var r oci.Registries
	var errs []error
	for _, text := range listOf(o.Allowed) {
		pattern, err := oci.ParsePattern(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("--allowed-registries: %w", err))
		}
		r.Allowed = append(r.Allowed, pattern)
	}
	for _, text := range listOf(o.Mirrors) {
		mirror, err := oci.ParseMirror(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("--registry-mirrors: %w", err))
		}
		r.Mirrors = append(r.Mirrors, mirror)
	}
	for _, text := range listOf(o.AllowedCIDRs) {
		prefix, err := access.ParseDenied(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("--allowed-registry-cidrs: %w", err))
		}
		denied.Allowed = append(denied.Allowed, prefix)
	}
	for _, text := range listOf(o.RequiredSignatures) {
		required, err := requiredSignature(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("--require-signature: %w", err))
		}
		r.Required = append(r.Required, required)
	}
	r.RootCAs = func() (*x509.CertPool, error) { return rootCAs("--registry-ca-file", o.CAFile) }
	if _, err := r.RootCAs(); err != nil {
		errs = append(errs, err)
	}
	r.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := denied.Dial(ctx, network, address)
		return conn, forRegistries(err)
	}
	r.Proxy = httpproxy.FromEnvironment().ProxyFunc()
	r.Check = func(ctx context.Context, host string) error { return forRegistries(denied.Check(ctx, host)) }
	return r, errors.Join(errs...)
}

// forRegistries replaces the error of package access for denied addresses, whose message is about plugins.
func forRegistries(err error) error {
	if errors.Is(err, access.ErrAddress) {
		return oci.ErrAddress
	}
	return err
}

// requiredSignature parses PREFIX=FILE. It fails if the file has no key now, and reads it again whenever that is needed.
func requiredSignature(text string) (oci.Required, error) {
	prefix, file, ok := strings.Cut(text, "=")
	if !ok || prefix == "" || file == "" {
		return oci.Required{}, fmt.Errorf("%q is not like registry.example/plugins=/etc/k1s/cosign.pub", text)
	}
	prefix, err := oci.ParsePrefix(prefix)
	if err != nil {
		return oci.Required{}, err
	}
	policy := func() (oci.Signatures, error) { return signedWith(file) }
	if _, err := policy(); err != nil {
		return oci.Required{}, err
	}
	return oci.Required{Prefix: prefix, Signatures: policy}, nil
}

// signedWith returns the policy of the operator's key in a file.
func signedWith(file string) (oci.Signatures, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return oci.Signatures{}, plugin.Reject(pluginsv1alpha1.ReasonVerificationKeyInvalid,
			"the operator requires a signature, and cannot read its key: %v; ask the administrator to check --require-signature", err)
	}
	key, err := signature.ParseKey("the operator's key "+file, pem)
	if err != nil {
		return oci.Signatures{}, err
	}
	return oci.Signatures{ID: fmt.Sprintf("%x", sha256.Sum256(pem)), Policy: signature.Policy{Keys: []signature.Key{key}}}, nil
}

// artifacts returns the source of modules in registries. Its cache is a part of the compilation cache, which limits the
// size of both. Without that, it is a temporary directory, which remove removes.
func artifacts(o Options, denied access.Egress, measured *metrics.Metrics, compiled *codecache.Dir) (source *oci.Source, remove func() error, err error) {
	registries, err := o.Registries.registries(denied)
	if err != nil {
		return nil, nil, err
	}
	var path string
	bound, remove := func() {}, func() error { return nil }
	if compiled != nil {
		path, bound = compiled.Path(), compiled.Bound
	} else {
		if path, err = os.MkdirTemp("", "k1s-artifacts-"); err != nil {
			return nil, nil, fmt.Errorf("make a directory for artifacts: %w (--cache-dir names one that can be written)", err)
		}
		remove = func() error { return os.RemoveAll(path) }
	}
	dir, err := blobs.Open(path, bound)
	if err != nil {
		return nil, nil, errors.Join(err, remove())
	}
	if compiled != nil {
		compiled.Except(dir.Pinned)
	}
	measured.PulledCache(dir.Size)
	return oci.New(oci.Options{
		Registries: registries, Cache: dir, MaxBytes: o.MaxModuleBytes, Clock: clock.RealClock{}, Metrics: measured, MinPoll: o.Registries.MinPoll,
	}), remove, nil
}
