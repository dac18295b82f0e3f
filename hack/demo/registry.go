// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// moveToRegistry pushes the plugin to a registry and refers to it by its digest, which repairs it. Then somebody moves
// the tag to another module.
func (d *demo) moveToRegistry(ctx context.Context) error {
	registry, err := d.startRegistry()
	if err != nil {
		return err
	}
	tag := registry + "/plugins/" + pluginName + ":" + nextVersion
	if err := d.push(ctx, tag, "next.wasm"); err != nil {
		return err
	}
	digest, err := d.oras(ctx, "resolve", tag)
	if err != nil {
		return err
	}
	digest = strings.TrimSpace(digest)
	patch := fmt.Sprintf(`{"spec":{"source":{"configMap":null,"oci":{"insecure":true,"reference":"%s@%s"}}}}`, tag, digest)
	if err := d.show(ctx, "patch", "wasmplugin", pluginName, "--type=merge", "-p", patch); err != nil {
		return err
	}
	if err := d.expect(ctx, "the plugin is Ready", "True", "get", "wasmplugin", pluginName, "-o", readyStatus); err != nil {
		return err
	}
	if err := d.expect(ctx, "digest of the artifact", digest, "get", "wasmplugin", pluginName, "-o", "jsonpath={.status.artifact.digest}"); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(d.dir, "tampered.wasm"), []byte("\x00asm\x01\x00\x00\x00"), 0o600); err != nil {
		return err
	}
	if err := d.push(ctx, tag, "tampered.wasm"); err != nil {
		return err
	}
	d.report.note("somebody has pushed another module as %s", tag)
	if _, err := d.kube(ctx, "", "patch", "category", "audio", "--type=merge", "-p", `{"spec":{"parent":"computers"}}`); err != nil {
		return err
	}
	if err := d.expect(ctx, "path of audio, written by what has the digest", "electronics/computers/audio", "get", "category", "audio", "-o", "jsonpath={.status.path}"); err != nil {
		return err
	}
	next, err := d.oras(ctx, "resolve", tag)
	if err != nil {
		return err
	}
	if strings.TrimSpace(next) == digest {
		return fmt.Errorf("the tag still has the digest %s", digest)
	}
	if _, err := d.kube(ctx, "", "patch", "category", "audio", "--type=merge", "-p", `{"spec":{"parent":"electronics"}}`); err != nil {
		return err
	}
	return d.expect(ctx, "digest that serves", digest, "get", "wasmplugin", pluginName, "-o", "jsonpath={.status.artifact.digest}")
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
	return "localhost:" + port, err // with this name, oras uses plain HTTP
}

// push pushes a file of the demo's directory.
func (d *demo) push(ctx context.Context, tag, file string) error {
	return wait(ctx, func() error { // the registry may be starting
		_, err := d.oras(ctx, "push", tag, file+":application/wasm")
		return err
	})
}

func (d *demo) oras(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, os.Getenv("ORAS"), args...)
	cmd.Dir, cmd.SysProcAttr = d.dir, ownGroup()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("oras %s: %w: %s", strings.Join(args, " "), err, out)
	}
	if args[0] == "push" {
		d.report.command("oras "+strings.Join(args, " "), lastLine(string(out)))
	}
	return string(out), nil
}

// lastLine returns the last line of a text.
func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:] + "\n"
}
