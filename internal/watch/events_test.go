// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/k1s-io/k1s/internal/testenv"
)

func labeled(l map[string]string) func(*corev1.ConfigMap) {
	return func(cm *corev1.ConfigMap) { cm.Labels = maps.Clone(l) }
}

func data(value string) func(*corev1.ConfigMap) {
	return func(cm *corev1.ConfigMap) { cm.Data = map[string]string{"value": value} }
}

// TestManager_events shows that a plugin receives existing objects, and events of creations, changes and deletions.
func TestManager_events(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.put(w.configMap("old"))
	var j journal
	w.ensure("plugin", w.of(configMaps), &j)
	j.eventually(t, "what is there", w.request(configMaps, "old"), 0)
	w.put(w.configMap("new"))
	j.eventually(t, "what comes", w.request(configMaps, "new"), 0)
	j.calm(t)
	before := j.count(w.request(configMaps, "new"))
	w.put(w.configMap("new", data("1")))
	j.eventually(t, "what changes", w.request(configMaps, "new"), before)
	j.calm(t)
	before = j.count(w.request(configMaps, "new"))
	w.delete(w.configMap("new"))
	j.eventually(t, "what goes", w.request(configMaps, "new"), before)
}

// TestManager_namespaces shows that a plugin receives nothing of other namespaces, although the informer has them.
func TestManager_namespaces(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	other, third := w.env.Namespace(t), w.env.Namespace(t)
	var own, two, all, none journal
	w.ensure("own", w.of(configMaps), &own)
	for name, tc := range map[string]struct {
		j          *journal
		namespaces []string
	}{"two": {&two, []string{w.namespace, other}}, "all": {&all, []string{"*"}}, "none": {&none, nil}} {
		spec := w.of(configMaps, namespaces)
		spec.Namespaces = tc.namespaces
		w.ensure(name, spec, tc.j)
	}
	in := func(namespace string) Request {
		return Request{GVK: configMaps, NamespacedName: types.NamespacedName{Namespace: namespace, Name: "a"}}
	}
	for _, namespace := range []string{other, third, w.namespace} {
		w.put(w.configMap("a", func(cm *corev1.ConfigMap) { cm.Namespace = namespace }))
	}
	cluster := Request{GVK: namespaces, NamespacedName: types.NamespacedName{Name: w.namespace}}
	own.eventually(t, "own", in(w.namespace), 0)
	two.eventually(t, "two", in(w.namespace), 0)
	for _, namespace := range []string{other, third, w.namespace} {
		all.eventually(t, "all", in(namespace), 0)
	}
	two.eventually(t, "two, the other", in(other), 0)
	all.eventually(t, "cluster-scoped", cluster, 0)
	for name, silent := range map[string][]int{
		"own":  {own.count(in(other)), own.count(in(third))},
		"two":  {two.count(in(third)), two.count(cluster)},
		"none": {none.total()},
	} {
		for _, n := range silent {
			if n > 0 {
				t.Errorf("%s received events of another namespace", name)
			}
		}
	}
}

// TestManager_selectors shows that a plugin receives objects that match its selector, and the change with which they
// stop matching.
func TestManager_selectors(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	var j journal
	spec := w.of(configMaps)
	spec.Targets[0].Selector = labels.SelectorFromSet(labels.Set{"watch": "me"})
	w.put(w.configMap("there", labeled(map[string]string{"watch": "me"})))
	w.put(w.configMap("not"))
	w.ensure("plugin", spec, &j)
	in, out := w.request(configMaps, "there"), w.request(configMaps, "not")
	j.eventually(t, "what is picked", in, 0)
	j.calm(t)
	before := j.count(in)
	w.put(w.configMap("there", labeled(map[string]string{"watch": "another"})))
	j.eventually(t, "it leaves the selection", in, before)
	j.calm(t)
	before = j.count(in)
	w.put(w.configMap("there", labeled(map[string]string{"watch": "another"}), data("1")))
	w.put(w.configMap("not", data("1")))
	w.put(w.configMap("last", labeled(map[string]string{"watch": "me"})))
	j.eventually(t, "something picked", w.request(configMaps, "last"), 0)
	if j.count(out) != 0 || j.count(in) != before {
		t.Errorf("received events of what is not selected: %d and %d calls", j.count(out), j.count(in)-before)
	}
	w.put(w.configMap("not", labeled(map[string]string{"watch": "me"})))
	j.eventually(t, "it enters the selection", out, 0)
}

