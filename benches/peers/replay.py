"""Times prioritized replay as it is written with NumPy, and prints it beside what our benchmark has just measured.

All hold a million transitions with priorities from 0.01 to 10.01, priority exponent 0.6, importance exponent 0.4, and
observations of 4 bytes, so that copying them costs next to nothing. `sample` draws a batch with its importance weights
and gathers its columns (the naive one gathers none); `update` sets the priorities of a batch of random transitions.

  proportional   ours, a sum tree              rank-based   ours, a binary heap sorted every so often
  naive          in Rust, adds up all masses for each batch
  numpy-tree     a sum tree in an array, whole batches walk it level by level
  numpy-choice   numpy.random.choice over all priorities, powers and all, as the book samples

Our figures are criterion's medians, NumPy's are medians over rounds in which its contenders and sizes take turns; the
first round is thrown away.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import sys
import time

import numpy

TRANSITIONS = 1_000_000
PRIORITY_EXPONENT = 0.6
IMPORTANCE_EXPONENT = 0.4
SIZES = [32, 256]
OURS = ["proportional", "rank-based", "naive"]


class Columns:
    """What a batch is gathered from."""

    def __init__(self):
        self.observations = numpy.zeros((TRANSITIONS, 4), dtype=numpy.uint8)
        self.next_observations = numpy.zeros((TRANSITIONS, 4), dtype=numpy.uint8)
        self.actions = numpy.zeros(TRANSITIONS, dtype=numpy.int32)
        self.returns = numpy.ones(TRANSITIONS, dtype=numpy.float32)
        self.discounts = numpy.ones(TRANSITIONS, dtype=numpy.float32)

    def gather(self, ids):
        columns = (self.observations, self.actions, self.returns, self.discounts, self.next_observations)
        return [column[ids] for column in columns]


class Tree:
    """Sums in an array whose second half are the masses."""

    def __init__(self, priorities, columns, generator):
        self.columns = columns
        self.generator = generator
        self.leaves = 1 << (TRANSITIONS - 1).bit_length()
        self.nodes = numpy.zeros(2 * self.leaves)
        self.nodes[self.leaves : self.leaves + TRANSITIONS] = priorities**PRIORITY_EXPONENT
        level = self.leaves
        while level > 1:
            self.nodes[level // 2 : level] = self.nodes[level : 2 * level].reshape(-1, 2).sum(axis=1)
            level //= 2

    def find(self, targets):
        nodes = numpy.ones(len(targets), dtype=numpy.int64)
        while nodes[0] < self.leaves:
            nodes *= 2
            left = self.nodes[nodes]
            right = targets >= left
            targets = targets - left * right
            nodes += right
        return nodes - self.leaves

    def sample(self, size):
        total = self.nodes[1]
        ids = self.find((numpy.arange(size) + self.generator.random(size)) * (total / size))
        weights = (TRANSITIONS * self.nodes[self.leaves + ids] / total) ** -IMPORTANCE_EXPONENT
        return ids, weights / weights.max(), self.columns.gather(ids)

    def update(self, ids, priorities):
        nodes = ids + self.leaves
        self.nodes[nodes] = priorities**PRIORITY_EXPONENT
        while nodes[0] > 1:
            nodes = nodes // 2
            self.nodes[nodes] = self.nodes[2 * nodes] + self.nodes[2 * nodes + 1]


class Choice:
    """All priorities are raised, normalised and handed to numpy.random.choice for each batch."""

    def __init__(self, priorities, columns, generator):
        self.columns = columns
        self.generator = generator
        self.priorities = priorities.copy()

    def sample(self, size):
        masses = self.priorities**PRIORITY_EXPONENT
        probabilities = masses / masses.sum()
        ids = self.generator.choice(TRANSITIONS, size, p=probabilities)
        weights = (TRANSITIONS * probabilities[ids]) ** -IMPORTANCE_EXPONENT
        return ids, weights / weights.max(), self.columns.gather(ids)

    def update(self, ids, priorities):
        self.priorities[ids] = priorities


def check(priorities, tree, choice, update):
    """Both must hold the same masses after updates, the tree must find what adding up finds."""
    for contender in [tree, choice]:
        for ids, values in update:
            contender.update(ids, values)
    for ids, values in update:
        priorities[ids] = values
    masses = priorities**PRIORITY_EXPONENT
    sums = numpy.cumsum(masses)
    targets = tree.generator.random(10_000) * sums[-1]
    expected = numpy.searchsorted(sums, targets, side="right")
    assert abs(tree.nodes[1] / sums[-1] - 1) < 1e-9
    assert (tree.find(targets) == expected).mean() > 0.999, "rounding may move a few targets, not many"
    assert (choice.priorities == priorities).all()
    for contender in [tree, choice]:
        ids, weights, columns = contender.sample(256)
        expected = (masses[ids] / masses[ids].min()) ** -IMPORTANCE_EXPONENT
        assert numpy.allclose(weights, expected) and columns[0].shape == (256, 4)


def timed(call, seconds):
    """Microseconds per call over about this time."""
    calls = 0
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        call()
        calls += 1
    return 1e6 * (time.perf_counter() - start) / calls


def race(rounds, seconds):
    """Microseconds by (operation, contender, size)."""
    generator = numpy.random.default_rng(1)
    priorities = generator.uniform(0.01, 10.01, TRANSITIONS)
    columns = Columns()
    kinds = {"numpy-tree": Tree, "numpy-choice": Choice}
    contenders = {name: kind(priorities, columns, generator) for name, kind in kinds.items()}
    updates = {
        size: [(generator.integers(0, TRANSITIONS, size), generator.uniform(0.01, 10.01, size)) for _ in range(1024)]
        for size in SIZES
    }
    check(priorities, *contenders.values(), updates[256])
    cases = [(name, size) for name in contenders for size in SIZES]
    measured = {}
    for round in range(rounds + 1):
        for name, size in cases[round % len(cases) :] + cases[: round % len(cases)]:
            contender, turn = contenders[name], iter(range(10**9))
            results = {
                "sample": timed(lambda: contender.sample(size), seconds),
                "update": timed(lambda: contender.update(*updates[size][next(turn) % 1024]), seconds),
            }
            if round > 0:
                for operation, result in results.items():
                    measured.setdefault((operation, name, size), []).append(result)
    return {case: statistics.median(results) for case, results in measured.items()}


def ours(folder):
    """Criterion's medians in microseconds, by (operation, contender, size)."""
    medians = {}
    for operation in ["sample", "update"]:
        for name in OURS:
            for size in SIZES:
                path = folder / f"prioritized_{operation}" / name / str(size) / "new" / "estimates.json"
                medians[operation, name, size] = json.loads(path.read_text())["median"]["point_estimate"] / 1e3
    return medians


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--criterion", type=pathlib.Path, required=True, help="the folder of our benchmark's results")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.3, help="length of one turn")
    arguments = parser.parse_args()

    cpu = next(line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name"))
    print(f"# machine: {cpu}, {platform.system()} {platform.release()}, load average {os.getloadavg()[0]:.1f}")
    print(f"# versions: prism {os.environ.get('PRISM_COMMIT', 'unknown commit')}, ", end="")
    print(f"numpy {numpy.__version__}, Python {platform.python_version()}")
    print(f"# command: {os.environ.get('PEERS_COMMAND', ' '.join(sys.argv))}")

    times = ours(arguments.criterion) | race(arguments.rounds, arguments.seconds)
    print(f"\nmicroseconds per batch out of {TRANSITIONS:,} transitions (in brackets: times our sum tree's)\n")
    names = [*OURS, "numpy-tree", "numpy-choice"]
    print(f"{'':10} {'B':>4}", *(f"{name:>20}" for name in names))
    for operation in ["sample", "update"]:
        for size in SIZES:
            tree = times[operation, "proportional", size]
            own = [times[operation, name, size] for name in names]
            print(f"{operation:10} {size:4}", *(f"{value:10.1f} ({value / tree:7.1f})" for value in own))
    print(f"\nload average at the end: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
