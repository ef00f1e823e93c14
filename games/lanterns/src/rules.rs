//! The rules. They know nothing of windows, agents or observations.
//!
//! Two boats on a dark lake gather floating lanterns for 45 seconds; whoever has gathered more light wins. Boats keep their
//! momentum while water slows them, bounce off the shore and off each other, and a slow current turns around the middle of
//! the lake and carries everything along. A lantern that is taken gives 1 light and another appears elsewhere. One in six is
//! golden and gives 3, but burns out after some seconds.
//!
//! The game moves in ticks, 60 a second. Equal seeds and equal steering give equal games on every machine.

use std::ops::{Add, AddAssign, Mul, Neg, Sub};

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Ticks in a second.
pub const TICKS_PER_SECOND: u32 = 60;
/// Ticks in a game.
pub const GAME_TICKS: u32 = 45 * TICKS_PER_SECOND;
/// Width and height of the lake.
pub const LAKE: Point = Point { x: 160.0, y: 100.0 };
/// Radius of a boat.
pub const BOAT: f32 = 4.0;
/// Radius of a lantern.
pub const LANTERN: f32 = 2.5;
/// Lanterns on the lake.
pub const LANTERNS: usize = 5;
/// Ticks for which a golden lantern burns.
pub const GOLD_TICKS: u32 = 7 * TICKS_PER_SECOND;
/// The fastest that a boat can go by its own sail, in lengths a tick.
pub const TOP_SPEED: f32 = THRUST / DRAG;

/// Speed that a sail gives in a tick.
const THRUST: f32 = 0.03;
/// Share of its speed that a boat loses in a tick.
const DRAG: f32 = 0.03;
/// Share of the speed that is left after the shore or another boat was hit.
const BOUNCE: f32 = 0.8;
/// Turns of the current in a tick, as lengths for each length from the middle.
const CURRENT: f32 = 0.0015;
/// New lanterns are at least so far from both boats.
const CLEARANCE: f32 = 25.0;

/// A place on the lake, from its upper left corner, or a way between places.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Down.
    pub y: f32,
}

/// What a boat's sail does: nothing, or a push in one of eight directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "directions are what they are called")]
pub enum Steer {
    #[default]
    Drift,
    Up,
    UpRight,
    Right,
    DownRight,
    Down,
    DownLeft,
    Left,
    UpLeft,
}

/// One of the two boats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Boat {
    /// Where it is.
    pub at: Point,
    /// How far it goes in a tick.
    pub speed: Point,
    /// What its sail does.
    pub steer: Steer,
    /// The light it has gathered.
    pub light: u32,
}

/// A floating lantern.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lantern {
    /// Where it is.
    pub at: Point,
    /// Ticks until a golden lantern burns out; `None` for others.
    pub gold: Option<u32>,
}

/// Something that happened in a tick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// A boat took a lantern.
    Taken {
        /// Which boat: 0 or 1.
        boat: usize,
        /// The lantern as it was.
        lantern: Lantern,
    },
    /// The boats hit each other.
    Bumped {
        /// Where.
        at: Point,
    },
    /// A golden lantern burnt out.
    BurntOut {
        /// Where it was.
        at: Point,
    },
}

/// A game.
#[derive(Clone, Debug)]
pub struct Lake {
    boats: [Boat; 2],
    lanterns: [Lantern; LANTERNS],
    tick: u32,
    generator: Xoshiro256PlusPlus,
}

impl Lake {
    /// A new game, drawn from a seed.
    pub fn new(seed: u64) -> Self {
        let boat = |x: f32| Boat { at: Point { x: x * LAKE.x, y: 0.5 * LAKE.y }, ..Boat::AT_REST };
        let mut lake = Self {
            boats: [boat(0.25), boat(0.75)],
            lanterns: [Lantern { at: Point::default(), gold: None }; LANTERNS],
            tick: 0,
            generator: Xoshiro256PlusPlus::seed_from_u64(seed),
        };
        for index in 0..LANTERNS {
            lake.lanterns[index] = lake.new_lantern();
        }
        lake
    }

    /// Both boats: number 0 starts at the left, number 1 at the right.
    pub fn boats(&self) -> &[Boat; 2] {
        &self.boats
    }

