"""Times updates and forward passes of DQN, C51 and Rainbow in PyTorch; updates.sh puts ours beside them.

An update is: a batch of NumPy arrays, as a replay gives them, copied to the device (observations as bytes, divided by
255 there); noise drawn; the target network's forward pass, for double targets the online network's too; forward and
backward pass of the online network; the bound on the gradient's norm where the preset has one; the optimiser's step.
The losses of each example are read on the host one update late, so that the device is never waited for in vain.

A forward pass is: observations copied to the device as bytes, noise drawn, q-values, and their largest on the host.

  torch-eager         as CleanRL does it, with PyTorch's default implementation of the optimiser
  torch-compiled      torch.compile of the losses with their backward pass; Adam fused, RMSProp, which PyTorch does not
                      fuse, compiled
  torch-cuda-graphs   the compiled parts captured in one CUDA graph, everything between upload and read

The first two are also there for CUDA, as torch-eager-cuda and torch-compiled-cuda. On CUDA, cuDNN chooses its
algorithms by trial and TF32 is allowed in convolutions and products of matrices. Arrays are copied from pinned memory,
but for torch-eager-cuda, which leaves that to PyTorch.

Variants of one case take turns; medians and quartiles are over rounds, of which the first is thrown away. Before that
each variant makes three updates from the weights and batches of the eager one; losses and weights must agree.

On cores that others use too, PyTorch's threads lose most of their time waiting for one another. Measure on an idle
machine, or set OMP_WAIT_POLICY=passive.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import statistics
import sys
import time
import traceback

import numpy
import torch

from agents import ACTIONS, IMAGE, Agent, Network, draw_noise, losses, optimiser

AGENTS = ["dqn", "c51", "rainbow", "dqn-impala"]
BATCHES = {"forward": [1, 8, 32, 256], "update": [32, 256, 512]}
VARIANTS = {
    "torch-eager": "PyTorch on the processor, eager, default optimiser",
    "torch-compiled": "PyTorch on the processor, torch.compile, fused Adam or compiled RMSProp",
    "torch-eager-cuda": "PyTorch on CUDA, eager, default optimiser, TF32",
    "torch-compiled-cuda": "PyTorch on CUDA, torch.compile, fused Adam or compiled RMSProp, TF32",
    "torch-cuda-graphs": "PyTorch on CUDA, compiled parts in one CUDA graph, TF32",
}
# Batches that take turns as those of a replay do; one batch again and again would be learned by heart.
POOL = 8
WARM_UP = 3


def of_cuda(variant):
    return "cuda" in variant


def device_of(variant):
    return torch.device("cuda" if of_cuda(variant) else "cpu")


class Pageable:
    """Arrays become tensors; on the processor without a copy."""

    def __init__(self, device):
        self.device = device

    def __call__(self, arrays):
        return [torch.from_numpy(array).to(self.device) for array in arrays]


class Pinned:
    """Arrays are copied to pinned memory, from where the device fetches them into tensors that stay where they are.

    Two sets take turns. Who uses this waits for an operation before starting the next but one, so that a set is free
    when its turn comes.
    """

    def __init__(self, arrays):
        self.sets = [[torch.from_numpy(array).pin_memory() for array in arrays] for _ in range(2)]
        self.tensors = [pinned.cuda() for pinned in self.sets[0]]

    def __call__(self, arrays):
        self.sets.reverse()
        for pinned, tensor, array in zip(self.sets[0], self.tensors, arrays, strict=True):
            pinned.numpy()[...] = array
            tensor.copy_(pinned, non_blocking=True)
        return self.tensors


class LateRead:
    """Gives back on the host what was computed one operation earlier."""

    def __init__(self):
        self.pending = None

    def __call__(self, tensor):
        if tensor.is_cuda:
            host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
            host.copy_(tensor, non_blocking=True)
            done = torch.cuda.Event()
            done.record()
            return self.exchange((host, done))
        return self.exchange((tensor, None))

    def exchange(self, pending):
        earlier, self.pending = self.pending, pending
        if earlier is None:
            return None
        host, done = earlier
        if done is not None:
            done.synchronize()
        return host.numpy()

    def finish(self):
        """What is still outstanding."""
        return self.exchange(None)


class CudaGraph:
    """A function of no arguments, captured once and replayed at each call; its result stays where it is."""

    def __init__(self, function):
        # Capture wants everything allocated, compiled and tuned beforehand, away from the main stream.
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                function()
        torch.cuda.current_stream().wait_stream(stream)
        torch.cuda.synchronize()
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.result = function()

    def __call__(self):
        self.graph.replay()
        return self.result


class Update:
    """Updates of one agent in one variant."""

    def __init__(self, agent, variant, weights, pool):
        self.device = device_of(variant)
        self.agent = agent
        self.weights = weights
        self.online, self.target = (Network(agent).to(self.device) for _ in range(2))
        self.noise = torch.zeros(2 * sum(self.online.factors), device=self.device)
        self.parameters = list(self.online.parameters())
        self.read = LateRead()
        if "eager" in variant:
            self.upload = Pageable(self.device)
            self.losses = losses
            self.optimiser = optimiser(agent, self.parameters)
            self.step = self.optimiser.step
        else:
            self.upload = Pinned(pool[0]) if of_cuda(variant) else Pageable(self.device)
            self.losses = torch.compile(losses, dynamic=False)
            capturable = {"capturable": True} if variant == "torch-cuda-graphs" else {}
            if agent.optimiser["kind"] == "adam":
                self.optimiser = optimiser(agent, self.parameters, fused=True, **capturable)
                self.step = self.optimiser.step
            else:
                self.optimiser = optimiser(agent, self.parameters, **capturable)
                self.step = torch.compile(self.optimiser.step, dynamic=False)
        self.reset()
        if variant == "torch-cuda-graphs":
            columns = self.upload(pool[0])
            graph = CudaGraph(lambda: self.learn(columns))
            self.compute = lambda _columns: graph()
        else:
            self.compute = self.learn
            for arrays in pool[:WARM_UP]:
                self(arrays)
            self.read.finish()

    def reset(self):
        """Back to the initial weights, in place, so that captured and compiled parts see them."""
        for network in [self.online, self.target]:
            network.load_state_dict(self.weights)
        for state in self.optimiser.state.values():
            for value in state.values():
                value.zero_()

    def learn(self, columns):
        *columns, importance_weights = columns
        if self.agent.noisy:
            draw_noise(self.noise)
        return self.learn_with_present_noise(columns, importance_weights)

    def learn_with_present_noise(self, columns, importance_weights):
        values = self.losses(self.online, self.target, columns, self.noise)
        self.optimiser.zero_grad()
        (values * importance_weights).mean().backward()
        if self.agent.gradient_norm < float("inf"):
            torch.nn.utils.clip_grad_norm_(self.parameters, self.agent.gradient_norm)
        self.step()
        return values.detach()

    def __call__(self, arrays):
        """Losses of the update before, or None."""
        return self.read(self.compute(self.upload(arrays)))

    def finish(self):
        return self.read.finish()

    def verify(self, reference, pool):
        """Updates from equal weights, batches and noise must give equal losses."""
        self.reset()
        reference.reset()
        for arrays in pool[:WARM_UP]:
            self(arrays)
            actual = self.finish()
            reference.noise.copy_(self.noise)
            *columns, importance_weights = reference.upload(arrays)
            expected = reference.learn_with_present_noise(columns, importance_weights)
            assert_close(actual, expected.cpu().numpy())
        self.assert_moved_like(reference)
        self.reset()

    def assert_moved_like(self, reference):
        """A few steps hardly change a loss: whether they were the right ones, the weights tell."""
        initial = [self.weights[name].to(self.device) for name, _ in self.online.named_parameters()]
        with torch.no_grad():
            moved, apart = (
                sum((one - other).abs().sum() for one, other in zip(self.parameters, others, strict=True)).item()
                for others in [initial, reference.parameters]
            )
        assert apart <= 0.05 * moved, f"weights are {apart / moved:.0%} of their way apart from torch-eager's"


class Forward:
    """Forward passes of one network in one variant."""

    def __init__(self, variant, network, pool):
        self.device = device_of(variant)
        self.agent = network.agent
        self.network = network
        self.noise = torch.zeros(sum(network.factors), device=self.device)
        eager = "eager" in variant
        self.upload = Pinned(pool[0]) if of_cuda(variant) and not eager else Pageable(self.device)
        self.q_values = q_values if eager else torch.compile(q_values, dynamic=False)
        if variant == "torch-cuda-graphs":
            (observations,) = self.upload(pool[0])
            graph = CudaGraph(lambda: self.evaluate(observations))
            self.compute = lambda _observations: graph()
        else:
            self.compute = self.evaluate
            for arrays in pool[:WARM_UP]:
                self(arrays)

    def evaluate(self, observations):
        with torch.no_grad():
            if self.agent.noisy:
                draw_noise(self.noise)
            return self.q_values(self.network, observations, self.noise)

    def __call__(self, arrays):
        """Actions and the q-values they were chosen by."""
        (observations,) = self.upload(arrays)
        values = self.compute(observations).cpu().numpy()
        return values.argmax(1), values

    def finish(self):
        """Q-values are read at once: nothing is outstanding."""
        return self.noise.cpu().numpy()

    def verify(self, reference, pool):
        for arrays in pool[:WARM_UP]:
            _, actual = self(arrays)
            (observations,) = reference.upload(arrays)
            with torch.no_grad():
                expected = q_values(reference.network, observations, self.noise.to(reference.device))
            assert_close(actual, expected.cpu().numpy())


def q_values(network, observations, noise):
    return network.q_values(network(observations, noise))


def assert_close(actual, expected):
    """Within a thousandth, numbers near 0 within a thousandth of the mean magnitude."""
    tolerance = 1e-3 * (abs(expected) + abs(expected).mean())
    worst = (abs(actual - expected) / tolerance).max()
    assert worst <= 1, f"differs from torch-eager by {worst:.1f} thousandths: {actual[:4]}, not {expected[:4]}"


def arrays_of(task, batch, generator):
    """What one operation takes from the host."""
    images = (batch, *IMAGE)
    observations = generator.integers(0, 256, images, dtype=numpy.uint8)
    if task == "forward":
        return [observations]
    return [
        observations,
        generator.integers(0, ACTIONS, batch),
        generator.integers(-1, 2, batch).astype(numpy.float32),
        numpy.where(generator.random(batch) < 0.05, 0, 0.99).astype(numpy.float32),
        generator.integers(0, 256, images, dtype=numpy.uint8),
        generator.uniform(0.5, 1, batch).astype(numpy.float32),
    ]


def timed(operation, pool, seconds):
    """Seconds per operation over about this time, the last one's read included."""
    count = 0
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        operation(pool[count % POOL])
        count += 1
    last = operation.finish()
    result = (time.perf_counter() - start) / count
    assert numpy.isfinite(last).all(), "the last losses are not finite"
    return result


