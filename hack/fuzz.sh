#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs every fuzz test of the given modules, one after another, and says in a table how each fared.
#
#   hack/fuzz.sh TIME MODULE...      for example: hack/fuzz.sh 30s . plugins/sdk/go
#
# An input that fails is kept by go test below the package's testdata/fuzz: commit it with the fix.
set -euo pipefail
cd "$(dirname "$0")/.."

[ $# -ge 2 ] || { echo "usage: hack/fuzz.sh TIME MODULE..." >&2; exit 2; }
readonly fuzz_time=$1
shift

log=$(mktemp)
trap 'rm -f "$log"' EXIT
rows=() failed=0
# By default, go test makes each new input smaller for up to a minute, and tries no other meanwhile. Inputs of some
# kilobytes would take all the time.
readonly minimize=100x

# The number that go test says last: "fuzz: elapsed: 30s, execs: 12345 (400/sec), …".
execs() { sed -n 's/.*execs: \([0-9]*\).*/\1/p' "$log" | tail -n 1; }

for module in "$@"; do
  # Packages without a fuzz test need not be compiled for it.
  dirs=$(cd "$module" && go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.Dir}}{{end}}' ./...)
  for dir in $dirs; do
    grep -qs '^func Fuzz' "$dir"/*_test.go || continue
    list=$(cd "$dir" && go test -list '^Fuzz' .)
    for fuzzer in $list; do
      [[ $fuzzer == Fuzz* ]] || continue # the last line says how long listing took
      name="${dir#"$PWD"/} $fuzzer"
      echo "fuzzing $name for $fuzz_time"
      result=passed
      if ! (cd "$dir" && go test -run '^$' -fuzz "^$fuzzer\$" -fuzztime "$fuzz_time" -fuzzminimizetime "$minimize" .) >"$log" 2>&1; then
        result=FAILED failed=1
        cat "$log"
      fi
      rows+=("$(printf '%-60s %12s  %s' "$name" "$(execs)" "$result")")
    done
  done
done

printf '\n%-60s %12s  %s\n' fuzzer execs result
[ ${#rows[@]} -eq 0 ] || printf '%s\n' "${rows[@]}"
exit "$failed"