    /// The lanterns.
    pub fn lanterns(&self) -> &[Lantern; LANTERNS] {
        &self.lanterns
    }

    /// Ticks that are left.
    pub fn ticks_left(&self) -> u32 {
        GAME_TICKS - self.tick
    }

    /// Whether the game has ended.
    pub fn is_over(&self) -> bool {
        self.ticks_left() == 0
    }

    /// Goes on by a tick with both boats steered so. Nothing happens after the end.
    pub fn tick(&mut self, steering: [Steer; 2]) -> Vec<Event> {
        let mut events = Vec::new();
        if self.is_over() {
            return events;
        }
        self.tick += 1;
        for (boat, steer) in self.boats.iter_mut().zip(steering) {
            boat.sail(steer);
        }
        if let Some(at) = self.bump() {
            events.push(Event::Bumped { at });
        }
        for index in 0..LANTERNS {
            self.float(index, &mut events);
        }
        events
    }

    /// Has the boats push each other where they meet.
    fn bump(&mut self) -> Option<Point> {
        let [one, other] = &mut self.boats;
        let way = other.at - one.at;
        let distance = way.length();
        if distance >= 2.0 * BOAT {
            return None;
        }
        // Boats in the very same place part to the right.
        let towards = if distance > 0.0 { way * (1.0 / distance) } else { Point { x: 1.0, y: 0.0 } };
        let overlap = towards * (BOAT - 0.5 * distance);
        one.at = (one.at - overlap).within(BOAT);
        other.at = (other.at + overlap).within(BOAT);
        let closing = (one.speed - other.speed).dot(towards);
        if closing <= 0.0 {
            return None;
        }
        let push = towards * (0.5 * (1.0 + BOUNCE) * closing);
        one.speed = one.speed - push;
        other.speed += push;
        Some((one.at + other.at) * 0.5)
    }

    /// Carries a lantern along, has a boat take it, has it burn out.
    fn float(&mut self, index: usize, events: &mut Vec<Event>) {
        let lantern = &mut self.lanterns[index];
        lantern.at = (lantern.at + current(lantern.at)).within(LANTERN);
        let lantern = *lantern;
        let distance = |boat: &Boat| (boat.at - lantern.at).length();
        let [one, other] = [0, 1].map(|boat| distance(&self.boats[boat]));
        if one.min(other) < BOAT + LANTERN {
            // Of two boats at the same distance the one that is behind in light, else the left one, is quicker.
            let boat = usize::from(other < one || (other == one && self.boats[1].light < self.boats[0].light));
            self.boats[boat].light += lantern.light();
            events.push(Event::Taken { boat, lantern });
            self.lanterns[index] = self.new_lantern();
            return;
        }
        match lantern.gold {
            Some(0) => {
                events.push(Event::BurntOut { at: lantern.at });
                self.lanterns[index] = self.new_lantern();
            }
            Some(left) => self.lanterns[index].gold = Some(left - 1),
            None => {}
        }
    }

    /// A lantern in a place that is drawn, away from both boats.
    fn new_lantern(&mut self) -> Lantern {
        let gold = (self.generator.random_range(0..6) == 0).then_some(GOLD_TICKS);
        loop {
            // Tenths of a length, so that every machine draws the same place.
            let [x, y] =
                [LAKE.x, LAKE.y].map(|side| self.generator.random_range(50..side as u32 * 10 - 50) as f32 * 0.1);
            let at = Point { x, y };
            if self.boats.iter().all(|boat| (boat.at - at).length() > CLEARANCE) {
                return Lantern { at, gold };
            }
        }
    }
}

impl Boat {
    const AT_REST: Self =
        Self { at: Point { x: 0.0, y: 0.0 }, speed: Point { x: 0.0, y: 0.0 }, steer: Steer::Drift, light: 0 };

    /// Sails for a tick.
    fn sail(&mut self, steer: Steer) {
        self.steer = steer;
        self.speed = self.speed * (1.0 - DRAG) + steer.direction() * THRUST;
        let at = self.at + self.speed + current(self.at);
        self.at = at.within(BOAT);
        // The shore throws it back.
        if at.x != self.at.x {
            self.speed.x *= -BOUNCE;
        }
        if at.y != self.at.y {
            self.speed.y *= -BOUNCE;
        }
    }
}

