#!/usr/bin/env bash
# Shows what kantrig does, on a bare Debian 12: builds it, starts a real daemon with the shipped jets model and menu, sends a
# million jets through the client library, and checks that the daemon's books equal the client's.
#   deploy/demo.sh [--json FILE] [--events N] [--keep] [--card emulated]
#     --json FILE       write the summary there as JSON
#     --events N        how many events to send (default 1000000; with a card 200000)
#     --keep            leave the daemon running afterwards, and say how to talk to it
#     --card emulated   with an FPGA card, simulated behind XRT, that joins, is swapped, dies and comes back meanwhile
set -euo pipefail
cd "$(dirname "$0")/.."
called_from=$OLDPWD

json='' events='' keep=no card=none
while [[ $# -gt 0 ]]; do
  case $1 in
    --json) json=${2:?--json needs a file}; shift 2 ;;
    --events) events=${2:?--events needs a number}; shift 2 ;;
    --keep) keep=yes; shift ;;
    --card) card=${2:?--card needs: emulated}; shift 2 ;;
    *) sed -n '2,8p' "$0"; exit 2 ;;
  esac
done
[[ -z $json || $json == /* ]] || json=$called_from/$json

say() { printf '\n== %s\n' "$*"; }

say "packages"
deploy/install-deps.sh

say "build (the first time takes a few minutes)"
cmake --preset release > /dev/null
cmake --build --preset release
bin=$PWD/build/release/bin
if [[ $card == emulated ]]; then
  [[ -x $bin/kantrig-card && -e build/release/emulated-card/lib/libxrt_core.so.2 ]] || {
    say "kantrig-card or the emulated card was not built: cmake --preset release says what is missing"
    exit 1
  }
  exec deploy/demo-card.sh "$bin" "$PWD/build/release/emulated-card" "${events:-200000}" "$json"
elif [[ $card != none ]]; then
  say "--card $card: expected emulated. A real card: deploy/cards.md"
  exit 2
fi
events=${events:-1000000}

work=$(mktemp -d /tmp/kantrig-demo-XXXXXX)
events_endpoint=ipc://$work/events control=ipc://$work/control
daemon=''
finish() {
  if [[ -n $daemon ]] && kill -0 "$daemon" 2> /dev/null; then
    kill -TERM "$daemon"
    wait "$daemon" || { say "the daemon did not end as it should"; exit 1; }
  fi
  rm -rf "$work"
}
trap finish EXIT

# Prometheus' usual port for us, unless somebody has it.
listen=127.0.0.1:9464
if (exec 3<> /dev/tcp/127.0.0.1/9464) 2> /dev/null; then listen=127.0.0.1:0; fi

say "a daemon with the model jets-1.1.0 and the menu config/menu.toml"
"$bin/kantrigd" \
  --set "events.endpoints=$events_endpoint" --set "control.endpoint=$control" \
  --set "ledger.state_directory=$work" --set "telemetry.listen=$listen" \
  --set "model.repository=$PWD/firmware/models/jets" --set model.active=jets-1.1.0 \
  --set "menu.file=$PWD/config/menu.toml" &
daemon=$!
"$bin/kantrig" status --control "$control" --wait 20 > /dev/null

say "$events events: 16 jet substructure observables each, five classes g q t w z"
"$bin/kantrig" send --endpoint "$events_endpoint" --control "$control" \
  --x tests/data/jets16_slice_x.npy --events "$events" --batch 1024 ${json:+--summary "$json"}

say "what the daemon says of the run"
"$bin/kantrig" status --control "$control"

if [[ $keep == yes ]]; then
  trap - EXIT
  say "still running: kantrig status --control $control; kill $daemon ends it (its files: $work)"
  exit 0
fi

say "stopping the run: the books are closed and compared"
"$bin/kantrig" run stop --control "$control"
