// SPDX-License-Identifier: Apache-2.0

package app

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/k1s-io/k1s/internal/access"
	"github.com/k1s-io/k1s/internal/source/oci"
)

// TestRegistries_addresses checks which addresses the operator connects to for registries.
func TestRegistries_addresses(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	denied := access.Egress{Denied: access.DeniedAddresses()}
	for name, tt := range map[string]struct {
		allowed, host string
		denied        bool
	}{
		"loopback":             {"", "127.0.0.1", true},
		"localhost":            {"", "localhost", true},
		"loopback, in IPv6":    {"", "::ffff:127.0.0.1", true},
		"metadata":             {"127.0.0.0/8", "169.254.169.254", true},
		"link-local":           {"127.0.0.0/8", "fe80::1", true},
		"loopback, allowed":    {"127.0.0.0/8", "127.0.0.1", false},
		"one address, allowed": {"127.0.0.1", "127.0.0.1", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := RegistryOptions{AllowedCIDRs: tt.allowed}
			registries, err := options.registries(denied)
			if err != nil {
				t.Fatal(err)
			}
			conn, err := registries.Dial(t.Context(), "tcp", net.JoinHostPort(tt.host, port))
			if conn != nil {
				_ = conn.Close()
			}
			if errors.Is(err, oci.ErrAddress) != tt.denied || (err == nil) == tt.denied {
				t.Errorf("got %v, want it denied: %t", err, tt.denied)
			}
		})
	}
}

// TestRegistries_invalid checks that each error names its flag.
func TestRegistries_invalid(t *testing.T) {
	t.Parallel()
	rubbish := filepath.Join(t.TempDir(), "rubbish")
	if err := os.WriteFile(rubbish, []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, options := range map[string]RegistryOptions{
		"--registry-mirrors":                        {Mirrors: "docker.io"},
		"--allowed-registry-cidrs":                  {AllowedCIDRs: "localhost"},
		"--registry-ca-file":                        {CAFile: rubbish},
		"--require-signature: \"registry.example\"": {RequiredSignatures: "registry.example"},
		"--allowed-registries: \"https://registry.example/*\" has a scheme: write it like registry.example/plugins/*":    {Allowed: "https://registry.example/*"},
		"--allowed-registries: \"registry.example/one:v1\" has a tag":                                                    {Allowed: "registry.example/one:v1"},
		"--registry-mirrors: \"docker.io/*\" has a \"*\": write it like registry.example/plugins":                        {Mirrors: "docker.io/*=mirror.example"},
		"--registry-mirrors: \"https://docker.io\" has a scheme":                                                         {Mirrors: "https://docker.io=mirror.example"},
		"--registry-mirrors: \"mirror.example/*\" is not like mirror.example/docker.io":                                  {Mirrors: "docker.io=mirror.example/*"},
		"--require-signature: \"registry.example/plugins/*\" has a \"*\": write it like registry.example/plugins, which": {RequiredSignatures: "registry.example/plugins/*=" + rubbish},
		"--require-signature: \"https://registry.example/plugins\" has a scheme":                                         {RequiredSignatures: "https://registry.example/plugins=" + rubbish},
		"--require-signature: \"registry.example/one:v1\" has a tag":                                                     {RequiredSignatures: "registry.example/one:v1=" + rubbish},
		"--require-signature: \"plugins/one\" does not begin with a registry":                                            {RequiredSignatures: "plugins/one=" + rubbish},
		"--require-signature: the operator requires a signature, and cannot read its key: open ":                         {RequiredSignatures: "registry.example=" + rubbish + "-missing"},
		"--require-signature: the operator's key " + rubbish:                                                             {RequiredSignatures: "registry.example=" + rubbish},
	} {
		if _, err := options.registries(access.Egress{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %q", options, err, want)
		}
	}
}
