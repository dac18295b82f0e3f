// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	pluginName = "category-hierarchy"
	// nextVersion is the version that the demo builds and loads in place of the first one.
	nextVersion = "v1.1.0"
	// nextModule is its file in the demo's folder.
	nextModule = "next.wasm"
)

// moduleFile returns the path of a sample plugin's module.
func moduleFile(plugin string) string { return "plugins/" + plugin + ".wasm" }

// loadPlugin stores the module and applies the samples that refer to it.
func (d *demo) loadPlugin(ctx context.Context) error {
	if err := d.storeFile(ctx, pluginName); err != nil {
		return err
	}
	for _, sample := range []string{"category-hierarchy-rbac.yaml", "plugins_v1alpha1_wasmplugin.yaml"} {
		out, err := d.kube(ctx, "", "apply", "--server-side", "-f", d.sample(sample))
		if err != nil {
			return err
		}
		d.report.command("kubectl apply --server-side -f config/samples/"+sample, out)
	}
	if err := d.expect(ctx, "the plugin is Ready", "True", "get", "wasmplugin", pluginName, "-o", readyStatus); err != nil {
		return err
	}
	return d.show(ctx, "get", "wasmplugins", "-o", "wide")
}

// readyStatus prints the status of the Ready condition.
const readyStatus = `jsonpath={.status.conditions[?(@.type=="Ready")].status}`

// storeFile stores the built module of a sample plugin.
func (d *demo) storeFile(ctx context.Context, plugin string) error {
	module, err := os.ReadFile(filepath.Join(d.root, moduleFile(plugin)))
	if err != nil {
		return err
	}
	return d.store(ctx, plugin, module)
}

// store stores a module in the plugin's ConfigMap. It compresses the module, because a ConfigMap holds at most 1 MiB.
func (d *demo) store(ctx context.Context, plugin string, module []byte) error {
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(module); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	file := filepath.Join(d.dir, "plugin.wasm")
	if err := os.WriteFile(file, packed.Bytes(), 0o600); err != nil {
		return err
	}
	args := []string{"create", "configmap", plugin, "--from-file=plugin.wasm=" + file, "--dry-run=client", "-o", "yaml"}
	manifest, err := d.kube(ctx, "", args...)
	if err != nil {
		return err
	}
	if err := d.apply(ctx, manifest); err != nil {
		return err
	}
	d.report.note("ConfigMap %s holds the module: %d KiB, %d KiB compressed", plugin, len(module)>>10, packed.Len()>>10)
	return nil
}

// checkPlugin compares the statuses that the plugin wrote with the tree of the samples.
func (d *demo) checkPlugin(ctx context.Context) error {
	for _, check := range []struct{ category, path string }{
		{"electronics", "electronics"},
		{"computers", "electronics/computers"},
		{"laptops", "electronics/computers/laptops"},
		{"audio", "electronics/audio"},
	} {
		if err := d.expect(ctx, "path of "+check.category, check.path, "get", "category", check.category, "-o", "jsonpath={.status.path}"); err != nil {
			return err
		}
	}
	manager, err := d.kube(ctx, "", "get", "category", "laptops", "--show-managed-fields",
		"-o", `jsonpath={.metadata.managedFields[?(@.manager=="k1s/default/`+pluginName+`")].fieldsV1}`)
	if err != nil {
		return err
	}
	if !containsAll(manager, "f:path", "f:depth") {
		return fmt.Errorf("the plugin does not own the path and depth of category laptops: %q", manager)
	}
	d.report.passed("the API server notes the writer: field manager k1s/default/%s", pluginName)
	if err := d.show(ctx, "get", "categories"); err != nil {
		return err
	}
	return d.show(ctx, "get", "events", "--field-selector=involvedObject.kind=WasmPlugin",
		"-o", "custom-columns=TYPE:.type,REASON:.reason,NOTE:.message")
}

