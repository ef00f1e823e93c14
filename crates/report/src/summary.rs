//! What several runs of several agents on several games come to.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use prism_runs::{EPISODES, RecordedRun};

use crate::axis::Axis;
use crate::curve::trailing_mean;
use crate::draw::draw;
use crate::error::{ReportError, UnknownName, find};
use crate::estimates::{Estimate, Statistic, estimates, improvement, profile};
use crate::figure::{Figure, LegendEntry, Mark, Panel, Svg};
use crate::group::{Label, agents, open_each_once};
use crate::human::human_normalised;
use crate::results::{OverSeeds, aligned, rounded};
use crate::style::{Fill, Pen};

/// Which scores of a run are summarized.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Earned {
    /// Those of its last training games.
    #[default]
    Training,
    /// That of its last evaluation.
    Evaluation,
}

impl Earned {
    /// Every value.
    pub const ALL: [Self; 2] = [Self::Training, Self::Evaluation];

    /// Its name in arguments.
    pub fn name(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Evaluation => "evaluation",
        }
    }

    /// Its meaning, in a line.
    pub fn description(self) -> &'static str {
        match self {
            Self::Training => "Mean of the last games of training, as many as training.score_window says",
            Self::Evaluation => "Mean of the last evaluation in evaluations.csv",
        }
    }
}

impl fmt::Display for Earned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Earned {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        find(text, &Self::ALL, Self::name)
    }
}

/// What [`summarize`] reads.
#[derive(Clone, Debug)]
pub struct SummaryOptions {
    /// Run folders.
    pub runs: Vec<PathBuf>,
    /// Which scores.
    pub earned: Earned,
    /// Names of agents.
    pub labels: Vec<Label>,
}

/// What runs came to, for each agent and each game and over games. `Display` shows it as tables.
#[derive(Debug)]
pub struct Summary {
    /// The rules of all scores: protocol, and the epsilon of evaluations.
    pub rules: String,
    /// The agents, in the order of the first run of each.
    pub agents: Vec<AgentSummary>,
    /// Probabilities of improvement between agents with human-normalised scores on the same games.
    pub improvements: Vec<Improvement>,
    /// Runs without scores: why, for each.
    pub left_out: Vec<ReportError>,
}

/// What the runs of one agent came to.
#[derive(Clone, Debug)]
pub struct AgentSummary {
    /// Its name.
    pub name: String,
    /// The score of each of its runs on each game, in the order of the games' names.
    pub games: BTreeMap<String, Vec<RunScore>>,
    /// The numbers of all human-normalised scores, in the order of [`Statistic::ALL`]; `None` where there are none.
    pub overall: Option<[Estimate; 4]>,
}

/// The score of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunScore {
    /// Its folder.
    pub run: PathBuf,
    /// The score.
    pub score: f64,
    /// The same with 0 for random play and 1 for a human; `None` of games that no human was measured on.
    pub normalised: Option<f64>,
}

/// How probable it is that a run of one agent does better than a run of another on the same game.
#[derive(Clone, Debug)]
pub struct Improvement {
    /// The agent.
    pub agent: String,
    /// The other.
    pub over: String,
    /// The probability, mean over the games.
    pub probability: Estimate,
}

impl AgentSummary {
    /// Human-normalised scores, `[games][runs]`, of the games that have them.
    fn normalised(&self) -> BTreeMap<&str, Vec<f64>> {
        let of_game = |runs: &Vec<RunScore>| runs.iter().map(|run| run.normalised).collect::<Option<Vec<f64>>>();
        self.games.iter().filter_map(|(game, runs)| Some((game.as_str(), of_game(runs)?))).collect()
    }

    fn scores(&self) -> Vec<Vec<f64>> {
        self.normalised().into_values().collect()
    }
}

