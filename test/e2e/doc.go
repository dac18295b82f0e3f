// SPDX-License-Identifier: Apache-2.0

// Package e2e implements tests of what is installed. The tests here check the text of the chart and the kustomize
// folders, and hack/e2e/run.sh tests the operator on a cluster. See README.md.
package e2e
