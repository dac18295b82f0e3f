// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"

	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/tlog"
)

// storedEntry is an entry of a transparency log (Rekor v1) in cosign's annotation: what was recorded, and the log's
// signature, which promises that it will be part of the log.
type storedEntry struct {
	SignedEntryTimestamp []byte
	Payload              struct {
		// Body is the canonical JSON of the entry, in base64.
		Body           string `json:"body"`
		IntegratedTime int64  `json:"integratedTime"`
		LogIndex       int64  `json:"logIndex"`
		// LogID is the SHA-256 of the log's key, in hexadecimal.
		LogID string `json:"logID"`
	}
}

// logEntry converts a stored log entry. It returns nil if nothing is stored.
func logEntry(stored string) (*protorekor.TransparencyLogEntry, error) {
	if stored == "" {
		return nil, nil //nolint:nilnil // a signature without an entry is complete for a key
	}
	var entry storedEntry
	if err := json.Unmarshal([]byte(stored), &entry); err != nil {
		return nil, err
	}
	body, err := base64.StdEncoding.DecodeString(entry.Payload.Body)
	if err != nil {
		return nil, err
	}
	id, err := hex.DecodeString(entry.Payload.LogID)
	if err != nil {
		return nil, err
	}
	var kind struct {
		Kind    string `json:"kind"`
		Version string `json:"apiVersion"`
	}
	if err := json.Unmarshal(body, &kind); err != nil {
		return nil, err
	}
	return &protorekor.TransparencyLogEntry{
		LogIndex:          entry.Payload.LogIndex,
		LogId:             &protocommon.LogId{KeyId: id},
		KindVersion:       &protorekor.KindVersion{Kind: kind.Kind, Version: kind.Version},
		IntegratedTime:    entry.Payload.IntegratedTime,
		InclusionPromise:  &protorekor.InclusionPromise{SignedEntryTimestamp: entry.SignedEntryTimestamp},
		CanonicalizedBody: body,
	}, nil
}

// loggedKey returns the hint of the key in a log entry, or "" if there is none. Nothing has verified it: it serves to
// tell a signature that was changed from one by another key.
func loggedKey(entry *protorekor.TransparencyLogEntry) string {
	if entry == nil {
		return ""
	}
	parsed, err := tlog.ParseTransparencyLogEntry(entry)
	if err != nil || tlog.ValidateEntry(parsed) != nil {
		return ""
	}
	public := parsed.PublicKey()
	if _, ok := public.(*x509.Certificate); ok || public == nil {
		return ""
	}
	hint, err := hintOf(public)
	if err != nil {
		return ""
	}
	return hint
}