// owned returns a change that makes an owner the controlling owner of an object.
func owned(gvk, name string, uid types.UID) func(*corev1.ConfigMap) {
	return func(cm *corev1.ConfigMap) {
		cm.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: gvk, Name: name, UID: uid, Controller: new(true)}}
	}
}

// TestManager_owns shows that the owner is reconciled when an owned object is created, changed, moved to another owner
// or deleted.
func TestManager_owns(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	secret := func(name string) *corev1.Secret {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}}
	}
	w.put(secret("one"))
	w.put(secret("two"))
	var j journal
	spec := w.of(secrets)
	spec.Owns = append(spec.Owns, configMaps)
	w.ensure("plugin", spec, &j)
	one, two := w.request(secrets, "one"), w.request(secrets, "two")
	step := func(what string, do func(), requests ...Request) {
		t.Helper()
		j.calm(t)
		before := map[Request]int{}
		for _, r := range requests {
			before[r] = j.count(r)
		}
		do()
		for _, r := range requests {
			j.eventually(t, what, r, before[r])
		}
	}
	step("create", func() { w.put(w.configMap("owned", owned("Secret", "one", "u1"))) }, one)
	step("change", func() { w.put(w.configMap("owned", owned("Secret", "one", "u1"), data("1"))) }, one)
	step("another owner", func() { w.put(w.configMap("owned", owned("Secret", "two", "u2"))) }, one, two)
	step("delete", func() { w.delete(w.configMap("owned")) }, two)

	j.calm(t)
	before := j.total()
	w.put(w.configMap("nobody"))
	w.put(w.configMap("not-controlled", owned("Secret", "one", "u1"), func(cm *corev1.ConfigMap) { cm.OwnerReferences[0].Controller = nil }))
	w.put(w.configMap("of-another-kind", owned("Service", "one", "u1")))
	w.put(w.configMap("of-another-group", owned("Secret", "one", "u1"), func(cm *corev1.ConfigMap) { cm.OwnerReferences[0].APIVersion = "other.example.com/v1" }))
	step("and at last", func() { w.put(w.configMap("last", owned("Secret", "two", "u2"))) }, two)
	if n := j.total() - before; n != 1 || j.count(w.request(configMaps, "last")) != 0 {
		t.Errorf("%d calls, want one, for the owner of the last", n)
	}
}

// TestManager_owns_clusterScoped shows that a cluster-scoped owner has no namespace, whatever namespace the owned
// object is in.
func TestManager_owns_clusterScoped(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	var j journal
	spec := w.of(namespaces)
	spec.Namespaces, spec.Owns = []string{"*"}, append(spec.Owns, configMaps)
	w.ensure("plugin", spec, &j)
	owner := Request{GVK: namespaces, NamespacedName: types.NamespacedName{Name: w.namespace}}
	j.eventually(t, "the owner is there", owner, 0)
	before := j.count(owner)
	w.put(w.configMap("owned", owned("Namespace", w.namespace, "u1")))
	j.eventually(t, "the owner", owner, before)
	if n := j.count(Request{GVK: namespaces, NamespacedName: types.NamespacedName{Namespace: w.namespace, Name: w.namespace}}); n > 0 {
		t.Error("a cluster-scoped owner was looked for in a namespace")
	}
}

