//! CartPole-v1: balance a pole on a cart by pushing the cart left or right.

use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::environment::{Element, Environment, EnvironmentError, EnvironmentSpec};
use crate::picture::Picture;
use crate::seed::Seed;
use crate::state::{self, State};
use crate::time_step::{Game, TimeStep};

const NAME: &str = "cartpole";

const GRAVITY: f64 = 9.8;
const CART_MASS: f64 = 1.0;
const POLE_MASS: f64 = 0.1;
const TOTAL_MASS: f64 = CART_MASS + POLE_MASS;
/// Half of the pole's length, in metres.
const HALF_LENGTH: f64 = 0.5;
const FORCE: f64 = 10.0;
/// Seconds between two agent steps.
const TIME_STEP: f64 = 0.02;
const POSITION_LIMIT: f64 = 2.4;
const ANGLE_LIMIT: f64 = 12.0 * std::f64::consts::PI / 180.0;
const START_LIMIT: f64 = 0.05;
const STEP_LIMIT: u32 = 500;

/// CartPole-v1 of Gymnasium (Barto, Sutton and Anderson 1983), with its explicit Euler integration.
///
/// Reward 1 for each step, also the one that ends the episode: with discount 0 once the cart is more than 2.4 m from
/// the middle or the pole more than 12 degrees from upright, as a truncation with discount 1 after 500 steps. Episodes
/// start with all four quantities uniform in ±0.05. The observation is one frame of four `f32`: cart position (m), cart
/// velocity (m/s), pole angle (rad), pole angular velocity (rad/s); the physics are computed in `f64`.
#[derive(Debug)]
pub struct CartPole {
    spec: EnvironmentSpec,
    state: State<Episode>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Episode {
    motion: Motion,
    steps: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Motion {
    position: f64,
    velocity: f64,
    angle: f64,
    angular_velocity: f64,
}

impl Motion {
    fn quantities(self) -> [f64; 4] {
        [self.position, self.velocity, self.angle, self.angular_velocity]
    }

    fn draw(self, observation: &mut [u8]) {
        for (bytes, quantity) in observation.chunks_exact_mut(4).zip(self.quantities()) {
            bytes.copy_from_slice(&(quantity as f32).to_ne_bytes());
        }
    }

    /// Florian (2007), "Correct equations for the dynamics of the cart-pole system", equations 23 and 24, without
    /// friction, then one explicit Euler step.
    fn after(self, force: f64) -> Self {
        let (sin, cos) = (self.angle.sin(), self.angle.cos());
        let pole_moment = POLE_MASS * HALF_LENGTH;
        let push = (force + pole_moment * self.angular_velocity.powi(2) * sin) / TOTAL_MASS;
        let angular_acceleration =
            (GRAVITY * sin - cos * push) / (HALF_LENGTH * (4.0 / 3.0 - POLE_MASS * cos.powi(2) / TOTAL_MASS));
        let acceleration = push - pole_moment * angular_acceleration * cos / TOTAL_MASS;
        Self {
            position: self.position + TIME_STEP * self.velocity,
            velocity: self.velocity + TIME_STEP * acceleration,
            angle: self.angle + TIME_STEP * self.angular_velocity,
            angular_velocity: self.angular_velocity + TIME_STEP * angular_acceleration,
        }
    }

    fn within_limits(self) -> bool {
        self.position.abs() <= POSITION_LIMIT && self.angle.abs() <= ANGLE_LIMIT
    }
}

impl CartPole {
    /// CartPole whose starts are drawn from `seed`.
    pub fn new(seed: Seed) -> Self {
        Self {
            spec: EnvironmentSpec::single_frame(NAME, vec![4], Element::F32, &["left", "right"]),
            state: State::new(seed),
        }
    }
}

impl Environment for CartPole {
    fn spec(&self) -> &EnvironmentSpec {
        &self.spec
    }

    fn reset(&mut self, observation: &mut [u8]) -> Result<TimeStep, EnvironmentError> {
        let mut draw = || self.state.generator.random_range(-START_LIMIT..START_LIMIT);
        let motion = Motion { position: draw(), velocity: draw(), angle: draw(), angular_velocity: draw() };
        motion.draw(observation);
        self.state.episode = Some(Episode { motion, steps: 0 });
        Ok(TimeStep::first(0))
    }

    fn step(&mut self, action: usize, observation: &mut [u8]) -> Result<TimeStep, EnvironmentError> {
        let episode = self.state.running(&self.spec)?;
        let force = match action {
            0 => -FORCE,
            1 => FORCE,
            _ => return Err(self.spec.unknown_action(action)),
        };
        let (motion, steps) = (episode.motion.after(force), episode.steps + 1);
        motion.draw(observation);
        let game = match motion.within_limits() {
            false => Game::Over,
            true if steps == STEP_LIMIT => Game::Truncated,
            true => Game::Running,
        };
        self.state.episode = (game == Game::Running).then_some(Episode { motion, steps });
        Ok(TimeStep::after_action(1.0, game))
    }

    /// The cart on its track and the pole, from the side.
    fn picture(&self) -> Option<Picture> {
        const WIDTH: usize = 240;
        const HEIGHT: usize = 120;
        /// Pixels of a metre: the whole track is seen.
        const METRE: f64 = 45.0;
        let motion = self.state.episode?.motion;
        let mut pixels = vec![[8, 18, 28]; WIDTH * HEIGHT];
        let mut fill = |x: f64, y: f64, half: [f64; 2], colour: [u8; 3]| {
            for (index, pixel) in pixels.iter_mut().enumerate() {
                let (column, row) = ((index % WIDTH) as f64, (index / WIDTH) as f64);
                if (column - x).abs() <= half[0] && (row - y).abs() <= half[1] {
                    *pixel = colour;
                }
            }
        };
        let (middle, axle) = (0.5 * WIDTH as f64, 95.0);
        let cart = middle + METRE * motion.position;
        fill(middle, axle + 8.0, [METRE * POSITION_LIMIT, 0.5], [60, 85, 105]);
        fill(cart, axle, [14.0, 6.0], [115, 217, 242]);
        for step in 0..=50 {
            let along = METRE * 2.0 * HALF_LENGTH * f64::from(step) / 50.0 * 1.6;
            fill(cart + along * motion.angle.sin(), axle - along * motion.angle.cos(), [1.5, 1.5], [255, 199, 115]);
        }
        Some(Picture { width: WIDTH, pixel_aspect: 1.0, pixels })
    }

    fn save_state(&self) -> Result<Vec<u8>, EnvironmentError> {
        Ok(state::encode(NAME, &self.state))
    }

    fn load_state(&mut self, bytes: &[u8]) -> Result<(), EnvironmentError> {
        self.state = state::decode(NAME, bytes, |state: &State<Episode>| match state.episode {
            Some(Episode { steps, .. }) if steps >= STEP_LIMIT => {
                Err(format!("{steps} steps exceed its limit of {STEP_LIMIT}"))
            }
            // NaN is within no limits.
            Some(Episode { motion, .. }) if !motion.within_limits() => Err(format!("{motion:?} has already ended")),
            _ => Ok(()),
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time_step::StepType;

    struct GoldenStep {
        step: u32,
        action: Option<usize>,
        motion: Motion,
        game: Game,
    }

    /// Episodes of the real Gymnasium; the file's header says how they were made.
    fn golden_episodes() -> Vec<Vec<GoldenStep>> {
        let mut episodes: Vec<Vec<GoldenStep>> = Vec::new();
        let text = include_str!("../../../../assets/golden/cart_pole.csv");
        for line in text.lines().filter(|line| !line.starts_with('#')).skip(1) {
            let fields: Vec<&str> = line.split(',').collect();
            let number = |i: usize| fields[i].parse::<f64>().unwrap();
            let step = fields[1].parse().unwrap();
            if step == 0 {
                episodes.push(Vec::new());
            }
            episodes.last_mut().unwrap().push(GoldenStep {
                step,
                action: fields[2].parse().ok(),
                motion: Motion {
                    position: number(3),
                    velocity: number(4),
                    angle: number(5),
                    angular_velocity: number(6),
                },
                game: match (fields[8], fields[9]) {
                    ("True", "False") => Game::Over,
                    ("False", "True") => Game::Truncated,
                    _ => Game::Running,
                },
            });
        }
        episodes
    }

    #[test]
    fn every_step_and_ending_is_gymnasiums() {
        let episodes = golden_episodes();
        let endings: Vec<Game> = episodes.iter().map(|episode| episode.last().unwrap().game).collect();
        assert!(endings.contains(&Game::Over) && endings.contains(&Game::Truncated));
        for episode in episodes {
            let mut cart_pole = CartPole::new(Seed(0));
            let mut observation = [0; 16];
            for pair in episode.windows(2) {
                // Each step starts from Gymnasium's numbers: an unstable pole would magnify one rounding of a sine
                // over hundreds of steps.
                let start = Episode { motion: pair[0].motion, steps: pair[0].step };
                cart_pole.state.episode = Some(start);
                let time_step = cart_pole.step(pair[1].action.unwrap(), &mut observation).unwrap();
                assert_eq!(time_step.game, pair[1].game, "step {}", pair[1].step);
                assert_eq!(time_step.step_type == StepType::Last, pair[1].game != Game::Running);
                assert_eq!(time_step.discount, if pair[1].game == Game::Over { 0.0 } else { 1.0 });
                assert_eq!(time_step.reward, 1.0);
                let ours = start.motion.after(if pair[1].action == Some(1) { FORCE } else { -FORCE });
                for (a, b) in ours.quantities().into_iter().zip(pair[1].motion.quantities()) {
                    assert!((a - b).abs() < 1e-13, "step {}: {a}, not {b}", pair[1].step);
                }
                for (bytes, quantity) in observation.chunks_exact(4).zip(ours.quantities()) {
                    assert_eq!(f32::from_ne_bytes(bytes.try_into().unwrap()), quantity as f32);
                }
            }
        }
    }

    #[test]
    fn starts_fill_the_range_of_five_hundredths() {
        let mut cart_pole = CartPole::new(Seed(2));
        let mut observation = [0; 16];
        let mut largest = [0.0f64; 4];
        for _ in 0..1000 {
            cart_pole.reset(&mut observation).unwrap();
            let motion = cart_pole.state.episode.unwrap().motion;
            for (largest, quantity) in largest.iter_mut().zip(motion.quantities()) {
                *largest = largest.max(quantity.abs());
            }
        }
        assert!(largest.iter().all(|largest| (0.0495..=0.05).contains(largest)), "{largest:?}");
    }

    #[test]
    fn a_loaded_state_continues_as_the_saved_environment_does() {
        let mut saved = CartPole::new(Seed(5));
        let mut observation = [0; 16];
        saved.reset(&mut observation).unwrap();
        let mut loaded = CartPole::new(Seed(6));
        loaded.load_state(&saved.save_state().unwrap()).unwrap();
        for step in 0..300 {
            let (mut a, mut b) = ([0; 16], [1; 16]);
            let time_step = saved.step(step % 2, &mut a).unwrap();
            assert_eq!(time_step, loaded.step(step % 2, &mut b).unwrap());
            if time_step.step_type == StepType::Last {
                saved.reset(&mut a).unwrap();
                loaded.reset(&mut b).unwrap();
            }
            assert_eq!(a, b);
        }
        saved.state.episode = Some(Episode {
            motion: Motion { position: f64::NAN, velocity: 0.0, angle: 0.0, angular_velocity: 0.0 },
            steps: 0,
        });
        assert!(loaded.load_state(&saved.save_state().unwrap()).is_err());
    }
}
