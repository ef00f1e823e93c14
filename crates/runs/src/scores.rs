//! Scores of whole games, from the raw rewards of every environment.

use std::collections::VecDeque;
use std::num::NonZeroUsize;

use prism_environment::{AgentSteps, Frames, Game, TimeStep, VectorStep};
use serde::{Deserialize, Serialize};

/// A game that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FinishedGame {
    /// Its number among all games of the run, from 1, in the order in which they ended.
    pub number: u64,
    /// The environment that played it.
    pub environment: usize,
    /// Sum of the raw rewards of all its lives.
    pub score: f64,
    /// Agent steps it took.
    pub steps: AgentSteps,
    /// Emulator frames it took.
    pub frames: Frames,
}

/// Adds up the raw rewards of each environment until its game is over, and remembers the last scores.
///
/// A game may span several learning episodes, which end when a life is lost: it ends only with a step whose
/// [`game`](prism_environment::TimeStep::game) has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreTracker {
    running: Vec<RunningGame>,
    window: NonZeroUsize,
    recent: VecDeque<f64>,
    games: u64,
    best: Option<f64>,
    best_mean: Option<f64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct RunningGame {
    score: f64,
    steps: AgentSteps,
    frames: Frames,
}

impl RunningGame {
    /// A game before its first action: its no-op start may have scored already.
    fn starting(first: &TimeStep) -> Self {
        Self { score: first.raw_reward.into(), steps: AgentSteps(0), frames: Frames(first.frames.into()) }
    }
}

impl ScoreTracker {
    /// A tracker for `environments` environments whose mean runs over the last `window` games.
    pub fn new(environments: usize, window: NonZeroUsize) -> Self {
        Self {
            running: vec![RunningGame::default(); environments],
            window,
            recent: VecDeque::with_capacity(window.get()),
            games: 0,
            best: None,
            best_mean: None,
        }
    }

    /// Whether it is for as many environments and means over as many games as `other`, and holds no more scores than it can.
    pub fn is_like(&self, other: &Self) -> bool {
        let Self { running, window, recent, games, .. } = self;
        let expected = (*games).min(window.get() as u64);
        running.len() == other.running.len() && *window == other.window && recent.len() as u64 == expected
    }

    /// Starts the first game of `environment`, with the rewards and frames before its first observation. Later games start
    /// with the steps that end the games before them.
    ///
    /// # Panics
    /// When there is no such environment.
    pub fn begin(&mut self, environment: usize, first: &TimeStep) {
        self.running[environment] = RunningGame::starting(first);
    }

    /// Adds a step of `environment` and returns the game that it ended, if it did.
    ///
    /// # Panics
    /// When there is no such environment.
    pub fn observe(&mut self, environment: usize, step: &VectorStep) -> Option<FinishedGame> {
        let VectorStep { time_step, restart } = step;
        let game = &mut self.running[environment];
        game.score += f64::from(time_step.raw_reward);
        game.steps += AgentSteps(1);
        game.frames += Frames(u64::from(time_step.frames));
        if time_step.game == Game::Running {
            return None;
        }
        let next = restart.as_ref().map(RunningGame::starting).unwrap_or_default();
        let RunningGame { score, steps, frames } = std::mem::replace(game, next);
        self.games += 1;
        self.remember(score);
        Some(FinishedGame { number: self.games, environment, score, steps, frames })
    }

    fn remember(&mut self, score: f64) {
        if self.recent.len() == self.window.get() {
            self.recent.pop_front();
        }
        self.recent.push_back(score);
        self.best = Some(self.best.map_or(score, |best| best.max(score)));
        if let Some(mean) = self.full_mean() {
            self.best_mean = Some(self.best_mean.map_or(mean, |best| best.max(mean)));
        }
    }

    /// Games that have ended.
    pub fn games(&self) -> u64 {
        self.games
    }

    /// Score of the game that ended last.
    pub fn last(&self) -> Option<f64> {
        self.recent.back().copied()
    }

    /// Highest score of a game.
    pub fn best(&self) -> Option<f64> {
        self.best
    }

    /// Mean score of the last games, fewer than the window while fewer have ended.
    pub fn recent_mean(&self) -> Option<f64> {
        // Summed anew each time: a running sum would drift.
        (!self.recent.is_empty()).then(|| self.recent.iter().sum::<f64>() / self.recent.len() as f64)
    }

    /// Mean score of a full window; [`Self::solved`] and [`Self::best_mean`] use it.
    pub fn full_mean(&self) -> Option<f64> {
        if self.recent.len() == self.window.get() { self.recent_mean() } else { None }
    }

