// SPDX-License-Identifier: Apache-2.0

// Package e2e holds tests of what is installed: here of the chart and the kustomize folders as text,
// in hack/e2e/run.sh of the operator on a cluster. See README.md.
package e2e
