// SPDX-License-Identifier: Apache-2.0

package sigstore

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/url"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/testing/ca"
)

// Instance is a Sigstore: a CA, its certificate transparency log, a transparency log and a timestamp authority.
// sigstore-go's VirtualSigstore is the timestamp authority; its CA leaves out the certificate transparency log.
type Instance struct {
	*ca.VirtualSigstore
	top *x509.Certificate
	// Intermediate and Key are the CA that issues certificates.
	Intermediate *x509.Certificate
	Key          crypto.Signer
	// CTLog records certificates, and Log signatures.
	CTLog, Log Key
	start      time.Time
}

// Issuer and Subject are the identity in all certificates.
const (
	Issuer  = "https://token.example"
	Subject = "https://git.example/acme/plugin/.ci/release.yml@refs/tags/v1"
)

// New returns a new instance.
func New(t testing.TB) *Instance {
	t.Helper()
	virtual, err := ca.NewVirtualSigstore()
	if err != nil {
		t.Fatal(err)
	}
	top, topKey, err := ca.GenerateRootCa()
	if err != nil {
		t.Fatal(err)
	}
	intermediate, key, err := ca.GenerateFulcioIntermediate(top, topKey)
	if err != nil {
		t.Fatal(err)
	}
	return &Instance{
		VirtualSigstore: virtual, top: top, Intermediate: intermediate, Key: key,
		CTLog: NewKey(t, "P-256"), Log: NewKey(t, "P-256"), start: time.Now().Add(-time.Hour),
	}
}

// TrustedRoot returns the instance's trusted_root.json.
func (i *Instance) TrustedRoot(t testing.TB) []byte {
	t.Helper()
	logOf := func(s Key, at string) map[string]*root.TransparencyLog {
		id := keyID(t, s.Private.Public())
		return map[string]*root.TransparencyLog{hex.EncodeToString(id): {
			BaseURL: at, ID: id, ValidityPeriodStart: i.start, HashFunc: crypto.SHA256,
			PublicKey: s.Private.Public(), SignatureHashFunc: crypto.SHA256,
		}}
	}
	fulcio := &root.FulcioCertificateAuthority{
		Root: i.top, Intermediates: []*x509.Certificate{i.Intermediate}, ValidityPeriodStart: i.start, URI: "https://fulcio.example",
	}
	trusted, err := root.NewTrustedRoot(root.TrustedRootMediaType01, []root.CertificateAuthority{fulcio},
		logOf(i.CTLog, "https://ct.example"), i.TimestampingAuthorities(), logOf(i.Log, "https://rekor.example"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := trusted.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func keyID(t testing.TB, public crypto.PublicKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(der)
	return sum[:]
}

// Certify returns a certificate for a key, valid for ten minutes from a time. Without a certificate transparency log,
// nothing has recorded it.
func (i *Instance) Certify(t testing.TB, s Key, from time.Time, ctLog *Key) []byte {
	t.Helper()
	subject, err := url.Parse(Subject)
	if err != nil {
		t.Fatal(err)
	}
	issued, err := asn1.MarshalWithParams(Issuer, "utf8")
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), URIs: []*url.URL{subject}, NotBefore: from, NotAfter: from.Add(10 * time.Minute),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
		ExtraExtensions: []pkix.Extension{
			{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 8}, Value: issued}, // Fulcio's issuer
		},
	}
	create := func() []byte {
		der, err := x509.CreateCertificate(rand.Reader, template, i.Intermediate, s.Private.Public(), i.Key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	der := create()
	if ctLog == nil {
		return der
	}
	template.ExtraExtensions = append(template.ExtraExtensions, i.recorded(t, *ctLog, der))
	return create()
}

// recorded returns the extension with the certificate transparency log's signature of a certificate without it
// (RFC 6962, section 3.2).
func (i *Instance) recorded(t testing.TB, ctLog Key, der []byte) pkix.Extension {
	t.Helper()
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	at := uint64(certificate.NotBefore.UnixMilli())
	tbs := certificate.RawTBSCertificate
	parent := sha256.Sum256(i.Intermediate.RawSubjectPublicKeyInfo)

	entry := binary.BigEndian.AppendUint64([]byte{0, 0}, at)
	entry = append(binary.BigEndian.AppendUint16(entry, 1), parent[:]...)
	entry = append(entry, byte(len(tbs)>>16), byte(len(tbs)>>8), byte(len(tbs)))
	entry = append(append(entry, tbs...), 0, 0)
	signed := ctLog.Sign(t, entry)

	sct := append([]byte{0}, keyID(t, ctLog.Private.Public())...)
	sct = append(binary.BigEndian.AppendUint64(sct, at), 0, 0, 4, 3) // no extensions, SHA-256 with ECDSA
	sct = append(binary.BigEndian.AppendUint16(sct, uint16(len(signed))), signed...)
	list := binary.BigEndian.AppendUint16(nil, uint16(len(sct)+2))
	list = append(binary.BigEndian.AppendUint16(list, uint16(len(sct))), sct...)
	value, err := asn1.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	return pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}, Value: value}
}

