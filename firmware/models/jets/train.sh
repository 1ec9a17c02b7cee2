#!/usr/bin/env bash
# Trains the models of this folder again, from the jets16 sample; the same data and version of kanc give the same bytes.
#   train.sh [--data FOLDER] [--out FOLDER] [MODEL ...]     MODEL: jets (default), float, large, small, published, all
# --data holds jets16_train_x.npy and jets16_train_y.npy (default: $KANTRIG_SHARED_DATA); --out takes checkpoints and the other
# models' bundles (default: build/models). The bundle `jets` goes beside this script.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
data=${KANTRIG_SHARED_DATA:-} out=$root/build/models models=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --data) data=$2; shift 2 ;;
    --out) out=$2; shift 2 ;;
    -h | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
    all) models=(float large small published jets); shift ;;
    jets | float | large | small | published) models+=("$1"); shift ;;
    *) echo "train.sh: '$1' is no model; expected jets, float, large, small, published or all" >&2; exit 2 ;;
  esac
done
[[ ${#models[@]} -gt 0 ]] || models=(jets)
kanc=${KANC:-$root/build/release/bin/kanc}
for file in "$data/jets16_train_x.npy" "$data/jets16_train_y.npy" "$kanc"; do
  [[ -e $file ]] || { echo "train.sh: $file is missing; name the data by --data, build kanc first (README)" >&2; exit 3; }
done
mkdir -p "$out"
events=(--x "$data/jets16_train_x.npy" --y "$data/jets16_train_y.npy")

teachers=()
# teach SPECIFICATION SEED NAME: a teacher's checkpoint; one that is older than its specification or than kanc is made anew.
teach() {
  local checkpoint=$out/$3.kan
  if [[ ! $checkpoint -nt $here/$1 || ! $checkpoint -nt $kanc ]]; then
    echo "teacher $3" >&2
    "$kanc" train "$here/$1" "${events[@]}" --seed "$2" --out "$checkpoint" --replace --quiet
  fi
  teachers+=(--teacher "$checkpoint")
}
for seed in 1 2 3; do teach teacher.toml "$seed" "teacher-$seed"; done
teach mlp.toml 1 mlp

for model in "${models[@]}"; do
  echo "model $model" >&2
  case $model in
    jets) "$kanc" train "$here/spec.toml" "${events[@]}" "${teachers[@]}" --out "$out/jets-1.1.0" --replace
      rm -rf "$here/jets-1.1.0" && cp -r "$out/jets-1.1.0" "$here/jets-1.1.0" ;;
    float) "$kanc" train "$here/float.toml" "${events[@]}" --out "$out/jets-float.kan" --replace ;;
    published) "$kanc" train "$here/published.toml" "${events[@]}" --out "$out/jets-published-1.1.0" --replace ;;
    *) "$kanc" train "$here/$model.toml" "${events[@]}" "${teachers[@]}" --out "$out/jets-$model-1.1.0" --replace ;;
  esac
done
