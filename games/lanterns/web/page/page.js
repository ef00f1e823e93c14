// The page: draws the game that lanterns-web plays in WebAssembly, and passes on how the visitor steers.

const LAKE = { width: 160, height: 100 };
const BOAT = 4;
const LANTERNS = 5;
const TICK = 1000 / 60;
// Directions in the order of Steer::ALL, and where each stands in a compass of three by three.
const DIRECTIONS = [[0, 0], [0, -1], [1, -1], [1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0], [-1, -1]];
const NAMES = ["deckhand", "mate", "captain"];
const COLOURS = ["#73d9f2", "#fa858c"];
const KEYS = {
  ArrowUp: [0, -1], KeyW: [0, -1], ArrowDown: [0, 1], KeyS: [0, 1],
  ArrowLeft: [-1, 0], KeyA: [-1, 0], ArrowRight: [1, 0], KeyD: [1, 0],
};

const element = (id) => document.getElementById(id);
const options = new URLSearchParams(location.search);
const calm = matchMedia("(prefers-reduced-motion: reduce)");

// What tests look at.
const measured = { ready: false, failed: "", firstAction: 0, loading: 0, frames: [], simd: false };
globalThis.lanterns = measured;

let wasm;
let game = null;

/** The smallest module that has a vector instruction: browsers without them refuse it. */
const VECTORS = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
]);

async function load() {
  measured.simd = !options.has("plain") && WebAssembly.validate(VECTORS);
  const fetched = async (name) => {
    const response = await fetch(name);
    if (!response.ok) throw new Error(`${name} is not there (${response.status})`);
    return response.arrayBuffer();
  };
  const [code, policy] = await Promise.all([
    fetched(measured.simd ? "lanterns-simd.wasm" : "lanterns.wasm"),
    fetched("lanterns.safetensors"),
  ]);
  const begun = performance.now();
  wasm = (await WebAssembly.instantiate(code, {})).instance.exports;
  give(policy);
  if (!wasm.load()) throw new Error("the agent's file is no policy of this game");
  // An agent's first decision, before anything is drawn.
  begin(1, true);
  wasm.tick(0);
  measured.firstAction = performance.now();
  measured.loading = measured.firstAction - begun;
}

/** Copies bytes to where the next call reads them. */
function give(bytes) {
  // Making room may move the memory: the place comes first.
  const place = wasm.input(bytes.byteLength);
  new Uint8Array(wasm.memory.buffer, place, bytes.byteLength).set(new Uint8Array(bytes));
}

const numbers = (place, count) => new Float32Array(wasm.memory.buffer, place, count);

/** The state as lanterns-web writes it. */
function read() {
  const place = wasm.state();
  const fixed = 1 + 2 + 2 * 5 + 3 * LANTERNS + 1;
  const events = numbers(place, fixed)[fixed - 1];
  const state = numbers(place, fixed + 3 * events);
  const boat = (index) => {
    const [x, y, vx, vy, steer] = state.subarray(3 + 5 * index, 8 + 5 * index);
    return { x, y, vx, vy, steer, light: state[1 + index] };
  };
  const three = (from, count) => Array.from({ length: count }, (_, index) => state.subarray(from + 3 * index, from + 3 * index + 3));
  return {
    left: state[0],
    boats: [boat(0), boat(1)],
    lanterns: three(13, LANTERNS).map(([x, y, gold]) => ({ x, y, gold })),
    events: three(fixed, events).map(([kind, x, y]) => ({ kind, x, y })),
  };
}

function begin(strength, watch) {
  const seed = options.has("seed") ? Number(options.get("seed")) : (Math.random() * 2 ** 32) >>> 0;
  wasm.begin(seed, strength, watch ? 1 : 0);
  game = { strength, watch, state: read(), rings: [], wakes: [[], []], behind: 0, over: false };
  element("left-name").textContent = watch ? "captain" : "you";
  element("right-name").textContent = NAMES[strength];
  for (const button of document.querySelectorAll("nav button")) {
    const pressed = watch ? "watch" in button.dataset : Number(button.dataset.strength) === strength;
    button.setAttribute("aria-pressed", String(pressed && !("watch" in button.dataset) === !watch));
  }
}