// TestManager_owns_otherNamespace shows that an owner is looked up in the namespace of what it owns. So an owner
// reference cannot cause calls of a plugin for an object of another namespace.
func TestManager_owns_otherNamespace(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.put(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "one"}})
	var j journal
	spec := w.of(secrets)
	elsewhere := w.env.Namespace(t)
	spec.Namespaces, spec.Owns = []string{w.namespace, elsewhere}, append(spec.Owns, configMaps)
	w.ensure("plugin", spec, &j)
	one := w.request(secrets, "one")
	j.eventually(t, "the owner is there", one, 0)
	j.calm(t)
	before := j.count(one)
	there := w.configMap("owned", owned("Secret", "one", "u1"))
	there.Namespace = elsewhere
	w.put(there)
	j.eventually(t, "an owner that is not there", Request{GVK: secrets, NamespacedName: types.NamespacedName{Namespace: elsewhere, Name: "one"}}, 0)
	if n := j.count(one) - before; n != 0 {
		t.Errorf("the owner in the other namespace is reconciled %d times", n)
	}
}

// TestManager_owns_selector shows that an owner that does not match the selector is not reconciled.
func TestManager_owns_selector(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	for name, l := range map[string]map[string]string{"picked": {"watch": "me"}, "not": nil} {
		w.put(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name, Labels: l}})
	}
	var j journal
	spec := w.of(secrets)
	spec.Targets[0].Selector = labels.SelectorFromSet(labels.Set{"watch": "me"})
	spec.Owns = append(spec.Owns, configMaps)
	w.ensure("plugin", spec, &j)
	j.eventually(t, "the picked one is there", w.request(secrets, "picked"), 0)
	j.calm(t)
	before := j.count(w.request(secrets, "picked"))
	w.put(w.configMap("of-not", owned("Secret", "not", "u1")))
	w.put(w.configMap("of-missing", owned("Secret", "missing", "u2")))
	w.put(w.configMap("of-picked", owned("Secret", "picked", "u3")))
	j.eventually(t, "the picked owner", w.request(secrets, "picked"), before)
	if n := j.count(w.request(secrets, "not")) + j.count(w.request(secrets, "missing")); n > 0 {
		t.Error("reconciled an owner that the selector does not select")
	}
}

// TestManager_resync shows that a resync delivers every object again, and nothing else.
func TestManager_resync(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	other := w.env.Namespace(t)
	var j, neighbor journal
	spec := w.of(configMaps)
	spec.Targets[0].Selector = labels.SelectorFromSet(labels.Set{"watch": "me"})
	w.put(w.configMap("one", labeled(map[string]string{"watch": "me"})))
	w.put(w.configMap("not"))
	w.put(w.configMap("two", labeled(map[string]string{"watch": "me"}), func(cm *corev1.ConfigMap) { cm.Namespace = other }))
	w.ensure("plugin", spec, &j)
	w.ensure("neighbor", w.of(configMaps), &neighbor)
	j.eventually(t, "the object", w.request(configMaps, "one"), 0)
	j.calm(t)
	calls, others := j.total(), neighbor.calm(t)
	if err := w.Resync(t.Context(), named("plugin")); err != nil {
		t.Fatal(err)
	}
	j.eventually(t, "the object again", w.request(configMaps, "one"), calls)
	if got := j.calm(t); got != calls+1 {
		t.Errorf("%d calls, want one", got-calls)
	}
	if got := neighbor.calm(t); got != others {
		t.Errorf("another plugin got %d calls", got-others)
	}
	if err := w.Resync(t.Context(), named("nobody")); err != nil {
		t.Errorf("of a plugin that does not run: %v", err)
	}
}

