#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds the guests of the benchmark into a folder: build.sh OUTDIR. What cannot be built for want of a
# toolchain is left out, and its reason stands in OUTDIR/<guest>.missing, for the table to say.
#
#   c              clang with wasm-ld: clang-19 and lld-19, or CLANG
#   rust           cargo with the target wasm32-unknown-unknown; RUSTC is respected
#   assemblyscript node and npm
#   go             go
set -euo pipefail
[ $# = 1 ] || { echo "usage: build.sh OUTDIR" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
readonly out
cd "$(dirname "$0")"

missing() { # missing GUEST REASON
  echo "skipped: $1: $2" >&2
  echo "$2" >"$out/$1.missing"
  rm -f "$out/$1"-*.wasm
}

built() { # built GUEST-BORDER
  rm -f "$out/${1%-*}.missing"
  echo "built: $1 ($(wc -c <"$out/$1.wasm") bytes)" >&2
}

c() {
  local clang=${CLANG:-} border
  if [ -z "$clang" ]; then clang=$(command -v clang-19 || command -v clang || true); fi
  if [ -z "$clang" ]; then missing c "install clang-19 and lld-19"; return; fi
  for border in k1s extism; do
    if ! "$clang" --target=wasm32 -std=c23 -O2 -Wall -Wextra -Werror -nostdlib -ffreestanding -mbulk-memory -msign-ext \
      -Wl,--no-entry -Wl,--strip-all -Wl,-z,stack-size=32768 \
      -o "$out/c-$border.wasm" c/json.c c/work.c "c/$border.c"; then
      missing c "$clang could not build it: install clang-19 and lld-19"
      return
    fi
    built "c-$border"
  done
}

rust() {
  local target=wasm32-unknown-unknown border rustc=${RUSTC:-rustc}
  if ! command -v cargo >/dev/null || ! command -v "$rustc" >/dev/null ||
    ! compgen -G "$("$rustc" --print sysroot)/lib/rustlib/$target/lib/libcore-*.rlib" >/dev/null; then
    missing rust "install Rust, then: rustup target add $target"
    return
  fi
  for border in k1s extism; do
    # From its own folder, where cargo finds the linker's flags.
    if ! (cd rust && cargo build --quiet --locked --release --target "$target" --features "$border" --target-dir "$out/rust"); then
      missing rust "cargo could not build it; its message is in the output of test/bench/guests/build.sh"
      return
    fi
    cp "$out/rust/$target/release/bench_guest.wasm" "$out/rust-$border.wasm"
    built "rust-$border"
  done
}

assemblyscript() {
  if ! command -v npm >/dev/null; then missing assemblyscript "install Node.js 20 or later with npm"; return; fi
  # Built in a copy: npm writes beside its package.json.
  mkdir -p "$out/assemblyscript"
  cp -R assemblyscript/. "$out/assemblyscript"
  if ! (cd "$out/assemblyscript" &&
    { [ -e node_modules/assemblyscript ] || npm ci --no-audit --no-fund --loglevel=error >&2; } &&
    npm run --silent build -- --outFile "$out/assemblyscript-k1s.wasm"); then
    missing assemblyscript "npm could not install or run the compiler; its message is in the output of test/bench/guests/build.sh"
    return
  fi
  built assemblyscript-k1s
}

golang() {
  local border
  for border in k1s extism extism-decoder; do
    GOOS=wasip1 GOARCH=wasm CGO_ENABLED=0 go build -buildmode=c-shared -trimpath -ldflags "-s -w" -o "$out/go-$border.wasm" "./go/$border"
    built "go-$border"
  done
}

c
rust
assemblyscript
golang
