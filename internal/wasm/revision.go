// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"os"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/wasm/codecache"
)

// restAfter is the default of Options.RestAfter.
const restAfter = 30 * time.Second

// revision creates the instances of one module with the settings of one plugin. If it has had no instances for a while,
// it keeps only an open file, and loads everything again for its next instance.
type revision struct {
	engine *Engine
	// req is the request that created the revision, without the bytes of the module.
	req plugin.LoadRequest
	// limiter limits the log output of its instances.
	limiter *rate.Limiter
	// file is the artifact of the module on disk. If it is nil, code is never released while the revision is open.
	file *os.File

	mu sync.Mutex
	// live counts the instances that exist or are being created. rest runs while there are none.
	live   int
	rest   *time.Timer
	closed bool
	code   *codecache.Code
	// image is the image that instances are restored from. It is nil before the first instance, and for modules that
	// cannot be restored.
	image *image
	// plain reports that instances cannot be restored from an image.
	plain bool
}

func newRevision(e *Engine, code *codecache.Code, req plugin.LoadRequest) *revision {
	return &revision{
		engine: e, req: req, code: code, limiter: newOutputLimiter(),
		file: e.dir.File(req.Module.Digest), plain: req.NoSnapshot || !code.Artifact.Restorable,
	}
}

// instance returns an instance that is ready for its first call.
func (r *revision) instance(ctx context.Context) (*instance, error) {
	code, from, err := r.wake(ctx)
	if err != nil {
		r.leave()
		return nil, err
	}
	start, how := time.Now(), plugin.InstantiatedImage
	var in *instance
	if from != nil {
		in, err = r.engine.restore(ctx, code, r.req, from, r.limiter)
	} else {
		how = plugin.InstantiatedFresh
		in, err = r.first(ctx, code)
	}
	if err != nil {
		r.leave()
		return nil, err
	}
	r.engine.metrics.Instantiated(r.req.Name, how, time.Since(start))
	r.engine.metrics.Instances(r.req.Name, 1)
	in.closed = func() {
		r.engine.metrics.Instances(r.req.Name, -1)
		r.leave()
	}
	return in, nil
}

// first creates an instance by running the guest's own initialization. If the module is restorable, it takes an image
// of the instance and returns a new instance that is restored from that image, so that the memory is held only once.
func (r *revision) first(ctx context.Context, code *codecache.Code) (*instance, error) {
	in, err := r.engine.instantiate(ctx, code, r.req, r.limiter)
	if err != nil || !r.copies() {
		return in, err
	}
	made, err := in.snapshot()
	if err != nil {
		r.engine.log.V(1).Info("Instances are not copied", "plugin", r.req.Name, "reason", err.Error())
		r.mu.Lock()
		r.plain = true
		r.mu.Unlock()
		return in, nil
	}
	r.mu.Lock()
	if r.image == nil {
		r.image = made
	} else {
		made.close() // another caller was faster
	}
	from := r.image
	r.mu.Unlock()
	copied, err := r.engine.restore(ctx, code, r.req, from, r.limiter)
	if err != nil {
		return in, nil //nolint:nilerr // without a copy, the instance that was created serves
	}
	in.close(ctx)
	return copied, nil
}

// copies reports whether instances can be restored from an image of the first one.
func (r *revision) copies() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.plain
}

// wake counts one more instance, and returns the code and the image for it.
func (r *revision) wake(ctx context.Context) (*codecache.Code, *image, error) {
	r.mu.Lock()
	r.live++
	if r.rest != nil {
		r.rest.Stop()
		r.rest = nil
	}
	code, from := r.code, r.image
	r.mu.Unlock()
	if code != nil {
		return code, from, nil
	}
	code, err := r.engine.modules.Acquire(ctx, r.req.Module.Digest, codecache.Source{Read: func() (*codecache.Artifact, bool, error) {
		a, err := codecache.ReadArtifact(r.file)
		return a, true, err
	}})
	if err != nil {
		return nil, nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.code != nil { // another caller was faster
		code.Release()
		return r.code, r.image, nil
	}
	r.code = code
	return code, nil, nil
}

// leave counts one instance less.
func (r *revision) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.live--; r.live == 0 && !r.closed && r.file != nil {
		r.rest = time.AfterFunc(r.engine.restAfter, r.sleep)
	}
}

// sleep releases what only instances need.
func (r *revision) sleep() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.live == 0 && !r.closed {
		r.forget()
	}
}

// forget releases the code and the image. The caller holds the lock, and there are no instances.
func (r *revision) forget() {
	if r.code != nil {
		r.code.Release()
		r.code = nil
	}
	if r.image != nil {
		r.image.close()
		r.image = nil
	}
}

// close releases all resources of the revision. There must be no instances left.
func (r *revision) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.rest != nil {
		r.rest.Stop()
	}
	r.forget()
	if r.file != nil {
		_ = r.file.Close() // it was only read
	}
}
