// SPDX-License-Identifier: Apache-2.0

package k1s_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/k1stest"
)

func TestEvent(t *testing.T) {
	host := k1stest.New(t)
	w := widget("a", 1)
	w.UID = "u"
	k1s.Event(w, k1s.Normal, "Made", "it was made")
	k1s.EventAction(w, k1s.Warning, "Broken", "Repair", "it broke")
	about := k1stest.Event{Object: w.TypeRef(), Key: k1s.KeyOf(w), UID: "u"}
	first, second := about, about
	first.Type, first.Reason, first.Message = k1s.Normal, "Made", "it was made"
	second.Type, second.Reason, second.Message, second.Action = k1s.Warning, "Broken", "it broke", "Repair"
	if got := host.Events(); !slices.Equal(got, []k1stest.Event{first, second}) {
		t.Errorf("got %+v", got)
	}
	if len(host.Writes()) != 0 {
		t.Error("events count as writes")
	}
}

func TestEvent_failureIsLogged(t *testing.T) {
	host := k1stest.New(t)
	host.FailNext(k1stest.VerbEvent, errors.New("not allowed"))
	k1s.Event(widget("a", 1), k1s.Normal, "Made", "it was made")
	logs := host.Logs()
	if len(logs) != 1 || logs[0].Level != "warning" || !strings.Contains(logs[0].Text, `error="not allowed"`) {
		t.Errorf("logs %+v", logs)
	}
}
