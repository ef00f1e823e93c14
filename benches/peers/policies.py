"""The same policy in prism-agent, onnxruntime, tract and, in a browser, as WebAssembly and in onnxruntime-web.

    benches/peers/policies.sh

calls this with what it has built. First every way out answers the same real observations, and is compared with prism-agent;
then all are timed in turns: the time until the first action of a process, and that of an action at 1, 8 and 32 observations,
on one thread. Medians over the turns are printed.
"""

import argparse
import functools
import http.server
import json
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import onnxruntime

sys.path.insert(0, str(Path(__file__).parents[2] / "games/lanterns/web"))
import test as browsing  # noqa: E402

BATCHES = [1, 8, 32]
# Calls before the timed ones in a browser, which first compiles WebAssembly in haste and well only beside its first calls.
WARM = 200
SHAPE = (4, 84, 84)


def pattern(batch):
    index = np.arange(batch * int(np.prod(SHAPE)))
    return (index * index % 251).astype(np.uint8).reshape(batch, *SHAPE)


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def compare(name, answers, expected):
    """Says how answers, q-values of every observation, differ from those of prism-agent."""
    answers = answers[: expected.size].reshape(expected.shape)
    others = np.flatnonzero(answers.argmax(1) != expected.argmax(1))
    print(f"{name:36}{len(others):9}{np.abs(answers - expected).max():14.1e}")
    # Where two actions are as good as each other to the last digits, either may be chosen.
    for index in others[:3]:
        print("  ", expected[index])


def compare_native(arguments, observations):
    """Has every way out but the browser answer; returns what prism-agent says."""
    read = lambda name: np.fromfile(Path(arguments.answers) / f"answers.{name}", np.float32)  # noqa: E731
    expected = read("widest").reshape(len(observations), -1)
    print(f"{len(observations)} observations         other actions  largest difference of q-values")
    compare("network of training", read("training"), expected)
    compare("prism-agent, AVX2", read("avx2"), expected)
    compare("prism-agent, plain instructions", read("plain"), expected)
    compare("C, static library", np.fromfile(Path(arguments.answers) / "answers.c", np.uint8)[: 4 * expected.size].view(np.float32), expected)
    runtime = session(arguments.onnx)
    parts = [runtime.run(["q_values"], {"observations": part})[0] for part in np.array_split(observations, 100)]
    compare("onnxruntime", np.concatenate(parts).reshape(-1), expected)
    return expected


def of_onnxruntime(arguments):
    begun = time.perf_counter()
    runtime = session(arguments.onnx)
    runtime.run(["q_values"], {"observations": pattern(1)})
    times = {"first": 1e3 * (time.perf_counter() - begun)}
    for batch in BATCHES:
        observations, each = pattern(batch), []
        for _ in range(101):
            begun = time.perf_counter()
            runtime.run(["q_values"], {"observations": observations})
            each.append(1e3 * (time.perf_counter() - begun))
        times[str(batch)] = statistics.median(each)
    return times


def of_program(*command):
    """A program that prints lines of a name and milliseconds."""
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return {name: float(value) for name, value in (line.split() for line in lines)}


PAGE = """<!doctype html><script type="module">
import * as ort from "./ort.wasm.min.mjs";
ort.env.wasm.numThreads = 1;
globalThis.lanterns = { ready: false, failed: "" };
try {
  const model = await (await fetch("policy.onnx")).arrayBuffer();
  const begun = performance.now();
  const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
  const observations = (batch) => new ort.Tensor("uint8", Uint8Array.from({ length: batch * 28224 }, (_, i) => (i * i) % 251), [batch, 4, 84, 84]);
  const one = observations(1);
  await session.run({ observations: one });
  const times = { first: performance.now() - begun };
  for (let call = 0; call < WARM; call += 1) await session.run({ observations: one });
  for (const batch of [1, 8, 32]) {
    const fed = observations(batch);
    const each = [];
    for (let call = 0; call < 31; call += 1) {
      const start = performance.now();
      await session.run({ observations: fed });
      each.push(performance.now() - start);
    }
    times[batch] = each.sort((one, other) => one - other)[15];
  }
  Object.assign(globalThis.lanterns, { ready: true, times });
} catch (error) { globalThis.lanterns.failed = String(error); }
</script>"""

ANSWERS = """(async () => {
  const code = await (await fetch(NAME)).arrayBuffer();
  const policy = new Uint8Array(await (await fetch("policy.safetensors")).arrayBuffer());
  const observations = new Uint8Array(await (await fetch("observations.raw")).arrayBuffer());
  const wasm = (await WebAssembly.instantiate(code, {})).instance.exports;
  const give = (bytes) => {
    const place = wasm.input(bytes.length);
    new Uint8Array(wasm.memory.buffer, place, bytes.length).set(bytes);
  };
  give(policy);
  if (!wasm.probe_load()) throw new Error("no policy");
  const answers = [], one = 28224;
  for (let first = 0; first < observations.length; first += 50 * one) {
    const given = observations.subarray(first, first + 50 * one);
    give(given);
    const place = wasm.probe_values();
    answers.push(...new Float32Array(wasm.memory.buffer, place, given.length / one * ACTIONS));
  }
  return answers;
})()"""

