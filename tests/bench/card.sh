#!/usr/bin/env bash
# kantrig bench card over the emulated card, for run.sh: with the simulated fabric (card.json), and with one that answers at once
# (card_instant_*.json), so that what is left is XRT and ours.
#   tests/bench/card.sh BUILD OUT
set -euo pipefail
build=$1 out=$2
work=$(mktemp -d /tmp/kantrig-bench-XXXXXX)
card=''
finish() {
  if [[ -n $card ]]; then kill -TERM "$card" 2> /dev/null || true; wait "$card" || true; fi
  rm -rf "$work"
}
trap finish EXIT
export KANTRIG_EMULATED_CARD=$work/emulated
mkdir "$KANTRIG_EMULATED_CARD"
"$build/bin/kanc" compile firmware/models/jets/jets-1.1.0 --device generic --out "$work/jets" > /dev/null
"$build/bin/kanc" pack "$work/jets" --platform emulated --out "$work/jets-card" > /dev/null

bench() { # NAME, options of kantrig-card, --, options of kantrig bench card
  local name=$1 options=()
  shift
  while [[ $1 != -- ]]; do options+=("$1"); shift; done
  shift
  printf '%s\n' "$name"
  XILINX_XRT=$build/emulated-card "$build/bin/kantrig-card" --device 0 --platform emulated --socket "$work/card" --log-level warn "${options[@]}" &
  card=$!
  until "$build/bin/kantrig" card list --socket "$work/card" > /dev/null 2>&1; do kill -0 "$card"; done
  "$build/bin/kantrig" bench card --socket "$work/card" --model "$work/jets-card" --json "$@" > "$out/$name.json"
  kill -TERM "$card"
  wait "$card"
  card=''
}
instant="$build/bin/kantrig-emulated-card --dir $KANTRIG_EMULATED_CARD instant on > /dev/null"
bench card --completion polling --spin-us 2000 -- --lock-step-count 500
for mode in polling interrupt; do
  spin=0
  [[ $mode == polling ]] && spin=2000
  "$build/bin/kantrig-emulated-card" --dir "$KANTRIG_EMULATED_CARD" instant off > /dev/null
  bench "card_instant_$mode" --completion "$mode" --spin-us "$spin" -- --before-timing "$instant"
done
