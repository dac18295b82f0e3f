// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestRead(t *testing.T) {
	t.Parallel()
	good, other := newPair(t, year), newPair(t, year)
	for name, tc := range map[string]struct {
		data map[string][]byte
		want string // part of the error; empty means no error
	}{
		"what the operator writes":            {data: good.data()},
		"no authority, as of a public one":    {data: map[string][]byte{"tls.crt": good.certificate, "tls.key": good.key}, want: "ca.crt"},
		"two authorities":                     {data: map[string][]byte{"tls.crt": good.certificate, "tls.key": good.key, "ca.crt": append(good.ca, other.ca...)}},
		"nothing":                             {want: errEmpty.Error()},
		"keys without values":                 {data: map[string][]byte{"tls.crt": {}, "tls.key": {}}, want: errEmpty.Error()},
		"no key":                              {data: map[string][]byte{"tls.crt": good.certificate, "ca.crt": good.ca}, want: "tls.key"},
		"another one's key":                   {data: map[string][]byte{"tls.crt": good.certificate, "tls.key": other.key, "ca.crt": good.ca}, want: "tls.key"},
		"an authority that is no certificate": {data: map[string][]byte{"tls.crt": good.certificate, "tls.key": good.key, "ca.crt": []byte("x")}, want: "ca.crt"},
	} {
		got, err := read(&corev1.Secret{Data: tc.data})
		if tc.want == "" {
			if err != nil || got.pair.Leaf == nil || string(got.ca) != string(tc.data["ca.crt"]) {
				t.Errorf("%s: got %v, %v", name, got, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got error %v, want one about %q", name, err, tc.want)
		}
	}
}

func TestContent_same(t *testing.T) {
	t.Parallel()
	first, second := newPair(t, year), newPair(t, year)
	renewed := first.renew(t, year)
	a, b, c := mustRead(t, first), mustRead(t, second), mustRead(t, renewed)
	var none *content
	for name, tc := range map[string]struct {
		before, after *content
		same, trusts  bool
	}{
		"the first":              {none, a, false, false},
		"itself":                 {a, mustRead(t, first), true, true},
		"renewed":                {a, c, false, true},
		"of another authority":   {a, b, false, false},
		"the same under another": {a, &content{pair: a.pair, ca: b.ca}, false, false},
	} {
		if same, trusts := tc.before.same(tc.after), tc.before.trusts(tc.after); same != tc.same || trusts != tc.trusts {
			t.Errorf("%s: same %t, trusts %t", name, same, trusts)
		}
	}
}

func TestStore_certificate_none(t *testing.T) {
	t.Parallel()
	s := &Store{}
	if _, err := s.GetCertificate(nil); !errors.Is(err, errNone) || !errors.Is(s.Check(nil), errNone) || s.CABundle() != nil {
		t.Errorf("got %v, %q", err, s.CABundle())
	}
}
