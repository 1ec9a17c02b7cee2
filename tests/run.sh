#!/usr/bin/env bash
# Builds everything and runs every test, on a bare Debian 12. See tests/README.md.
#   tests/run.sh              unit, contract, compiler, integration and system tests, and a short fuzzing run
#   tests/run.sh --sanitizers the unit and contract tests under AddressSanitizer+UBSan and under ThreadSanitizer as well
set -euo pipefail
cd "$(dirname "$0")/.."

sanitizers=no
fuzz=yes
for argument in "$@"; do
  case $argument in
    --sanitizers) sanitizers=yes ;;
    --no-fuzz) fuzz=no ;;
    *) sed -n '2,4p' "$0"; exit 2 ;;
  esac
done

step() { printf '\n== %s\n' "$*"; }

step "packages"
deploy/install-deps.sh

# Where the data sets of the interoperability tests lie beside the project, those tests run; elsewhere they show as skipped.
if [[ -z ${KANTRIG_SHARED_DATA:-} && -d ../shared/data ]]; then
  KANTRIG_SHARED_DATA=$(cd ../shared/data && pwd)
  export KANTRIG_SHARED_DATA
fi

step "build"
cmake --preset release > /dev/null
cmake --build --preset release

step "tests"
ctest --preset release --parallel 2

if [[ $fuzz == yes ]]; then
  step "fuzzing: decoders and loaders, ten seconds each"
  cmake --preset fuzz > /dev/null
  cmake --build --preset fuzz
  ctest --preset fuzz --parallel 2
fi

if [[ $sanitizers == yes ]]; then
  for preset in asan tsan; do
    step "unit and contract tests under $preset"
    cmake --preset "$preset" > /dev/null
    cmake --build --preset "$preset"
    ctest --preset "$preset" --parallel 2
  done
fi

step "all tests passed"
