// SPDX-License-Identifier: Apache-2.0

package k1s_test

import (
	"errors"
	"testing"
	"time"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
	"github.com/k1s-io/k1s/plugins/sdk/go/k1stest"
)

func TestLog_lines(t *testing.T) {
	l := k1s.Log.With("plugin", "p")
	for name, c := range map[string]struct {
		write       func()
		level, want string
	}{
		"message alone": {func() { k1s.Log.Info("hello world") }, "info", "hello world"},
		"values": {
			func() {
				k1s.Log.Debug("m", "s", "x", "i", 1, "i32", int32(2), "i64", int64(3), "u32", uint32(4), "u64", uint64(5),
					"f", 1.5, "b", true, "nil", nil, "raw", json.Raw(`[1]`), "d", time.Second,
					"key", k1s.Key{Namespace: "shop", Name: "a"}, "err", errors.New("bad"), "list", []string{"a"}, "other", struct{}{})
			}, "debug",
			`m s=x i=1 i32=2 i64=3 u32=4 u64=5 f=1.5 b=true nil=nil raw=[1] d=1s key=shop/a err=bad list="[\"a\"]" other="(a type that cannot be logged)"`,
		},
		"values that need quotes": {
			func() {
				k1s.Log.Warning("m", "space", "a b", "quote", `a"b`, "equals", "a=b", "line", "a\nb", "empty", "")
			},
			"warning", `m space="a b" quote="a\"b" equals="a=b" line="a\nb" empty=""`,
		},
		"value missing": {func() { k1s.Log.Info("m", "a", 1, "b") }, "info", "m a=1 b=(missing)"},
		"error":         {func() { k1s.Log.Error(errors.New("no luck"), "m", "a", 1) }, "error", `m a=1 error="no luck"`},
		"no error":      {func() { k1s.Log.Error(nil, "m") }, "error", "m"},
		"with":          {func() { l.With("x", 1).Info("m", "y", 2) }, "info", "m plugin=p x=1 y=2"},
		"with is apart": {func() { _ = l.With("x", 1); l.Info("m") }, "info", "m plugin=p"},
	} {
		t.Run(name, func(t *testing.T) {
			host := k1stest.New(t)
			c.write()
			got := host.Logs()
			if len(got) != 1 || got[0].Level != c.level || got[0].Text != c.want {
				t.Errorf("got  %+v\nwant %s %s", got, c.level, c.want)
			}
		})
	}
}

func TestRandom(t *testing.T) {
	t.Parallel()
	var a, b [16]byte
	k1s.Random(a[:])
	k1s.Random(b[:])
	if a == b {
		t.Error("the same bytes twice")
	}
}