impl Lantern {
    /// The light that it gives.
    pub fn light(&self) -> u32 {
        if self.gold.is_some() { 3 } else { 1 }
    }
}

impl Steer {
    /// Every way to steer; those of agents are numbered so.
    pub const ALL: [Self; 9] = [
        Self::Drift,
        Self::Up,
        Self::UpRight,
        Self::Right,
        Self::DownRight,
        Self::Down,
        Self::DownLeft,
        Self::Left,
        Self::UpLeft,
    ];

    /// Where it pushes, of length 1 or 0.
    pub fn direction(self) -> Point {
        const SLANT: f32 = std::f32::consts::FRAC_1_SQRT_2;
        let [x, y] = match self {
            Self::Drift => [0.0, 0.0],
            Self::Up => [0.0, -1.0],
            Self::UpRight => [SLANT, -SLANT],
            Self::Right => [1.0, 0.0],
            Self::DownRight => [SLANT, SLANT],
            Self::Down => [0.0, 1.0],
            Self::DownLeft => [-SLANT, SLANT],
            Self::Left => [-1.0, 0.0],
            Self::UpLeft => [-SLANT, -SLANT],
        };
        Point { x, y }
    }

    /// The way to steer that is closest to a direction; drifting where there is hardly any.
    pub fn towards(way: Point) -> Self {
        if way.length() < 0.5 {
            return Self::Drift;
        }
        let along = |steer: &Self| steer.direction().dot(way);
        let (first, others) = (Self::ALL[1], &Self::ALL[2..]);
        others.iter().fold(first, |best, steer| if along(steer) > along(&best) { *steer } else { best })
    }
}

/// Where the water flows, in a tick.
fn current(at: Point) -> Point {
    let from_middle = at - LAKE * 0.5;
    Point { x: -from_middle.y, y: from_middle.x } * CURRENT
}

impl Point {
    /// How long the way is.
    pub fn length(self) -> f32 {
        self.dot(self).sqrt()
    }

    /// The scalar product.
    pub fn dot(self, other: Self) -> f32 {
        self.x * other.x + self.y * other.y
    }

    /// The nearest place that is at least so far from the shore.
    fn within(self, margin: f32) -> Self {
        Self { x: self.x.clamp(margin, LAKE.x - margin), y: self.y.clamp(margin, LAKE.y - margin) }
    }
}

impl Add for Point {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { x: self.x + other.x, y: self.y + other.y }
    }
}

impl AddAssign for Point {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Point {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Neg for Point {
    type Output = Self;

    fn neg(self) -> Self {
        Self { x: -self.x, y: -self.y }
    }
}

impl Mul<f32> for Point {
    type Output = Self;