// swapPlugin builds a second version and updates the ConfigMap, without a restart of the operator.
func (d *demo) swapPlugin(ctx context.Context) error {
	file := filepath.Join(d.dir, nextModule)
	build := exec.CommandContext(ctx, "go", "build", "-buildmode=c-shared", "-trimpath",
		"-ldflags=-s -w -X main.version="+nextVersion, "-o", file, ".")
	build.Dir = filepath.Join(d.root, "plugins", pluginName)
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w: %s", nextVersion, err, out)
	}
	next, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	pid := d.operator.cmd.Process.Pid
	if err := d.store(ctx, pluginName, next); err != nil {
		return err
	}
	if err := d.expect(ctx, "version that serves", nextVersion, "get", "wasmplugin", pluginName, "-o", "jsonpath={.status.revision.version}"); err != nil {
		return err
	}
	if _, err := d.kube(ctx, "", "patch", "category", "audio", "--type=merge", "-p", `{"spec":{"parent":"computers"}}`); err != nil {
		return err
	}
	d.report.note("category audio moves below computers")
	if err := d.expect(ctx, "path of audio", "electronics/computers/audio", "get", "category", "audio", "-o", "jsonpath={.status.path}"); err != nil {
		return err
	}
	if d.operator.cmd.Process.Pid != pid {
		return errors.New("the operator is another process than before")
	}
	d.report.passed("the operator is still process %d", pid)
	return d.show(ctx, "get", "wasmplugins")
}

// breakPlugin stores data that is not a module.
func (d *demo) breakPlugin(ctx context.Context) error {
	if err := d.store(ctx, pluginName, []byte("this is no WebAssembly")); err != nil {
		return err
	}
	if err := d.expect(ctx, "reason", "NotWasm", "get", "wasmplugin", pluginName,
		"-o", `jsonpath={.status.conditions[?(@.type=="Ready")].reason}`); err != nil {
		return err
	}
	if err := d.expect(ctx, "the plugin is Degraded", "True", "get", "wasmplugin", pluginName,
		"-o", `jsonpath={.status.conditions[?(@.type=="Degraded")].status}`); err != nil {
		return err
	}
	if err := d.show(ctx, "get", "wasmplugin", pluginName, "-o", `jsonpath={.status.lastError}{"\n"}`); err != nil {
		return err
	}
	if _, err := d.kube(ctx, "", "patch", "category", "audio", "--type=merge", "-p", `{"spec":{"parent":"electronics"}}`); err != nil {
		return err
	}
	d.report.note("category audio moves back below electronics")
	return d.expect(ctx, "path of audio, written by "+nextVersion, "electronics/audio", "get", "category", "audio", "-o", "jsonpath={.status.path}")
}

// denyPlugin removes the permission to write statuses from the plugin's Role, and restores it.
func (d *demo) denyPlugin(ctx context.Context) error {
	role, err := d.kube(ctx, "", "get", "role", pluginName, "-o", "json")
	if err != nil {
		return err
	}
	without := strings.ReplaceAll(role, `"categories/status"`, `"categories/scale"`)
	if without == role {
		return errors.New("the sample Role grants nothing on categories/status")
	}
	if _, err := d.kube(ctx, without, "replace", "-f", "-"); err != nil {
		return err
	}
	d.report.note("Role %s no longer grants categories/status; category audio moves once more", pluginName)
	if _, err := d.kube(ctx, "", "patch", "category", "audio", "--type=merge", "-p", `{"spec":{"parent":"computers"}}`); err != nil {
		return err
	}
	want := fmt.Sprintf("system:serviceaccount:default:%s\" cannot patch resource \"categories/status\"", pluginName)
	note, err := d.expectPart(ctx, want, "get", "events", "--field-selector=reason=ReconcileFailed", "-o", "jsonpath={.items[*].message}")
	if err != nil {
		return err
	}
	d.report.passed("denied by the API server: %s", note)
	if err := d.expect(ctx, "path of audio, unchanged", "electronics/audio", "get", "category", "audio", "-o", "jsonpath={.status.path}"); err != nil {
		return err
	}
	role, err = d.kube(ctx, "", "get", "role", pluginName, "-o", "json")
	if err != nil {
		return err
	}
	if _, err := d.kube(ctx, strings.ReplaceAll(role, `"categories/scale"`, `"categories/status"`), "replace", "-f", "-"); err != nil {
		return err
	}
	d.report.note("Role %s grants categories/status again", pluginName)
	return d.expect(ctx, "path of audio, once the retry came through", "electronics/computers/audio", "get", "category", "audio", "-o", "jsonpath={.status.path}")
}

// deletePlugin deletes the plugin and checks that the embedded controllers keep working.
func (d *demo) deletePlugin(ctx context.Context) error {
	if err := d.show(ctx, "delete", "wasmplugin", pluginName); err != nil {
		return err
	}
	if _, err := d.kube(ctx, "", "patch", "item", "gift-card", "--type=merge", "-p", `{"spec":{"quantity":0}}`); err != nil {
		return err
	}
	return d.expect(ctx, "gift-card is", "OutOfStock", "get", "item", "gift-card", "-o", "jsonpath={.status.availability}")
}
