#!/usr/bin/env bash
# Trains and judges the data sets with published accuracies (wine, drybean, moons, magic); see tests/bench/README.md.
#   tests/bench/published.sh [--seeds 10] [--json] [NAME...]
# KANTRIG_SHARED_DATA names the folder of wine.csv, drybean.csv and magic_train.csv; moons are made. KANC names a kanc
# to use instead of the one built here.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [[ ! -d ${KANTRIG_SHARED_DATA:-/nonexistent} ]]; then
  echo "published.sh: KANTRIG_SHARED_DATA must name the folder of wine.csv, drybean.csv and magic_train.csv" >&2
  exit 3
fi
if [[ -z ${KANC:-} ]]; then
  {
    deploy/install-deps.sh --build
    cmake --preset release
    cmake --build --preset release --target kanc
  } > /dev/null
  KANC=$PWD/build/release/bin/kanc
fi
PYTHONDONTWRITEBYTECODE=1 exec python3 tests/bench/published/measure.py --kanc "$KANC" --data "$KANTRIG_SHARED_DATA" "$@"
