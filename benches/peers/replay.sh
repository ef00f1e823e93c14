#!/usr/bin/env bash
# Times prioritized sampling out of a million transitions, ours and NumPy's; see replay.py for what is held equal.
#
# usage: benches/peers/replay.sh [options of replay.py]
# PEERS_VENV names the virtual environment to use or make (default: peers in cargo's target folder), PRISM_PROFILE the
# cargo profile of our benchmark (default: bench).
set -euo pipefail
cd "$(dirname "$0")/../.."

target=${CARGO_TARGET_DIR:-target}
venv=${PEERS_VENV:-$target/peers}
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv"
fi
grep '^numpy==' benches/peers/requirements.txt |
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r /dev/stdin

cargo bench --workspace --bench replay --profile "${PRISM_PROFILE:-bench}" -- prioritized/

PRISM_COMMIT=$(git describe --always --dirty --exclude '*') \
PEERS_COMMAND="PRISM_PROFILE=${PRISM_PROFILE:-bench} benches/peers/replay.sh $*" \
    "$venv/bin/python" benches/peers/replay.py --criterion "$target/criterion" "$@"
