#!/usr/bin/env bash
# The demonstration with a card, for demo.sh --card emulated: kantrig-card over the emulated card joins the daemon, takes traffic, gets
# other tables, gets another bitstream, is killed and comes back, all while events flow. Then the same events are decided again
# on the CPU alone, and every output must be the same.
#   demo-card.sh BIN ROOT EVENTS JSON      as demo.sh gives them: programs, XRT's root of the emulated card, how many, a file or ''
set -euo pipefail
bin=$1 root=$2 events=$3 json=$4
here=$PWD

say() { printf '\n== %s\n' "$*"; }
die() { printf 'demo: %s\n' "$*" >&2; exit 1; }

work=$(mktemp -d /tmp/kantrig-demo-XXXXXX)
events_endpoint=ipc://$work/events control=ipc://$work/control card_socket=$work/card
export KANTRIG_EMULATED_CARD=$work/emulated
daemon='' card='' sender=''
finish() {
  local pid
  for pid in $sender $daemon $card; do kill -TERM "$pid" 2> /dev/null || true; done
  for pid in $sender $daemon $card; do wait "$pid" 2> /dev/null || true; done
  rm -rf "$work"
}
trap finish EXIT
mkdir -p "$work/emulated" "$work/models" "$work/made"

start_card() {
  XILINX_XRT=$root "$bin/kantrig-card" --device 0 --platform emulated --socket "$card_socket" --deadline-ms 2000 \
    --reset-command "$bin/kantrig-emulated-card --dir $KANTRIG_EMULATED_CARD reset" &
  card=$!
}

start_daemon() {  # its further settings
  "$bin/kantrigd" \
    --set "events.endpoints=$events_endpoint" --set "control.endpoint=$control" \
    --set "ledger.state_directory=$work/state" --set telemetry.listen=127.0.0.1:0 \
    --set "model.repository=$work/models" --set "menu.file=$here/config/menu.toml" "$@" &
  daemon=$!
  "$bin/kantrig" status --control "$control" --wait 20 > /dev/null
}

stop_daemon() {
  kill -TERM "$daemon"
  wait "$daemon" || die "the daemon did not end as it should"
  daemon=''
}

# What the daemon says of its card: one value of its status.
card_says() { "$bin/kantrig" status --control "$control" --json | sed -n '/"cards"/,/^ \]/p' | sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}$/\1/p" | head -1; }

# wait_until WHAT SECONDS COMMAND...: looks again and again.
wait_until() {
  local what=$1 deadline=$((SECONDS + $2))
  shift 2
  until "$@"; do
    [[ $SECONDS -lt $deadline ]] || die "still not $what after a while: $("$bin/kantrig" card status --socket "$card_socket" 2>&1)"
    kill -0 "$daemon" || die "the daemon has ended"
    sleep 0.05
  done
}
card_is() { [[ $(card_says breaker) == "$1" ]]; }
card_decided() { local n; n=$(card_says events); [[ ${n:-0} -ge $1 ]]; }
takes_traffic() {
  wait_until "in use" 60 card_is closed
  local n
  n=$(card_says events)
  wait_until "deciding" 60 card_decided $((n + 1000))
}

send() {  # MODEL-LABEL further options
  local label=$1
  shift
  "$bin/kantrig" send --endpoint "$events_endpoint" --control "$control" --x tests/data/jets16_slice_x.npy \
    --events "$events" --batch 256 --quiet --decisions "$work/$label.csv" "$@"
}

say "three models: two for one overlay, whose tables are written while events flow, and one burnt in as logic"
train() { # VERSION SEED
  sed "s/^version = .*/version = \"$1\"/; s/^seed = .*/seed = $2/; /^rows = /d" firmware/models/jets/spec.toml > "$work/made/$1.toml"
  "$bin/kanc" train "$work/made/$1.toml" --x tests/data/jets16_slice_x.npy --y tests/data/jets16_slice_y.npy --epochs 10 --quiet \
    --out "$work/made/jets-$1"
}
pack() { # VERSION target options
  local version=$1
  shift
  "$bin/kanc" compile "$work/made/jets-$version" --device generic "$@" --out "$work/made/$version-design" > /dev/null
  "$bin/kanc" pack "$work/made/$version-design" --platform emulated --out "$work/models/jets-$version"
}
cp -r firmware/models/jets/jets-1.1.0 "$work/made/jets-1.1.0"
train 1.2.0 2
train 1.3.0 3
overlay=(--target overlay --shape 16-10-5 --code-bits 6,6 --entry-bits 8 --sum-bits 10 --shift-max 0 --output-bits 8)
pack 1.1.0 "${overlay[@]}"
pack 1.2.0 "${overlay[@]}"
pack 1.3.0 --target fixed

say "the daemon starts first, with no card: the CPU decides"
start_daemon --set model.active=jets-1.1.0 --set backend.kind=card --set "card.sockets=[\"$card_socket\"]" --set card.route=card \
  --set card.deadline_us=4000000 --set card.retry_max_ms=500
send with-card --rate "$((events / 12))" ${json:+--summary "$json"} &
sender=$!

say "the card joins and takes traffic"
start_card
takes_traffic
"$bin/kantrig" card list --socket "$card_socket"

say "another model of the overlay: its tables are written"
"$bin/kantrig" model activate jets-1.2.0 --control "$control" > /dev/null
takes_traffic
"$bin/kantrig" card status --socket "$card_socket"

say "a model of its own hardware: another bitstream, which takes the card 2 s, while the CPU decides"
"$bin/kantrig-emulated-card" --dir "$KANTRIG_EMULATED_CARD" program-time 2s
"$bin/kantrig" model activate jets-1.3.0 --control "$control" > /dev/null
takes_traffic
"$bin/kantrig" card status --socket "$card_socket"

say "kantrig-card is killed with SIGKILL; the CPU decides what was in flight, and goes on"
kill -KILL "$card"
wait "$card" 2> /dev/null || true
wait_until "out of use" 30 card_is open
start_card
takes_traffic
say "and back, after the golden vectors"
"$bin/kantrig" card list --socket "$card_socket"

wait "$sender" || die "the client's books and the daemon's do not agree"
sender=''
say "the run is stopped: the books are closed and compared"
"$bin/kantrig" run stop --control "$control"
stop_daemon

kill -TERM "$card"
wait "$card" || die "kantrig-card did not end as it should"
card=''

say "the same events again on the CPU alone, once with each model"
for version in 1.1.0 1.2.0 1.3.0; do
  rm -rf "$work/state"
  start_daemon --set "model.active=jets-$version"
  send "cpu-$version" > /dev/null
  stop_daemon
done

# Path and generation may differ; event, decision, class, model and scores may not.
comparable() { tail -q -n +2 "$@" | cut -d, -f1-3,6- | sort -u; }
comparable "$work"/with-card.csv > "$work/with-card.txt"
comparable "$work"/cpu-*.csv > "$work/cpu.txt"
[[ $(wc -l < "$work/with-card.txt") -eq $events ]] || die "not every event has one decision"
differing=$(comm -23 "$work/with-card.txt" "$work/cpu.txt" | wc -l)
say "decisions by path and model, of the run with the card"
tail -n +2 "$work/with-card.csv" | cut -d, -f4,6 | sort | uniq -c
[[ $differing -eq 0 ]] || die "$differing of $events outputs differ from those of the CPU alone"
say "all $events outputs equal those of a run on the CPU alone"
