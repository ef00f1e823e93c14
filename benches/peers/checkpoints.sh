#!/usr/bin/env bash
# What it takes to save and load a replay: ours in parts, Stable-Baselines3's pickled, and the frames as a plain file, one after
# the other. The frames are those of 20,000 steps of Pong, again and again.
#
#   benches/peers/checkpoints.sh [TRANSITIONS OF OURS] [TRANSITIONS OF SB3]
#
# SB3 takes 28 kB for a transition: a million do not fit into this machine, so by default it has a tenth of ours.
# PEERS_VENV names the virtual environment to use or make (default: checkpoints in cargo's target folder).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

ours=${1:-1000000}
theirs=${2:-100000}
target=${CARGO_TARGET_DIR:-target}
venv=${PEERS_VENV:-$target/checkpoints}
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv"
fi
"$venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.15.0 stable-baselines3==2.9.2

folder=$(mktemp -d ./checkpoints.XXXXXX)
trap 'rm -rf "$folder"' EXIT
frames=$(realpath "$folder")/frames
echo '== prism'
PRISM_TRANSITIONS=$ours PRISM_FRAMES=$frames \
    cargo test --quiet --release --test prism checkpoint_cost -- --nocapture | grep -v '^$\|^running\|^test '
echo '== Stable-Baselines3'
"$venv/bin/python" benches/peers/checkpoints.py "$frames" "$theirs" "$folder"
