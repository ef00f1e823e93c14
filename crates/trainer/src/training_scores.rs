//! Scores of a run's own training games, as protocols without evaluations of their own report them.

use std::fmt;
use std::num::NonZeroUsize;

use prism_environment::{AgentSteps, Frames};
use prism_runs::{EpisodeRow, Position, ReadError, RecordedRun};

/// Which of a run's training games count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrainingGames {
    /// So many, the last ones before each of these points, and before the end of the run.
    Before {
        /// How many.
        games: NonZeroUsize,
        /// The points, in the order of time.
        points: &'static [Frames],
    },
    /// So many, the last ones of the run.
    Last(NonZeroUsize),
    /// Those that ended in the last complete iteration of so many agent steps.
    Iteration(AgentSteps),
}

/// Where in a run training games count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// Before this point.
    Before(Frames),
    /// Before the end of the run, or where it is now.
    End,
    /// In the iteration of this number, from 1.
    Iteration(u64),
}

/// Scores of training games.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingScores {
    /// Where in the run they were earned.
    pub span: Span,
    /// The scores, in the order in which the games ended; never none.
    pub scores: Vec<f64>,
    /// The run's position at the end of the span, with the probability of a random action in the last game.
    pub at: Position,
}

/// A run's records, as far as they say what its training games came to.
#[derive(Clone, Debug)]
pub struct TrainingRecord {
    episodes: Vec<EpisodeRow>,
    /// Positions of the run in the order of time, the last one that is known included.
    positions: Vec<Position>,
}

impl TrainingGames {
    /// The same, of another number of games where a number counts.
    #[must_use]
    pub fn with_games(self, games: NonZeroUsize) -> Self {
        match self {
            Self::Before { points, .. } => Self::Before { games, points },
            Self::Last(_) => Self::Last(games),
            Self::Iteration(_) => self,
        }
    }

    /// How many count, where a number counts.
    pub fn count(self) -> Option<NonZeroUsize> {
        match self {
            Self::Before { games, .. } | Self::Last(games) => Some(games),
            Self::Iteration(_) => None,
        }
    }
}

impl TrainingRecord {
    /// Reads the record of a run.
    ///
    /// # Errors
    /// When a table cannot be read or does not have the form that runs write.
    pub fn read(run: &RecordedRun) -> Result<Self, ReadError> {
        let position = |agent_steps, frames, updates, epsilon| Position {
            agent_steps: AgentSteps(agent_steps),
            frames: Frames(frames),
            updates,
            epsilon,
        };
        let episodes = run.episodes()?;
        let updates = run.updates()?;
        let mut positions: Vec<Position> =
            updates.iter().map(|row| position(row.agent_steps, row.frames, row.updates, row.epsilon)).collect();
        // The last row of the speeds stands where the run ended.
        positions.extend(run.timing()?.last().map(|row| position(row.agent_steps, row.frames, row.updates, 0.0)));
        let known = positions.last().map_or(0, |last| last.updates);
        positions.extend(episodes.last().map(|row| position(row.agent_steps, row.frames, known, row.epsilon)));
        positions.sort_by_key(|position| position.agent_steps.0);
        Ok(Self { episodes, positions })
    }

    /// The scores of the games that count; none where no game of a span has ended.
    pub fn scores(&self, which: TrainingGames) -> Vec<TrainingScores> {
        let Some(end) = self.positions.last() else { return Vec::new() };
        match which {
            TrainingGames::Before { games, points } => {
                let reached = points.iter().copied().filter(|point| *point < end.frames);
                let spans = reached.map(Span::Before).chain([self.end(points)]);
                spans.filter_map(|span| self.last(games, span)).collect()
            }
            TrainingGames::Last(games) => self.last(games, Span::End).into_iter().collect(),
            TrainingGames::Iteration(steps) => self.iteration(steps, end.agent_steps.0 / steps.0).into_iter().collect(),
        }
    }

    /// The end of the run: one of these points, if it ended there.
    fn end(&self, points: &[Frames]) -> Span {
        let end = self.positions.last().map(|end| end.frames);
        points.iter().copied().find(|point| Some(*point) == end).map_or(Span::End, Span::Before)
    }

    fn last(&self, games: NonZeroUsize, span: Span) -> Option<TrainingScores> {
        let is_in = |frames: Frames| match span {
            Span::Before(point) => frames <= point,
            Span::End | Span::Iteration(_) => true,
        };
        let ended = self.episodes.partition_point(|row| is_in(Frames(row.frames)));
        let counted = &self.episodes[ended.saturating_sub(games.get())..ended];
        self.of(span, counted, |position| is_in(position.frames))
    }

