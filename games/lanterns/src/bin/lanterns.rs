//! The game in a window: you sail the left boat, an agent the right one.
//!
//! ```text
//! cargo run --release -p lanterns --features window [-- policy.safetensors]
//! ```

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use lanterns::rules::{BOAT, Boat, Event, GAME_TICKS, LAKE, Lake, Lantern, Point, Steer, TICKS_PER_SECOND};
use lanterns::{AgentCaptain, SHIPPED, Strength};
use macroquad::prelude::*;

const USAGE: &str = "Lanterns in a window: you sail the left boat, an agent the right one.

Usage: lanterns [FILE.safetensors]

The agent is the one in this policy file, which lanterns-train writes, or the one that the game ships.";

const WATER: Color = Color::new(0.035, 0.075, 0.12, 1.0);
const YOURS: Color = Color::new(0.45, 0.85, 0.95, 1.0);
const THEIRS: Color = Color::new(0.98, 0.52, 0.55, 1.0);
const FLAME: Color = Color::new(1.0, 0.78, 0.45, 1.0);
const GOLD: Color = Color::new(1.0, 0.62, 0.12, 1.0);
const TEXT: Color = Color::new(0.85, 0.9, 0.95, 1.0);

/// What is on the screen beside the lake.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scene {
    /// The choice of the opponent.
    Title,
    Sailing,
    /// The result.
    End,
}

/// A ring on the water that widens and fades.
struct Ring {
    at: Point,
    colour: Color,
    age: f32,
}

struct Game {
    file: Vec<u8>,
    scene: Scene,
    lake: Lake,
    captain: AgentCaptain,
    strength: Strength,
    games: u64,
    rings: Vec<Ring>,
    /// Where the boats have been, newest last.
    wakes: [Vec<Point>; 2],
    /// Time that has passed and not been played.
    behind: f32,
    glow: Texture2D,
}

