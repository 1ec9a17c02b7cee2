#!/usr/bin/env bash
# Compiles reference models and synthesises each beside the published structure of its tables; writes
# build/bench/resources/NAME.json, NAME.svg and a table. See tests/bench/README.md.
#   tests/bench/resources.sh           all cases: jets, and those of $KANTRIG_SHARED_DATA/kanele
#   tests/bench/resources.sh NAME...   some
# BASELINE=2 compares with binary trees instead of 4-ary ones.
set -euo pipefail
cd "$(dirname "$0")/../.."

all=(jets jsc_openml jsc_openml_outofrange wine moons mnist)
names=("$@")
[[ ${#names[@]} -gt 0 ]] || names=("${all[@]}")
for name in "${names[@]}"; do
  [[ " ${all[*]} " == *" $name "* ]] || { sed -n '2,7p' "$0"; exit 2; }
done

deploy/install-deps.sh --build --hardware
cmake --preset release > /dev/null
cmake --build --preset release --target kanc
kanc=$PWD/build/release/bin/kanc
out=$PWD/build/bench/resources
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"

{
  printf 'revision %s%s\n' "$(git rev-parse --short=12 HEAD)" "$(git diff --quiet HEAD || echo ' and changes')"
  printf 'yosys    %s\n' "$(yosys -V)"
} | tee "$out/conditions.txt"

line='%-22s %6s %6s %6s   %6s %6s %6s   %s\n'
# shellcheck disable=SC2059
printf "$line" model LUT publ. ratio FF publ. cycles levels/chains/bits | tee "$out/table.txt"
for name in "${names[@]}"; do
  bundle=firmware/models/jets/jets-1.1.0
  if [[ $name != jets ]]; then
    if [[ ! -d ${KANTRIG_SHARED_DATA:-/nonexistent}/kanele/$name ]]; then
      printf '%-22s skipped: KANTRIG_SHARED_DATA has no kanele/%s\n' "$name" "$name" | tee -a "$out/table.txt"
      continue
    fi
    bundle=$work/$name
    "$kanc" import kanele "$KANTRIG_SHARED_DATA/kanele/$name" --out "$bundle" > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
  fi
  "$kanc" compile "$bundle" --target fixed --out "$work/$name-fixed" > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
  "$kanc" resources "$work/$name-fixed" --no-report --baseline "${BASELINE:-4}" --json --picture "$out/$name.svg" > "$out/$name.json"
  python3 - "$name" "$line" "$out/$name.json" << 'PYTHON' | tee -a "$out/table.txt"
import json, sys
name, line, path = sys.argv[1:]
found = json.load(open(path))
ours, theirs = found["design"], found["baseline"]
print(line.replace("\\n", "") % (
    name, ours["luts"], theirs["luts"], "%.3f" % found["ratio"]["luts"], ours["ffs"], theirs["ffs"],
    "%d/%d" % (ours["cycles"], theirs["cycles"]),
    "%d/%d/%d" % (ours["levels_max"], ours["carry_chains_in_series_max"], ours["carry_bits_max"])))
PYTHON
done
printf 'written: %s\n' "build/bench/resources"
