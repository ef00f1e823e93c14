"""Races `prism train pong` against a DQN training loop in PyTorch, as CleanRL writes it, on the same cores.

Both learn Pong by the values of assets/presets/pong.toml: one environment, a replay of 100,000 transitions, batches of
32, an update every so many agent steps as --period says, 1 in the preset. The loop is ALE's own vector environment with
the rules of the protocol `cleanrl`, a replay of NumPy arrays, and learning and acting as in updates.py, in the variants
named there. Epsilon falls to its end at once, so that nearly every action is a forward pass.

Contenders take turns, each turn a process of its own that fills the replay up to the warm-up and then makes so many
updates. Agent steps/s count from the first update on: ours from the first row of timing.csv that has updates to its
last, since there is a row about every ten seconds.
"""

import argparse
import csv
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import numpy

from agents import IMAGE, preset

PRESET = preset("pong")


class Replay:
    """Stacks of frames in arrays; the next observation is the one stored after it."""

    def __init__(self, capacity, generator):
        self.capacity = capacity
        self.generator = generator
        self.observations = numpy.zeros((capacity, *IMAGE), dtype=numpy.uint8)
        self.actions = numpy.zeros(capacity, dtype=numpy.int64)
        self.rewards = numpy.zeros(capacity, dtype=numpy.float32)
        self.discounts = numpy.zeros(capacity, dtype=numpy.float32)
        # Whether a transition starts here: none does at an episode's last observation.
        self.starts = numpy.zeros(capacity, dtype=bool)
        self.added = 0

    def add(self, observation, action, reward, discount, start):
        place = self.added % self.capacity
        self.observations[place] = observation
        self.actions[place] = action
        self.rewards[place] = reward
        self.discounts[place] = discount
        self.starts[place] = start
        self.added += 1

    def sample(self, size):
        """Columns of transitions drawn uniformly, all importance weights 1."""
        # The newest place is left out, because what follows it is not there yet.
        held = min(self.added, self.capacity) - 1
        oldest = self.added - 1 - held
        places = (oldest + self.generator.integers(0, held, size)) % self.capacity
        while not (valid := self.starts[places]).all():
            redrawn = self.generator.integers(0, held, (~valid).sum())
            places[~valid] = (oldest + redrawn) % self.capacity
        return [
            self.observations[places],
            self.actions[places],
            self.rewards[places],
            self.discounts[places],
            self.observations[(places + 1) % self.capacity],
            numpy.ones(size, dtype=numpy.float32),
        ]


def make_environment():
    import ale_py.vector_env

    return ale_py.vector_env.AtariVectorEnv(
        game="pong",
        num_envs=1,
        num_threads=1,
        max_num_frames_per_episode=108_000,
        repeat_action_probability=0.0,
        full_action_space=False,
        img_height=84,
        img_width=84,
        grayscale=True,
        stack_num=4,
        frameskip=4,
        maxpool=True,
        noop_max=30,
        episodic_life=True,
        life_loss_info=False,
        reward_clipping=True,
        use_fire_reset=True,
    )


def train(variant, period, warm_up, updates, threads):
    """Agent steps/s of one training loop in PyTorch from its first update on."""
    import torch

    from agents import ACTIONS, Agent, Network
    from updates import Forward, Update, configure

    configure(threads)
    torch.manual_seed(1)
    generator = numpy.random.default_rng(1)
    learning, exploration = PRESET["learning"], PRESET["exploration"]
    agent = Agent.of("pong")
    replay = Replay(PRESET["replay"]["capacity"], generator)
    environment = make_environment()
    learner = actor = None

    observations, _ = environment.reset(seed=1)
    ended = False
    start = None
    for step in range(warm_up + period * updates):
        if step == warm_up:
            pool = [replay.sample(learning["batch_size"]) for _ in range(3)]
            learner = Update(agent, variant, Network(agent).state_dict(), pool)
            actor = Forward(variant, learner.online, [[observations]] * 3)
            learner.reset()
            start = time.perf_counter()
        if actor is None or generator.random() < exploration["epsilon_end"]:
            actions = generator.integers(0, ACTIONS, 1)
        else:
            actions, _ = actor([observations])
        following, rewards, terminated, truncated, _ = environment.step(actions)
        # After an episode's end the environment spends one step on its reset.
        discount = 0.0 if terminated[0] else learning["gamma"]
        replay.add(observations[0], actions[0], rewards[0], discount, not ended)
        ended = terminated[0] or truncated[0]
        observations = following
        if learner is not None and (step - warm_up) % period == 0:
            learner(replay.sample(learning["batch_size"]))
        if learner is not None and (step - warm_up) % learning["target_period"] == 0:
            learner.target.load_state_dict(learner.online.state_dict())
    losses = learner.finish()
    assert numpy.isfinite(losses).all(), "the last losses are not finite"
    return period * updates / (time.perf_counter() - start)


