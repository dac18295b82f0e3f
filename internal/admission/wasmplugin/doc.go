// SPDX-License-Identifier: Apache-2.0

// Package wasmplugin implements the validating webhook for WasmPlugins. It reports errors that the schema of the CRD
// cannot detect, and can check whether the user is allowed to run code as the ServiceAccount of the plugin. The
// controller makes the checks of the spec too, with the same messages, so that they do not depend on the webhook.
package wasmplugin