def build(task, agent, variant, weights, pool):
    if task == "update":
        return Update(agent, variant, weights, pool)
    network = Network(agent).to(device_of(variant))
    network.load_state_dict(weights)
    return Forward(variant, network, pool)


def prepare(task, agent, variant, weights, pool):
    """The operation, seconds until it is ready, and the most device memory it took, None on the processor."""
    cuda = of_cuda(variant)
    if cuda:
        torch.cuda.synchronize()
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
    start = time.perf_counter()
    operation = build(task, agent, variant, weights, pool)
    if cuda:
        torch.cuda.synchronize()
    preparation = time.perf_counter() - start
    return operation, preparation, torch.cuda.max_memory_allocated() - before if cuda else None


def race(task, subject, batch, variants, arguments):
    """Measurements of one case, and the variants that failed."""
    torch.compiler.reset()
    torch.manual_seed(1)
    generator = numpy.random.default_rng(1)
    agent = Agent.of(subject)
    weights = Network(agent).state_dict()
    pool = [arrays_of(task, batch, generator) for _ in range(POOL)]
    ready, failed = {}, []
    for variant in variants:
        try:
            ready[variant] = prepare(task, agent, variant, weights, pool)
            eager = build(task, agent, "torch-eager-cuda" if of_cuda(variant) else "torch-eager", weights, pool)
            ready[variant][0].verify(eager, pool)
        except Exception:
            # The others are still worth measuring; the exit status tells.
            ready.pop(variant, None)
            failed.append(variant)
            print(f"{task} {subject} {batch}: {variant} failed\n{traceback.format_exc()}", file=sys.stderr, flush=True)
    times = {variant: [] for variant in ready}
    order = list(ready)
    for round in range(arguments.rounds + 1):
        for turn in range(len(order)):
            variant = order[(round + turn) % len(order)]
            result = timed(ready[variant][0], pool, arguments.seconds / arguments.rounds)
            if round > 0:
                times[variant].append(result)
    measurements = []
    for variant, (_, preparation, memory) in ready.items():
        low, median, high = statistics.quantiles(times[variant], n=4, method="inclusive")
        measurements.append(
            {
                "task": task,
                "subject": subject,
                "batch": batch,
                "device": variant,
                "median": median,
                "low": low,
                "high": high,
                "rounds": arguments.rounds,
                "preparation": preparation,
                "memory_bytes": memory,
            }
        )
    return measurements, failed


