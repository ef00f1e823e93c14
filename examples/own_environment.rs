//! Defines a game and trains it through the library: walk along a corridor to the door.
//!
//! ```text
//! cargo run --release --example own_environment
//! ```

use prism::{Config, Ending, Environments, Place, Run};
use prism_environment::{Element, Environment, EnvironmentError, EnvironmentSpec, Game, TimeStep};

const ROOMS: usize = 8;
/// Steps after which an episode ends without the door.
const PATIENCE: usize = 30;

/// The walker starts in the first room; the door is in the last.
struct Corridor {
    spec: EnvironmentSpec,
    room: usize,
    steps: usize,
    game: Game,
}

impl Corridor {
    fn new() -> Self {
        let spec = EnvironmentSpec::single_frame("corridor", vec![ROOMS], Element::U8, &["left", "right"]);
        Self { spec, room: 0, steps: 0, game: Game::Over }
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
        (self.room, self.steps, self.game) = (0, 0, Game::Running);
        self.show(observation);
        Ok(TimeStep::first(0))
    }

    fn step(&mut self, action: usize, observation: &mut [u8]) -> Result<TimeStep, EnvironmentError> {
        if self.game != Game::Running {
            return Err(self.spec.needs_reset());
        }
        self.room = match action {
            0 => self.room.saturating_sub(1),
            1 => self.room + 1,
            _ => return Err(self.spec.unknown_action(action)),
        };
        self.steps += 1;
        self.show(observation);
        let at_door = self.room == ROOMS - 1;
        self.game = match self.steps {
            _ if at_door => Game::Over,
            // A truncation: learning bootstraps from the last observation, as if the episode went on.
            PATIENCE => Game::Truncated,
            _ => Game::Running,
        };
        Ok(TimeStep::after_action(if at_door { 1.0 } else { 0.0 }, self.game))
    }
}

/// Trains until the mean score is 0.95.
pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    let settings = [("environment.kind", "own"), ("environment.name", "corridor")];
    let config = Config::preset("catch")?.with_all(settings)?.with("training.stop_score", 0.95)?;
    let environments = Environments::own(|_seed| Ok(Corridor::new()));
    let folder = tempfile::tempdir()?;
    let summary = Run::new(&config, environments, Place::At(folder.path().join("corridor")))?.go()?;
    assert_eq!(summary.ending, Ending::Solved, "the door is reached in {:?} of the games", summary.mean_score);
    Ok(())
}
