// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"fmt"
	"io"
	"time"

	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/access/rbac"
)

// requestTimeout is the timeout of one request. The guest's own deadline is usually earlier.
const requestTimeout = 30 * time.Second

// impersonate returns a client that acts as a plugin's ServiceAccount. If no groups are given, the API server adds
// those of the ServiceAccount, so that the operator needs no permission to impersonate groups. Bodies are passed
// through without decoding.
func (f *Factory) impersonate(id rbac.Identity) (rest.Interface, error) {
	c := rest.CopyConfig(f.config)
	f.actAs(c, id)
	c.Timeout = requestTimeout
	c.WarningHandler = rest.NoWarnings{} // the default logs warnings that guests cause to the operator's log
	c.QPS = -1                           // spec.security limits a plugin, and the API server has API Priority and Fairness
	c.ContentType = "application/json"
	c.AcceptContentTypes = "application/json"
	c.NegotiatedSerializer = clientgoscheme.Codecs.WithoutConversion()
	return rest.UnversionedRESTClientFor(c)
}

// actAs makes a config act as a plugin's ServiceAccount, and mark its writes as the plugin's. The requests of a plugin
// that acts as the operator differ from the operator's own only in the mark and the user agent.
func (f *Factory) actAs(c *rest.Config, id rbac.Identity) {
	c.UserAgent = "k1s-plugin/" + id.String()
	if id.Operator != "" && (f.Marks == nil || !id.Marked()) {
		return
	}
	c.Impersonate = rest.ImpersonationConfig{UserName: id.Username()}
	c.Wrap(f.Marks.Transport(id.String()))
}

// read makes a request with a potentially long response. It rejects a response of more than one payload without reading
// it to the end.
func read(ctx context.Context, r *rest.Request) ([]byte, error) {
	stream, err := r.Stream(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = stream.Close() }() // everything that matters was read
	out, err := io.ReadAll(io.LimitReader(stream, abi.MaxPayload+1))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if len(out) > abi.MaxPayload {
		return nil, tooLong()
	}
	return out, nil
}
