//! Defines a game and trains it through the library: walk along a corridor to the door.
//!
//! ```text
//! cargo run --release --example own_environment
//! ```

use prism::{Config, Ending, Environments, Place, Run};
use prism_environment::{Element, Environment, EnvironmentError, EnvironmentSpec, Game, StepType, TimeStep};

const ROOMS: usize = 8;
/// Steps after which an episode ends without the door.
const PATIENCE: usize = 30;

/// The walker starts in the first room; the door is in the last.
struct Corridor {
    spec: EnvironmentSpec,
    room: usize,
    steps: usize,
}

impl Corridor {
    fn new() -> Self {
        let spec = EnvironmentSpec::single_frame("corridor", vec![ROOMS], Element::U8, &["left", "right"]);
        Self { spec, room: 0, steps: 0 }
    }

    fn show(&self, observation: &mut [u8]) {
        observation.fill(0);
        observation[self.room] = 255;
    }
}

impl Environment for Corridor {
    fn spec(&self) -> &EnvironmentSpec {
        &self.spec
    }

    fn reset(&mut self, observation: &mut [u8]) -> Result<TimeStep, EnvironmentError> {
        (self.room, self.steps) = (0, 0);
        self.show(observation);
        Ok(TimeStep::first(0))
    }

    fn step(&mut self, action: usize, observation: &mut [u8]) -> Result<TimeStep, EnvironmentError> {
        self.room = if action == 1 { self.room + 1 } else { self.room.saturating_sub(1) };
        self.steps += 1;
        self.show(observation);
        let (step_type, discount, reward, game) = match (self.room == ROOMS - 1, self.steps == PATIENCE) {
            (true, _) => (StepType::Last, 0.0, 1.0, Game::Over),
            // A truncation: the discount stays 1, so that learning bootstraps from the last observation.
            (false, true) => (StepType::Last, 1.0, 0.0, Game::Truncated),
            (false, false) => (StepType::Mid, 1.0, 0.0, Game::Running),
        };
        Ok(TimeStep { step_type, discount, reward, raw_reward: reward, game, lives: 0, frames: 1 })
    }

    fn save_state(&self) -> Result<Vec<u8>, EnvironmentError> {
        Ok(vec![self.room as u8, self.steps as u8])
    }

    fn load_state(&mut self, state: &[u8]) -> Result<(), EnvironmentError> {
        let &[room, steps] = state else { return Err(EnvironmentError::own("two bytes are needed")) };
        (self.room, self.steps) = (room.into(), steps.into());
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let settings = [("environment.kind", "own"), ("environment.name", "corridor")];
    let config = Config::preset("catch")?.with_all(settings)?.with("training.stop_score", 0.95)?;
    let environments = Environments::own(|_seed| Ok(Corridor::new()));
    let folder = tempfile::tempdir()?;
    let summary = Run::new(&config, environments, Place::At(folder.path().join("corridor")))?.go()?;
    assert_eq!(summary.ending, Ending::Solved, "the door is reached in {:?} of the games", summary.mean_score);
    Ok(())
}
