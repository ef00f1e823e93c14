"""Tries the page in a real Chromium, without its window: python3 test.py FOLDER [--answers FILE] [--probe POLICY] [--screenshots DIR]

FOLDER is what `make web` writes. The page must load without an error, an agent must play a whole game and score, keys, a mouse
and a finger must move the boat, on a desktop and on a phone, with and without vector instructions. Prints what was
measured. FILE has the answers of the native build: actions must be the same. POLICY is a policy file to be timed.
"""

import argparse
import functools
import http.server
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path


class Browser:
    """Chromium, through the pipe of its DevTools protocol."""

    def __init__(self):
        name = next((found for name in ["chromium", "chromium-browser", "google-chrome"] if (found := shutil.which(name))), None)
        if name is None:
            sys.exit("no Chromium was found: apt install chromium")
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_browser, self.write = os.pipe()
        self.read, from_browser = os.pipe()

        def connect():
            # Copies first: a number that is needed may be one of those that are there.
            ends = [os.dup(to_browser), os.dup(from_browser)]
            ends = [os.dup2(end, 40 + index) for index, end in enumerate(ends)]
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--mute-audio"]
        self.process = subprocess.Popen(
            [name, *arguments, "--remote-debugging-pipe", f"--user-data-dir={self.profile.name}", "about:blank"],
            preexec_fn=connect, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self.rest, self.count, self.events = b"", 0, []

    def message(self):
        while b"\0" not in self.rest:
            more = os.read(self.read, 1 << 20)
            if not more:
                raise ConnectionError("Chromium has ended")
            self.rest += more
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, session=None, **parameters):
        self.count += 1
        number = self.count
        call = {"id": number, "method": method, "params": parameters}
        if session:
            call["sessionId"] = session
        os.write(self.write, json.dumps(call).encode() + b"\0")
        while True:
            message = self.message()
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self.events.append(message)

    def close(self):
        self.process.terminate()
        self.process.wait(20)


class Page:
    """A page of a browser, of some size."""

    def __init__(self, browser, width, height, touch):
        self.browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Log", "Network"]:
            self.call(f"{domain}.enable")
        scale = 2 if touch else 1
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=touch)
        self.call("Emulation.setTouchEmulationEnabled", enabled=touch)
        self.touch = touch

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def value(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, expression, seconds=20):
        end = time.monotonic() + seconds
        while not (value := self.value(expression)):
            if time.monotonic() > end:
                raise TimeoutError(f"not within {seconds} s: {expression}; {self.faults()}")
            time.sleep(0.02)
        return value

    def open(self, address):
        self.call("Page.navigate", url=address)
        self.wait("globalThis.lanterns?.ready || globalThis.lanterns?.failed")
        failed = self.value("lanterns.failed")
        assert not failed, failed

    def faults(self):
        """Whatever was complained about in the console or could not be fetched."""
        found = []
        for event in self.browser.events:
            if event.get("sessionId") != self.session:
                continue
            parameters = event.get("params", {})
            if event["method"] == "Runtime.exceptionThrown":
                found.append(parameters["exceptionDetails"].get("exception", {}).get("description", "an exception"))
            elif event["method"] == "Runtime.consoleAPICalled" and parameters["type"] in ["error", "warning", "assert"]:
                found.append(str(parameters["args"]))
            elif event["method"] == "Log.entryAdded" and parameters["entry"]["level"] in ["error", "warning"]:
                found.append(parameters["entry"]["text"])
            elif event["method"] == "Network.loadingFailed":
                found.append(parameters["errorText"])
        return found

    def click(self, selector):
        self.value(f"document.querySelector({json.dumps(selector)}).click()")

    def place(self, x, y):
        """A place of the lake, on the screen."""
        box = self.value("(({left, top, width, height}) => [left, top, width, height])(lake.getBoundingClientRect())")
        return box[0] + x / 160 * box[2], box[1] + y / 100 * box[3]

    def screenshot(self, file):
        import base64

        picture = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(picture["data"]))


def steer(page, how):
    """The boat must go to the right while `how` is held, and not without."""
    page.click("[data-strength='1']")
    start = page.value("lanterns.state().boats[0].x")
    x, y = page.place(150, 50)
    if how == "keys":
        page.call("Input.dispatchKeyEvent", type="keyDown", code="ArrowRight", key="ArrowRight")
    elif how == "mouse":
        page.call("Input.dispatchMouseEvent", type="mousePressed", x=x, y=y, button="left", clickCount=1)
    else:
        page.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
    page.wait(f"lanterns.state().boats[0].x > {start} + 15")
    if how == "keys":
        page.call("Input.dispatchKeyEvent", type="keyUp", code="ArrowRight", key="ArrowRight")
    elif how == "mouse":
        page.call("Input.dispatchMouseEvent", type="mouseReleased", x=x, y=y, button="left", clickCount=1)
    else:
        page.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    page.wait("lanterns.state().boats[0].steer === 0")


