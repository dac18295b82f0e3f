// SPDX-License-Identifier: Apache-2.0

// Package wasmplugin looks at WasmPlugins before the API server stores them: it says at once what is wrong that the
// resource's schema cannot tell, and may ask whether the user may have code run as the ServiceAccount that is named.
// What it refuses the controller would refuse too, in the same words; nothing relies on the webhook being there.
package wasmplugin
