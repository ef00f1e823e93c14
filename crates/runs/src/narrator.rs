//! The lines about a run for people.

use std::path::PathBuf;
use std::time::Duration;

use indicatif::{FormattedDuration, HumanBytes, HumanDuration};

use crate::clock::Moment;
use crate::events::{Ending, EpisodeRecord, Estimate, EvaluationRecord, Event, RunHeader, Summary};
use crate::folder::RunFolder;
use crate::statistics::Statistics;

/// Turns events into lines for people.
#[derive(Debug)]
pub(crate) struct Narrator {
    folder: PathBuf,
    environment: String,
    protocol: String,
    window: usize,
    evaluations: u64,
    episode_lines: EpisodeLines,
}

impl Narrator {
    /// A narrator of a run that has made `evaluations` before.
    pub(crate) fn new(folder: &RunFolder, header: &RunHeader, evaluations: u64) -> Self {
        Self {
            folder: folder.path().to_owned(),
            environment: header.manifest.environment.clone(),
            protocol: header.manifest.protocol.clone(),
            window: header.score_window,
            evaluations,
            episode_lines: EpisodeLines::default(),
        }
    }

    /// The lines about `event`. Lines of games are left out where games end faster than people read.
    pub(crate) fn lines(&mut self, event: &Event, moment: &Moment) -> Vec<String> {
        match event {
            Event::Started(header) => self.start(header),
            Event::Episode(record) => {
                let line = self.episode(record, moment);
                self.episode_lines.offer(moment.elapsed, line).into_iter().collect()
            }
            Event::Evaluation(record) => {
                self.evaluations += 1;
                vec![self.evaluation(record)]
            }
            Event::Progress(_) => self.episode_lines.overdue(moment.elapsed).into_iter().collect(),
            Event::Estimate(estimate) => vec![estimate_line(estimate)],
            Event::Ended(summary) => self.held_back().into_iter().chain(self.end(summary)).collect(),
            Event::Note(_) | Event::Update(_) | Event::Distributions(_) | Event::Timing(_) => Vec::new(),
        }
    }

    /// The line of the last game, if it was left out.
    pub(crate) fn held_back(&mut self) -> Option<String> {
        self.episode_lines.newest()
    }

    fn start(&self, header: &RunHeader) -> Vec<String> {
        let (folder, limit, seed) = (self.folder.display(), header.limit, header.manifest.seed.0);
        let memory =
            header.memory.map_or_else(String::new, |bytes| format!(", at most {} of memory", HumanBytes(bytes)));
        vec![
            format!("{} (protocol {}) for at most {limit}; records in {folder}", self.environment, self.protocol),
            format!("seed {seed}{memory}"),
        ]
    }

    fn episode(&self, record: &EpisodeRecord, moment: &Moment) -> String {
        let EpisodeRecord { game, mean_score, .. } = record;
        format!(
            "episode {}  score {}  mean of last {} {mean_score:.2}  steps {}  frames/s {:.0}  elapsed {}",
            game.number,
            game.score,
            self.window,
            game.steps.0,
            moment.rates.frames,
            FormattedDuration(moment.elapsed)
        )
    }

    fn evaluation(&self, record: &EvaluationRecord) -> String {
        let EvaluationRecord { scores, epsilon, at } = record;
        let (number, steps, protocol) = (self.evaluations, at.agent_steps, &self.protocol);
        let statistics = Statistics::of(scores);
        format!("evaluation {number} at {steps}: {statistics} (protocol {protocol}, epsilon {epsilon})")
    }