def compare(page, answers):
    """Actions of the page's build against those of the native one."""
    native = struct.unpack(f"<{len(answers) // 4}f", answers)
    count = len(native) // 2
    page.value(f"globalThis.answered = Array.from(lanterns.numbers(lanterns.wasm.answers({count}), {2 * count})), 0")
    web = page.value("answered")
    differ = sum(one != other for one, other in zip(native[::2], web[::2]))
    largest = max(abs(one - other) for one, other in zip(native[1::2], web[1::2]))
    print(f"  {count} observations: {differ} other actions than natively, q-values differ by at most {largest:.1e}")
    assert differ == 0 and largest < 1e-5 * max(map(abs, native[1::2])) + 1e-5


def probe(page, policy):
    """Times a policy."""
    numbers = json.dumps(list(policy.read_bytes()))
    page.value(f"lanterns.give(new Uint8Array({numbers}).buffer), 0")
    assert page.value("lanterns.wasm.probe_load()") == 1
    milliseconds = page.value("""(() => {
        const times = [];
        for (let call = 0; call < 101; call += 1) {
            const begun = performance.now();
            for (let again = 0; again < 5; again += 1) lanterns.wasm.probe_act(1);
            times.push((performance.now() - begun) / 5);
        }
        return times.sort((one, other) => one - other)[50];
    })()""")
    print(f"  {policy.name}: {milliseconds:.2f} ms for an action")


def try_page(browser, address, width, height, touch, arguments, name):
    page = Page(browser, width, height, touch)
    begun = time.monotonic()
    page.open(address)
    print(f"{name}: {width}x{height}, {'with' if page.value('lanterns.simd') else 'without'} vector instructions")
    print(f"  first action {page.value('lanterns.firstAction'):.0f} ms after the page was asked for, "
          f"{page.value('lanterns.loading'):.0f} ms after its files had come")
    assert page.value("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the screen"
    if arguments.screenshots:
        time.sleep(3)
        page.screenshot(arguments.screenshots / f"{name}-title.png")
    for how in ["keys", "mouse"] if not touch else ["touch"]:
        steer(page, how)
    # A whole game of the two agents, in no time: the page's own clock is not waited for.
    light = page.value("""(() => {
        lanterns.wasm.begin(7, 2, 1);
        for (let tick = 0; tick < 2700; tick += 1) lanterns.wasm.tick(0);
        const state = lanterns.numbers(lanterns.wasm.state(), 3);
        return [state[0], state[1], state[2]];
    })()""")
    print(f"  a game of two agents ends with {light[1]:.0f} to {light[2]:.0f} light")
    assert light[0] == 0 and min(light[1:]) > 5, light
    milliseconds = page.value("""(() => {
        lanterns.wasm.begin(7, 2, 0);
        const begun = performance.now();
        for (let tick = 0; tick < 2700; tick += 1) lanterns.wasm.tick(0);
        return (performance.now() - begun) / 450;
    })()""")
    print(f"  {milliseconds:.3f} ms for a decision and its six ticks of the game")
    page.click("[data-watch]")
    page.value("lanterns.frames.length = 0")
    page.wait("lanterns.frames.length > 120", 60)
    frames = sorted(page.value("lanterns.frames"))
    print(f"  {frames[len(frames) // 2]:.1f} ms of work for a frame, {frames[len(frames) * 9 // 10]:.1f} ms for nine of ten")
    if arguments.screenshots:
        time.sleep(4)
        page.screenshot(arguments.screenshots / f"{name}.png")
    if arguments.answers:
        compare(page, arguments.answers.read_bytes())
    if arguments.probe:
        probe(page, arguments.probe)
    faults = page.faults()
    assert not faults, faults
    print(f"  no complaint in the console, {time.monotonic() - begun:.0f} s in all")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--answers", type=Path)
    parser.add_argument("--probe", type=Path)
    parser.add_argument("--screenshots", type=Path)
    arguments = parser.parse_args()
    if arguments.screenshots:
        arguments.screenshots.mkdir(parents=True, exist_ok=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=arguments.folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/index.html?seed=5"
    browser = Browser()
    try:
        try_page(browser, address, 1280, 800, False, arguments, "desktop")
        try_page(browser, address + "&plain", 390, 844, True, arguments, "phone")
    finally:
        browser.close()


if __name__ == "__main__":
    main()
