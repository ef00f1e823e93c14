"""Races our vector environment against ALE's AtariVectorEnv and EnvPool on the same cores in one run.

Every contender is a process that builds its environments once and then waits for "run SECONDS" lines. For each game
and number of environments the contenders take turns for `--rounds` rounds, after one warm-up round that is thrown away;
the table shows medians over rounds. Noise of the machine thus falls on all alike; CPU time per step, which noise hardly
touches, is recorded as well.

All play uniformly random minimal actions with frame skip 4, two-frame max-pooling, 84x84 grey area-resized
observations, stack 4, up to 30 no-ops and FIRE at the start, clipped rewards, no sticky actions, 108,000 frames an
episode, no signal at life loss.
"""

import argparse
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

# prism plays on ALE's library of 2020, prism-console on the console in Rust.
CONTENDERS = ["prism", "prism-console", "ale-py", "envpool"]
COLUMNS = "game,environments,contender,round,agent_steps,seconds,cpu_seconds"


def peer_ale(game, count, threads):
    import ale_py.vector_env

    environment = ale_py.vector_env.AtariVectorEnv(
        game=game,
        num_envs=count,
        num_threads=threads,
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
        episodic_life=False,
        life_loss_info=False,
        reward_clipping=True,
        use_fire_reset=True,
    )
    environment.reset(seed=1)
    return environment.step, environment.single_action_space.n


def peer_envpool(game, count, threads):
    import envpool

    environment = envpool.make(
        f"{game.title().replace('_', '')}-v5",
        env_type="gymnasium",
        num_envs=count,
        batch_size=count,
        num_threads=threads,
        seed=1,
        max_episode_steps=27_000,
        repeat_action_probability=0.0,
        full_action_space=False,
        img_height=84,
        img_width=84,
        gray_scale=True,
        use_inter_area_resize=True,
        stack_num=4,
        frame_skip=4,
        noop_max=30,
        episodic_life=False,
        zero_discount_on_life_loss=False,
        reward_clip=True,
        use_fire_reset=True,
    )
    environment.reset()
    return environment.step, environment.action_space.n


def serve(contender, game, count, threads):
    """The process of one Python contender."""
    import numpy

    step, actions = {"ale-py": peer_ale, "envpool": peer_envpool}[contender](game, count, threads)
    # Drawn beforehand, so that drawing costs nobody any time.
    drawn = numpy.random.default_rng(1).integers(0, actions, size=(4096, count), dtype=numpy.int32)
    turn = 0
    print("ready", flush=True)
    for line in sys.stdin:
        limit = float(line.split()[1])
        steps = 0
        start = time.perf_counter()
        while time.perf_counter() - start < limit:
            observations = step(drawn[turn % len(drawn)])[0]
            turn += 1
            steps += count
        seconds = time.perf_counter() - start
        assert observations.shape == (count, 4, 84, 84) and observations.any()
        print(steps, seconds, flush=True)


class Process:
    def __init__(self, contender, arguments, game, count):
        threads = str(min(count, arguments.threads))
        if contender.startswith("prism"):
            from ale_py import roms

            emulator = {"prism": "ale", "prism-console": "console"}[contender]
            command = [arguments.prism, str(roms.get_rom_path(game).parent), game, str(count), threads, emulator]
        else:
            command = [sys.executable, __file__, "--serve", contender, game, str(count), threads]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        ready = self.process.stdout.readline()
        assert ready == "ready\n", f"{contender} did not start: {ready!r}"

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def run(self, seconds):
        before = self.cpu_seconds()
        self.process.stdin.write(f"run {seconds}\n")
        self.process.stdin.flush()
        steps, elapsed = self.process.stdout.readline().split()
        return int(steps), float(elapsed), self.cpu_seconds() - before

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=30) == 0


def race(arguments, game, count):
    """Rows of one game and number of environments."""
    processes = {contender: Process(contender, arguments, game, count) for contender in CONTENDERS}
    rows = []
    for round in range(arguments.rounds + 1):
        # A different order each round: nobody always follows the same neighbour.
        for turn in range(len(CONTENDERS)):
            contender = CONTENDERS[(round + turn) % len(CONTENDERS)]
            steps, seconds, cpu = processes[contender].run(arguments.seconds)
            if round > 0:
                rows.append((game, count, contender, round, steps, f"{seconds:.6f}", f"{cpu:.2f}"))
    for process in processes.values():
        process.close()
    return rows


def summarise(rows):
    """Per contender the median steps/s, the spread of the middle half in percent, and CPU microseconds per step."""
    summary = {}
    for contender in CONTENDERS:
        own = [row for row in rows if row[2] == contender]
        rates = sorted(row[4] / float(row[5]) for row in own)
        quartiles = statistics.quantiles(rates, n=4) if len(rates) > 1 else [rates[0]] * 3
        median = statistics.median(rates)
        cpu = 1e6 * sum(float(row[6]) for row in own) / sum(row[4] for row in own)
        summary[contender] = (median, 100 * (quartiles[2] - quartiles[0]) / median, cpu)
    return summary


def machine():
    import importlib.metadata

    cpu = next(line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name"))
    versions = {name: importlib.metadata.version(name) for name in ["ale-py", "envpool", "numpy"]}
    return [
        f"machine: {cpu}, {len(os.sched_getaffinity(0))} cores used, {platform.system()} {platform.release()}",
        f"versions: prism {os.environ.get('PRISM_COMMIT', 'unknown commit')}, "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
        + f", Python {platform.python_version()}",
        f"command: {os.environ.get('PEERS_COMMAND', ' '.join(sys.argv))}",
        f"load average at the start: {os.getloadavg()[0]:.1f}",
    ]


def record(path, mode, lines):
    """Writes as the race goes on: what was measured before an interruption stays."""
    with path.open(mode) as file:
        file.writelines(f"{line}\n" for line in lines)


def main():
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prism", required=True, help="the built example vector_speed")
    parser.add_argument("--games", nargs="+", default=["pong", "breakout"])
    parser.add_argument("--environments", nargs="+", type=int, default=[1, 8, 64])
    parser.add_argument("--threads", type=int, default=2, help="threads per contender and cores used by all")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one turn")
    parser.add_argument("--csv", type=pathlib.Path, help="where every turn is recorded")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[: arguments.threads]))

    header = [f"# {line}" for line in machine()]
    print("\n".join(header))
    print(f"\nagent steps/s: median of {arguments.rounds} turns of {arguments.seconds} s (middle half spans x%)\n")
    print(f"{'game':9} {'N':>3}", *(f"{contender:>16} {'CPU us/step':>12}" for contender in CONTENDERS), end="")
    print(f"{'/ ale-py':>10} {'/ envpool':>10}")
    if arguments.csv:
        record(arguments.csv, "w", [*header, COLUMNS])
    for game in arguments.games:
        for count in arguments.environments:
            rows = race(arguments, game, count)
            if arguments.csv:
                record(arguments.csv, "a", [",".join(map(str, row)) for row in rows])
            summary = summarise(rows)
            print(f"{game:9} {count:3}", end="")
            for median, spread, cpu in summary.values():
                print(f" {median:9,.0f} ({spread:3.0f}%) {cpu:12.0f}", end="")
            ours = summary["prism"][0]
            print(f" {ours / summary['ale-py'][0]:9.2f} {ours / summary['envpool'][0]:10.2f}", flush=True)
    print(f"\nload average at the end: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
