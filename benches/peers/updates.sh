#!/usr/bin/env bash
# Runs `prism bench` and updates.py in turns and prints one table; see updates.py for what is measured and
# side_by_side.py for how the two are put together.
#
# usage: benches/peers/updates.sh [options of side_by_side.py]
# PRISM names the prism binary (default: built here, with PRISM_FEATURES as additional features), PRISM_DEVICES its
# devices, separated by spaces (default: its own). PEERS_PYTHON names a Python that has PyTorch and NumPy; without it
# PEERS_VENV is the virtual environment to use or make (default: peers in cargo's target folder). ROUNDS says how often
# the two take turns (default: 3).
#
# On a machine with a GPU:
#   PRISM=./prism PEERS_PYTHON=python3 PRISM_DEVICES=cuda:0 benches/peers/updates.sh --json updates.json
set -euo pipefail
own=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$own/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}

python=${PEERS_PYTHON:-}
if [ -z "$python" ]; then
    venv=${PEERS_VENV:-$target/peers}
    if [ ! -x "$venv/bin/python" ]; then
        python3 -m venv "$venv"
    fi
    grep -E '^(numpy|torch)==' "$own/requirements.txt" |
        "$venv/bin/pip" install --quiet --disable-pip-version-check -r /dev/stdin
    python=$venv/bin/python
fi

prism=${PRISM:-}
if [ -z "$prism" ]; then
    (cd "$root" && cargo build --release --features "${PRISM_FEATURES:-}")
    prism=$target/release/prism
fi

devices=()
for device in ${PRISM_DEVICES:-}; do
    devices+=(--device "$device")
done

PEERS_COMMAND="PRISM_DEVICES='${PRISM_DEVICES:-}' ROUNDS=${ROUNDS:-3} benches/peers/updates.sh $*" \
    "$python" "$own/side_by_side.py" --prism "$prism" "${devices[@]}" --rounds "${ROUNDS:-3}" "$@"