// Steering: keys that are held, or the place that is pressed.
const held = new Set();
let pressed = null;

function steering() {
  let [x, y] = [0, 0];
  for (const key of held) {
    x += KEYS[key][0];
    y += KEYS[key][1];
  }
  if (!x && !y && pressed) {
    const { x: from, y: above } = game.state.boats[0];
    [x, y] = [pressed.x - from, pressed.y - above];
    if (Math.hypot(x, y) < BOAT) return 0;
  }
  if (!x && !y) return 0;
  const along = DIRECTIONS.map(([dx, dy]) => (dx * x + dy * y) / (Math.hypot(dx, dy) || 1));
  return along.indexOf(Math.max(...along.slice(1)), 1);
}

const lake = element("lake");
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.code in KEYS) {
    held.add(event.code);
    event.preventDefault();
  } else if (event.code === "Space" && event.target.tagName !== "BUTTON" && wasm) {
    event.preventDefault();
    start(game.strength, false);
  }
});
addEventListener("keyup", (event) => held.delete(event.code));
addEventListener("blur", () => { held.clear(); pressed = null; });
const place = (event) => {
  const box = lake.getBoundingClientRect();
  return { x: ((event.clientX - box.left) / box.width) * LAKE.width, y: ((event.clientY - box.top) / box.height) * LAKE.height };
};
lake.addEventListener("pointerdown", (event) => {
  lake.setPointerCapture(event.pointerId);
  pressed = place(event);
  if (wasm && waiting) start(game.strength, false);
});
lake.addEventListener("pointermove", (event) => { if (pressed) pressed = place(event); });
for (const end of ["pointerup", "pointercancel"]) lake.addEventListener(end, () => { pressed = null; });
for (const button of document.querySelectorAll("nav button")) {
  button.addEventListener("click", () => {
    if (wasm) start(Number(button.dataset.strength ?? 2), "watch" in button.dataset);
    lake.focus({ preventScroll: true });
  });
}

// Two captains sail until the visitor begins.
let waiting = true;

function start(strength, watch) {
  waiting = false;
  say("", "");
  begin(strength, watch);
}

function say(title, hint) {
  element("words").hidden = !title;
  element("title").textContent = title;
  element("hint").textContent = hint;
}

function advance(milliseconds) {
  // A tab that was hidden goes on where it was.
  game.behind = Math.min(game.behind + milliseconds, 100);
  while (game.behind >= TICK && !game.over) {
    game.behind -= TICK;
    wasm.tick(steering());
    game.state = read();
    game.rings.push(...game.state.events.map((event) => ({ ...event, age: 0 })));
    game.state.boats.forEach((boat, index) => {
      game.wakes[index].push([boat.x, boat.y]);
      if (game.wakes[index].length > 70) game.wakes[index].shift();
    });
    game.over = game.state.left === 0;
  }
  for (const ring of game.rings) ring.age += milliseconds / 1000;
  game.rings = game.rings.filter((ring) => ring.age < 1);
  if (!game.over) return;
  if (waiting) return begin(1, true);
  if (element("words").hidden) {
    const [left, right] = game.state.boats.map((boat) => boat.light);
    const won = game.watch ? "Blue wins" : "You win";
    const lost = game.watch ? "Red wins" : "You lose";
    say(left > right ? won : left < right ? lost : "A draw", `${left} to ${right}. Choose an opponent, or press the lake.`);
    waiting = false;
  }
}

// Drawing.

/** Fits a canvas to its place on the screen; returns its context in units of CSS pixels. */
function fitted(canvas) {
  const ratio = Math.min(devicePixelRatio || 1, 2);
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { context, width, height };
}

