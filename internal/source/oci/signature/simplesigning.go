// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/opencontainers/go-digest"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
)

// cosign's old format: a layer is the payload that was signed, and the layer's annotations are the signature and what
// proves it.
const (
	typeSimpleSigning = "application/vnd.dev.cosign.simplesigning.v1+json"
	// typeContainerSignature is critical.type in a payload that cosign signs. It sets the payload apart from everything
	// else that the same key may sign.
	typeContainerSignature = "cosign container image signature"

	annotationSignature   = "dev.cosignproject.cosign/signature"
	annotationCertificate = "dev.sigstore.cosign/certificate"
	annotationLogEntry    = "dev.sigstore.cosign/bundle"
	annotationTimestamp   = "dev.sigstore.cosign/rfc3161timestamp"

	// typeBundleV01 is the version of bundles that allows a log entry with a promise of its inclusion, and without a
	// proof. cosign stores only the promise.
	typeBundleV01 = "application/vnd.dev.sigstore.bundle+json;version=0.1"
)

// simplePayload is what is read of a payload. The reference in it is only the signer's name for the artifact: the
// digest decides.
type simplePayload struct {
	Critical struct {
		Type  string `json:"type"`
		Image struct {
			Digest string `json:"docker-manifest-digest"`
		} `json:"image"`
	} `json:"critical"`
}

// simpleCandidate converts a signature in cosign's old format.
func simpleCandidate(where string, annotations map[string]string, payload []byte, subject digest.Digest) (candidate, finding) {
	var claims simplePayload
	if err := json.Unmarshal(payload, &claims); err != nil {
		return candidate{}, malformed(where, fmt.Errorf("payload: %w", err))
	}
	if claims.Critical.Type != typeContainerSignature {
		return candidate{}, malformed(where, fmt.Errorf("its payload has the type %s, not %q", quoted(claims.Critical.Type), typeContainerSignature))
	}
	if claims.Critical.Image.Digest != subject.String() {
		return candidate{}, ofAnotherDigest(where, claims.Critical.Image.Digest, subject)
	}
	c := candidate{where: where, message: payload, subject: subject}
	err := guarded("read the annotations", func() (err error) {
		c.bundle, err = simpleBundle(annotations, payload)
		return err
	})
	if err != nil {
		return candidate{}, malformed(where, err)
	}
	return c, nil
}

// simpleBundle returns a bundle with the parts in a layer's annotations.
func simpleBundle(annotations map[string]string, payload []byte) (*bundle.Bundle, error) {
	for name, value := range annotations {
		if len(value) > maxAnnotationBytes {
			return nil, fmt.Errorf("annotation %s has %d bytes, more than %d", quoted(name), len(value), maxAnnotationBytes)
		}
	}
	signed, err := base64.StdEncoding.DecodeString(annotations[annotationSignature])
	if err != nil {
		return nil, fmt.Errorf("annotation %q: %w", annotationSignature, err)
	}
	if len(signed) == 0 {
		return nil, fmt.Errorf("it has no annotation %q", annotationSignature)
	}
	sum := sha256.Sum256(payload)
	material, err := simpleMaterial(annotations)
	if err != nil {
		return nil, err
	}
	return bundle.NewBundle(&protobundle.Bundle{
		MediaType:            typeBundleV01,
		VerificationMaterial: material,
		Content: &protobundle.Bundle_MessageSignature{MessageSignature: &protocommon.MessageSignature{
			MessageDigest: &protocommon.HashOutput{Algorithm: protocommon.HashAlgorithm_SHA2_256, Digest: sum[:]},
			Signature:     signed,
		}},
	})
}

// simpleMaterial returns what proves a signature. A key proves it alone, so the log entry of a signature without a
// certificate only tells which key signed.
func simpleMaterial(annotations map[string]string) (*protobundle.VerificationMaterial, error) {
	entry, entryErr := logEntry(annotations[annotationLogEntry])
	certificate := annotations[annotationCertificate]
	if certificate == "" {
		return &protobundle.VerificationMaterial{Content: &protobundle.VerificationMaterial_PublicKey{
			PublicKey: &protocommon.PublicKeyIdentifier{Hint: loggedKey(entry)},
		}}, nil
	}
	block, _ := pem.Decode([]byte(certificate))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, fmt.Errorf("annotation %q is not a certificate in PEM", annotationCertificate)
	}
	material := &protobundle.VerificationMaterial{Content: &protobundle.VerificationMaterial_Certificate{
		Certificate: &protocommon.X509Certificate{RawBytes: block.Bytes},
	}}
	if entryErr != nil {
		return nil, fmt.Errorf("annotation %q: %w", annotationLogEntry, entryErr)
	}
	if entry != nil {
		material.TlogEntries = append(material.TlogEntries, entry)
	}
	if stored := annotations[annotationTimestamp]; stored != "" {
		var timestamp struct{ SignedRFC3161Timestamp []byte }
		err := json.Unmarshal([]byte(stored), &timestamp)
		if err == nil && len(timestamp.SignedRFC3161Timestamp) == 0 {
			err = errors.New("it has no timestamp")
		}
		if err != nil {
			return nil, fmt.Errorf("annotation %q: %w", annotationTimestamp, err)
		}
		material.TimestampVerificationData = &protobundle.TimestampVerificationData{
			Rfc3161Timestamps: []*protocommon.RFC3161SignedTimestamp{{SignedTimestamp: timestamp.SignedRFC3161Timestamp}},
		}
	}
	return material, nil
}