    fn end(&self, summary: &Summary) -> Vec<String> {
        let Summary { ending, episodes, mean_score, best_score, at, elapsed, rates } = summary;
        let time = FormattedDuration(*elapsed);
        let work = format!("after {episodes} episodes and {} updates", at.updates);
        let how = match ending {
            Ending::Solved => format!("solved {} in {time} {work}", self.environment),
            Ending::Limit => format!("reached the limit in {time} {work}"),
            Ending::Interrupted => format!("interrupted at {time} {work}"),
            Ending::Terminated => format!("told to stop at {time} {work}"),
            Ending::Failed { reason } => format!("failed at {time} {work}: {reason}"),
        };
        let scores = match (mean_score, best_score) {
            (Some(mean), Some(best)) => {
                let games = (*episodes).min(self.window as u64);
                let protocol = &self.protocol;
                format!("mean score of the last {games} games {mean:.2}, best score {best} (protocol {protocol})")
            }
            _ => "no game has ended".to_owned(),
        };
        let speeds = format!(
            "{} and {}: {:.0} frames/s, {:.0} agent steps/s, {:.1} updates/s",
            at.agent_steps, at.frames, rates.frames, rates.agent_steps, rates.updates
        );
        vec![how, scores, speeds, format!("weights and records are in {}", self.folder.display())]
    }
}

fn estimate_line(estimate: &Estimate) -> String {
    let Estimate { remaining, agent_steps_per_second } = estimate;
    format!("at {agent_steps_per_second:.0} agent steps/s the limit is reached in {}", HumanDuration(*remaining))
}

/// Which lines about games that have ended are shown: each one, unless more than [`Self::MOST`] end within a second;
/// then only the newest of every second, until they become fewer again.
///
/// That many are reached at 4,300 agent steps a second by random games of Breakout, which take 144 steps, and at 270 by
/// Catch.
#[derive(Debug, Default)]
struct EpisodeLines {
    /// When the current second began, since the start of the run.
    second: Duration,
    /// Lines offered in it.
    offered: usize,
    /// Whether there were too many in the second before.
    crowded: bool,
    /// The newest line, if it was not shown.
    held: Option<String>,
}

impl EpisodeLines {
    /// The most lines in a second.
    const MOST: usize = 30;

    /// Takes the line of a game that ended at the time `now` since the start, and returns it if it is to be shown.
    fn offer(&mut self, now: Duration, line: String) -> Option<String> {
        let begins_second = self.begin_second(now);
        self.offered += 1;
        if begins_second || (!self.crowded && self.offered <= Self::MOST) {
            self.held = None;
            Some(line)
        } else {
            self.held = Some(line);
            None
        }
    }

    /// The newest line, if it was held back and its second is over.
    fn overdue(&mut self, now: Duration) -> Option<String> {
        if self.held.is_some() && self.begin_second(now) { self.held.take() } else { None }
    }

    /// The newest line, if it was held back.
    fn newest(&mut self) -> Option<String> {
        self.held.take()
    }