def configure(threads):
    torch.set_num_threads(threads)
    if torch.cuda.is_available():
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.allow_tf32 = True
        torch.set_float32_matmul_precision("high")


def machine(threads):
    cpu = next(line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    name = f"{platform.system()} {platform.release()}"
    return {"cpu": cpu, "threads": threads, "memory_bytes": memory, "os": name}


def versions():
    found = {"torch": torch.__version__, "numpy": numpy.__version__, "python": platform.python_version()}
    if torch.cuda.is_available():
        found |= {"cuda": torch.version.cuda, "cudnn": str(torch.backends.cudnn.version())}
    return found


def describe(variant):
    gpu = f" ({torch.cuda.get_device_name()})" if of_cuda(variant) else ""
    return {"name": variant, "description": VARIANTS[variant] + gpu}


def names(known):
    def parse(text):
        chosen = text.split(",")
        for name in chosen:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name!r} is unknown: choose among {', '.join(known)}")
        return chosen

    return parse


def parse_arguments():
    available = [name for name in VARIANTS if of_cuda(name) == torch.cuda.is_available()]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", type=names(list(BATCHES)), default=list(BATCHES), help="default: all")
    parser.add_argument("--agent", type=names(AGENTS), default=AGENTS, help="default: all")
    parser.add_argument(
        "--batch",
        type=lambda text: [int(size) for size in text.split(",")],
        help="default: 1,8,32,256 for forward and 32,256,512 for update",
    )
    parser.add_argument(
        "--variant", type=names(list(VARIANTS)), default=available, help="default: those of CUDA if it is there"
    )
    parser.add_argument("--seconds", type=float, default=5.0, help="time for each variant of each case, all rounds")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="default: all cores")
    parser.add_argument("--json", type=pathlib.Path, help="where the measurements are written")
    arguments = parser.parse_args()
    if arguments.rounds < 5:
        parser.error(f"--rounds {arguments.rounds} is too few for quartiles: take 5 or more")
    missing = [name for name in arguments.variant if of_cuda(name) and not torch.cuda.is_available()]
    if missing:
        parser.error(f"{', '.join(missing)}: this PyTorch sees no CUDA device")
    return arguments


