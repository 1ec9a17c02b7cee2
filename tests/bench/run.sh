#!/usr/bin/env bash
# Builds and runs the benchmarks; each writes build/bench/NAME.json. See tests/bench/README.md.
#   tests/bench/run.sh           all of them
#   tests/bench/run.sh NAME...   some: ledger menu kernels service card train fit
set -euo pipefail
cd "$(dirname "$0")/../.."

names=("$@")
[[ ${#names[@]} -gt 0 ]] || names=(ledger menu kernels service card train fit)
for name in "${names[@]}"; do
  case $name in
    ledger | menu | kernels | service | card | train | fit) ;;
    *) sed -n '2,4p' "$0"; exit 2 ;;
  esac
done

deploy/install-deps.sh
cmake --preset release > /dev/null
cmake --build --preset release --target bench_ledger bench_menu kanc kantrig kantrigd
if [[ " ${names[*]} " == *" card "* ]]; then cmake --build --preset release --target kanc kantrig-card kantrig-emulated-card kantrig_emulated_card; fi

build=$PWD/build/release
out=$PWD/build/bench
mkdir -p "$out"
# A figure means something only with these beside it.
{
  printf 'revision %s%s\n' "$(git rev-parse --short=12 HEAD)" "$(git diff --quiet HEAD || echo ' and changes')"
  printf 'cpu      %s, %s in use\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)" "$(nproc)"
  printf 'compiler %s\n' "$(c++ --version | head -1)"
  printf 'flags   %s\n' "$(sed -n 's/^  FLAGS = -O/ -O/p' "$build/build.ninja" | sort | uniq -c | sort -rn | sed -n '1s/^ *[0-9]*//p')"
  printf 'load     %s\n' "$(cut -d' ' -f1-3 /proc/loadavg)"
} | tee "$out/conditions.txt"

for name in "${names[@]}"; do
  printf '\n== %s\n' "$name"
  case $name in
    card) tests/bench/card.sh "$build" "$out" ;;
    kernels | service) "$build/bin/kantrig" bench "$name" --json > "$out/$name.json" ;;
    train | fit) "$build/bin/kanc" bench "$name" --json > "$out/$name.json" ;;
    *) "$build/tests/bench_$name" --benchmark_out="$out/$name.json" --benchmark_out_format=json ;;
  esac
  printf 'written: %s\n' "build/bench/$name.json"
done
