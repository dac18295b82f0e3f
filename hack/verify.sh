#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Regenerates what is generated and fails if the result is not what the index
# holds. Only generated paths are looked at, so it can be run with other work
# in progress; regenerated files that are staged count as clean.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly generated=(
  'api/**/zz_generated.*.go'
  'config/crd/bases'
  'config/rbac/role.yaml'
  'charts/k1s/crds'
  'charts/k1s/files/role.yaml'
  'docs/reference/api.md'
  'docs/metrics.md'
  '**/go.mod'
  '**/go.sum'
)

make generate manifests api-docs metrics-docs tidy
hack/wat.sh verify

pathspecs=()
for path in "${generated[@]}"; do pathspecs+=(":(glob)$path"); done
# (glob) makes a folder match only itself, not what is below it.
pathspecs+=(':(glob)config/crd/bases/**' ':(glob)charts/k1s/crds/**')

status=0
if ! git --no-pager diff --stat --patch --exit-code -- "${pathspecs[@]}"; then
  status=1
fi
untracked=$(git ls-files --others --exclude-standard -- "${pathspecs[@]}")
if [ -n "$untracked" ]; then
  printf 'Generated but not tracked:\n%s\n' "$untracked"
  status=1
fi
if [ "$status" != 0 ]; then
  cat >&2 <<'END'

verify: generated files differ from what is committed (see above).
Run: make generate manifests api-docs metrics-docs tidy
then look at the change and add it to the commit.
END
  exit 1
fi
echo "verify: everything generated is up to date"