def run_torch(variant, period, arguments):
    command = [sys.executable, __file__, "--serve", variant, str(period)]
    command += [str(arguments.warm_up), str(arguments.updates), str(arguments.threads)]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def run_prism(device, period, arguments):
    from ale_py import roms

    # An agent step is four frames.
    frames = 4 * (arguments.warm_up + period * arguments.updates)
    settings = [f"learning.period={period}", f"replay.warm_up={arguments.warm_up}", "exploration.epsilon_decay=1"]
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "run"
        command = [arguments.prism, "train", "pong", "--seed", "1", "--frames", str(frames), "--device", device]
        command += ["--roms", str(roms.get_rom_path("pong").parent), "--out", str(out)]
        command += [option for setting in settings for option in ["--set", setting]]
        environment = os.environ | {"RAYON_NUM_THREADS": str(arguments.threads)}
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
        with (out / "timing.csv").open() as file:
            rows = [row for row in csv.DictReader(file) if int(row["updates"]) > 0]
    if len(rows) < 2:
        sys.exit(f"{device} made {arguments.updates} updates before timing.csv had two rows: take more --updates")
    first, last = rows[0], rows[-1]
    seconds = float(last["elapsed_seconds"]) - float(first["elapsed_seconds"])
    return (int(last["agent_steps"]) - int(first["agent_steps"])) / seconds


def race(arguments, period):
    """Agent steps/s of every turn by contender."""
    contenders = [("prism " + device, run_prism, device) for device in arguments.device]
    contenders += [(variant, run_torch, variant) for variant in arguments.variant.split(",")]
    rates = {name: [] for name, _, _ in contenders}
    for round in range(arguments.rounds):
        for turn in range(len(contenders)):
            name, run, kind = contenders[(round + turn) % len(contenders)]
            rates[name].append(run(kind, period, arguments))
            print(f"# period {period}, round {round + 1}: {name} {rates[name][-1]:.1f}", file=sys.stderr, flush=True)
    return rates


def header(arguments):
    import importlib.metadata

    cpu = next(line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name"))
    versions = {name: importlib.metadata.version(name) for name in ["torch", "ale-py", "numpy"]}
    print(f"# machine: {cpu}, {arguments.threads} cores used, {platform.system()} {platform.release()}")
    print(f"# versions: {subprocess.check_output([arguments.prism, '--version'], text=True).strip()}, ", end="")
    print(", ".join(f"{name} {version}" for name, version in versions.items()))
    print(f"# command: {os.environ.get('PEERS_COMMAND', ' '.join(sys.argv))}")
    print(f"# load average at the start: {os.getloadavg()[0]:.1f}")


def table(results):
    """A line for each period; the last column is prism's fastest over PyTorch's fastest."""
    names = list(next(iter(results.values())))
    print(f"{'period':>6}", *(f"{name:>28}" for name in names), f"{'prism / torch':>14}")
    for period, rates in results.items():
        medians = {name: statistics.median(own) for name, own in rates.items()}
        cells = (f"{medians[name]:10.1f} ({min(rates[name]):.1f}-{max(rates[name]):.1f})" for name in names)
        ours = max(median for name, median in medians.items() if name.startswith("prism "))
        best = max(median for name, median in medians.items() if not name.startswith("prism "))
        print(f"{period:6}", *(f"{cell:>28}" for cell in cells), f"{ours / best:14.2f}")


def main():
    if sys.argv[1:2] == ["--serve"]:
        print(train(sys.argv[2], *map(int, sys.argv[3:])))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prism", required=True, help="the prism binary")
    parser.add_argument("--device", action="append", required=True, help="device of prism; may be given several times")
    parser.add_argument("--variant", default="torch-eager,torch-compiled", help="variants of updates.py, with commas")
    parser.add_argument("--period", default="1,4", help="agent steps per update, with commas")
    parser.add_argument("--updates", type=int, default=2000, help="updates of each turn")
    parser.add_argument("--warm-up", type=int, default=PRESET["replay"]["warm_up"], help="agent steps before the first")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="cores used; default: all")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[: arguments.threads]))

    header(arguments)
    results = {int(period): race(arguments, int(period)) for period in arguments.period.split(",")}
    print(f"# load average at the end: {os.getloadavg()[0]:.1f}")
    print("\nagent steps/s: median (lowest-highest)\n")
    table(results)


if __name__ == "__main__":
    main()