    /// Highest mean score that a full window has had.
    pub fn best_mean(&self) -> Option<f64> {
        self.best_mean
    }

    /// Whether the mean of a full window reaches `stop_score`.
    pub fn solved(&self, stop_score: f64) -> bool {
        self.full_mean().is_some_and(|mean| mean >= stop_score)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prism_environment::StepType;

    fn step(step_type: StepType, raw_reward: f32, game: Game) -> VectorStep {
        let reward = raw_reward.signum();
        let restart = (step_type == StepType::Last).then(|| TimeStep::first(1));
        VectorStep {
            time_step: TimeStep { step_type, reward, raw_reward, discount: 1.0, game, lives: 1, frames: 4 },
            restart,
        }
    }

    fn tracker(environments: usize, window: usize) -> ScoreTracker {
        ScoreTracker::new(environments, NonZeroUsize::new(window).unwrap())
    }

    /// Plays a one-step game of the given score.
    fn play(tracker: &mut ScoreTracker, score: f32) {
        let finished = tracker.observe(0, &step(StepType::Last, score, Game::Over));
        assert_eq!(finished.map(|game| game.score), Some(f64::from(score)));
    }

    #[test]
    fn a_score_spans_lives_and_counts_raw_rewards() {
        let mut tracker = tracker(1, 100);
        assert_eq!(tracker.observe(0, &step(StepType::Mid, 7.0, Game::Running)), None);
        // A life is lost: the learning episode ends, the game does not.
        assert_eq!(tracker.observe(0, &step(StepType::Last, 1.0, Game::Running)), None);
        let finished = tracker.observe(0, &step(StepType::Last, 30.0, Game::Over)).expect("the game is over");
        let expected =
            FinishedGame { number: 1, environment: 0, score: 38.0, steps: AgentSteps(3), frames: Frames(12) };
        assert_eq!(finished, expected);
        // The next game starts from zero.
        let next = tracker.observe(0, &step(StepType::Last, 2.0, Game::Truncated)).expect("a limit ends a game too");
        assert_eq!((next.number, next.score, next.steps), (2, 2.0, AgentSteps(1)));
    }

    #[test]
    fn a_game_has_what_its_start_gave() {
        let mut tracker = tracker(1, 100);
        tracker.begin(0, &TimeStep { raw_reward: 2.0, frames: 30, ..TimeStep::first(3) });
        let mut last = step(StepType::Last, 5.0, Game::Over);
        last.restart = Some(TimeStep { raw_reward: 10.0, frames: 7, ..TimeStep::first(3) });
        let first = tracker.observe(0, &last).expect("the game is over");
        assert_eq!((first.score, first.frames, first.steps), (7.0, Frames(34), AgentSteps(1)));
        let second = tracker.observe(0, &step(StepType::Last, 1.0, Game::Over)).expect("the game is over");
        assert_eq!((second.score, second.frames), (11.0, Frames(11)));
    }

    #[test]
    fn environments_do_not_mix() {
        let mut tracker = tracker(2, 100);
        tracker.observe(0, &step(StepType::Mid, 5.0, Game::Running));
        let second = tracker.observe(1, &step(StepType::Last, 1.0, Game::Over)).unwrap();
        let first = tracker.observe(0, &step(StepType::Last, 5.0, Game::Over)).unwrap();
        assert_eq!((second.environment, second.score, second.number), (1, 1.0, 1));
        assert_eq!((first.environment, first.score, first.number), (0, 10.0, 2));
    }

    #[test]
    fn the_mean_covers_the_last_games_of_the_window_only() {
        let mut tracker = tracker(1, 2);
        play(&mut tracker, 100.0);
        assert_eq!((tracker.recent_mean(), tracker.full_mean()), (Some(100.0), None));
        play(&mut tracker, 10.0);
        play(&mut tracker, 20.0);
        assert_eq!(tracker.recent_mean(), Some(15.0));
        assert_eq!((tracker.last(), tracker.best(), tracker.best_mean()), (Some(20.0), Some(100.0), Some(55.0)));
    }

    #[test]
    fn a_bound_is_reached_by_a_full_window_and_not_by_one_lucky_game() {
        let mut tracker = tracker(1, 3);
        play(&mut tracker, 21.0);
        play(&mut tracker, 21.0);
        assert!(!tracker.solved(18.0));
        play(&mut tracker, 12.0);
        assert!(tracker.solved(18.0), "a mean equal to the bound reaches it");
        assert!(!tracker.solved(18.5));
    }
}
