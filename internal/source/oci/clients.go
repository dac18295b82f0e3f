// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"net/http"
	"net/netip"
	"sync/atomic"

	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/source/oci/dockerconfig"
)

// clientWith returns a client that authenticates at one host, and at its token server, with the first credential that the
// host accepts.
func clientWith(client *http.Client, host string, credentials ...dockerconfig.Credential) remote.Client {
	var out anyOf
	for _, use := range credentials {
		out.clients = append(out.clients, &auth.Client{
			Client: client, Cache: auth.NewCache(), ClientID: userAgent,
			Header: http.Header{"User-Agent": {userAgent}},
			Credential: func(_ context.Context, hostport string) (auth.Credential, error) {
				if hostport != host {
					return auth.EmptyCredential, nil
				}
				return auth.Credential{
					Username: use.Username, Password: use.Password, RefreshToken: use.IdentityToken, AccessToken: use.RegistryToken,
				}, nil
			},
			// Every connection is checked by Dial, those for tokens included.
			BlockedRealmPrefixes: []netip.Prefix{},
		})
	}
	if len(out.clients) == 1 {
		return out.clients[0]
	}
	return &out
}

// anyOf is several clients, each with another credential, for requests without a body.
type anyOf struct {
	clients []*auth.Client
	// accepted is the index of the client whose credential was accepted last.
	accepted atomic.Int32
}

// Do implements remote.Client. If no credential is accepted, it returns the answer to the last one.
func (c *anyOf) Do(req *http.Request) (*http.Response, error) {
	first := int(c.accepted.Load())
	for i := range len(c.clients) - 1 {
		at := (first + i) % len(c.clients)
		resp, err := c.clients[at].Do(req)
		if !isRejected(resp, err) {
			c.accepted.Store(int32(at))
			return resp, err
		}
		if resp != nil {
			_ = resp.Body.Close() // it is not read
		}
	}
	last := (first + len(c.clients) - 1) % len(c.clients)
	resp, err := c.clients[last].Do(req)
	if !isRejected(resp, err) {
		c.accepted.Store(int32(last))
	}
	return resp, err
}

// isRejected reports whether a registry, or its token server, does not accept a credential.
func isRejected(resp *http.Response, err error) bool {
	if err != nil {
		reason, _ := explain(err, 1)
		return reason == pluginsv1alpha1.ReasonUnauthorized
	}
	return resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden
}