PROBE = """(async () => {
  const code = await (await fetch(NAME)).arrayBuffer();
  const policy = new Uint8Array(await (await fetch("policy.safetensors")).arrayBuffer());
  const begun = performance.now();
  const wasm = (await WebAssembly.instantiate(code, {})).instance.exports;
  const place = wasm.input(policy.length);
  new Uint8Array(wasm.memory.buffer, place, policy.length).set(policy);
  if (!wasm.probe_load()) throw new Error("no policy");
  wasm.probe_act(1);
  const times = { first: performance.now() - begun };
  for (let call = 0; call < WARM; call += 1) wasm.probe_act(1);
  for (const batch of [1, 8, 32]) {
    wasm.probe_act(batch);
    const each = [];
    for (let call = 0; call < 31; call += 1) {
      const start = performance.now();
      wasm.probe_act(batch);
      each.push(performance.now() - start);
    }
    times[batch] = each.sort((one, other) => one - other)[15];
  }
  return times;
})()"""


BUILDS = {"prism, WebAssembly SIMD": "lanterns-simd.wasm", "prism, WebAssembly": "lanterns.wasm"}


def empty_page(browser, address):
    page = browsing.Page(browser, 800, 600, False)
    page.call("Page.navigate", url=f"{address}/empty.html")
    page.wait("document.readyState === 'complete' && location.href.includes('empty')")
    return page


def compare_browser(address, expected):
    """Has both builds of the page answer the observations in Chromium."""
    browser = browsing.Browser()
    try:
        for name, file in BUILDS.items():
            script = ANSWERS.replace("NAME", json.dumps(file)).replace("ACTIONS", str(expected.shape[1]))
            answers = empty_page(browser, address).value(script)
            compare(name, np.array(answers, np.float32), expected)
    finally:
        browser.close()


def of_browser(address):
    """prism with and without vector instructions, and onnxruntime-web, each in a page of its own."""
    browser = browsing.Browser()
    try:
        times = {}
        for name, file in BUILDS.items():
            times[name] = empty_page(browser, address).value(PROBE.replace("NAME", json.dumps(file)).replace("WARM", str(WARM)))
        page = browsing.Page(browser, 800, 600, False)
        page.call("Page.navigate", url=f"{address}/ort.html")
        page.wait("globalThis.lanterns?.ready || globalThis.lanterns?.failed", 120)
        assert not page.value("lanterns.failed"), page.value("lanterns.failed")
        times["onnxruntime-web, WebAssembly SIMD"] = page.value("lanterns.times")
        return times
    finally:
        browser.close()


def main():
    parser = argparse.ArgumentParser()
    for name in ["policy", "onnx", "observations", "answers", "speed", "tract", "web"]:
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--turns", type=int, default=3)
    arguments = parser.parse_args()
    web = Path(arguments.web)
    (web / "empty.html").write_text("<!doctype html><title>empty</title>")
    (web / "ort.html").write_text(PAGE.replace("WARM", str(WARM)))
    (web / "policy.onnx").write_bytes(Path(arguments.onnx).read_bytes())
    (web / "policy.safetensors").write_bytes(Path(arguments.policy).read_bytes())
    (web / "observations.raw").write_bytes(Path(arguments.observations).read_bytes())
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(browsing.Quiet, directory=web))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    observations = np.fromfile(arguments.observations, np.uint8).reshape(-1, *SHAPE)
    compare_browser(address, compare_native(arguments, observations))

    turns = {}
    for _ in range(arguments.turns):
        measured = {
            "prism-agent": of_program(arguments.speed, arguments.policy),
            f"onnxruntime {onnxruntime.__version__}": of_onnxruntime(arguments),
            "tract": of_program(arguments.tract, arguments.onnx),
            **of_browser(address),
        }
        for name, times in measured.items():
            turns.setdefault(name, []).append(times)
    print(f"\nmilliseconds, medians of {arguments.turns} turns, one thread")
    print(f"{'':36}{'first':>9}" + "".join(f"{batch:>9}" for batch in BATCHES))
    for name, times in turns.items():
        medians = [statistics.median(turn[key] for turn in times) for key in ["first", *map(str, BATCHES)]]
        print(f"{name:36}" + "".join(f"{median:9.3f}" for median in medians))


if __name__ == "__main__":
    main()
