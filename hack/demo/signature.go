// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	publicKey       = "cosign.pub"
	signatureStatus = `jsonpath={.status.conditions[?(@.type=="SignatureVerified")].status}`
)

// signPlugin signs what the plugin refers to, and has the operator require the signature.
func (d *demo) signPlugin(ctx context.Context) error {
	for _, args := range [][]string{
		{"generate-key-pair"},
		{"sign", "--yes", "--key", "cosign.key", "--use-signing-config=false", "--tlog-upload=false", d.repository + "@" + d.digest},
	} {
		if _, err := d.tool(ctx, "cosign", args...); err != nil {
			return err
		}
		d.report.command("cosign "+strings.Join(args, " "), "") // its progress comes in any order
	}
	out, err := d.kube(ctx, "", "create", "configmap", "cosign", "--from-file="+filepath.Join(d.dir, publicKey))
	if err != nil {
		return err
	}
	d.report.command("kubectl create configmap cosign --from-file="+publicKey, out)
	const patch = `{"spec":{"source":{"oci":{"verify":{"cosign":{"publicKeys":[{"configMapKeyRef":{"name":"cosign","key":"` + publicKey + `"}}]}}}}}}`
	if err := d.show(ctx, "patch", "wasmplugin", pluginName, "--type=merge", "-p", patch); err != nil {
		return err
	}
	if err := d.expect(ctx, "SignatureVerified", "True", "get", "wasmplugin", pluginName, "-o", signatureStatus); err != nil {
		return err
	}
	return d.expect(ctx, "signer", `key "`+publicKey+`" of ConfigMap "cosign"`, "get", "wasmplugin", pluginName, "-o", "jsonpath={.status.artifact.signer}")
}

// tamper pushes another module, which would run if it were signed, to the tag. The digest does not follow it, and the
// tag itself is rejected. Then the plugin refers to the digest again.
func (d *demo) tamper(ctx context.Context) error {
	const file = "tampered.wasm"
	module, err := os.ReadFile(filepath.Join(d.dir, nextModule))
	if err != nil {
		return err
	}
	module = append(module, 0, 1, 0) // a custom section without a name and content
	if err := os.WriteFile(filepath.Join(d.dir, file), module, 0o600); err != nil {
		return err
	}
	if err := d.push(ctx, file); err != nil {
		return err
	}
	moved, err := d.resolve(ctx)
	if err != nil {
		return err
	}
	if moved == d.digest {
		return fmt.Errorf("the tag still has the digest %s", d.digest)
	}
	d.report.note("the plugin refers to a digest, so it does not follow the tag; category audio moves below computers")
	if err := d.moveAudio(ctx, "computers", "electronics/computers/audio"); err != nil {
		return err
	}
	if err := d.refer(ctx, d.tag()); err != nil {
		return err
	}
	if err := d.expect(ctx, "reason of SignatureVerified", "NotSigned", "get", "wasmplugin", pluginName,
		"-o", `jsonpath={.status.conditions[?(@.type=="SignatureVerified")].reason}`); err != nil {
		return err
	}
	if err := d.show(ctx, "get", "wasmplugin", pluginName, "-o", `jsonpath={.status.lastError}{"\n"}`); err != nil {
		return err
	}
	d.report.note("category audio moves back below electronics")
	if err := d.moveAudio(ctx, "electronics", "electronics/audio"); err != nil {
		return err
	}
	if err := d.expectDigest(ctx); err != nil {
		return err
	}
	if err := d.refer(ctx, d.repository+"@"+d.digest); err != nil {
		return err
	}
	return d.expect(ctx, "SignatureVerified", "True", "get", "wasmplugin", pluginName, "-o", signatureStatus)
}

// refer changes the reference of the plugin.
func (d *demo) refer(ctx context.Context, reference string) error {
	patch := fmt.Sprintf(`{"spec":{"source":{"oci":{"reference":%q}}}}`, reference)
	return d.show(ctx, "patch", "wasmplugin", pluginName, "--type=merge", "-p", patch)
}

// moveAudio changes the parent of category audio, and waits for the path that the plugin writes.
func (d *demo) moveAudio(ctx context.Context, parent, path string) error {
	patch := fmt.Sprintf(`{"spec":{"parent":%q}}`, parent)
	if _, err := d.kube(ctx, "", "patch", "category", "audio", "--type=merge", "-p", patch); err != nil {
		return err
	}
	return d.expect(ctx, "path of audio, written by the signed module", path, "get", "category", "audio", "-o", "jsonpath={.status.path}")
}