def main():
    arguments = parse_arguments()
    configure(arguments.threads)
    document = {
        "format": 1,
        "program": f"torch {torch.__version__}",
        "commit": None,
        "command": " ".join([pathlib.Path(sys.argv[0]).name, *sys.argv[1:]]),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": machine(arguments.threads),
        "versions": versions(),
        "devices": [describe(variant) for variant in arguments.variant],
        "measurements": [],
    }
    failures = []
    print(f"{'task':8} {'agent':8} {'batch':>5} {'device':20} {'ms':>9} {'low':>9} {'high':>9} {'prepared in s':>14}")
    for task in arguments.task:
        for subject in arguments.agent:
            for batch in arguments.batch or BATCHES[task]:
                measurements, failed = race(task, subject, batch, arguments.variant, arguments)
                failures += [f"{task} {subject} {batch} {variant}" for variant in failed]
                document["measurements"] += measurements
                for row in measurements:
                    times = " ".join(f"{1e3 * row[key]:9.3f}" for key in ["median", "low", "high"])
                    print(f"{task:8} {subject:8} {batch:5} {row['device']:20} {times} {row['preparation']:14.1f}")
                sys.stdout.flush()
                if arguments.json:
                    # After each case: what was measured before an interruption stays.
                    arguments.json.write_text(json.dumps(document, indent=2) + "\n")
    if failures:
        sys.exit(f"failed, see above: {'; '.join(failures)}")


if __name__ == "__main__":
    main()
