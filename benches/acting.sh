#!/usr/bin/env bash
# A forward pass of DQN, C51 and Rainbow over 1, 8 and 32 observations, beside PyTorch eager and compiled, in turns on the
# same cores; peers/updates.sh says what it needs and how it is told where prism and PyTorch are.
#
# usage: benches/acting.sh [options of peers/side_by_side.py]
exec "$(dirname "${BASH_SOURCE[0]}")/peers/updates.sh" --task forward --batch 1,8,32 "$@"
