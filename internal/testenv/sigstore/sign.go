// SPDX-License-Identifier: Apache-2.0

package sigstore

import (
	"encoding/base64"
	"testing"
	"time"
)

// Sign implements registry.Signer: it signs a payload as the identity, with a certificate and an entry of the log, and
// returns the annotations with all three.
func (i *Instance) Sign(t testing.TB, payload []byte) map[string]string {
	t.Helper()
	key, now := NewKey(t, "P-256"), time.Now()
	signed, certificate := key.Sign(t, payload), CertificatePEM(i.Certify(t, key, now.Add(-time.Minute), &i.CTLog))
	return map[string]string{
		"dev.cosignproject.cosign/signature": base64.StdEncoding.EncodeToString(signed),
		"dev.sigstore.cosign/certificate":    string(certificate),
		"dev.sigstore.cosign/bundle":         string(i.Promise(t, HashedRekord(t, payload, signed, certificate), now)),
	}
}
