#!/usr/bin/env bash
# Trains members of the family on Catch and CartPole with several seeds, draws their learning curves and writes a table
# of how soon each was solved.
#
#   benches/family.sh PRISM FOLDER [SEEDS] [MEMBERS]
#
# PRISM is the program, FOLDER must not exist yet, SEEDS defaults to "1 2 3", MEMBERS to all ("dqn c51 qr-dqn" takes three).
# A run takes a second on Catch and up to a minute on CartPole.
set -euo pipefail

[ $# -ge 2 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2; }
prism=$1
folder=$2
seeds=${3:-1 2 3}
members=${4:-}

# The chosen members with their settings for an environment, a line each, from what tests/learning.rs reads as well.
family() {
    python3 - "$(dirname "$0")/../assets/family.toml" "$1" "$members" <<'PYTHON'
import sys, tomllib

with open(sys.argv[1], "rb") as file:
    family = tomllib.load(file)
groups = family["groups"] | family["environments"][sys.argv[2]]
settings = {"dqn": []} | {
    member: [setting for name in names for setting in groups[name]] for member, names in family["members"].items()
}
chosen = sys.argv[3].split() or list(settings)
unknown = [member for member in chosen if member not in settings]
if unknown:
    sys.exit(f"no member is called {unknown[0]!r}: there are {' '.join(settings)}")
for member in chosen:
    print(member, *settings[member])
PYTHON
}

# Before anything runs: an unknown member ends the script here.
family catch >/dev/null
mkdir -p "$(dirname "$folder")"
mkdir "$folder"

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
