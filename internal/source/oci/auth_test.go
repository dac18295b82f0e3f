// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/source/oci/dockerconfig"
	"github.com/k1s-io/k1s/internal/testenv/registry/faults"
)

// tokenServer issues bearer tokens, and guards a registry.
type tokenServer struct {
	*httptest.Server

	// respond replaces the response of the token server if it is not nil.
	respond http.HandlerFunc
	// scope replaces the scope of the tokens if it is not empty.
	scope string

	mu sync.Mutex
	// valid are the scopes of the tokens.
	valid map[string]string
	// asked are the parameters of the requests, and users their basic authentication.
	asked []url.Values
	users []string
}

func newTokenServer(t *testing.T) *tokenServer {
	t.Helper()
	s := &tokenServer{valid: map[string]string{}}
	s.Server = httptest.NewServer(http.HandlerFunc(s.issue))
	t.Cleanup(s.Close)
	return s
}

func (s *tokenServer) issue(w http.ResponseWriter, r *http.Request) {
	if s.respond != nil {
		s.respond(w, r)
		return
	}
	s.give(w, r)
}

// give issues a token.
func (s *tokenServer) give(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm() // a request without parameters gets a token without a scope
	user, password, _ := r.BasicAuth()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked, s.users = append(s.asked, r.Form), append(s.users, user+":"+password)
	token := fmt.Sprint("token", len(s.asked))
	s.valid[token] = r.Form.Get("scope")
	if s.scope != "" {
		s.valid[token] = s.scope
	}
	_ = json.NewEncoder(w).Encode(map[string]string{"access_token": token}) // the client is gone
}

// guard is a fault: it rejects requests without a token for pulling from the repository "one".
func (s *tokenServer) guard(w http.ResponseWriter, r *http.Request, next http.Handler) {
	const scope = "repository:one:pull"
	s.mu.Lock()
	granted := s.valid[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	s.mu.Unlock()
	if granted != scope {
		faults.Status(http.StatusUnauthorized, "WWW-Authenticate", fmt.Sprintf(`Bearer realm=%q,service="registry",scope=%q`, s.URL+"/token", scope))(w, r, next)
		return
	}
	next.ServeHTTP(w, r)
}

// expire makes all tokens invalid.
func (s *tokenServer) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.valid)
}

// auths adds a pull secret with an entry of a Docker configuration for a registry.
func auths(registry string, entry map[string]string) func(*Request) {
	return func(r *Request) {
		text, _ := json.Marshal(map[string]any{"auths": map[string]any{registry: entry}})
		ring, err := dockerconfig.Parse(map[string][]byte{".dockerconfigjson": text})
		if err != nil {
			panic(err)
		}
		r.Keyring = dockerconfig.Join(r.Keyring, ring)
	}
}

func TestSource_tokens(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		entry map[string]string
		check func(s *tokenServer) string
	}{
		"anonymous": {nil, func(s *tokenServer) string { return s.users[0] }},
		"user":      {map[string]string{"username": "ada", "password": "secret"}, func(s *tokenServer) string { return s.users[0] }},
		"identity token": {map[string]string{"identitytoken": "refresh"}, func(s *tokenServer) string {
			return s.asked[0].Get("grant_type") + " " + s.asked[0].Get("refresh_token")
		}},
		"registry token": {map[string]string{"registrytoken": "given"}, func(s *tokenServer) string { return fmt.Sprint(len(s.asked), " requests") }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, rigOptions{})
			s := newTokenServer(t)
			s.valid["given"] = "repository:one:pull"
			r.proxy.Set(s.guard)
			if tc.entry != nil {
				auths(r.proxy.Address(), tc.entry)(&r.request)
			}
			r.expect(t, r.request, r.module)
			want := map[string]string{"anonymous": ":", "user": "ada:secret", "identity token": "refresh_token refresh", "registry token": "0 requests"}[name]
			if got := tc.check(s); got != want {
				t.Errorf("the token server got %q, want %q", got, want)
			}
		})
	}
}

// TestSource_expiredToken lets the token expire between the manifest and the blob.
func TestSource_expiredToken(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigOptions{})
	s := newTokenServer(t)
	var once sync.Once
	r.proxy.Set(func(w http.ResponseWriter, req *http.Request, next http.Handler) {
		if strings.Contains(req.URL.Path, "/blobs/") {
			once.Do(s.expire)
		}
		s.guard(w, req, next)
	})
	r.expect(t, r.request, r.module) // the clock does not move, so a second attempt is never due
	if len(s.asked) != 2 {
		t.Errorf("%d tokens were issued, want 2", len(s.asked))
	}
}