    fn iteration(&self, steps: AgentSteps, number: u64) -> Option<TrainingScores> {
        let (after, last) = (number.checked_sub(1)? * steps.0, number * steps.0);
        let ended = |by: u64| self.episodes.partition_point(|row| row.agent_steps <= by);
        let counted = &self.episodes[ended(after)..ended(last)];
        self.of(Span::Iteration(number), counted, |position| position.agent_steps.0 <= last)
    }

    fn of(&self, span: Span, games: &[EpisodeRow], is_in: impl Fn(&Position) -> bool) -> Option<TrainingScores> {
        let last = games.last()?;
        let here = self.positions.iter().rev().find(|position| is_in(position));
        let (agent_steps, frames) = (AgentSteps(last.agent_steps), Frames(last.frames));
        let at = Position { agent_steps, frames, updates: here.map_or(0, |here| here.updates), epsilon: last.epsilon };
        let at = here
            .filter(|here| here.agent_steps > at.agent_steps)
            .map_or(at, |here| Position { epsilon: at.epsilon, ..*here });
        Some(TrainingScores { span, scores: games.iter().map(|row| row.score).collect(), at })
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Before(point) => write!(f, "before {} frames", point.0),
            Self::End => f.write_str("before the end"),
            Self::Iteration(number) => write!(f, "of iteration {number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A game of 10 agent steps and 40 frames after another, each scoring its number.
    fn record(games: u64, end: u64) -> TrainingRecord {
        let row = |episode| EpisodeRow {
            episode,
            agent_steps: 10 * episode,
            frames: 40 * episode,
            score: episode as f64,
            epsilon: 0.01,
            ..EpisodeRow::default()
        };
        let position = |agent_steps| Position {
            agent_steps: AgentSteps(agent_steps),
            frames: Frames(4 * agent_steps),
            updates: agent_steps / 5,
            epsilon: 0.5,
        };
        TrainingRecord { episodes: (1..=games).map(row).collect(), positions: (0..=end).map(position).collect() }
    }

    fn found(record: &TrainingRecord, which: TrainingGames) -> Vec<(Span, Vec<f64>)> {
        record.scores(which).into_iter().map(|scores| (scores.span, scores.scores)).collect()
    }

    const TWO: NonZeroUsize = NonZeroUsize::new(2).unwrap();

    #[test]
    fn the_last_games_before_each_point_that_the_run_reached_count() {
        let which = TrainingGames::Before { games: TWO, points: &[Frames(119), Frames(160), Frames(1000)] };
        let ended = vec![
            (Span::Before(Frames(119)), vec![1.0, 2.0]),
            (Span::Before(Frames(160)), vec![3.0, 4.0]),
            (Span::End, vec![5.0, 6.0]),
        ];
        assert_eq!(found(&record(6, 65), which), ended);
        // A run that ends at a point ends there, and nowhere else.
        let at_a_point = TrainingGames::Before { games: TWO, points: &[Frames(119), Frames(240)] };
        let ended = vec![(Span::Before(Frames(119)), vec![1.0, 2.0]), (Span::Before(Frames(240)), vec![5.0, 6.0])];
        assert_eq!(found(&record(6, 60), at_a_point), ended);
        // Fewer games than that count as they are; before the first there is nothing.
        let early = TrainingGames::Before { games: TWO, points: &[Frames(39), Frames(40)] };
        assert_eq!(found(&record(1, 12), early), [(Span::Before(Frames(40)), vec![1.0]), (Span::End, vec![1.0])]);
        assert_eq!(found(&record(0, 9), early), []);
        let at = record(6, 65).scores(which)[1].at;
        assert_eq!((at.agent_steps, at.frames, at.updates, at.epsilon), (AgentSteps(40), Frames(160), 8, 0.01));
    }

    #[test]
    fn of_the_last_whole_iteration_every_game_counts() {
        let iteration = TrainingGames::Iteration(AgentSteps(30));
        assert_eq!(found(&record(8, 89), iteration), [(Span::Iteration(2), vec![4.0, 5.0, 6.0])]);
        assert_eq!(found(&record(8, 90), iteration), [(Span::Iteration(3), vec![7.0, 8.0])]);
        assert_eq!(found(&record(2, 29), iteration), []);
    }
}