    /// Begins the next second if the current one is over, and returns whether it did.
    fn begin_second(&mut self, now: Duration) -> bool {
        if now - self.second < Duration::from_secs(1) {
            return false;
        }
        self.crowded = self.offered > Self::MOST;
        self.second = now;
        self.offered = 0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Rates;
    use crate::clock::tests::moment;
    use crate::events::tests::{episode, events, header, position};
    use crate::folder::RunFolder;

    /// Offers a line at each of these milliseconds, as a run does, and gives the numbers of those that are shown.
    fn shown(lines: &mut EpisodeLines, times: impl Iterator<Item = u64>) -> Vec<usize> {
        let mut shown = Vec::new();
        for (number, time) in times.enumerate() {
            let now = Duration::from_millis(time);
            shown.extend(lines.overdue(now));
            shown.extend(lines.offer(now, number.to_string()));
        }
        shown.into_iter().map(|line| line.parse().unwrap()).collect()
    }

    #[test]
    fn as_many_games_as_atari_ends_get_a_line_each() {
        // Thirty a second, evenly and all at once.
        let evenly = (0..300).map(|number| number * 100 / 3);
        assert_eq!(shown(&mut EpisodeLines::default(), evenly).len(), 300);
        let at_once = (0..300).map(|number| 2000 * (number / 30));
        assert_eq!(shown(&mut EpisodeLines::default(), at_once).len(), 300);
    }

    #[test]
    fn games_that_flood_the_screen_get_a_line_each_second_until_they_grow_longer() {
        let mut lines = EpisodeLines::default();
        // Five seconds with 500 games each, then ten with one.
        let times = (0..2500).map(|number| number * 2).chain((5..15).map(|second| second * 1000));
        let mut expected: Vec<usize> = (0..30).collect();
        expected.extend([499, 999, 1499, 1999, 2499]);
        expected.extend(2500..2510);
        assert_eq!(shown(&mut lines, times), expected);
        assert_eq!(lines.newest(), None, "the newest was shown");
    }

    #[test]
    fn the_newest_line_is_shown_even_if_no_game_follows_it() {
        let mut lines = EpisodeLines::default();
        assert_eq!(shown(&mut lines, 0..100).len(), 30);
        assert_eq!(lines.overdue(Duration::from_millis(999)), None, "a newer one may still come");
        assert_eq!(lines.overdue(Duration::from_millis(1000)).as_deref(), Some("99"));
        assert_eq!(lines.overdue(Duration::from_millis(9000)), None, "once is enough");
        assert_eq!(shown(&mut lines, 9000..9100).len(), 30);
        assert_eq!(lines.newest().as_deref(), Some("99"), "the run ends within the second");
    }

    fn narrator() -> Narrator {
        let parent = tempfile::tempdir().unwrap();
        let folder = RunFolder::create(&parent.path().join("run"), &header().manifest).unwrap();
        Narrator { folder: "runs/one".into(), ..Narrator::new(&folder, &header(), 4) }
    }

    #[test]
    fn a_run_begins_with_what_it_plays_its_seed_and_its_memory() {
        let lines = narrator().lines(&Event::Started(header()), &moment(0));
        assert_eq!(
            lines,
            [
                "catch (protocol catch 10x5) for at most 1000 agent steps; records in runs/one",
                "seed 7, at most 3.00 GiB of memory"
            ]
        );
    }

    #[test]
    fn games_evaluations_and_estimates_have_a_line_each() {
        let mut narrator = narrator();
        let lines: Vec<String> = events(9).iter().flat_map(|event| narrator.lines(event, &moment(1))).collect();
        assert_eq!(
            lines,
            [
                "episode 1  score -1  mean of last 100 -0.50  steps 9  frames/s 200  elapsed 00:00:01",
                "evaluation 5 at 9 agent steps: mean 0.00, median 0.00, standard deviation 1.41, from -1 to 1, \
                 2 episodes (protocol catch 10x5, epsilon 0)",
                "at 50 agent steps/s the limit is reached in 2 hours"
            ]
        );
    }

    #[test]
    fn the_end_says_how_and_why_and_what_was_reached() {
        let mut narrator = narrator();
        let mut lines = |ending, mean_score| {
            let rates = Rates { agent_steps: 3.0, frames: 12.0, updates: 1.5 };
            let (elapsed, best_score) = (Duration::from_secs(61), Some(1.0));
            let at = position(18);
            let summary = Summary { ending, episodes: 2, mean_score, best_score, at, elapsed, rates };
            narrator.lines(&Event::Ended(summary), &moment(61))
        };
        assert_eq!(
            lines(Ending::Failed { reason: "a loss is NaN".to_owned() }, Some(0.5)),
            [
                "failed at 00:01:01 after 2 episodes and 9 updates: a loss is NaN",
                "mean score of the last 2 games 0.50, best score 1 (protocol catch 10x5)",
                "18 agent steps and 72 frames: 12 frames/s, 3 agent steps/s, 1.5 updates/s",
                "weights and records are in runs/one"
            ]
        );
        let first = |lines: Vec<String>| lines[0].split(" after").next().unwrap().to_owned();
        assert_eq!(first(lines(Ending::Solved, None)), "solved catch in 00:01:01");
        assert_eq!(first(lines(Ending::Limit, None)), "reached the limit in 00:01:01");
        assert_eq!(first(lines(Ending::Interrupted, None)), "interrupted at 00:01:01");
        assert_eq!(first(lines(Ending::Terminated, None)), "told to stop at 00:01:01");
        assert_eq!(lines(Ending::Limit, None)[1], "no game has ended");
    }

    #[test]
    fn a_line_that_was_left_out_is_said_before_the_end() {
        let mut narrator = narrator();
        for number in 1..=31 {
            narrator.lines(&episode(number, 0.0), &moment(0));
        }
        let line = narrator.held_back().unwrap();
        assert!(line.starts_with("episode 31  "), "{line}");
        assert_eq!(narrator.held_back(), None);
    }
}