func TestSource_unauthorized(t *testing.T) {
	t.Parallel()
	const unauthorized, unavailable = pluginsv1alpha1.ReasonUnauthorized, pluginsv1alpha1.ReasonRegistryUnavailable
	user := map[string]string{"username": "ada", "password": "secret"}
	identity := map[string]string{"identitytoken": "refresh"}
	respond := func(f faults.Fault) func(*tokenServer) {
		return func(s *tokenServer) { s.respond = func(w http.ResponseWriter, r *http.Request) { f(w, r, nil) } }
	}
	for name, tc := range map[string]struct {
		entry           map[string]string
		change          func(*tokenServer)
		reason, message string
	}{
		"token for another scope":   {user, func(s *tokenServer) { s.scope = "repository:other:pull" }, unauthorized, "check their user"},
		"unknown user":              {user, respond(faults.Status(http.StatusUnauthorized)), unauthorized, "check their user"},
		"expired identity token":    {identity, respond(faults.Status(http.StatusBadRequest)), unauthorized, "check their user"},
		"expired registry token":    {map[string]string{"registrytoken": "old"}, func(*tokenServer) {}, unauthorized, "check their user"},
		"no credentials":            {nil, respond(faults.Status(http.StatusForbidden)), unauthorized, "add a Secret"},
		"unknown token server":      {user, respond(faults.Status(http.StatusNotFound)), unavailable, "failed"},
		"unavailable token server":  {user, respond(faults.Status(http.StatusServiceUnavailable)), unavailable, "failed"},
		"token server without JSON": {user, respond(faults.Status(http.StatusOK)), unavailable, "failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, rigOptions{})
			s := newTokenServer(t)
			tc.change(s)
			r.proxy.Set(s.guard)
			if tc.entry != nil {
				auths(r.proxy.Address(), tc.entry)(&r.request)
			}
			r.reject(t, r.request, tc.reason, tc.message)
			r.proxy.Set(nil)
			r.recovers(t, r.request)
		})
	}
	t.Run("identity token at a registry with basic authentication", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rigOptions{})
		r.proxy.Set(basic("ada:secret"))
		auths(r.proxy.Address(), identity)(&r.request)
		r.reject(t, r.request, unauthorized, "a user and a password")
	})
}

// TestSource_secretsInMessages shows that no message reveals credentials or the query of a signed URL.
func TestSource_secretsInMessages(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-and-more"
	moved := func(query string) faults.Fault {
		return faults.On("GET", "/blobs/", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.URL.RawQuery != "" {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			faults.Status(http.StatusTemporaryRedirect, "Location", strings.ReplaceAll(query, "HOST", r.Host))(w, r, next)
		})
	}
	for name, f := range map[string]faults.Fault{
		"signed query":               moved("http://HOST/v2/one/blobs/x?signature=" + secret),
		"query with an apostrophe":   moved("http://HOST/v2/one/blobs/x?a='b&signature=" + secret),
		"query with a quotation":     moved(`http://HOST/v2/one/blobs/x?a="b&signature=` + secret),
		"query with a space":         moved("http://HOST/v2/one/blobs/x?a=b c&signature=" + secret),
		"user of a URL":              moved("http://" + secret + ":" + secret + "@HOST/v2/one/blobs/x?a"),
		"address that does not work": moved("http://127.0.0.1:1/x?signature=" + secret),
		"location that is not a URL": moved(`http://[::1:"bad/?signature=` + secret),
		"loop": faults.On("GET", "/blobs/", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			faults.Status(http.StatusTemporaryRedirect, "Location", r.URL.Path+"?signature="+secret)(w, r, next)
		}),
		"registry that repeats the password": func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			faults.On("GET", "/manifests/", echo(http.StatusForbidden, "not the password "+secret))(w, r, next)
		},
		"registry that repeats the header": faults.On("GET", "/manifests/", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			r.SetBasicAuth("ada", secret)
			echo(http.StatusForbidden, r.Header.Get("Authorization"))(w, r, next)
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, rigOptions{})
			r.proxy.Set(f)
			as(r.proxy.Address(), "ada:"+secret)(&r.request)
			_, err := r.attempt(t, r.request)
			encoded := "Basic YWRhOm"
			if err == nil || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), encoded) {
				t.Errorf("got %v", err)
			}
			r.proxy.Set(nil)
			r.recovers(t, r.request)
		})
	}
}

// TestSource_redirect shows that blobs can be at another host, which never gets credentials.
func TestSource_redirect(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigOptions{})
	storage := faults.New(t, r.registry.Address)
	r.proxy.Set(func(w http.ResponseWriter, req *http.Request, next http.Handler) {
		basic("ada:secret")(w, req, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if strings.Contains(req.URL.Path, "/blobs/") {
				faults.Status(http.StatusTemporaryRedirect, "Location", storage.URL+req.URL.Path+"?signature=x")(w, req, next)
				return
			}
			next.ServeHTTP(w, req)
		}))
	})
	as(r.proxy.Address(), "ada:secret")(&r.request)
	as(storage.Address(), "eve:secret")(&r.request)
	r.expect(t, r.request, r.module)
	storage.Set(basic("eve:secret")) // a challenge of the other host is not answered either
	other := r.request
	other.Plugin.Namespace = "other"
	r.reject(t, other, pluginsv1alpha1.ReasonUnauthorized)
	all := storage.Requests()
	if len(all) < 2 || slices.ContainsFunc(all, func(req *http.Request) bool { return req.Header.Get("Authorization") != "" }) {
		t.Errorf("the other host got %d requests, or credentials", len(all))
	}
}
