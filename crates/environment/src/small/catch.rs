//! Catch: a ball falls down a small board and a paddle on the bottom row must be below it.

use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::environment::{Element, Environment, EnvironmentError, EnvironmentSpec};
use crate::seed::Seed;
use crate::state::{self, State};
use crate::time_step::{Game, TimeStep};

const NAME: &str = "catch";
const ROWS: usize = 10;
const COLUMNS: usize = 5;

/// Catch on a board of 10 rows and 5 columns, as in bsuite (Osband et al. 2020, "Behaviour Suite for Reinforcement
/// Learning").
///
/// The ball starts in a random column of the top row and falls one row per step; the paddle starts in the middle of the
/// bottom row and moves left, not at all or right. An episode has 9 steps; its last gives reward 1 when the ball is
/// caught and -1 when it is missed, all others 0. The observation is one `[10, 5]` frame of bytes: 255 at the ball and
/// the paddle, 0 elsewhere.
#[derive(Debug)]
pub struct Catch {
    spec: EnvironmentSpec,
    state: State<Episode>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Episode {
    ball_row: usize,
    ball_column: usize,
    paddle_column: usize,
}

impl Catch {
    /// Catch whose balls are drawn from `seed`.
    pub fn new(seed: Seed) -> Self {
        Self {
            spec: EnvironmentSpec::single_frame(NAME, vec![ROWS, COLUMNS], Element::U8, &["left", "stay", "right"]),
            state: State::new(seed),
        }
    }
}

impl Episode {
    fn draw(self, observation: &mut [u8]) {
        observation.fill(0);
        observation[self.ball_row * COLUMNS + self.ball_column] = 255;
        observation[(ROWS - 1) * COLUMNS + self.paddle_column] = 255;
    }
}

impl Environment for Catch {
    fn spec(&self) -> &EnvironmentSpec {
        &self.spec
    }

    fn reset(&mut self, observation: &mut [u8]) -> Result<TimeStep, EnvironmentError> {
        let ball_column = self.state.generator.random_range(0..COLUMNS);
        let episode = Episode { ball_row: 0, ball_column, paddle_column: COLUMNS / 2 };
        episode.draw(observation);
        self.state.episode = Some(episode);
        Ok(TimeStep::first(0))
    }

    fn step(&mut self, action: usize, observation: &mut [u8]) -> Result<TimeStep, EnvironmentError> {
        let mut episode = self.state.running(&self.spec)?;
        episode.paddle_column = match action {
            0 => episode.paddle_column.saturating_sub(1),
            1 => episode.paddle_column,
            2 => (episode.paddle_column + 1).min(COLUMNS - 1),
            _ => return Err(self.spec.unknown_action(action)),
        };
        episode.ball_row += 1;
        episode.draw(observation);
        let (game, reward) = match episode.ball_row == ROWS - 1 {
            false => (Game::Running, 0.0),
            true if episode.ball_column == episode.paddle_column => (Game::Over, 1.0),
            true => (Game::Over, -1.0),
        };
        self.state.episode = (game == Game::Running).then_some(episode);
        Ok(TimeStep::after_action(reward, game))
    }

    fn save_state(&self) -> Result<Vec<u8>, EnvironmentError> {
        Ok(state::encode(NAME, &self.state))
    }

    fn load_state(&mut self, bytes: &[u8]) -> Result<(), EnvironmentError> {
        self.state = state::decode(NAME, bytes, |state: &State<Episode>| match state.episode {
            Some(Episode { ball_row, ball_column, paddle_column })
                if ball_row >= ROWS - 1 || ball_column >= COLUMNS || paddle_column >= COLUMNS =>
            {
                Err(format!("ball at {ball_row}, {ball_column} and paddle at {paddle_column} are off the board"))
            }
            _ => Ok(()),
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time_step::StepType;

    /// Columns of the ball and the paddle, read from the picture before the ball has reached the bottom row.
    fn columns(observation: &[u8]) -> (usize, usize) {
        let lit: Vec<usize> = (0..ROWS * COLUMNS).filter(|&i| observation[i] == 255).collect();
        assert_eq!(lit.len(), 2, "one ball, one paddle");
        assert_eq!(lit[1] / COLUMNS, ROWS - 1, "the paddle is on the bottom row");
        (lit[0] % COLUMNS, lit[1] % COLUMNS)
    }

    #[test]
    fn following_the_ball_catches_it_and_fleeing_misses_it() {
        let mut catch = Catch::new(Seed(3));
        let mut observation = [0; ROWS * COLUMNS];
        for (chase, score) in [(true, 1.0), (false, -1.0)] {
            for _ in 0..20 {
                catch.reset(&mut observation).unwrap();
                for step in 1.. {
                    let (ball, paddle) = columns(&observation);
                    let action = match (chase, ball.cmp(&paddle)) {
                        (true, order) => (order as i8 + 1) as usize,
                        (false, _) if ball <= COLUMNS / 2 => 2,
                        (false, _) => 0,
                    };
                    let time_step = catch.step(action, &mut observation).unwrap();
                    if time_step.step_type == StepType::Last {
                        assert_eq!((step, time_step.reward, time_step.discount), (9, score, 0.0));
                        break;
                    }
                    assert_eq!((time_step.reward, time_step.discount), (0.0, 1.0));
                }
            }
        }
    }

    #[test]
    fn every_column_is_drawn_about_equally_often() {
        let mut catch = Catch::new(Seed(1));
        let mut observation = [0; ROWS * COLUMNS];
        let mut counts = [0; COLUMNS];
        for _ in 0..5000 {
            catch.reset(&mut observation).unwrap();
            counts[columns(&observation).0] += 1;
        }
        // A binomial count of mean 1000 has a spread of 28; five of them is ample.
        assert!(counts.iter().all(|count| (860..1140).contains(count)), "{counts:?}");
    }

    #[test]
    fn misuse_is_refused() {
        let mut catch = Catch::new(Seed(1));
        let mut observation = [0; ROWS * COLUMNS];
        assert!(matches!(catch.step(1, &mut observation), Err(EnvironmentError::NeedsReset { .. })));
        catch.reset(&mut observation).unwrap();
        let error = catch.step(3, &mut observation).unwrap_err();
        assert_eq!(error.to_string(), "action 3 does not exist in catch: it has 3, counted from 0");
    }

    #[test]
    fn a_loaded_state_continues_as_the_saved_environment_does() {
        let mut saved = Catch::new(Seed(5));
        let mut observation = [0; ROWS * COLUMNS];
        saved.reset(&mut observation).unwrap();
        saved.step(0, &mut observation).unwrap();
        let mut loaded = Catch::new(Seed(6));
        loaded.load_state(&saved.save_state().unwrap()).unwrap();
        for step in 0..100 {
            let (mut a, mut b) = ([0; ROWS * COLUMNS], [1; ROWS * COLUMNS]);
            let time_step = saved.step(step % 3, &mut a).unwrap();
            assert_eq!(time_step, loaded.step(step % 3, &mut b).unwrap());
            if time_step.step_type == StepType::Last {
                saved.reset(&mut a).unwrap();
                loaded.reset(&mut b).unwrap();
            }
            assert_eq!(a, b);
        }
        let off_board = State {
            generator: Seed(0).generator(),
            episode: Some(Episode { ball_row: 0, ball_column: 5, paddle_column: 0 }),
        };
        assert!(loaded.load_state(&state::encode(NAME, &off_board)).is_err());
    }
}
