"""Compares `prism summarize` with rliable on the same scores.

Writes run folders of three agents on several Atari games with random scores, has `prism summarize` read them, and computes
the same numbers with rliable from the human-normalised scores that the table of prism has. Values must agree to rounding,
ends of intervals to a twentieth of the interval: both draw 50,000 samples, of different random streams.

usage: summaries.py PRISM [GAMES] [SEEDS]
"""

import csv
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
from rliable import library, metrics

GAMES = ["asterix", "boxing", "breakout", "freeway", "hero", "pong", "qbert", "seaquest", "tennis", "zaxxon"]
SAMPLES = 50_000


def write_run(folder, agent, game, seed, score):
    run = folder / f"{agent}-{game}-{seed}"
    run.mkdir()
    (run / "config.toml").write_text(
        f'[environment]\ngame = "{game}"\n[learning]\nagent = "{agent}"\n[replay]\nwarm_up = 0\n'
        '[training]\nscore_window = 1\nstop_score = "none"\n'
    )
    manifest = dict(name=agent, environment=game, protocol="deepmind", seed=seed, device="flex", commit="0")
    (run / "manifest.json").write_text(json.dumps(manifest))
    (run / "episodes.csv").write_text(f"agent_steps,score\n1,{score}\n")
    return str(run)


def main():
    prism = pathlib.Path(sys.argv[1]).resolve()
    games = GAMES[: int(sys.argv[2])] if len(sys.argv) > 2 else GAMES
    seeds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    generator = numpy.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        runs = []
        for strength, agent in enumerate(["dqn", "c51", "rainbow"]):
            for game in games:
                for seed in range(seeds):
                    score = round(generator.gamma(2 + strength, 20 + 10 * strength), 2)
                    runs.append(write_run(folder, agent, game, seed, score))
        table = folder / "all.csv"
        subprocess.run([prism, "summarize", *runs, "--csv", table], check=True, stdout=subprocess.DEVNULL)
        rows = list(csv.DictReader(table.open()))

    agents = {}
    for row in rows:
        if row["quantity"] == "human-normalised score":
            agents.setdefault(row["agent"], {}).setdefault(row["game"], []).append(float(row["value"]))
    scores = {agent: numpy.array(list(of.values())).T for agent, of in agents.items()}
    names = {
        "interquartile mean": metrics.aggregate_iqm,
        "median": metrics.aggregate_median,
        "mean": metrics.aggregate_mean,
        "optimality gap": metrics.aggregate_optimality_gap,
    }
    every = lambda x: numpy.array([metric(x) for metric in names.values()])
    values, intervals = library.get_interval_estimates(scores, every, reps=SAMPLES)
    expected = {
        (name, agent, ""): (values[agent][index], *intervals[agent][:, index])
        for agent in scores
        for index, name in enumerate(names)
    }
    order = list(scores)
    pairs = {f"{one},{other}": (scores[one], scores[other]) for i, one in enumerate(order) for other in order[i + 1 :]}
    values, intervals = library.get_interval_estimates(pairs, metrics.probability_of_improvement, reps=SAMPLES)
    for pair in pairs:
        one, other = pair.split(",")
        low, high = intervals[pair].ravel()
        expected["probability of improvement", one, other] = (float(values[pair]), low, high)

    worst = [0.0, 0.0]
    for (quantity, agent, over), (value, low, high) in expected.items():
        [row] = [r for r in rows if (r["quantity"], r["agent"], r["over"]) == (quantity, agent, over)]
        ours = [float(row[column]) for column in ("value", "low", "high")]
        label = f"{quantity}, {agent}{' over ' + over if over else ''}"
        print(f"{label:46} {ours[0]:8.4f} [{ours[1]:.4f}, {ours[2]:.4f}]   rliable {value:8.4f} [{low:.4f}, {high:.4f}]")
        width = max(high - low, 1e-9)
        worst = [
            max(worst[0], abs(ours[0] - value)),
            max(worst[1], abs(ours[1] - low) / width, abs(ours[2] - high) / width),
        ]
    print(f"{len(games)} games, {seeds} runs of each: values differ by {worst[0]:.1e} at most, ends of intervals by "
          f"{worst[1]:.1%} of the interval")
    if worst[0] > 1e-9 or worst[1] > 0.05:
        sys.exit("these are not the same numbers")


main()
