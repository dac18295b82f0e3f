// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
)

// moveToRegistry pushes the plugin to a registry and refers to it by its digest, which repairs it.
func (d *demo) moveToRegistry(ctx context.Context) error {
	registry, err := d.startRegistry()
	if err != nil {
		return err
	}
	d.repository = registry + "/plugins/" + pluginName
	if err := d.push(ctx, nextModule); err != nil {
		return err
	}
	if d.digest, err = d.resolve(ctx); err != nil {
		return err
	}
	patch := fmt.Sprintf(`{"spec":{"source":{"configMap":null,"oci":{"insecure":true,"reference":"%s@%s"}}}}`, d.repository, d.digest)
	if err := d.show(ctx, "patch", "wasmplugin", pluginName, "--type=merge", "-p", patch); err != nil {
		return err
	}
	if err := d.expect(ctx, "the plugin is Ready", "True", "get", "wasmplugin", pluginName, "-o", readyStatus); err != nil {
		return err
	}
	return d.expectDigest(ctx)
}

// expectDigest waits until the plugin serves what was pushed first.
func (d *demo) expectDigest(ctx context.Context) error {
	return d.expect(ctx, "digest that serves", d.digest, "get", "wasmplugin", pluginName, "-o", "jsonpath={.status.artifact.digest}")
}

// startRegistry starts a registry and returns its address.
func (d *demo) startRegistry() (string, error) {
	address, err := freeAddress()
	if err != nil {
		return "", err
	}
	cmd := exec.Command(filepath.Join(d.root, "bin", "registry"), "--address="+address, "--dir="+filepath.Join(d.dir, "registry"))
	cmd.SysProcAttr = ownGroup()
	if err := cmd.Start(); err != nil {
		return "", err
	}
	d.registry = cmd
	_, port, err := net.SplitHostPort(address)
	return "localhost:" + port, err // with this name, oras and cosign use plain HTTP
}

// tag is what the demo pushes to. Unlike a digest, it can be moved to another module.
func (d *demo) tag() string { return d.repository + ":" + nextVersion }

// push pushes a file of the demo's directory to the tag.
func (d *demo) push(ctx context.Context, file string) error {
	args := []string{"push", d.tag(), file + ":application/wasm"}
	var out string
	err := wait(ctx, func() (err error) { // the registry may be starting
		out, err = d.tool(ctx, "oras", args...)
		return err
	})
	if err != nil {
		return err
	}
	d.report.command("oras "+strings.Join(args, " "), lastLine(out))
	return nil
}

// resolve returns the digest that the tag has now.
func (d *demo) resolve(ctx context.Context) (string, error) {
	digest, err := d.tool(ctx, "oras", "resolve", d.tag())
	return strings.TrimSpace(digest), err
}

// lastLine returns the last line of a text.
func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:] + "\n"
}