/// Reads the scores of runs and what they come to. Runs that differ in nothing but seed and game are of one agent, and so
/// are those that `labels` give one name.
///
/// # Errors
/// When a folder is no run, a label names none of them, scores were earned under different rules, or no run has a score.
///
/// # Panics
/// Without runs.
pub fn summarize(options: &SummaryOptions) -> Result<Summary, ReportError> {
    assert!(!options.runs.is_empty(), "a summary needs runs");
    let (mut summaries, mut left_out) = (Vec::new(), Vec::new());
    let mut rules: Option<String> = None;
    for group in agents(open_each_once(&options.runs)?, &options.labels)? {
        let mut games: BTreeMap<String, Vec<RunScore>> = BTreeMap::new();
        for run in group.runs {
            let (score, found) = match score(&run, options.earned) {
                Ok(earned) => earned,
                Err(nothing @ ReportError::Empty { .. }) => {
                    left_out.push(nothing);
                    continue;
                }
                Err(error) => return Err(error),
            };
            match &rules {
                Some(first) if *first != found => {
                    return Err(ReportError::Rules { first: first.clone(), second: found });
                }
                _ => rules = Some(found),
            }
            let normalised = human_normalised(&run.environment, score);
            games.entry(run.environment).or_default().push(RunScore { run: run.path, score, normalised });
        }
        if !games.is_empty() {
            summaries.push(AgentSummary { name: group.name, games, overall: None });
        }
    }
    let Some(rules) = rules else { return Err(left_out.swap_remove(0)) };
    for agent in &mut summaries {
        let scores = agent.scores();
        agent.overall = (!scores.is_empty()).then(|| estimates(&scores));
    }
    Ok(Summary { rules, improvements: improvements(&summaries), agents: summaries, left_out })
}

/// The score of a run with its rules.
fn score(run: &RecordedRun, earned: Earned) -> Result<(f64, String), ReportError> {
    let protocol = &run.protocol;
    match earned {
        Earned::Training => {
            let nothing = || ReportError::Empty { path: run.path.join(EPISODES), missing: "game that ended" };
            let episodes = run.table(EPISODES)?;
            let mean = trailing_mean(episodes.column("score")?, run.score_window).last().copied();
            let mean = mean.filter(|mean| mean.is_finite()).ok_or_else(nothing)?;
            Ok((mean, format!("protocol {protocol}, mean of the last {} games of training", run.score_window)))
        }
        Earned::Evaluation => {
            let nothing = || ReportError::Empty { path: run.path.join("evaluations.csv"), missing: "evaluation" };
            let last = run.evaluations()?.pop().filter(|row| row.mean.is_finite()).ok_or_else(nothing)?;
            Ok((last.mean, format!("protocol {}, last evaluation, epsilon {}", last.protocol, last.epsilon)))
        }
    }
}

/// Each agent over each one that comes after it.
fn improvements(agents: &[AgentSummary]) -> Vec<Improvement> {
    let mut improvements = Vec::new();
    for (index, one) in agents.iter().enumerate() {
        for other in &agents[index + 1..] {
            let (own, others) = (one.normalised(), other.normalised());
            if !own.is_empty() && own.keys().eq(others.keys()) {
                let probability = improvement(&one.scores(), &other.scores());
                let (agent, over) = (one.name.clone(), other.name.clone());
                improvements.push(Improvement { agent, over, probability });
            }
        }
    }
    improvements
}

