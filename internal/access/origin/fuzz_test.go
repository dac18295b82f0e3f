// SPDX-License-Identifier: Apache-2.0

package origin

import (
	"net/netip"
	"net/url"
	"testing"
)

// FuzzOf looks for URLs whose origin differs between the check and the use.
func FuzzOf(f *testing.F) {
	for _, seed := range []string{
		"https://api.example.com/", "http://A.example.:080/x?y#z", "https://[2001:DB8::1]:8443", "http://bücher.example", "http://a%2eexample/",
		"http://a.example\\@b.example/", "http://１２７.0.0.1/", "http://0x7f.1/", "http://[::ffff:127.0.0.1]/", "http://a@b/", "http:///x", "http://xn--a.example",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := url.Parse(text)
		if err != nil {
			return
		}
		o, err := Of(u)
		if err != nil {
			return
		}
		u.Host = o.HostPort() // the form that is sent
		sent, err := url.Parse(u.String())
		if err != nil {
			t.Fatalf("%q becomes %q, which is no URL", text, u)
		}
		if parsedAgain, err := Of(sent); err != nil || parsedAgain != o {
			t.Errorf("%q is %v when it is checked, and %v (%v) when it is sent", text, o, parsedAgain, err)
		}
		if _, err := netip.ParseAddr(o.Host); err != nil && !validName(o.Host) {
			t.Errorf("%q has the host %q", text, o.Host)
		}
		if !o.Matches(o.HostPort()) || o.Matches("other.example:"+o.Port) && o.Host != "other.example" {
			t.Errorf("%q does not match its own host", text)
		}
	})
}
