// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"strings"
)

const validatorName = "item-validator"

// loadValidator loads a plugin with admission webhooks.
func (d *demo) loadValidator(ctx context.Context) error {
	if err := d.storeFile(ctx, validatorName); err != nil {
		return err
	}
	sample := validatorName + ".yaml"
	out, err := d.kube(ctx, "", "apply", "--server-side", "-f", d.sample(sample))
	if err != nil {
		return err
	}
	d.report.command("kubectl apply --server-side -f config/samples/"+sample, out)
	if err := d.expect(ctx, "the plugin is Ready", "True", "get", "wasmplugin", validatorName, "-o", readyStatus); err != nil {
		return err
	}
	return d.show(ctx, "get", "validatingwebhookconfigurations,mutatingwebhookconfigurations", "-l", "app.kubernetes.io/managed-by=k1s")
}

// checkValidator sends requests for which the plugin sets defaults, returns warnings and denies.
func (d *demo) checkValidator(ctx context.Context) error {
	const teapot = `{apiVersion: inventory.example.com/v1alpha1, kind: Item, metadata: {name: teapot}, spec: {name: Teapot, quantity: 3, price: 1900}}`
	// The API server observes new webhook configurations after a short delay.
	err := wait(ctx, func() error {
		out, err := d.kube(ctx, teapot, "apply", "--server-side", "--dry-run=server", "-o", "jsonpath={.spec.category}", "-f", "-")
		if err == nil && out == "" {
			err = errors.New("the API server does not ask the plugin yet")
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := d.apply(ctx, teapot); err != nil {
		return err
	}
	d.report.note("an Item without a category is created")
	if err := d.expect(ctx, "category of teapot, filled in by the plugin", "uncategorized", "get", "item", "teapot", "-o", "jsonpath={.spec.category}"); err != nil {
		return err
	}
	const ring = `{apiVersion: inventory.example.com/v1alpha1, kind: Item, metadata: {name: ring}, spec: {name: Ring, quantity: 1, category: premium-rings}}`
	if err := d.isDenied(ctx, ring, `spec.price must be set in the category "premium-rings"`); err != nil {
		return err
	}
	if err := d.expect(ctx, "Items with the name ring", "0", "get", "items", "--field-selector=metadata.name=ring", "-o", "go-template={{len .items}}"); err != nil {
		return err
	}
	for _, args := range [][]string{{"delete", "item", "teapot"}, {"delete", "wasmplugin", validatorName}} {
		if _, err := d.kube(ctx, "", args...); err != nil {
			return err
		}
	}
	if err := d.apply(ctx, ring); err != nil {
		return err
	}
	d.report.passed("the plugin is deleted, and no request is denied any more")
	_, err = d.kube(ctx, "", "delete", "item", "ring")
	return err
}

// isDenied applies a manifest that must be denied, and prints the message of kubectl.
func (d *demo) isDenied(ctx context.Context, manifest, why string) error {
	err := d.apply(ctx, manifest)
	switch {
	case err == nil:
		return errors.New("it was stored")
	case !strings.Contains(err.Error(), why):
		return err
	}
	_, output, _ := strings.Cut(err.Error(), "admission webhook")
	d.report.passed("denied: admission webhook%s", output)
	return nil
}