// TestManager_read reads from the cache.
func TestManager_read(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.put(w.configMap("a", labeled(map[string]string{"n": "1"}), data("x")))
	w.put(w.configMap("b", labeled(map[string]string{"n": "2"})))
	w.ensure("plugin", w.of(configMaps), &journal{})
	got, err := w.Get(t.Context(), configMaps, w.namespace, "a")
	if err != nil {
		t.Fatal(err)
	}
	object := decode(t, got)
	if object["kind"] != "ConfigMap" || object["apiVersion"] != "v1" || object["data"].(map[string]any)["value"] != "x" {
		t.Errorf("got %s", got)
	}
	if _, ok := object["metadata"].(map[string]any)["managedFields"]; ok {
		t.Error("managedFields are kept in memory for nobody")
	}
	if _, err := w.Get(t.Context(), configMaps, w.namespace, "nothing"); !isNotFound(err) {
		t.Errorf("got %v, want NotFound", err)
	}
	for selector, want := range map[string]int{"": 2, "n=1": 1, "n": 2, "n notin (1)": 1, "other": 0} {
		got, err := w.List(t.Context(), configMaps, w.namespace, selector)
		if err != nil {
			t.Fatal(err)
		}
		list := decode(t, got)
		if list["kind"] != "ConfigMapList" || len(list["items"].([]any)) != want {
			t.Errorf("%q: got %s, want %d items", selector, got, want)
		}
	}
	if _, err := w.List(t.Context(), configMaps, w.namespace, "a in"); err == nil {
		t.Error("a bad selector was taken")
	}
}

// TestManager_unwatchedIsNotRead shows that reading does not start a watch, which nothing would stop.
func TestManager_unwatchedIsNotRead(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	if _, err := w.Get(t.Context(), secrets, w.namespace, "a"); err == nil || isNotFound(err) {
		t.Errorf("get: got %v", err)
	}
	if _, err := w.List(t.Context(), secrets, w.namespace, ""); err == nil {
		t.Error("list: no error")
	}
	testenv.Consistently(t, "nothing is watched", 200*time.Millisecond, func(context.Context) error {
		if n := len(w.informers.count()); n > 0 {
			return fmt.Errorf("%d informers", n)
		}
		return nil
	})
}

// TestManager_finalizer shows that a plugin receives every object that has the finalizer, whatever its namespace and
// its labels.
func TestManager_finalizer(t *testing.T) {
	t.Parallel()
	const ours = "plugin.test.plugins.k1s.io/finalize"
	w := newTestCluster(t)
	other := w.env.Namespace(t)
	carrying := func(finalizers ...string) func(*corev1.ConfigMap) {
		return func(cm *corev1.ConfigMap) { cm.Finalizers = finalizers }
	}
	in := func(namespace string) func(*corev1.ConfigMap) {
		return func(cm *corev1.ConfigMap) { cm.Namespace = namespace }
	}
	w.put(w.configMap("before", in(other), carrying("test.k1s.io/another", ours)))
	w.put(w.configMap("unlabeled", carrying(ours)))
	w.put(w.configMap("not", in(other), carrying("test.k1s.io/another")))
	var j, deaf journal
	spec := w.of(configMaps)
	spec.Targets[0].Selector = labels.SelectorFromSet(labels.Set{"watch": "me"})
	w.ensure("deaf", spec, &deaf)
	spec.Finalizer = ours
	w.ensure("plugin", spec, &j)
	elsewhere := func(name string) Request {
		return Request{GVK: configMaps, NamespacedName: types.NamespacedName{Namespace: other, Name: name}}
	}
	j.eventually(t, "what carries it in another namespace", elsewhere("before"), 0)
	j.eventually(t, "what carries it without the label", w.request(configMaps, "unlabeled"), 0)
	j.calm(t)
	before := j.count(elsewhere("before"))
	if err := w.Resync(t.Context(), named("plugin")); err != nil {
		t.Fatal(err)
	}
	j.eventually(t, "it, again", elsewhere("before"), before)
	w.put(w.configMap("after", in(other), carrying(ours)))
	j.eventually(t, "what comes", elsewhere("after"), 0)
	if n := j.count(elsewhere("not")); n > 0 {
		t.Error("received what does not carry it")
	}
	if n := deaf.total(); n > 0 {
		t.Errorf("%d calls of a plugin without a finalizer", n)
	}
}
