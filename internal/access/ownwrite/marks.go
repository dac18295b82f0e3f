// SPDX-License-Identifier: Apache-2.0

// Package ownwrite implements marks on the requests that the operator makes for a plugin. With them, a webhook can
// distinguish the admission requests that a plugin caused itself from all others.
package ownwrite

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// ExtraKey is the key of the mark in the extra of an impersonated user. The API server accepts it only from users with
// permission to impersonate userextras/plugins.k1s.io/own-write.
const ExtraKey = "plugins.k1s.io/own-write"

const (
	// lifetime is how long a mark is valid at least. It is longer than the API server works on a request.
	lifetime = time.Minute
	// step is how much longer a mark may be valid. Marks of the same step are equal, so that they are computed once and
	// the API server can cache its authorization of the impersonation.
	step = 30 * time.Second
	// skew is how far the clocks of two replicas may differ.
	skew = 30 * time.Second
	// grace is how long a previous key is still used after the certificate changed. Replicas read a new certificate
	// within seconds.
	grace = 5 * time.Minute

	// version is the first part of a mark.
	version = "v1"
	// purpose separates the derived key from other keys that are derived from the certificate's private key.
	purpose = "k1s own-write mark v1"
	// maxMarks limits how many values of a request are verified. A request has one mark per key.
	maxMarks = 4
)

// Source returns the certificate whose private key only the replicas of the operator have.
type Source func() (*tls.Certificate, error)

// Marks signs and verifies marks. A mark is an HMAC of the plugin's name and an expiration time.
type Marks struct {
	source Source
	clock  clock.PassiveClock

	mu          sync.Mutex
	certificate *tls.Certificate // that keys[0] is derived from
	keys        []key            // the current one, then the previous one
	signed      map[string]signature
}

// key is derived from one certificate's private key.
type key struct {
	secret []byte
	// until is when a previous key expires; zero for the current key.
	until time.Time
}

// signature is the last signature for a plugin.
type signature struct {
	expires time.Time
	marks   []string
}

// New returns Marks with keys derived from the source's certificate. The keys change when the certificate changes.
func New(source Source, clk clock.PassiveClock) *Marks {
	return &Marks{source: source, clock: clk, signed: map[string]signature{}}
}

// Sign returns the marks for a plugin's request: one for each key that another replica may use.
func (m *Marks) Sign(plugin string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock.Now()
	if err := m.refresh(now); err != nil {
		return nil, err
	}
	expires := now.Add(lifetime + step).Truncate(step)
	if s := m.signed[plugin]; s.expires.Equal(expires) {
		return s.marks, nil
	}
	for name, s := range m.signed { // removes the entries of deleted plugins
		if s.expires.Before(now) {
			delete(m.signed, name)
		}
	}
	marks := make([]string, len(m.keys))
	for i, k := range m.keys {
		seconds := expires.Unix()
		marks[i] = version + "." + strconv.FormatInt(seconds, 10) + "." + base64.RawURLEncoding.EncodeToString(k.sum(plugin, seconds))
	}
	m.signed[plugin] = signature{expires: expires, marks: marks}
	return marks, nil
}

// Verify reports whether one of the marks is valid for a plugin and has not expired.
func (m *Marks) Verify(plugin string, marks []string) bool {
	if len(marks) == 0 || len(marks) > maxMarks {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock.Now()
	if err := m.refresh(now); err != nil {
		return false
	}
	for _, mark := range marks {
		seconds, sum, ok := parse(mark)
		if !ok || now.Add(-skew).After(time.Unix(seconds, 0)) {
			continue
		}
		for _, k := range m.keys {
			if hmac.Equal(sum, k.sum(plugin, seconds)) {
				return true
			}
		}
	}
	return false
}

// refresh derives a new key if the certificate has changed, and removes a previous key that has expired.
func (m *Marks) refresh(now time.Time) error {
	if n := len(m.keys); n > 1 && now.After(m.keys[n-1].until) {
		m.keys = m.keys[:n-1]
		clear(m.signed)
	}
	certificate, err := m.source()
	if err != nil {
		return err
	}
	if certificate == m.certificate {
		return nil
	}
	secret, err := derive(certificate)
	if err != nil {
		return err
	}
	m.certificate = certificate
	switch {
	case len(m.keys) == 0:
		m.keys = []key{{secret: secret}}
	case !bytes.Equal(m.keys[0].secret, secret): // a renewal may keep the private key
		previous := m.keys[0]
		previous.until = now.Add(grace)
		m.keys = []key{{secret: secret}, previous}
		clear(m.signed)
	}
	return nil
}

func derive(certificate *tls.Certificate) ([]byte, error) {
	private, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("derive the key of own-write marks: %w", err)
	}
	return hkdf.Key(sha256.New, private, nil, purpose, sha256.Size)
}

// sum returns the HMAC of a plugin's name, which has no NUL, and a time.
func (k key) sum(plugin string, seconds int64) []byte {
	h := hmac.New(sha256.New, k.secret)
	h.Write([]byte(plugin))
	h.Write([]byte{0})
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(seconds)))
	return h.Sum(nil)
}

// parse parses a mark.
func parse(mark string) (seconds int64, sum []byte, ok bool) {
	parts := strings.SplitN(mark, ".", 3)
	if len(mark) > 128 || len(parts) != 3 || parts[0] != version {
		return 0, nil, false
	}
	seconds, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return 0, nil, false
	}
	sum, err = base64.RawURLEncoding.DecodeString(parts[2])
	return seconds, sum, err == nil
}
