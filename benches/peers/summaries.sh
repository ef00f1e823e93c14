#!/usr/bin/env bash
# Compares `prism summarize` with rliable on the same scores; see summaries.py for what must be equal.
#
# usage: benches/peers/summaries.sh [GAMES] [SEEDS]
# PEERS_VENV names the virtual environment to use or make (default: summaries in cargo's target folder).
set -euo pipefail
cd "$(dirname "$0")/../.."

target=${CARGO_TARGET_DIR:-target}
venv=${PEERS_VENV:-$target/summaries}
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv"
fi
# rliable asks for arch, which does not load with pandas 3.
"$venv/bin/pip" install --quiet --disable-pip-version-check 'rliable==1.2.0' 'pandas<3'

cargo build --quiet --release
"$venv/bin/python" benches/peers/summaries.py "$target/release/prism" "$@"
