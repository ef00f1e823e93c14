#!/usr/bin/env bash
# Races our vector environment against ALE's and EnvPool's; see vector_environment.py for what is held equal.
#
# usage: benches/peers/vector_environment.sh [options of vector_environment.py]
# PEERS_VENV names the virtual environment to use or make (default: peers in cargo's target folder).
set -euo pipefail
cd "$(dirname "$0")/../.."

target=${CARGO_TARGET_DIR:-target}
venv=${PEERS_VENV:-$target/peers}
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv"
fi
grep -v '^torch==' benches/peers/requirements.txt |
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r /dev/stdin

cargo build --release -p prism-environment --example vector_speed

PRISM_COMMIT=$(git describe --always --dirty --exclude '*') \
PEERS_COMMAND="benches/peers/vector_environment.sh $*" \
    "$venv/bin/python" benches/peers/vector_environment.py --prism "$target/release/examples/vector_speed" "$@"
