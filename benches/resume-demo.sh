#!/bin/sh
# Shows that a run which is killed and resumed becomes, byte for byte, the run that was never interrupted. The emulator is inside:
# Pong, with two environments. Takes a minute or two on two cores.
#
#   benches/resume-demo.sh target/release/prism
set -eu
prism=${1:?usage: benches/resume-demo.sh PATH-OF-PRISM}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
records='episodes.csv train.csv evaluations.csv config.toml weights/latest.safetensors'

say() { printf '\n== %s\n' "$*"; }

settings='--agent-steps 3000 --set environment.count=2 --set replay.warm_up=1000 --set replay.capacity=2000
    --set learning.period=4 --set training.save_period=250 --set environment.frame_limit=1600
    --set evaluation.period=1500 --set evaluation.episodes=2'

# Starts the command in the background, lets it get on for some seconds, and kills it as the kernel does: no signal handler
# runs, nothing is flushed.
kill_after() {
    seconds=$1
    shift
    "$@" >"$folder/output" 2>&1 &
    process=$!
    sleep "$seconds"
    if kill -KILL "$process" 2>/dev/null; then
        printf '   killed (SIGKILL) after %s s, at agent step %s\n' "$seconds" \
            "$(tail -n 1 "$folder/killed/episodes.csv" | cut -d , -f 3) or later"
    else
        printf '   it had ended before it could be killed\n'
    fi
    wait "$process" 2>/dev/null || true
}

say 'A run of Pong that nothing interrupts'
# shellcheck disable=SC2086 # The settings are many words.
"$prism" train pong --seed 1 --out "$folder/whole" $settings 2>&1 | tail -n 4

say 'The same run, killed three times'
# shellcheck disable=SC2086
kill_after 3 "$prism" train pong --seed 1 --out "$folder/killed" $settings
kill_after 4 "$prism" resume "$folder/killed"
kill_after 6 "$prism" resume "$folder/killed"
"$prism" resume "$folder/killed" 2>&1 | tail -n 4

say 'Their records'
printf '%-28s %-18s %-18s\n' '' 'never interrupted' 'killed, resumed'
outcome=0
for name in $records; do
    whole=$(sha256sum <"$folder/whole/$name" | cut -c 1-16)
    killed=$(sha256sum <"$folder/killed/$name" | cut -c 1-16)
    if cmp -s "$folder/whole/$name" "$folder/killed/$name"; then verdict=equal; else verdict=DIFFERENT outcome=1; fi
    printf '%-28s %-18s %-18s %s, %s bytes\n' "$name" "$whole" "$killed" "$verdict" "$(wc -c <"$folder/whole/$name")"
done
exit $outcome
