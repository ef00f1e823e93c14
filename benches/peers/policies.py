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
SHAPE = (4, 84, 84)


def pattern(batch):
    index = np.arange(batch * int(np.prod(SHAPE)))
    return (index * index % 251).astype(np.uint8).reshape(batch, *SHAPE)


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def compare(arguments):
    """Answers of onnxruntime beside those of prism-agent."""
    observations = np.fromfile(arguments.observations, np.uint8).reshape(-1, *SHAPE)
    native = np.fromfile(arguments.answers, np.float32).reshape(len(observations), -1)
    runtime = session(arguments.onnx)
    parts = [runtime.run(["q_values"], {"observations": part})[0] for part in np.array_split(observations, 100)]
    answers = np.concatenate(parts)
    differ = int((answers.argmax(1) != native.argmax(1)).sum())
    largest = float(np.abs(answers - native).max())
    print(f"onnxruntime: {len(observations)} observations, {differ} other actions, q-values differ by at most {largest:.1e}")
    # Where two actions are as good as each other to the last digits, either may be chosen.
    for index in np.flatnonzero(answers.argmax(1) != native.argmax(1)):
        print("  ", native[index])


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
  await session.run({ observations: observations(1) });
  const times = { first: performance.now() - begun };
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


def of_browser(address, web):
    """prism with and without vector instructions, and onnxruntime-web, each in a page of its own."""
    browser = browsing.Browser()
    try:
        times = {}
        for name, file in [("prism, WebAssembly SIMD", "lanterns-simd.wasm"), ("prism, WebAssembly", "lanterns.wasm")]:
            page = browsing.Page(browser, 800, 600, False)
            page.call("Page.navigate", url=f"{address}/empty.html")
            page.wait("document.readyState === 'complete' && location.href.includes('empty')")
            times[name] = page.value(PROBE.replace("NAME", json.dumps(file)))
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
    compare(arguments)

    web = Path(arguments.web)
    (web / "empty.html").write_text("<!doctype html><title>empty</title>")
    (web / "ort.html").write_text(PAGE)
    (web / "policy.onnx").write_bytes(Path(arguments.onnx).read_bytes())
    (web / "policy.safetensors").write_bytes(Path(arguments.policy).read_bytes())
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(browsing.Quiet, directory=web))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    turns = {}
    for _ in range(arguments.turns):
        measured = {
            "prism-agent": of_program(arguments.speed, arguments.policy),
            f"onnxruntime {onnxruntime.__version__}": of_onnxruntime(arguments),
            "tract": of_program(arguments.tract, arguments.onnx),
            **of_browser(f"http://127.0.0.1:{server.server_port}", web),
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
