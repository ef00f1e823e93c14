#!/usr/bin/env bash
# One update of DQN, C51 and Rainbow at batches of 32 and 256, beside PyTorch eager and compiled, in turns on the same
# cores; peers/updates.sh says what it needs and how it is told where prism and PyTorch are.
#
# usage: benches/learner_step.sh [options of peers/side_by_side.py]
exec "$(dirname "${BASH_SOURCE[0]}")/peers/updates.sh" --task update --batch 32,256 "$@"
