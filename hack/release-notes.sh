#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Prints the section of CHANGELOG.md for a version as the text of a GitHub release: every entry is one
# line, because GitHub breaks the lines there, and links are absolute. Fails if a file that names the
# version names another one.
#
#   hack/release-notes.sh v0.1.0
set -euo pipefail
cd "$(dirname "$0")/.."

[[ ${1-} =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || { echo "usage: hack/release-notes.sh v1.2.3" >&2; exit 2; }
readonly version=${1#v}

fail() { echo "release-notes: $*" >&2; exit 1; }

# names FILE LINE: the file has this line.
names() { grep -qxF -- "$2" "$1" || fail "$1 has no line \"$2\""; }

names charts/k1s/Chart.yaml "appVersion: $version"
names config/manager/kustomization.yaml "  newTag: $version"

notes=$(awk -v heading="## [$version]" '
  /^## / { printing = index($0, heading) == 1; next }
  !printing || /^\[[^]]*\]: / { next }
  /^ +[^ ]/ { sub(/^ +/, " "); printf "%s", $0; next }
  { printf "\n%s", $0 }
' CHANGELOG.md | sed -E "s#\]\(([^):]+)\)#](https://github.com/k1s-io/k1s/blob/v$version/\1)#g")
[ -n "${notes//[[:space:]]/}" ] || fail "CHANGELOG.md has no section \"## [$version]\""
sed '/./,$!d' <<<"$notes"
