// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"

	"github.com/k1s-io/k1s/internal/testenv/sigstore"
)

// rejected checks the reason and a part of the message of an error.
func rejected(t *testing.T, err error, reason, part string) {
	t.Helper()
	var load *plugin.LoadError
	if !errors.As(err, &load) || load.Reason != reason || !strings.Contains(err.Error(), part) {
		t.Errorf("got %v, want reason %s and %q", err, reason, part)
	}
}

func TestParseKey(t *testing.T) {
	t.Parallel()
	const name = `key "cosign.pub" of ConfigMap "keys"`
	p256 := generate(t, "P-256")
	valid := p256.PEM(t)
	if key, err := ParseKey(name, append([]byte("# the release key\n"), append(valid, '\n')...)); err != nil || key.Name() != name {
		t.Errorf("got %+v, %v", key, err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(p256.Private)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		text []byte
		part string
	}{
		{"nothing", nil, name + " is not a public key for signatures: store the file cosign.pub there"},
		{"text", []byte("key"), "it is not PEM"},
		{"a private key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), `it holds a "PRIVATE KEY", not a "PUBLIC KEY"`},
		{"two keys", append(append([]byte{}, valid...), valid...), "more than one key"},
		{"not PKIX", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("a")}), "asn1"},
		{"another curve", generate(t, "P-224").PEM(t), "curve P-224"},
		{"a large file", append(append([]byte{}, valid...), make([]byte, maxKeyBytes)...), "more than 16384"},
		// openssl genpkey -algorithm X25519 | openssl pkey -pubout
		{"a key for encryption", []byte("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEAhSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=\n-----END PUBLIC KEY-----\n"), "it is a key of the type *ecdh.PublicKey"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseKey(name, c.text)
			rejected(t, err, pluginsv1alpha1.ReasonVerificationKeyInvalid, c.part)
		})
	}
}

// TestParseKey_shortRSA sets a variable of the process, which parallel tests cannot.
func TestParseKey_shortRSA(t *testing.T) {
	_, err := ParseKey("it", generate(t, "RSA 1024").PEM(t))
	rejected(t, err, pluginsv1alpha1.ReasonVerificationKeyInvalid, "it is an RSA key of 1024 bits: 2048 to 8192 are supported")
}

func TestParseTrustedRoot(t *testing.T) {
	t.Parallel()
	const name = `key "trusted_root.json" of ConfigMap "sigstore"`
	valid := string(sigstore.New(t).TrustedRoot(t))
	without := func(field string) string {
		var parts map[string]any
		if err := json.Unmarshal([]byte(valid), &parts); err != nil || parts[field] == nil {
			t.Fatalf("%s: %v", field, err)
		}
		delete(parts, field)
		return string(encode(t, parts))
	}
	if _, err := ParseTrustedRoot(name, []byte(valid)); err != nil {
		t.Error(err)
	}
	for _, c := range []struct{ name, text, part string }{
		{"nothing", "", name + " is not a Sigstore trusted root: store the file trusted_root.json there"},
		{"text", "root", "syntax error"},
		{"another object", "{}", "unsupported TrustedRoot media type"},
		{"empty", `{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}`, "it has no certificateAuthorities"},
		{"no CA", without("certificateAuthorities"), "it has no certificateAuthorities"},
		{"no transparency log", without("tlogs"), "it has no tlogs"},
		{"no certificate transparency log", without("ctlogs"), "it has no ctlogs"},
		{"an unknown field", strings.Replace(valid, `"tlogs"`, `"logs"`, 1), "logs"},
		{"a log without a key", `{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","tlogs":[{}]}`, "hash algorithm"},
		{"null in a list", `{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","certificateAuthorities":[{"certChain":{"certificates":[]}}]}`, ""},
		{"large", strings.Repeat(" ", maxTrustedRootBytes) + valid, "more than 1048576"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseTrustedRoot(name, []byte(c.text))
			rejected(t, err, pluginsv1alpha1.ReasonTrustedRootInvalid, c.part)
		})
	}
}

func TestParseKeyless(t *testing.T) {
	t.Parallel()
	trusted, err := ParseTrustedRoot("it", sigstore.New(t).TrustedRoot(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, issuer, subject, expression string
		trusted                           *TrustedRoot
		part                              string
	}{
		{"nothing", "", "", "", trusted, "it has no issuer"},
		{"no subject", issuer, "", "", trusted, "it needs one of subject and regular expression"},
		{"two subjects", issuer, identity, ".*", trusted, "it needs one of subject and regular expression"},
		{"no root", issuer, identity, "", nil, "it has no trusted root"},
		{"an expression that is not one", issuer, "", "(", trusted, "missing closing )"},
		{"an expression that is only valid within parentheses", issuer, "", "a)|(b", trusted, "unexpected )"},
		{"a large expression", issuer, "", "((a{100}){100}){100}", trusted, "invalid repeat count"},
		{"a long expression", issuer, "", strings.Repeat("a", maxIdentityBytes+1), trusted, "more than 1024"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseKeyless(c.issuer, c.subject, c.expression, c.trusted)
			rejected(t, err, pluginsv1alpha1.ReasonIdentityInvalid, c.part)
		})
	}
}

func TestSigner_string(t *testing.T) {
	t.Parallel()
	for want, signer := range map[string]Signer{
		"the key":                     {Key: "the key"},
		`subject "a\n" of issuer "b"`: {Subject: "a\n", Issuer: "b"},
	} {
		if got := signer.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestPinned(t *testing.T) {
	t.Parallel()
	to := digest.FromString("a")
	for reference, want := range map[string]string{
		"registry.example/a":                       "registry.example/a",
		"registry.example/a:v1":                    "registry.example/a",
		"registry.example:5000/a":                  "registry.example:5000/a",
		"registry.example:5000/a:v1":               "registry.example:5000/a",
		"registry.example:5000/a:v1@" + string(to): "registry.example:5000/a",
	} {
		if got := pinned(reference, to); got != want+"@"+to.String() {
			t.Errorf("%s: got %s", reference, got)
		}
	}
}

func TestGuarded(t *testing.T) {
	t.Parallel()
	err := guarded("read it", func() error { panic("index out of range") })
	if err == nil || err.Error() != "read it: panic: index out of range" {
		t.Errorf("got %v", err)
	}
}