    fn mul(self, factor: f32) -> Self {
        Self { x: self.x * factor, y: self.y * factor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steering that is drawn, held for a while.
    fn steering(seed: u64) -> impl FnMut() -> [Steer; 2] {
        let mut generator = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut held = [Steer::Drift; 2];
        move || {
            if generator.random_range(0..20) == 0 {
                held = [0; 2].map(|_| Steer::ALL[generator.random_range(0..Steer::ALL.len())]);
            }
            held
        }
    }

    #[test]
    fn a_game_keeps_its_rules() {
        for seed in 0..30 {
            let mut lake = Lake::new(seed);
            let mut steering = steering(seed);
            let mut light = [0; 2];
            for tick in 1..=GAME_TICKS {
                for event in lake.tick(steering()) {
                    if let Event::Taken { boat, lantern } = event {
                        light[boat] += lantern.light();
                    }
                }
                assert_eq!(lake.boats().map(|boat| boat.light), light, "light comes from lanterns alone");
                let within = |at: Point, margin| at == at.within(margin);
                assert!(lake.boats().iter().all(|boat| within(boat.at, BOAT)));
                assert!(lake.lanterns().iter().all(|lantern| within(lantern.at, LANTERN)));
                assert!(lake.boats().iter().all(|boat| boat.speed.length() < 2.0 * TOP_SPEED));
                let apart = (lake.boats()[0].at - lake.boats()[1].at).length();
                assert!(apart > BOAT, "boats are {apart} apart, and only the shore may push one into the other");
                assert_eq!(lake.ticks_left(), GAME_TICKS - tick);
            }
            assert!(lake.is_over() && lake.tick(steering()).is_empty());
            assert!(light[0] + light[1] > 0);
        }
    }

    #[test]
    fn equal_seeds_and_steering_give_equal_games_and_other_seeds_others() {
        let play = |seed| {
            let (mut lake, mut steering) = (Lake::new(seed), steering(1));
            (0..GAME_TICKS).for_each(|_| drop(lake.tick(steering())));
            (*lake.boats(), *lake.lanterns())
        };
        assert_eq!(play(5), play(5));
        assert_ne!(play(5), play(6));
    }

    #[test]
    fn the_lake_is_the_same_from_both_sides() {
        let turned = |at: Point| LAKE - at;
        for seed in 0..10 {
            let mut lake = Lake::new(seed);
            let mut mirrored = lake.clone();
            mirrored.boats.swap(0, 1);
            mirrored.boats.iter_mut().for_each(|boat| boat.at = turned(boat.at));
            mirrored.lanterns.iter_mut().for_each(|lantern| lantern.at = turned(lantern.at));
            let mut steering = steering(seed);
            for _ in 0..GAME_TICKS {
                let [one, other] = steering();
                let opposite = |steer: Steer| Steer::towards(-(steer.direction() * 2.0));
                let events = lake.tick([one, other]);
                mirrored.tick([opposite(other), opposite(one)]);
                // What is drawn anew is not mirrored.
                if events.iter().any(|event| !matches!(event, Event::Bumped { .. })) {
                    break;
                }
                for (boat, other) in lake.boats.iter().zip(mirrored.boats.iter().rev()) {
                    assert!((boat.at - turned(other.at)).length() < 1e-2);
                    assert!((boat.speed + other.speed).length() < 1e-3);
                }
            }
        }
    }

    #[test]
    fn boats_gain_speed_lose_it_and_push_each_other() {
        let mut lake = Lake::new(1);
        lake.lanterns.iter_mut().for_each(|lantern| lantern.at = Point { x: 80.0, y: 90.0 });
        lake.boats[1].at.x = 0.6 * LAKE.x;
        let straight = [Steer::Right, Steer::Drift];
        (0..50).for_each(|_| drop(lake.tick(straight)));
        let fast = lake.boats()[0].speed.x;
        assert!((0.7..TOP_SPEED).contains(&fast), "{fast}");
        let bump = (0..120).flat_map(|_| lake.tick(straight)).find(|event| matches!(event, Event::Bumped { .. }));
        assert!(bump.is_some());
        assert!(lake.boats()[1].speed.x > 0.1, "the other boat is pushed on");
        (0..200).for_each(|_| drop(lake.tick([Steer::Drift; 2])));
        assert!(lake.boats().iter().all(|boat| boat.speed.length() < 0.05), "water slows boats");
    }

    #[test]
    fn golden_lanterns_give_three_and_burn_out() {
        let mut lake = Lake::new(2);
        let far = Point { x: 80.0, y: 8.0 };
        lake.lanterns = [Lantern { at: far, gold: None }; LANTERNS];
        lake.lanterns[1].gold = Some(3);
        let events: Vec<Event> = (0..10).flat_map(|_| lake.tick([Steer::Drift; 2])).collect();
        assert!(matches!(events[..], [Event::BurntOut { .. }]), "{events:?}");
        lake.lanterns[2] = Lantern { at: lake.boats()[1].at, gold: Some(50) };
        lake.tick([Steer::Drift; 2]);
        assert_eq!(lake.boats().map(|boat| boat.light), [0, 3]);
    }

    #[test]
    fn a_direction_becomes_the_nearest_way_to_steer() {
        for steer in Steer::ALL {
            assert_eq!(Steer::towards(steer.direction() * 9.0), steer);
        }
        assert_eq!(Steer::towards(Point { x: 10.0, y: 3.0 }), Steer::Right);
        assert_eq!(Steer::towards(Point { x: -10.0, y: 8.0 }), Steer::DownLeft);
    }
}