/** A round light that fades from its middle. */
function glow(context, x, y, radius, colour, strength) {
  const light = context.createRadialGradient(x, y, 0, x, y, radius);
  light.addColorStop(0, colour + Math.round(255 * strength).toString(16).padStart(2, "0"));
  light.addColorStop(0.4, colour + Math.round(80 * strength).toString(16).padStart(2, "0"));
  light.addColorStop(1, colour + "00");
  context.fillStyle = light;
  context.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
}

function drawLake(now) {
  const { context, width } = fitted(lake);
  const scale = width / LAKE.width;
  context.scale(scale, scale);
  const water = context.createRadialGradient(80, 40, 10, 80, 50, 110);
  water.addColorStop(0, "#0e2436");
  water.addColorStop(1, "#06101a");
  context.fillStyle = water;
  context.fillRect(0, 0, LAKE.width, LAKE.height);
  drawRipples(context, calm.matches ? 0 : now / 1000);
  context.globalCompositeOperation = "lighter";
  for (const lantern of game.state.lanterns) drawLantern(context, lantern, calm.matches ? 0 : now / 1000);
  game.state.boats.forEach((boat, index) => drawWake(context, game.wakes[index], COLOURS[index]));
  game.state.boats.forEach((boat, index) => glow(context, boat.x, boat.y, 15, COLOURS[index], 0.35));
  for (const { kind, x, y, age } of game.rings) {
    context.strokeStyle = COLOURS[kind] ?? (kind === 2 ? "#dbe6ee" : "#ff9e1f");
    context.globalAlpha = 0.7 * (1 - age);
    context.lineWidth = 0.5;
    context.beginPath();
    context.arc(x, y, 3 + 13 * age, 0, 7);
    context.stroke();
  }
  context.globalAlpha = 1;
  context.globalCompositeOperation = "source-over";
  game.state.boats.forEach((boat, index) => drawBoat(context, boat, COLOURS[index]));
}

function drawRipples(context, time) {
  context.strokeStyle = "#7fb4d8";
  context.globalAlpha = 0.06;
  context.lineWidth = 0.25;
  for (let row = 0; row < 14; row += 1) {
    context.beginPath();
    for (let x = 0; x <= LAKE.width; x += 4) {
      const y = ((row + 0.5) / 14) * LAKE.height + 0.9 * Math.sin(0.09 * x + 0.7 * row + 0.6 * time);
      context.lineTo(x, y);
    }
    context.stroke();
  }
  context.globalAlpha = 1;
}

function drawLantern(context, { x, y, gold }, time) {
  const golden = gold >= 0;
  // A golden lantern's last two seconds are seen.
  const left = golden ? Math.min(gold / 120, 1) : 1;
  const flicker = 1 + 0.06 * Math.sin(7 * time + x);
  const colour = golden ? "#ff9e1f" : "#ffc773";
  glow(context, x, y, (golden ? 24 : 16) * flicker, colour, 0.75 * left);
  context.fillStyle = golden ? "#ffd27a" : "#fff0d4";
  context.globalAlpha = 0.3 + 0.7 * left;
  context.beginPath();
  context.arc(x, y, golden ? 1.7 : 1.2, 0, 7);
  context.fill();
  context.globalAlpha = 1;
}

function drawWake(context, wake, colour) {
  context.strokeStyle = colour;
  for (let index = 1; index < wake.length; index += 1) {
    const share = index / wake.length;
    context.globalAlpha = 0.22 * share;
    context.lineWidth = 0.3 + 1.4 * share;
    context.beginPath();
    context.moveTo(...wake[index - 1]);
    context.lineTo(...wake[index]);
    context.stroke();
  }
  context.globalAlpha = 1;
}

