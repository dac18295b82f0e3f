// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/cache"
	utilrand "k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/access/audit"
	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/text"
)

// maxNote is the API's limit for an Event's note, in bytes (events.k8s.io/v1 Event).
const maxNote = 1024

// maxEventMessages is how many bytes of a message are processed. It is more than a note, because redaction may make the message
// shorter.
const maxEventMessages = 64 << 10

// word is the pattern of a reason and an action.
var word = regexp.MustCompile(`^[A-Z][A-Za-z0-9]{0,127}$`)

// Event creates an Event as the plugin, unless an equal one was sent within the last eventWindow.
func (c *RestrictedClient) Event(ctx context.Context, req abi.EventRequest) error {
	if _, err := parseGVK(req.APIVersion, req.Kind); err != nil {
		return err
	}
	req.Message = c.Redact.Cut(req.Message, maxEventMessages)
	req.Reason, req.Action = c.Redact.Word(req.Reason), c.Redact.Word(req.Action)
	req.Name, req.UID = c.Redact.Text(req.Name), c.Redact.Text(req.UID)
	if err := checkEvent(&req); err != nil {
		return c.malformed(about("create", eventsv1.SchemeGroupVersion.WithKind("Event"), "", req.Namespace, req.Name), err)
	}
	key := keyOf(req)
	if c.events.sent(key) {
		return nil
	}
	namespace := req.Namespace
	if namespace == "" {
		namespace = metav1.NamespaceDefault // the namespace of Events about cluster-scoped objects
	}
	event := c.event(req, namespace)
	body, err := json.Marshal(event)
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	w := writing{verb: "create", gvk: eventsv1.SchemeGroupVersion.WithKind("Event"), namespace: namespace, name: event.Name}
	_, err = c.write(ctx, w, func(rbac.Action) (*rest.Request, error) {
		if !c.bounds.allow(c.bounds.events) {
			c.denied(audit.LayerRate)
			return nil, tooOften("events", eventsPerSecond)
		}
		return c.asPlugin.Post().Body(body), nil
	})
	if err == nil {
		c.events.remember(key) // only on success: an Event that was denied is denied again, not dropped silently
	}
	return err
}

func (c *RestrictedClient) event(req abi.EventRequest, namespace string) *eventsv1.Event {
	now := c.factory.clock.Now()
	return &eventsv1.Event{
		TypeMeta:            metav1.TypeMeta{APIVersion: "events.k8s.io/v1", Kind: "Event"},
		ObjectMeta:          metav1.ObjectMeta{Namespace: namespace, Name: eventName(req.Name)},
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

const (
	// maxEventPrefix leaves room for the random part within the 253 characters of a name.
	maxEventPrefix = 200
	randomPart     = 16
)

// eventName returns the name of an Event, which starts with the name of its object. Not every object name is valid for
// an Event: those of RBAC have colons, for example.
func eventName(object string) string {
	prefix := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(object))
	prefix = strings.Trim(prefix[:min(len(prefix), maxEventPrefix)], "-")
	if prefix == "" {
		prefix = "event"
	}
	return prefix + "." + utilrand.String(randomPart)
}

// checkEvent validates a request against the API's rules, and sets defaults. Otherwise the API server's error would be
// about an object that the guest has never seen.
func checkEvent(req *abi.EventRequest) error {
	if req.Action == "" {
		req.Action = "Reconcile"
	}
	req.Message = text.Truncate(req.Message, maxNote)
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

const (
	// eventWindow is how long an equal Event is not sent again.
	eventWindow = 5 * time.Minute
	// maxRecent is how many Events are remembered.
	maxRecent = 4096
)

// eventKey identifies equal Events. It is a hash, because the guest decides how long the fields are.
type eventKey [sha256.Size]byte

func keyOf(req abi.EventRequest) eventKey {
	encoded, _ := json.Marshal(req) // strings always marshal
	return sha256.Sum256(encoded)
}

// recentEvents remembers the Events that were sent, so that a plugin that repeats an Event in every reconcile does not
// fill etcd.
type recentEvents struct {
	cache *cache.LRUExpireCache
}

func newRecentEvents(clk clock.PassiveClock) *recentEvents {
	return &recentEvents{cache: cache.NewLRUExpireCacheWithClock(maxRecent, clk)}
}

// sent reports whether an equal Event was sent in the last eventWindow.
func (r *recentEvents) sent(key eventKey) bool {
	_, ok := r.cache.Get(key)
	return ok
}

func (r *recentEvents) remember(key eventKey) { r.cache.Add(key, struct{}{}, eventWindow) }
