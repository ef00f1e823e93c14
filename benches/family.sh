#!/usr/bin/env bash
# Trains every member of the family on Catch and CartPole with several seeds, draws their learning curves and writes a
# table of how soon each was solved.
#
#   benches/family.sh PRISM FOLDER [SEEDS]
#
# PRISM is the program, FOLDER must not exist yet, SEEDS defaults to "1 2 3". Runs are quick: minutes for all of them.
set -euo pipefail

[ $# -ge 2 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 2; }
prism=$1
folder=$2
seeds=${3:-1 2 3}
mkdir -p "$(dirname "$folder")"
mkdir "$folder"

double="learning.bootstrap=double"
dueling="network.streams=dueling"
greedy="exploration.epsilon_start=0 exploration.epsilon_end=0"
independent="network.layers=noisy-independent network.sigma=0.017 $greedy"
factorised="network.layers=noisy-factorised network.sigma=0.5 $greedy"
priorities="replay.priority=loss replay.priority_offset=1e-5 replay.priority_exponent=0.6
            replay.importance_start=0.4 replay.importance_end=1 replay.importance_decay=50000"
proportional="replay.sampling=proportional $priorities"
rank="replay.sampling=rank-based $priorities"
distribution="network.output=distribution network.atoms=51
              learning.loss=cross-entropy learning.distribution_target=projection"

# The settings of a member, but for what depends on the environment.
settings() {
    case $1 in
        dqn) echo "learning.n_step=1" ;;
        n-step) echo "learning.n_step=3" ;;
        double) echo "learning.n_step=1 $double" ;;
        dueling) echo "learning.n_step=1 $dueling" ;;
        noisy-independent) echo "learning.n_step=1 $independent" ;;
        noisy-factorised) echo "learning.n_step=1 $factorised" ;;
        proportional) echo "learning.n_step=1 $proportional" ;;
        rank-based) echo "learning.n_step=1 $rank" ;;
        c51) echo "learning.n_step=1 $distribution" ;;
        combined) echo "learning.n_step=4 $dueling $factorised $proportional" ;;
        rainbow) echo "learning.n_step=3 $double $dueling $factorised $proportional $distribution" ;;
    esac
}
members="dqn n-step double dueling noisy-independent noisy-factorised proportional rank-based c51 combined rainbow"

# The support of returns, and how long a run may take.
of_environment() {
    case $1-$2 in
        catch-c51 | catch-rainbow) echo "network.v_min=-1.5 network.v_max=1.5" ;;
        cartpole-c51 | cartpole-rainbow) echo "network.v_min=0 network.v_max=100" ;;
    esac
    case $1 in
        catch) echo "training.agent_steps=50000" ;;
        cartpole) echo "training.agent_steps=120000" ;;
    esac
}

for environment in catch cartpole; do
    labels=()
    runs=()
    for member in $members; do
        for seed in $seeds; do
            run=$folder/$environment-$member-seed$seed
            arguments=()
            for setting in $(settings "$member") $(of_environment "$environment" "$member"); do
                arguments+=(--set "$setting")
            done
            "$prism" train "$environment" --seed "$seed" --out "$run" "${arguments[@]}" >"$folder/last-run.txt" 2>&1 ||
                { cat "$folder/last-run.txt"; exit 1; }
            rm -rf "$run/weights" "$run"/events.*
            labels+=(--label "$member=$run")
            runs+=("$run")
            echo "$environment $member seed $seed: $(tail -n 4 "$folder/last-run.txt" | head -n 1)"
        done
    done
    "$prism" plot curves "${runs[@]}" "${labels[@]}" --out "$folder/$environment.svg"
done
rm "$folder/last-run.txt"

python3 - "$folder" <<'PYTHON'
"""Writes summary.csv: a row for each run."""
import csv, json, pathlib, sys

folder = pathlib.Path(sys.argv[1])
with open(folder / "summary.csv", "w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["run", "ending", "agent_steps", "episodes", "updates", "mean_score", "elapsed_seconds"])
    for path in sorted(folder.glob("*/summary.json")):
        s = json.loads(path.read_text())
        row = [s[key] for key in ("ending", "agent_steps", "episodes", "updates", "mean_score")]
        writer.writerow([path.parent.name, *row, round(s["elapsed_seconds"], 1)])
PYTHON
echo "curves and summary.csv are in $folder"
