#!/usr/bin/env bash
# Races `prism train pong` against a DQN training loop in PyTorch; see train_loop.py for what is held equal.
#
# usage: benches/peers/train_loop.sh [options of train_loop.py]
# PRISM names the prism binary (default: built here, with PRISM_FEATURES as additional features), PRISM_DEVICES its
# devices, separated by spaces (default: flex). PEERS_PYTHON names a Python that has PyTorch, ale-py and gymnasium; without
# it PEERS_VENV is the virtual environment to use or make (default: peers in cargo's target folder).
#
# On a machine with a GPU (a turn should last half a minute or more):
#   PRISM=./prism PEERS_PYTHON=python3 PRISM_DEVICES=cuda:0 benches/peers/train_loop.sh --updates 20000 \
#       --variant torch-eager-cuda,torch-compiled-cuda,torch-cuda-graphs
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
    grep -E '^(ale-py|gymnasium|numpy|torch)==' "$own/requirements.txt" |
        "$venv/bin/pip" install --quiet --disable-pip-version-check -r /dev/stdin
    python=$venv/bin/python
fi

prism=${PRISM:-}
if [ -z "$prism" ]; then
    (cd "$root" && cargo build --release --features "${PRISM_FEATURES:-}")
    prism=$target/release/prism
fi

devices=()
for device in ${PRISM_DEVICES:-flex}; do
    devices+=(--device "$device")
done

PEERS_COMMAND="PRISM_DEVICES='${PRISM_DEVICES:-flex}' benches/peers/train_loop.sh $*" \
    "$python" "$own/train_loop.py" --prism "$prism" "${devices[@]}" "$@"
