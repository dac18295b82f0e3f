// SPDX-License-Identifier: Apache-2.0

// Command registry runs a container registry for tests and for the demo: CNCF distribution's, or the one of
// go-containerregistry. It prints its address and runs until it is killed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem" // a driver registers itself
	ggcr "github.com/google/go-containerregistry/pkg/registry"
	"github.com/sirupsen/logrus"
)

// options are the flags.
type options struct {
	address, kind, dir, user, certificate, key string
}

func main() {
	var o options
	flag.StringVar(&o.address, "address", "127.0.0.1:0", "address to listen on")
	flag.StringVar(&o.kind, "kind", "distribution", `"distribution" or "go-containerregistry"`)
	flag.StringVar(&o.dir, "dir", "", "directory of the content; required with --kind=distribution, which keeps it there")
	flag.StringVar(&o.user, "user", "", "USER:PASSWORD without which every request is unauthorized; empty lets everybody in")
	flag.StringVar(&o.certificate, "tls-certificate", "", "file with the certificate; empty means plain HTTP")
	flag.StringVar(&o.key, "tls-key", "", "file with the key of the certificate")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "registry:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	handler, err := o.handler()
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", o.address)
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	server := &http.Server{Handler: authenticate(handler, o.user), ReadHeaderTimeout: 10 * time.Second}
	if o.certificate != "" {
		return server.ServeTLS(listener, o.certificate, o.key)
	}
	return server.Serve(listener)
}

func (o options) handler() (http.Handler, error) {
	switch o.kind {
	case "go-containerregistry":
		return ggcr.New(ggcr.WithReferrersSupport(true), ggcr.Logger(log.New(io.Discard, "", 0))), nil
	case "distribution":
		logrus.SetLevel(logrus.PanicLevel) // it logs every request, and configures that only as a program
		if o.dir == "" {
			return nil, errors.New("--dir is required")
		}
		return handlers.NewApp(context.Background(), &configuration.Configuration{
			Storage: configuration.Storage{"filesystem": configuration.Parameters{"rootdirectory": o.dir}, "delete": configuration.Parameters{"enabled": true}},
		}), nil
	default:
		return nil, fmt.Errorf("--kind %q is unknown", o.kind)
	}
}

// authenticate lets only one user in, by basic authentication.
func authenticate(next http.Handler, user string) http.Handler {
	if user == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, password, ok := r.BasicAuth()
		if !ok || strings.Join([]string{name, password}, ":") != user {
			w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`)) // the client is gone
			return
		}
		next.ServeHTTP(w, r)
	})
}
