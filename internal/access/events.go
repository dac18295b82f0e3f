// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/cache"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"github.com/k1s-io/k1s/internal/abi"
)

const (
	// maxNote is the API's bound for an event's note, in bytes (events.k8s.io/v1 Event).
	maxNote = 1024
	// maxRecent bounds how many events are remembered.
	maxRecent = 4096
)

// word is what a reason and an action must be.
var word = regexp.MustCompile(`^[A-Z][A-Za-z0-9]{0,127}$`)

// Event creates an Event as the plugin, unless an equal one was sent a short time ago.
func (c *RestrictedClient) Event(ctx context.Context, req abi.EventRequest) error {
	if _, err := parseGVK(req.APIVersion, req.Kind); err != nil {
		return err
	}
	if err := checkEvent(&req); err != nil {
		return err
	}
	key := recentKey{uid: req.UID, object: req.ObjectKey, kind: req.Type, reason: req.Reason, message: req.Message}
	if c.events.seen(key) {
		return nil
	}
	namespace := req.Namespace
	if namespace == "" {
		namespace = metav1.NamespaceDefault // where events about cluster-scoped objects live
	}
	body, err := json.Marshal(c.event(req, namespace))
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	_, err = c.write(ctx, "create", eventsv1.SchemeGroupVersion.WithKind("Event"), "", namespace, "",
		func(Action) (*rest.Request, error) { return c.asPlugin.Post().Body(body), nil })
	if err != nil {
		c.events.forget(key) // it was not sent
	}
	return err
}

func (c *RestrictedClient) event(req abi.EventRequest, namespace string) *eventsv1.Event {
	now := c.factory.clock.Now()
	return &eventsv1.Event{
		TypeMeta:            metav1.TypeMeta{APIVersion: "events.k8s.io/v1", Kind: "Event"},
		ObjectMeta:          metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("%s.%x", strings.ToLower(req.Name), now.UnixNano())},
		EventTime:           metav1.NewMicroTime(now),
		ReportingController: "plugins.k1s.io/" + c.Identity.Plugin,
		ReportingInstance:   c.Identity.FieldManager(),
		Action:              req.Action,
		Reason:              req.Reason,
		Type:                req.Type,
		Note:                req.Message,
		Regarding: corev1.ObjectReference{
			APIVersion: req.APIVersion, Kind: req.Kind, Namespace: req.Namespace, Name: req.Name, UID: types.UID(req.UID),
		},
	}
}

// checkEvent holds a request against the API's rules, which would otherwise answer for an object the
// guest has never seen, and fills in defaults.
func checkEvent(req *abi.EventRequest) error {
	if req.Action == "" {
		req.Action = "Reconcile"
	}
	if len(req.Message) > maxNote {
		req.Message = strings.ToValidUTF8(req.Message[:maxNote-len("…")], "") + "…"
	}
	switch {
	case req.Name == "":
		return needName(req.Name)
	case req.Type != corev1.EventTypeNormal && req.Type != corev1.EventTypeWarning:
		return apierrors.NewBadRequest(fmt.Sprintf("type %q: want Normal or Warning", req.Type))
	case !word.MatchString(req.Reason):
		return apierrors.NewBadRequest(fmt.Sprintf("reason %q: want one CamelCase word", req.Reason))
	case !word.MatchString(req.Action):
		return apierrors.NewBadRequest(fmt.Sprintf("action %q: want one CamelCase word", req.Action))
	}
	return nil
}

type recentKey struct {
	uid                   string
	object                abi.ObjectKey
	kind, reason, message string
}

// recentEvents remembers what was sent, so that a plugin that says the same at every reconcile does
// not fill etcd.
type recentEvents struct {
	cache *cache.LRUExpireCache
}

func newRecentEvents(clk clock.PassiveClock) *recentEvents {
	return &recentEvents{cache: cache.NewLRUExpireCacheWithClock(maxRecent, clk)}
}

// seen says whether an event was sent in the last eventWindow, and remembers it.
func (r *recentEvents) seen(key recentKey) bool {
	if _, ok := r.cache.Get(key); ok {
		return true
	}
	r.cache.Add(key, struct{}{}, eventWindow)
	return false
}

func (r *recentEvents) forget(key recentKey) { r.cache.Remove(key) }