impl Summary {
    /// Everything as CSV, a number in each row: the score of each run, as it is and human-normalised; each agent's numbers
    /// over games; the probabilities of improvement. Cells that do not apply are empty.
    pub fn to_csv(&self) -> String {
        let mut rows = vec![["quantity", "agent", "over", "game", "run", "value", "low", "high"].map(str::to_owned)];
        let mut push = |quantity: &str, agent: &str, at: [&str; 3], estimate: Estimate| {
            let [low, high] =
                estimate.interval.map_or([String::new(), String::new()], |ends| ends.map(|end| end.to_string()));
            let [over, game, run] = at.map(str::to_owned);
            rows.push([quantity.to_owned(), agent.to_owned(), over, game, run, estimate.value.to_string(), low, high]);
        };
        for agent in &self.agents {
            for (game, runs) in &agent.games {
                for RunScore { run, score, normalised } in runs {
                    let at = ["", game, &run.to_string_lossy()];
                    push("score", &agent.name, at, Estimate { value: *score, interval: None });
                    if let Some(value) = *normalised {
                        push("human-normalised score", &agent.name, at, Estimate { value, interval: None });
                    }
                }
            }
        }
        for agent in &self.agents {
            for (statistic, estimate) in Statistic::ALL.iter().zip(agent.overall.iter().flatten()) {
                push(statistic.name(), &agent.name, [""; 3], *estimate);
            }
        }
        for Improvement { agent, over, probability } in &self.improvements {
            push("probability of improvement", agent, [over, "", ""], *probability);
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in rows {
            writer.write_record(row).expect("every row has a cell for each column");
        }
        let bytes = writer.into_inner().expect("a table in memory can always be written");
        String::from_utf8(bytes).expect("cells are text")
    }

    /// Draws the numbers over games with their intervals; `None` where there are no human-normalised scores.
    ///
    /// # Errors
    /// [`ReportError::TooManyGroups`].
    pub fn intervals(&self) -> Result<Option<Svg>, ReportError> {
        let agents: Vec<(&str, [Estimate; 4])> =
            self.agents.iter().filter_map(|agent| Some((agent.name.as_str(), agent.overall?))).collect();
        self.check_count(agents.len())?;
        if agents.is_empty() {
            return Ok(None);
        }
        let height = |index: usize| (agents.len() - index) as f64;
        let names = agents.iter().enumerate().map(|(index, (name, _))| (height(index), (*name).to_owned()));
        let rows = Axis { title: String::new(), start: 0.5, end: agents.len() as f64 + 0.5, ticks: names.collect() };
        let panels = Statistic::ALL.iter().enumerate().map(|(number, statistic)| {
            let estimates = || agents.iter().map(|(_, overall)| overall[number]);
            let ends = estimates().flat_map(|Estimate { value, interval }| interval.unwrap_or([value; 2]));
            let marks = estimates().enumerate().flat_map(|(index, Estimate { value, interval })| {
                let (y, pen) = (height(index), Pen::of(index));
                let line = interval.map(|[low, high]| Mark::Line { points: vec![(low, y), (high, y)], pen });
                let dot = Mark::Dots { points: vec![(value, y)], fill: Fill { opacity: 1.0, ..pen.band() } };
                line.into_iter().chain([dot])
            });
            let y = if number == 0 { rows.clone() } else { rows.clone().unlabelled() };
            Panel { title: statistic.name().to_owned(), x: Axis::around("", ends, 4), y, marks: marks.collect() }
        });
        Ok(Some(draw(&Figure {
            title: "Human-normalised scores over games".to_owned(),
            subtitle: self.subtitle(),
            legend: Vec::new(),
            panels: panels.collect(),
            columns: 4,
            panel_size: (190.0, 28.0 * agents.len() as f64 + 20.0),
            row_images: Vec::new(),
            caption: "0 is random play, 1 a human tester. Lines: 95 % intervals of a bootstrap that draws runs anew within each \
                      game. Of the optimality gap less is better."
                .to_owned(),
        })))
    }

    /// Draws for each score the share of runs above it; `None` where there are no human-normalised scores.
    ///
    /// # Errors
    /// [`ReportError::TooManyGroups`].
    pub fn profile(&self) -> Result<Option<Svg>, ReportError> {
        /// Points of a curve.
        const POINTS: usize = 200;
        let agents: Vec<(&str, Vec<Vec<f64>>)> = self
            .agents
            .iter()
            .filter(|agent| agent.overall.is_some())
            .map(|agent| (agent.name.as_str(), agent.scores()))
            .collect();
        self.check_count(agents.len())?;
        let all = || agents.iter().flat_map(|(_, scores)| scores.iter().flatten().copied());
        if agents.is_empty() {
            return Ok(None);
        }
        let (lowest, highest) = (all().fold(0.0, f64::min), all().fold(1.0, f64::max));
        let last = highest + 0.05 * (highest - lowest);
        let thresholds: Vec<f64> =
            (0..POINTS).map(|point| lowest + (last - lowest) * point as f64 / (POINTS - 1) as f64).collect();
        let (mut bands, mut lines, mut legend) = (Vec::new(), Vec::new(), Vec::new());
        for (index, (name, scores)) in agents.iter().enumerate() {
            let (pen, shares) = (Pen::of(index), profile(scores, &thresholds));
            let along = |height: &dyn Fn(&Estimate) -> f64| {
                thresholds.iter().copied().zip(shares.iter().map(height)).collect::<Vec<_>>()
            };
            lines.push(Mark::Line { points: along(&|share| share.value), pen });
            let has_band = shares.iter().all(|share| share.interval.is_some());
            if has_band {
                let end = |end: usize| along(&|share| share.interval.map_or(share.value, |interval| interval[end]));
                bands.push(Mark::Band { lower: end(0), upper: end(1), fill: pen.band() });
            }
            let fill = has_band.then(|| pen.band());
            legend.push(LegendEntry { name: (*name).to_owned(), pen: Some(pen), fill });
        }
        Ok(Some(draw(&Figure {
            title: "Performance profile".to_owned(),
            subtitle: self.subtitle(),
            legend,
            panels: vec![Panel {
                title: String::new(),
                x: Axis::new("human-normalised score", lowest, last, 8),
                y: Axis::new("share of runs above it", 0.0, 1.0, 5),
                marks: bands.into_iter().chain(lines).collect(),
            }],
            columns: 1,
            panel_size: (620.0, 340.0),
            row_images: Vec::new(),
            caption: "All games together; 0 is random play, 1 a human tester. Bands: 95 % intervals at each score."
                .to_owned(),
        })))
    }

    fn check_count(&self, count: usize) -> Result<(), ReportError> {
        if count > Pen::COUNT { Err(ReportError::TooManyGroups { count, most: Pen::COUNT }) } else { Ok(()) }
    }

    fn subtitle(&self) -> String {
        let mut rules = self.rules.clone();
        rules[..1].make_ascii_uppercase();
        rules
    }

    /// Games that no human was measured on.
    fn without_human(&self) -> Vec<&str> {
        let all = self.agents.iter().flat_map(|agent| &agent.games);
        let mut games: Vec<&str> = all
            .filter(|(_, runs)| runs.iter().any(|run| run.normalised.is_none()))
            .map(|(game, _)| game.as_str())
            .collect();
        games.sort_unstable();
        games.dedup();
        games
    }
}

impl fmt::Display for Summary {
    /// A line with the rules, then tables; every line ends in a line break.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NOTHING: &str = "-";
        writeln!(f, "{}\n", self.rules)?;
        let mut rows = vec![["agent", "game", "runs", "score", "over runs", "human-normalised"].map(str::to_owned)];
        for agent in &self.agents {
            for (game, runs) in &agent.games {
                let numbers = |number: fn(&RunScore) -> Option<f64>| {
                    OverSeeds::of(&runs.iter().filter_map(number).collect::<Vec<_>>())
                };
                let shown = |of: OverSeeds| match of.deviation {
                    Some(deviation) => format!("{} ± {}", rounded(of.mean), rounded(deviation)),
                    None => rounded(of.mean),
                };
                let scores = numbers(|run| Some(run.score)).expect("a game has runs");
                let range =
                    (scores.count > 1).then(|| format!("{} to {}", rounded(scores.lowest), rounded(scores.highest)));
                rows.push([
                    agent.name.clone(),
                    game.clone(),
                    runs.len().to_string(),
                    shown(scores),
                    range.unwrap_or_else(|| NOTHING.to_owned()),
                    numbers(|run| run.normalised).map_or_else(|| NOTHING.to_owned(), shown),
                ]);
            }
        }
        f.write_str(&aligned(&rows))?;
        let without = self.without_human();
        if !without.is_empty() {
            writeln!(f, "no human was measured on {}: left out of what is over games", without.join(", "))?;
        }
        let estimate = |Estimate { value, interval }: Estimate| match interval {
            Some([low, high]) => format!("{} [{}, {}]", rounded(value), rounded(low), rounded(high)),
            None => rounded(value),
        };
        let header = ["agent", "games"].into_iter().chain(Statistic::ALL.map(Statistic::name)).map(str::to_owned);
        let mut rows = vec![header.collect::<Vec<String>>()];
        for agent in &self.agents {
            let Some(overall) = agent.overall else { continue };
            let first = [agent.name.clone(), agent.normalised().len().to_string()];
            rows.push(first.into_iter().chain(overall.map(estimate)).collect());
        }
        if rows.len() > 1 {
            let rows: Vec<[String; 6]> =
                rows.into_iter().map(|row| row.try_into().expect("a cell for each column")).collect();
            let single = self.agents.iter().filter_map(|agent| agent.overall).any(|of| of[0].interval.is_none());
            writeln!(f, "\nhuman-normalised scores (0 random play, 1 a human) over games, with 95 % intervals")?;
            f.write_str(&aligned(&rows))?;
            if single {
                writeln!(f, "one run of each game says nothing about the spread: no interval")?;
            }
        }
        if !self.improvements.is_empty() {
            let row = |Improvement { agent, over, probability }: &Improvement| {
                [format!("{agent} over {over}"), estimate(*probability)]
            };
            writeln!(f, "\nprobability that a run of one does better than a run of the other on the same game")?;
            f.write_str(&aligned(&self.improvements.iter().map(row).collect::<Vec<_>>()))?;
        }
        for reason in &self.left_out {
            writeln!(f, "left out: {reason}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// A run that ended with these two scores, and was evaluated.
    fn run(folder: &Path, agent: &str, game: &str, seed: u64, scores: [f64; 2], protocol: &str) -> PathBuf {
        let run = folder.join(format!("{agent}-{game}-{seed}"));
        fs::create_dir(&run).unwrap();
        let write = |name: &str, text: &str| fs::write(run.join(name), text).unwrap();
        write(
            "config.toml",
            &format!(
                "[environment]\ngame = \"{game}\"\n[learning]\nagent = \"{agent}\"\n[replay]\nwarm_up = 5\n[training]\n\
                 score_window = 2\nstop_score = \"none\"\n"
            ),
        );
        let identity =
            format!(r#"{{"name": "dqn", "environment": "{game}", "protocol": "{protocol}", "seed": {seed}, "#);
        write("manifest.json", &(identity + r#""device": "flex", "commit": "0123"}"#));
        let [first, last] = scores;
        write("episodes.csv", &format!("agent_steps,score\n10,-99\n20,{first}\n30,{last}\n"));
        run
    }

    fn options(runs: &[PathBuf], labels: &[Label]) -> SummaryOptions {
        SummaryOptions { runs: runs.to_vec(), earned: Earned::Training, labels: labels.to_vec() }
    }

    /// Two agents with two runs on Boxing and one on Freeway.
    fn two_agents(folder: &Path) -> Vec<PathBuf> {
        let of =
            |agent: &str, game: &str, seed, score: f64| run(folder, agent, game, seed, [score - 1.0, score + 1.0], "p");
        vec![
            of("one", "boxing", 0, 12.1),
            of("one", "boxing", 1, 6.1),
            of("one", "freeway", 0, 29.6),
            of("other", "boxing", 0, 0.1),
            of("other", "boxing", 1, 12.1),
            of("other", "freeway", 0, 14.8),
        ]
    }

    #[test]
    fn runs_of_an_agent_come_together_over_seeds_and_games() {
        let folder = tempfile::tempdir().unwrap();
        let summary = summarize(&options(&two_agents(folder.path()), &[])).unwrap();
        let names: Vec<&str> = summary.agents.iter().map(|agent| agent.name.as_str()).collect();
        assert_eq!(names, ["dqn, agent one", "dqn, agent other"]);
        let text = summary.to_string();
        // Of the first agent 1, 0.5 and 1; of the other 0, 1 and 0.5. The bootstrap draws the runs of Boxing alone.
        assert_eq!(
            text,
            "\
protocol p, mean of the last 2 games of training

agent                game  runs        score      over runs  human-normalised
dqn, agent one     boxing     2  9.10 ± 4.24  6.10 to 12.10       0.75 ± 0.35
dqn, agent one    freeway     1        29.60              -              1.00
dqn, agent other   boxing     2  6.10 ± 8.49  0.10 to 12.10       0.50 ± 0.71
dqn, agent other  freeway     1        14.80              -              0.50

human-normalised scores (0 random play, 1 a human) over games, with 95 % intervals
agent             games  interquartile mean             median               mean     optimality gap
dqn, agent one        2   0.83 [0.67, 1.00]  0.88 [0.75, 1.00]  0.88 [0.75, 1.00]  0.17 [0.00, 0.33]
dqn, agent other      2   0.50 [0.17, 0.83]  0.50 [0.25, 0.75]  0.50 [0.25, 0.75]  0.50 [0.17, 0.83]

probability that a run of one does better than a run of the other on the same game
dqn, agent one over dqn, agent other  0.81 [0.50, 1.00]
"
        );
        let csv = summary.to_csv();
        assert!(
            csv.starts_with("quantity,agent,over,game,run,value,low,high\nscore,\"dqn, agent one\",,boxing,"),
            "{csv}"
        );
        assert_eq!(csv.lines().count(), 1 + 12 + 8 + 1);
        assert!(csv.contains("\nmean,\"dqn, agent other\",,,,0.5,0.25,0.75\n"), "{csv}");
        assert!(
            csv.contains("\nprobability of improvement,\"dqn, agent one\",\"dqn, agent other\",,,0.8125,0.5,1\n"),
            "{csv}"
        );
    }

    #[test]
    fn pictures_show_every_agent() {
        let folder = tempfile::tempdir().unwrap();
        let summary = summarize(&options(&two_agents(folder.path()), &[])).unwrap();
        for picture in [summary.intervals(), summary.profile()] {
            let picture = picture.unwrap().expect("there are human-normalised scores");
            for text in ["dqn, agent one", "dqn, agent other", "Protocol p, mean of the last 2 games of training"] {
                assert!(picture.as_str().contains(text), "{text}: {picture}");
            }
        }
    }

    #[test]
    fn scores_under_different_rules_are_not_mixed() {
        let folder = tempfile::tempdir().unwrap();
        let runs = [("a", "cleanrl"), ("b", "machado")]
            .map(|(agent, protocol)| run(folder.path(), agent, "pong", 0, [1.0, 2.0], protocol));
        let message = summarize(&options(&runs, &[])).unwrap_err().to_string();
        assert!(message.contains("protocol cleanrl") && message.contains("protocol machado"), "{message}");
        // Evaluations with another epsilon are others.
        let evaluated = |run: &Path, epsilon: f64| {
            let columns = "evaluation,agent_steps,frames,updates,protocol,epsilon,episodes,mean,median,standard_deviation,\
                           minimum,maximum,scores";
            let row = format!("1,2,3,4,deepmind,{epsilon},2,9,9,1.4,8,10,8 10");
            fs::write(run.join("evaluations.csv"), format!("{columns}\n{row}\n")).unwrap();
        };
        let of_evaluation = SummaryOptions { earned: Earned::Evaluation, ..options(&runs, &[]) };
        evaluated(&runs[0], 0.01);
        let summary = summarize(&of_evaluation).unwrap();
        assert_eq!((summary.agents.len(), summary.left_out.len()), (1, 1));
        assert_eq!(summary.rules, "protocol deepmind, last evaluation, epsilon 0.01");
        evaluated(&runs[1], 0.05);
        let message = summarize(&of_evaluation).unwrap_err().to_string();
        assert!(message.contains("epsilon 0.01") && message.contains("epsilon 0.05"), "{message}");
    }

    #[test]
    fn games_without_a_human_are_shown_and_not_averaged_and_labels_name_agents() {
        let folder = tempfile::tempdir().unwrap();
        let of = |agent: &str, game: &str| run(folder.path(), agent, game, 0, [1.0, 2.0], "p");
        let runs = [of("a", "pong"), of("b", "adventure")];
        let labels: Vec<Label> = runs.iter().map(|run| Label { name: "both".to_owned(), run: run.clone() }).collect();
        let summary = summarize(&options(&runs, &labels)).unwrap();
        let text = summary.to_string();
        assert!(text.contains("both   adventure     1   1.50          -                 -\n"), "{text}");
        assert!(text.contains("no human was measured on adventure"), "{text}");
        assert!(text.contains("one run of each game says nothing about the spread"), "{text}");
        let alone = summarize(&options(&runs[1..], &[])).unwrap();
        assert!(alone.agents[0].overall.is_none() && alone.intervals().unwrap().is_none());
        let empty = of("c", "pong");
        fs::write(empty.join("episodes.csv"), "agent_steps,score\n").unwrap();
        assert!(matches!(summarize(&options(&[empty], &[])), Err(ReportError::Empty { .. })));
    }
}