function drawBoat(context, { x, y, vx, vy, steer }, colour) {
  const speed = Math.hypot(vx, vy);
  const angle = speed > 0.02 ? Math.atan2(vy, vx) : 0;
  context.save();
  context.translate(x, y);
  const [dx, dy] = DIRECTIONS[steer];
  if (steer) {
    const length = Math.hypot(dx, dy);
    glow(context, (-4.6 * dx) / length, (-4.6 * dy) / length, 4, colour, 0.7);
  }
  context.rotate(angle);
  context.beginPath();
  context.moveTo(1.2 * BOAT, 0);
  context.quadraticCurveTo(0.3 * BOAT, -0.72 * BOAT, -BOAT, -0.42 * BOAT);
  context.lineTo(-BOAT, 0.42 * BOAT);
  context.quadraticCurveTo(0.3 * BOAT, 0.72 * BOAT, 1.2 * BOAT, 0);
  context.fillStyle = "#0d1a26";
  context.fill();
  context.strokeStyle = colour;
  context.lineWidth = 0.55;
  context.stroke();
  context.beginPath();
  context.arc(-0.1 * BOAT, 0, 1.15, 0, 7);
  context.fillStyle = colour;
  context.fill();
  context.restore();
}

/** The distribution of each way to steer, each at its place of the compass. */
function drawChart() {
  const { context, width, height } = fitted(element("chart"));
  context.clearRect(0, 0, width, height);
  const place = wasm.chart();
  if (!place) return;
  const atoms = wasm.atoms();
  const probabilities = numbers(place, 9 * atoms);
  const returns = numbers(wasm.support(), atoms);
  const decision = wasm.decision();
  const highest = Math.max(...probabilities) || 1;
  const [low, high] = [returns[0], returns[atoms - 1]];
  const cell = { width: width / 3, height: height / 3 };
  DIRECTIONS.forEach(([dx, dy], steer) => {
    const [left, top] = [(dx + 1) * cell.width + 8, (dy + 1) * cell.height + 8];
    const [wide, tall] = [cell.width - 16, cell.height - 30];
    const chosen = steer === decision;
    const row = probabilities.subarray(steer * atoms, (steer + 1) * atoms);
    const at = (value) => left + ((value - low) / (high - low)) * wide;
    context.fillStyle = chosen ? COLOURS[1] : "#4a6376";
    row.forEach((probability, index) => {
      const size = (probability / highest) * tall;
      context.fillRect(left + (index / atoms) * wide, top + tall - size, Math.max(wide / atoms - 0.5, 0.75), size);
    });
    context.fillStyle = "#2a4054";
    context.fillRect(left, top + tall, wide, 1);
    context.fillRect(at(0), top + 4, 1, tall - 4);
    const mean = row.reduce((sum, probability, index) => sum + probability * returns[index], 0);
    context.fillStyle = chosen ? "#ffffff" : "#8fa5b5";
    context.fillRect(at(mean) - 1, top + tall - 2, 2, 6);
    context.font = "12px system-ui, sans-serif";
    context.textAlign = "center";
    const arrow = "·↑↗→↘↓↙←↖"[steer];
    context.fillText(`${arrow} ${mean >= 0 ? "+" : "−"}${Math.abs(mean).toFixed(1)}`, left + wide / 2, top + tall + 18);
  });
}

let last = performance.now();
let shown = "";

function frame(now) {
  const begun = performance.now();
  advance(now - last);
  last = now;
  drawLake(now);
  drawChart();
  const [left, right] = game.state.boats.map((boat) => boat.light);
  const words = [left, Math.ceil(game.state.left / 60), right];
  if (words.join() !== shown) {
    shown = words.join();
    ["left-light", "clock", "right-light"].forEach((id, index) => { element(id).textContent = words[index]; });
  }
  measured.frames.push(performance.now() - begun);
  if (measured.frames.length > 600) measured.frames.shift();
  requestAnimationFrame(frame);
}

try {
  await load();
  Object.assign(measured, { ready: true, wasm, give, numbers, state: () => game.state, game: () => game });
  say("Lanterns", "Gather more light than the red boat. Choose an opponent, or press the lake.");
  requestAnimationFrame((now) => { last = now; frame(now); });
} catch (error) {
  measured.failed = String(error);
  say("The game cannot begin", `${error.message ?? error}. The page needs a browser with WebAssembly, and its files from a web server.`);
}
