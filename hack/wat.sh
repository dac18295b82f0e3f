#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The tests' tiny WebAssembly modules are committed twice: as text (.wat), to be
# read and reviewed, and compiled (.wasm), so that `make test` needs no wabt.
#
#   hack/wat.sh build    compiles every fixture
#   hack/wat.sh verify   compiles to a temporary folder and compares
#
# A fixture may ask for more flags in a comment line, for example one that is
# meant to be invalid:
#
#   ;; wat2wasm: --no-check
set -euo pipefail
cd "$(dirname "$0")/.."

# Past this size a module is a build product, not a fixture.
readonly max_bytes=4096

fixtures() { # fixtures EXTENSION
  local dir
  for dir in internal test; do
    [ -d "$dir" ] && find "$dir" -path '*/testdata/*' -name "*.$1" -type f
  done | LC_ALL=C sort
}

compile() { # compile SOURCE TARGET
  local flags
  flags=$(sed -n 's/^;; wat2wasm: //p' "$1")
  # shellcheck disable=SC2086 # several flags may stand in one line
  wat2wasm --enable-annotations $flags "$1" -o "$2"
}

require_wabt() {
  command -v wat2wasm >/dev/null && return
  {
    echo "=================================================================="
    echo "wat2wasm is missing: the WAT fixtures are NOT compiled or checked."
    echo "Install wabt (Debian, Ubuntu: apt-get install wabt; macOS: brew install wabt)."
    echo "=================================================================="
  } >&2
  # A developer without wabt who touches no fixture can still verify the rest;
  # CI must not pass without the check.
  if [ "$1" = verify ] && [ -z "${CI:-}" ]; then exit 0; fi
  exit 1
}

build() {
  local wat
  for wat in $(fixtures wat); do
    compile "$wat" "${wat%.wat}.wasm"
    echo "${wat%.wat}.wasm"
  done
}

verify() {
  local temp wat wasm size bad=0
  for wasm in $(fixtures wasm); do
    size=$(wc -c <"$wasm")
    if [ ! -f "${wasm%.wasm}.wat" ]; then
      echo "$wasm has no .wat source beside it" >&2
      bad=1
    fi
    if [ "$size" -ge "$max_bytes" ]; then
      echo "$wasm has $size bytes; fixtures stay below $max_bytes" >&2
      bad=1
    fi
  done
  [ "$bad" = 0 ] || exit 1

  require_wabt verify
  temp=$(mktemp -d)
  # shellcheck disable=SC2064 # temp is local: expand it now
  trap "rm -rf '$temp'" EXIT
  for wat in $(fixtures wat); do
    wasm=${wat%.wat}.wasm
    compile "$wat" "$temp/module.wasm"
    if ! cmp -s "$temp/module.wasm" "$wasm"; then
      echo "$wasm is not what $wat compiles to; run: make wat" >&2
      bad=1
    fi
  done
  return "$bad"
}

case "${1:-}" in
  build)
    require_wabt build
    build
    ;;
  verify) verify ;;
  *)
    echo "usage: hack/wat.sh build|verify" >&2
    exit 2
    ;;
esac
