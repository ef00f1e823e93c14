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

# The members with their settings for an environment, a line each, from what tests/learning.rs reads as well.
family() {
    python3 - "$(dirname "$0")/../assets/family.toml" "$1" <<'PYTHON'
import sys, tomllib

with open(sys.argv[1], "rb") as file:
    family = tomllib.load(file)
groups = family["groups"] | family["environments"][sys.argv[2]]
print("dqn")
for member, names in family["members"].items():
    print(member, *(setting for name in names for setting in groups[name]))
PYTHON
}

limit() {
    case $1 in
        catch) echo "training.agent_steps=50000" ;;
        cartpole) echo "training.agent_steps=120000" ;;
    esac
}

for environment in catch cartpole; do
    labels=()
    runs=()
    while read -r member settings; do
        for seed in $seeds; do
            run=$folder/$environment-$member-seed$seed
            arguments=()
            for setting in $settings $(limit "$environment"); do
                arguments+=(--set "$setting")
            done
            "$prism" train "$environment" --seed "$seed" --out "$run" "${arguments[@]}" >"$folder/last-run.txt" 2>&1 ||
                { cat "$folder/last-run.txt"; exit 1; }
            rm -rf "$run/weights" "$run"/events.*
            labels+=(--label "$member=$run")
            runs+=("$run")
            echo "$environment $member seed $seed: $(tail -n 4 "$folder/last-run.txt" | head -n 1)"
        done
    done < <(family "$environment")
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