// HashedRekord returns the log entry of a signature of a message.
func HashedRekord(t testing.TB, message, signed, verifier []byte) []byte {
	t.Helper()
	sum := sha256.Sum256(message)
	return encode(t, map[string]any{"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": map[string]any{
		"data":      map[string]any{"hash": map[string]any{"algorithm": "sha256", "value": hex.EncodeToString(sum[:])}},
		"signature": map[string]any{"content": signed, "publicKey": map[string]any{"content": verifier}},
	}})
}

// LoggedStatement returns the log entry of a signature of a statement.
func LoggedStatement(t testing.TB, payload, signed, verifier []byte) []byte {
	t.Helper()
	hash := func(content []byte) map[string]any {
		sum := sha256.Sum256(content)
		return map[string]any{"algorithm": "sha256", "value": hex.EncodeToString(sum[:])}
	}
	return encode(t, map[string]any{"apiVersion": "0.0.1", "kind": "dsse", "spec": map[string]any{
		"envelopeHash": hash(signed), "payloadHash": hash(payload),
		"signatures": []any{map[string]any{"signature": base64.StdEncoding.EncodeToString(signed), "verifier": verifier}},
	}})
}

// Promise returns cosign's annotation with a log entry: the log's promise that it will be part of the log.
func (i *Instance) Promise(t testing.TB, body []byte, at time.Time) []byte {
	t.Helper()
	payload := map[string]any{
		"body": base64.StdEncoding.EncodeToString(body), "integratedTime": at.Unix(), "logIndex": 7,
		"logID": hex.EncodeToString(keyID(t, i.Log.Private.Public())),
	}
	return encode(t, map[string]any{"SignedEntryTimestamp": i.Log.Sign(t, encode(t, payload)), "Payload": payload})
}

// Entry returns a log entry as a bundle has it: with a promise, and with a proof that it is the only one of the log.
func (i *Instance) Entry(t testing.TB, body []byte, at time.Time) map[string]any {
	t.Helper()
	var stored struct{ SignedEntryTimestamp []byte }
	if err := json.Unmarshal(i.Promise(t, body, at), &stored); err != nil {
		t.Fatal(err)
	}
	var kind struct{ Kind, APIVersion string }
	if err := json.Unmarshal(body, &kind); err != nil {
		t.Fatal(err)
	}
	return map[string]any{
		"logIndex": "7", "logId": map[string]any{"keyId": keyID(t, i.Log.Private.Public())},
		"kindVersion":      map[string]any{"kind": kind.Kind, "version": kind.APIVersion},
		"integratedTime":   strconv.FormatInt(at.Unix(), 10),
		"inclusionPromise": map[string]any{"signedEntryTimestamp": stored.SignedEntryTimestamp},
		"inclusionProof":   i.inclusion(t, body, "rekor.example - 7"), "canonicalizedBody": body,
	}
}

// EntryV2 returns a log entry of Rekor v2 for a signature of a statement: with a proof, and without a time.
func (i *Instance) EntryV2(t testing.TB, payload, signed, certificate []byte) map[string]any {
	t.Helper()
	sum := sha256.Sum256(PAE(payload))
	body := encode(t, map[string]any{"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": map[string]any{"hashedRekordV002": map[string]any{
		"data": map[string]any{"algorithm": "SHA2_256", "digest": sum[:]},
		"signature": map[string]any{"content": signed, "verifier": map[string]any{
			"keyDetails": "PKIX_ECDSA_P256_SHA_256", "x509Certificate": map[string]any{"rawBytes": certificate},
		}},
	}}})
	return map[string]any{
		"logIndex": "0", "logId": map[string]any{"keyId": keyID(t, i.Log.Private.Public())},
		"kindVersion":    map[string]any{"kind": "hashedrekord", "version": "0.0.2"},
		"inclusionProof": i.inclusion(t, body, "rekor.example"), "canonicalizedBody": body,
	}
}

// inclusion returns the proof that a body is the only entry of the log, with the log's signed checkpoint.
func (i *Instance) inclusion(t testing.TB, body []byte, origin string) map[string]any {
	t.Helper()
	leaf := sha256.Sum256(append([]byte{0}, body...))
	checkpoint := fmt.Sprintf("%s\n1\n%s\n", origin, base64.StdEncoding.EncodeToString(leaf[:]))
	line := slices.Concat(keyID(t, i.Log.Private.Public())[:4], i.Log.Sign(t, []byte(checkpoint)))
	checkpoint += fmt.Sprintf("\n— rekor.example %s\n", base64.StdEncoding.EncodeToString(line))
	return map[string]any{
		"logIndex": "0", "treeSize": "1", "rootHash": leaf[:], "checkpoint": map[string]any{"envelope": checkpoint},
	}
}

// Stamp returns the timestamp authority's timestamp of a signature.
func (i *Instance) Stamp(t testing.TB, signed []byte) []byte {
	t.Helper()
	stamp, err := i.TimestampResponse(signed)
	if err != nil {
		t.Fatal(err)
	}
	return stamp
}

// CertificatePEM returns a certificate in PEM.
func CertificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// PAE returns what a DSSE signature signs.
func PAE(payload []byte) []byte {
	const payloadType = "application/vnd.in-toto+json"
	return fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(payloadType), payloadType, len(payload), payload)
}

func encode(t testing.TB, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