fn window() -> Conf {
    Conf {
        window_title: "Lanterns".to_owned(),
        window_width: 1120,
        window_height: 760,
        sample_count: 4,
        ..Conf::default()
    }
}

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let path = match arguments.as_slice() {
        [] => None,
        [flag] if flag == "--help" || flag == "-h" => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        [path] if !path.as_encoded_bytes().starts_with(b"-") => Some(Path::new(path)),
        _ => {
            eprintln!("error: expected nothing or a policy file\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    // Before there is a window: what is wrong with the file is said in the terminal.
    match agent(path) {
        Ok(_) if cfg!(target_os = "linux") && std::env::var_os("DISPLAY").is_none() => {
            eprintln!("error: there is no X server for a window: DISPLAY is not set");
            return ExitCode::FAILURE;
        }
        Ok(file) => macroquad::Window::from_config(window(), play(file)),
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// The bytes of a policy file that plays the game.
fn agent(path: Option<&Path>) -> Result<Vec<u8>, String> {
    let Some(path) = path else { return Ok(SHIPPED.to_vec()) };
    let file = std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    AgentCaptain::new(&file, Strength::Captain, 0)
        .map_err(|error| format!("{} cannot play: {error}", path.display()))?;
    Ok(file)
}

async fn play(file: Vec<u8>) {
    let mut game = Game::new(file);
    while !is_key_pressed(KeyCode::Escape) {
        game.choose();
        game.advance(get_frame_time());
        game.draw();
        next_frame().await;
    }
}

/// An agent of a file that was found to play.
fn captain(file: &[u8], strength: Strength, seed: u64) -> AgentCaptain {
    AgentCaptain::new(file, strength, seed).expect("the file was tried before the window was opened")
}

impl Game {
    fn new(file: Vec<u8>) -> Self {
        let strength = Strength::Mate;
        Self {
            captain: captain(&file, strength, 0),
            file,
            scene: Scene::Title,
            lake: Lake::new(0),
            strength,
            games: 0,
            rings: Vec::new(),
            wakes: [Vec::new(), Vec::new()],
            behind: 0.0,
            glow: glow(),
        }
    }

    /// Begins a game where a key or a button says so.
    fn choose(&mut self) {
        let keys = [KeyCode::Key1, KeyCode::Key2, KeyCode::Key3];
        let chosen = keys.iter().position(|&key| is_key_pressed(key)).map(|index| Strength::ALL[index]);
        let again = is_key_pressed(KeyCode::Space) || is_key_pressed(KeyCode::Enter);
        let clicked = self.scene != Scene::Sailing && is_mouse_button_pressed(MouseButton::Left);
        let Some(strength) = chosen.or((again || clicked).then_some(self.strength)) else { return };
        self.games += 1;
        // Another game every time, also after the program was started anew.
        let seed = self.games.wrapping_add(macroquad::miniquad::date::now() as u64);
        self.strength = strength;
        self.captain = captain(&self.file, strength, seed);
        self.lake = Lake::new(seed);
        self.wakes = [Vec::new(), Vec::new()];
        self.rings.clear();
        self.behind = 0.0;
        self.scene = Scene::Sailing;
    }

    /// Plays as many ticks as have passed.
    fn advance(&mut self, seconds: f32) {
        self.rings.iter_mut().for_each(|ring| ring.age += seconds);
        self.rings.retain(|ring| ring.age < 1.0);
        if self.scene != Scene::Sailing {
            return;
        }
        // After a pause, such as a window that was hidden, the game goes on where it was.
        self.behind = (self.behind + seconds).min(0.1);
        while self.behind >= 1.0 / TICKS_PER_SECOND as f32 {
            self.behind -= 1.0 / TICKS_PER_SECOND as f32;
            let steering = [self.your_steering(), self.captain.steer(&self.lake, 1)];
            for event in self.lake.tick(steering) {
                let (at, colour) = match event {
                    Event::Taken { boat, lantern } => (lantern.at, [YOURS, THEIRS][boat]),
                    Event::Bumped { at } => (at, TEXT),
                    Event::BurntOut { at } => (at, GOLD),
                };
                self.rings.push(Ring { at, colour, age: 0.0 });
            }
            for (wake, boat) in self.wakes.iter_mut().zip(self.lake.boats()) {
                wake.push(boat.at);
                if wake.len() > 70 {
                    wake.remove(0);
                }
            }
        }
        if self.lake.is_over() {
            self.scene = Scene::End;
        }
    }

    /// Arrow keys or WASD, else towards the pointer while it is pressed.
    fn your_steering(&self) -> Steer {
        let axis = |negative: [KeyCode; 2], positive: [KeyCode; 2]| {
            let held = |keys: [KeyCode; 2]| f32::from(u8::from(keys.into_iter().any(is_key_down)));
            held(positive) - held(negative)
        };
        let x = axis([KeyCode::Left, KeyCode::A], [KeyCode::Right, KeyCode::D]);
        let y = axis([KeyCode::Up, KeyCode::W], [KeyCode::Down, KeyCode::S]);
        if x != 0.0 || y != 0.0 {
            return Steer::towards(Point { x, y });
        }
        if !is_mouse_button_down(MouseButton::Left) {
            return Steer::Drift;
        }
        let (x, y) = mouse_position();
        let view = View::of_window();
        let way = Point { x: (x - view.left) / view.scale, y: (y - view.top) / view.scale } - self.lake.boats()[0].at;
        if way.length() < BOAT { Steer::Drift } else { Steer::towards(way) }
    }

    fn draw(&self) {
        let view = View::of_window();
        clear_background(Color::new(0.015, 0.03, 0.05, 1.0));
        let [width, height] = [LAKE.x, LAKE.y].map(|side| side * view.scale);
        draw_rectangle(view.left, view.top, width, height, WATER);
        self.ripples(&view);
        for ring in &self.rings {
            let colour = Color { a: 0.6 * (1.0 - ring.age), ..ring.colour };
            let (x, y) = view.at(ring.at);
            draw_circle_lines(x, y, view.scale * (3.0 + 14.0 * ring.age), 2.0, colour);
        }
        for lantern in self.lake.lanterns() {
            self.lantern(&view, lantern);
        }
        let colours = [YOURS, THEIRS];
        for ((wake, boat), colour) in self.wakes.iter().zip(self.lake.boats()).zip(colours) {
            for (index, pair) in wake.windows(2).enumerate() {
                let ((x1, y1), (x2, y2)) = (view.at(pair[0]), view.at(pair[1]));
                let share = index as f32 / wake.len() as f32;
                draw_line(x1, y1, x2, y2, view.scale * (0.3 + share), Color { a: 0.25 * share, ..colour });
            }
            self.boat(&view, boat, colour);
        }
        self.words(&view);
    }

    /// Faint waves that follow the current.
    fn ripples(&self, view: &View) {
        let time = get_time() as f32;
        for row in 0..12 {
            let y = LAKE.y * (row as f32 + 0.5) / 12.0;
            let mut last = None;
            for column in 0..=40 {
                let x = LAKE.x * column as f32 / 40.0;
                let wave = 0.9 * (0.09 * x + 0.7 * row as f32 + 0.6 * time).sin();
                let (here_x, here_y) = view.at(Point { x, y: y + wave });
                if let Some((x, y)) = last {
                    draw_line(x, y, here_x, here_y, 1.0, Color::new(0.5, 0.75, 0.9, 0.045));
                }
                last = Some((here_x, here_y));
            }
        }
    }

    fn lantern(&self, view: &View, lantern: &Lantern) {
        let (colour, size) = if lantern.gold.is_some() { (GOLD, 1.5) } else { (FLAME, 1.0) };
        let flicker = 1.0 + 0.06 * (get_time() as f32 * 7.0 + lantern.at.x).sin();
        // A golden lantern's last two seconds are seen.
        let left = lantern.gold.map_or(1.0, |ticks| (ticks as f32 / 120.0).min(1.0));
        self.shine(view, lantern.at, 16.0 * size * flicker, Color { a: 0.55 * left, ..colour });
        let (x, y) = view.at(lantern.at);
        draw_circle(x, y, view.scale * 1.5 * size, Color { a: 0.35 + 0.6 * left, ..colour });
        draw_circle(x, y, view.scale * 0.7 * size, Color::new(1.0, 0.96, 0.85, left));
    }

    fn boat(&self, view: &View, boat: &Boat, colour: Color) {
        self.shine(view, boat.at, 15.0, Color { a: 0.3, ..colour });
        let speed = boat.speed.length();
        let heading = if speed > 0.02 { boat.speed * (1.0 / speed) } else { Point { x: 1.0, y: 0.0 } };
        let across = Point { x: -heading.y, y: heading.x };
        let point = |along: f32, side: f32| {
            let (x, y) = view.at(boat.at + heading * along + across * side);
            vec2(x, y)
        };
        let (bow, stern) = (point(1.15 * BOAT, 0.0), point(-BOAT, 0.0));
        let sides = [point(0.1 * BOAT, -0.62 * BOAT), point(0.1 * BOAT, 0.62 * BOAT)];
        let hull = Color::new(colour.r * 0.55, colour.g * 0.55, colour.b * 0.55, 1.0);
        for side in sides {
            draw_triangle(bow, side, stern, hull);
        }
        let sail = boat.steer.direction();
        let (x, y) = view.at(boat.at);
        draw_circle(x, y, view.scale * 1.3, colour);
        let (to_x, to_y) = view.at(boat.at - sail * 4.5);
        draw_line(x, y, to_x, to_y, view.scale * 0.9, Color { a: 0.5, ..colour });
    }

    fn shine(&self, view: &View, at: Point, radius: f32, colour: Color) {
        let (x, y) = view.at(at);
        let side = 2.0 * radius * view.scale;
        let size = DrawTextureParams { dest_size: Some(vec2(side, side)), ..DrawTextureParams::default() };
        draw_texture_ex(&self.glow, x - 0.5 * side, y - 0.5 * side, colour, size);
    }

    fn words(&self, view: &View) {
        let [yours, theirs] = self.lake.boats().map(|boat| boat.light);
        let size = 7.0 * view.scale;
        let line = view.top - 2.5 * view.scale;
        draw_text(format!("you {yours}"), view.left, line, size, YOURS);
        let right = format!("{theirs} {}", name(self.strength));
        let width = measure_text(&right, None, size as u16, 1.0).width;
        draw_text(&right, view.left + LAKE.x * view.scale - width, line, size, THEIRS);
        let seconds = self.lake.ticks_left().div_ceil(TICKS_PER_SECOND);
        centred(view, &seconds.to_string(), line, size, TEXT);
        let middle = view.top + 0.42 * LAKE.y * view.scale;
        match self.scene {
            Scene::Sailing => {}
            Scene::Title => {
                centred(view, "Lanterns", middle, 2.4 * size, FLAME);
                centred(view, "gather more light than the other boat", middle + 1.6 * size, 0.8 * size, TEXT);
            }
            Scene::End => {
                let result = match yours.cmp(&theirs) {
                    std::cmp::Ordering::Greater => "you win",
                    std::cmp::Ordering::Less => "you lose",
                    std::cmp::Ordering::Equal => "a draw",
                };
                centred(view, result, middle, 2.0 * size, FLAME);
            }
        }
        if self.scene != Scene::Sailing {
            let keys = "1 deckhand   2 mate   3 captain   arrows or pointer steer   esc ends";
            centred(view, keys, middle + 4.0 * size, 0.7 * size, TEXT);
        }
        let progress = 1.0 - self.lake.ticks_left() as f32 / GAME_TICKS as f32;
        let bottom = view.top + LAKE.y * view.scale + 1.5 * view.scale;
        draw_rectangle(view.left, bottom, LAKE.x * view.scale * progress, 0.8 * view.scale, Color { a: 0.4, ..FLAME });
    }
}

fn name(strength: Strength) -> &'static str {
    match strength {
        Strength::Deckhand => "deckhand",
        Strength::Mate => "mate",
        Strength::Captain => "captain",
    }
}

fn centred(view: &View, text: &str, y: f32, size: f32, colour: Color) {
    let width = measure_text(text, None, size as u16, 1.0).width;
    draw_text(text, view.left + 0.5 * (LAKE.x * view.scale - width), y, size, colour);
}

/// Where the lake lies in the window.
struct View {
    left: f32,
    top: f32,
    /// Pixels of a length.
    scale: f32,
}

impl View {
    /// The largest lake that leaves room for the words above.
    fn of_window() -> Self {
        let (width, height) = (screen_width(), screen_height());
        let scale = (width / (LAKE.x + 8.0)).min(height / (LAKE.y + 18.0));
        Self { left: 0.5 * (width - LAKE.x * scale), top: 0.5 * (height - LAKE.y * scale) + 4.0 * scale, scale }
    }

    fn at(&self, point: Point) -> (f32, f32) {
        (self.left + point.x * self.scale, self.top + point.y * self.scale)
    }
}

/// A round light that fades from its middle, to be tinted.
fn glow() -> Texture2D {
    const SIDE: u16 = 128;
    let mut image = Image::gen_image_color(SIDE, SIDE, Color::new(1.0, 1.0, 1.0, 0.0));
    let middle = 0.5 * f32::from(SIDE);
    for y in 0..u32::from(SIDE) {
        for x in 0..u32::from(SIDE) {
            let from_middle = vec2(x as f32 + 0.5 - middle, y as f32 + 0.5 - middle).length() / middle;
            let light = (1.0 - from_middle).max(0.0);
            image.set_pixel(x, y, Color::new(1.0, 1.0, 1.0, light * light));
        }
    }
    Texture2D::from_image(&image)
}
