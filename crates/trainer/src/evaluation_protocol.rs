//! The named ways in which published agents are evaluated.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use prism_algorithms::ActingNoise;
use prism_environment::{AgentSteps, AtariOptions, Frames, Protocol};
use prism_model::Layers;
use prism_runs::SavedWeights;
use thiserror::Error;
use toml::Value;

use crate::config::{Config, EnvironmentKind, SettingsError, departures_from};
use crate::evaluate::EvaluationLength;
use crate::training_scores::{TrainingGames, TrainingScores};

/// A way to evaluate an agent, as the scores of a paper or a program came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EvaluationProtocol {
    /// Mnih et al. 2015, Methods, "Evaluation procedure".
    Deepmind,
    /// Hessel et al. 2018, "Evaluation Methodology" and table 6 (no-op starts).
    Rainbow,
    /// Machado et al. 2018, section 4.2, "Performance During Training".
    Machado,
    /// Castro et al. 2018, section 3.1, and `Runner` in Dopamine's `run_experiment.py`.
    Dopamine,
    /// Huang et al. 2022: `cleanrl_utils/evals/dqn_eval.py`, and the tables in CleanRL's documentation.
    Cleanrl,
}

/// A name that is none of the protocols'.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("unknown evaluation protocol '{0}': there are deepmind, rainbow, machado, dopamine and cleanrl")]
pub struct UnknownEvaluationProtocol(pub String);

/// New games that a protocol has an agent play while it does not learn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NewGames {
    /// How many there are.
    pub length: EvaluationLength,
    /// Probability of a random action.
    pub epsilon: f64,
    /// What noisy layers do; `None` where the protocol does not say, and the run's setting stays.
    pub noise: Option<ActingNoise>,
    /// How they begin and end.
    pub course: Course,
    /// The weights that play.
    pub weights: SavedWeights,
}

/// How games begin, and when they are cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// As those of training.
    OfTraining,
    /// As the protocol says, whatever those of training did.
    Own {
        /// Each game starts with 1 to this many frames without action.
        no_op_max: u32,
        /// Frames after which a game is cut short.
        frame_limit: u32,
    },
}

impl EvaluationProtocol {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Deepmind, Self::Rainbow, Self::Machado, Self::Dopamine, Self::Cleanrl];

    /// The name that scores carry.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deepmind => "deepmind",
            Self::Rainbow => "rainbow",
            Self::Machado => "machado",
            Self::Dopamine => "dopamine",
            Self::Cleanrl => "cleanrl",
        }
    }

    /// What it means, in one line.
    pub fn description(self) -> &'static str {
        match self {
            Self::Deepmind => {
                "Nature DQN: 30 new games of at most 5 minutes, epsilon 0.05, no-op starts up to 30, best weights"
            }
            Self::Rainbow => {
                "Rainbow: 200 new games of at most 30 minutes, epsilon 0 with fresh noise (0.001 without noisy layers), no-op \
                 starts up to 30, best weights"
            }
            Self::Machado => {
                "no new games: the run's last 100 training games before 10, 50, 100 and 200 million frames and at its end"
            }
            Self::Dopamine => {
                "new games until 125,000 agent steps are taken, epsilon 0.001, latest weights; and the training games of the \
                 last iteration of 250,000 agent steps, which is what Dopamine publishes"
            }
            Self::Cleanrl => {
                "10 new games, epsilon 0.05, latest weights; and the last 100 training games, which is what CleanRL publishes"
            }
        }
    }

    /// The rules of play that its scores were published under.
    pub fn rules(self) -> Protocol {
        match self {
            // Double DQN, the agents after it and Rainbow play by the rules of Mnih et al. 2015.
            Self::Deepmind | Self::Rainbow => Protocol::Deepmind,
            Self::Machado => Protocol::Machado,
            Self::Dopamine => Protocol::Dopamine,
            Self::Cleanrl => Protocol::Cleanrl,
        }
    }

    /// The new games of an agent with such layers; `None` where the protocol has none.
    pub fn new_games(self, layers: Layers) -> Option<NewGames> {
        let games = |count| EvaluationLength::Games(NonZeroUsize::new(count).expect("a protocol has games"));
        match self {
            // Mnih et al. 2015, Methods: "30 times for up to 5 min each time with different initial random conditions ('no-op')
            // and an ε-greedy policy with ε = 0.05". 5 minutes are 18,000 frames. The paper does not say which network plays; van
            // Hasselt et al. 2016, who score it anew, have "the best learned policies" play.
            Self::Deepmind => Some(NewGames {
                length: games(30),
                epsilon: 0.05,
                noise: None,
                course: Course::Own { no_op_max: 30, frame_limit: 18_000 },
                weights: SavedWeights::Best,
            }),
            // Hessel et al. 2018: "Episodes are truncated at 108K frames"; the captions of tables 5 and 6 have "200 testing
            // episodes, from the agent snapshot that obtained the highest score during training"; "whenever using Noisy Nets,
            // we acted fully greedily (ε = 0)". Without noisy layers 0.001, as in van Hasselt et al. 2016 (tuned) and
            // Bellemare et al. 2017.
            Self::Rainbow => Some(NewGames {
                length: games(200),
                epsilon: if layers == Layers::Plain { 0.001 } else { 0.0 },
                noise: Some(ActingNoise::Fresh),
                course: Course::Own { no_op_max: 30, frame_limit: 108_000 },
                weights: SavedWeights::Best,
            }),
            Self::Machado => None,
            // Dopamine's `dqn.gin`, `rainbow.gin`: `Runner.evaluation_steps = 125000`, `epsilon_eval = 0.001`; the environment is
            // that of training.
            Self::Dopamine => Some(NewGames {
                length: EvaluationLength::Phase(AgentSteps(125_000)),
                epsilon: 0.001,
                noise: None,
                course: Course::OfTraining,
                weights: SavedWeights::Latest,
            }),
            // `dqn_atari.py`: `evaluate(..., eval_episodes=10, epsilon=0.05)` at the end of training, in an environment
            // that is made as that of training.
            Self::Cleanrl => Some(NewGames {
                length: games(10),
                epsilon: 0.05,
                noise: None,
                course: Course::OfTraining,
                weights: SavedWeights::Latest,
            }),
        }
    }

    /// The training games of a run that it scores, or that its authors publish; `None` where training games do not count.
    pub fn training_games(self) -> Option<TrainingGames> {
        match self {
            Self::Deepmind | Self::Rainbow => None,
            // Machado et al. 2018, sections 4.2 and 6: means over the last 100 episodes before these many frames.
            Self::Machado => Some(TrainingGames::Before {
                games: NonZeroUsize::new(100).expect("100 is not 0"),
                points: &[Frames(10_000_000), Frames(50_000_000), Frames(100_000_000), Frames(200_000_000)],
            }),
            // Dopamine's baselines: `train_average_return` of each iteration, `Runner.training_steps = 250000`.
            Self::Dopamine => Some(TrainingGames::Iteration(AgentSteps(250_000))),
            // `rlops.py`, which makes the tables of CleanRL's documentation: `--metric-last-n-average-window`, 100.
            Self::Cleanrl => Some(TrainingGames::Last(NonZeroUsize::new(100).expect("100 is not 0"))),
        }
    }

    /// What a reader of its scores should know of how they come about here.
    pub fn remark(self) -> &'static str {
        match self {
            Self::Deepmind | Self::Rainbow => {
                "best weights are those of the highest mean score of training games, the papers' of evaluations during training; \
                 starts are no-op starts: the papers' human starts are not available"
            }
            Self::Machado => {
                "scores are of the run's own training games: none was played for them, and no weights were read"
            }
            Self::Dopamine => "games are played one after the other, the last one to its end",
            Self::Cleanrl => "games start, see and go on as those of training do",
        }
    }

    /// A configuration with what this protocol says of new games, but for the settings that were `typed`, which stay.
    ///
    /// # Errors
    /// [`SettingsError::Refused`].
    pub fn configure(self, config: &Config, typed: impl Fn(&str) -> bool) -> Result<Config, SettingsError> {
        let Some(games) = self.new_games(config.agent().network.layers) else { return Ok(config.clone()) };
        let mut values = vec![("evaluation.epsilon", Value::Float(games.epsilon))];
        if let EvaluationLength::Games(count) = games.length {
            values.push(("evaluation.episodes", Value::Integer(count.get() as i64)));
        }
        if let Some(noise) = games.noise {
            values.push(("evaluation.noise", Value::String(name_of(noise).to_owned())));
        }
        if let (Course::Own { no_op_max, frame_limit }, EnvironmentKind::Atari { .. }) =
            (games.course, &config.environment().kind)
        {
            values.push(("environment.no_op_max", Value::Integer(no_op_max.into())));
            values.push(("environment.frame_limit", Value::Integer(frame_limit.into())));
        }
        config.with_all(values.into_iter().filter(|(key, _)| !typed(key)))
    }

    /// What of an evaluation departs from this protocol, each as `name = value`: the rules of play first, then what was typed
    /// for it. `weights` are those that played, where they are known to be saved ones.
    pub fn departures(self, config: &Config, length: EvaluationLength, weights: Option<SavedWeights>) -> Vec<String> {
        let mut departures = self.departures_of_play(config);
        let layers = config.agent().network.layers;
        let Some(games) = self.new_games(layers) else { return departures };
        let evaluation = config.evaluation();
        if evaluation.epsilon != games.epsilon {
            departures.push(format!("epsilon = {}", evaluation.epsilon));
        }
        if let Some(noise) = games.noise.filter(|_| layers != Layers::Plain)
            && evaluation.noise != noise
        {
            departures.push(format!("noise = \"{}\"", name_of(evaluation.noise)));
        }
        if length != games.length {
            departures.push(match length {
                EvaluationLength::Games(count) => format!("episodes = {count}"),
                EvaluationLength::Phase(steps) => format!("steps = {}", steps.0),
            });
        }
        if weights != Some(games.weights) {
            departures.push(format!("weights = \"{}\"", weights.map_or("unknown", SavedWeights::name)));
        }
        departures
    }

    /// The rules of play in which a configuration departs from those of this protocol.
    fn departures_of_play(self, config: &Config) -> Vec<String> {
        let kind = &config.environment().kind;
        if !matches!(kind, EnvironmentKind::Atari { .. }) {
            return vec![format!("environment = \"{}\"", kind.protocol())];
        }
        let rules = self.rules().options(kind.name());
        let course = self.new_games(config.agent().network.layers).map(|games| games.course);
        let rules = match course {
            Some(Course::Own { no_op_max, frame_limit }) => {
                AtariOptions { no_op_max, frame_limit: Some(frame_limit), ..rules }
            }
            Some(Course::OfTraining) | None => rules,
        };
        departures_from(config, &rules)
    }

    /// What scores are counted under: this protocol with what departs from it. It is never the name of the rules that a run
    /// trains by, so that its scores and those of a run's own settings do not mix.
    pub fn label(self, departures: &[String]) -> String {
        label(&format!("{self} evaluation"), departures)
    }

    /// What scores of training games are counted under: this protocol, where in the run, and what departs from it under the
    /// configuration of the run, where `which` of its games are asked for.
    pub fn label_of_training(self, scores: &TrainingScores, config: &Config, which: TrainingGames) -> String {
        let mut departures = self.departures_of_play(config);
        let (count, usual) = (scores.scores.len(), self.training_games().and_then(TrainingGames::count));
        if which.count().is_some() && NonZeroUsize::new(count) != usual {
            departures.push(format!("episodes = {count}"));
        }
        label(&format!("{self} training games {}", scores.span), &departures)
    }
}

/// A name with what departs from it.
fn label(name: &str, departures: &[String]) -> String {
    if departures.is_empty() { name.to_owned() } else { format!("{name} with {}", departures.join(", ")) }
}

/// The value of `evaluation.noise`.
fn name_of(noise: ActingNoise) -> &'static str {
    match noise {
        ActingNoise::Fresh => "fresh",
        ActingNoise::Off => "off",
    }
}

impl fmt::Display for EvaluationProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for EvaluationProtocol {
    type Err = UnknownEvaluationProtocol;

    fn from_str(name: &str) -> Result<Self, UnknownEvaluationProtocol> {
        let found = Self::ALL.into_iter().find(|protocol| protocol.name() == name);
        found.ok_or_else(|| UnknownEvaluationProtocol(name.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prism_runs::Position;

    use crate::config::{Override, Source};
    use crate::training_scores::Span;

    /// What departs where nothing but these settings was typed over a preset.
    fn departures(protocol: EvaluationProtocol, preset: &str, typed: &[(&str, Value)]) -> Vec<String> {
        let config = Config::preset(preset).unwrap().with_all(typed.iter().cloned()).unwrap();
        let config = protocol.configure(&config, |key| typed.iter().any(|(typed, _)| *typed == key)).unwrap();
        let games = protocol.new_games(config.agent().network.layers);
        let length = games.map_or(EvaluationLength::Phase(AgentSteps(1)), |games| match games.length {
            EvaluationLength::Games(_) => EvaluationLength::Games(config.evaluation().episodes),
            phase => phase,
        });
        protocol.departures(&config, length, games.map(|games| games.weights))
    }

    #[test]
    fn a_run_by_the_rules_of_a_protocol_departs_in_nothing() {
        use EvaluationProtocol::*;
        for (protocol, preset, rules) in [
            (Deepmind, "dqn", "deepmind"),
            (Rainbow, "rainbow", "deepmind"),
            (Machado, "dqn", "machado"),
            (Dopamine, "rainbow", "dopamine"),
            (Cleanrl, "pong", "cleanrl"),
        ] {
            // A protocol is the base of its section: it must be given before it is settled what departs from it.
            let rules = Override::parse(&format!("environment.protocol={rules}")).unwrap();
            let config = Config::read(&Source::find(preset).unwrap(), &[rules]).unwrap();
            let config = protocol.configure(&config, |_| false).unwrap();
            let games = protocol.new_games(config.agent().network.layers);
            let length = games.map_or(EvaluationLength::Phase(AgentSteps(1)), |games| games.length);
            let found = protocol.departures(&config, length, games.map(|games| games.weights));
            assert_eq!(found, Vec::<String>::new(), "{protocol}");
        }
    }

    #[test]
    fn games_are_played_as_the_papers_say() {
        let configured = |protocol: EvaluationProtocol, preset: &str| {
            let config = protocol.configure(&Config::preset(preset).unwrap(), |_| false).unwrap();
            let EnvironmentKind::Atari { config: atari, .. } = &config.environment().kind else { panic!("Atari") };
            let evaluation = config.evaluation();
            let options = atari.options();
            (evaluation.episodes.get(), evaluation.epsilon, evaluation.noise, options.no_op_max, options.frame_limit)
        };
        let (fresh, off) = (ActingNoise::Fresh, ActingNoise::Off);
        assert_eq!(configured(EvaluationProtocol::Deepmind, "dqn"), (30, 0.05, off, 30, Some(18_000)));
        assert_eq!(configured(EvaluationProtocol::Rainbow, "rainbow"), (200, 0.0, fresh, 30, Some(108_000)));
        assert_eq!(configured(EvaluationProtocol::Rainbow, "c51").1, 0.001);
        assert_eq!(configured(EvaluationProtocol::Cleanrl, "pong"), (10, 0.05, off, 30, Some(108_000)));
        // Games of a run by other rules begin as they did in training.
        let dopamine = configured(EvaluationProtocol::Dopamine, "dqn");
        assert_eq!((dopamine.1, dopamine.3, dopamine.4), (0.001, 30, Some(108_000)));
    }

    #[test]
    fn whatever_departs_is_named_by_its_value() {
        let protocol = EvaluationProtocol::Deepmind;
        let typed = [
            ("evaluation.epsilon", Value::Float(0.5)),
            ("evaluation.episodes", Value::Integer(3)),
            ("environment.frame_limit", Value::Integer(400)),
        ];
        assert_eq!(departures(protocol, "dqn", &typed), ["frame_limit = 400", "epsilon = 0.5", "episodes = 3"]);
        assert_eq!(
            departures(protocol, "pong", &[]),
            ["fire_reset = \"press\"", "life_loss = \"episode-end\"", "reward = \"sign\""]
        );
        assert_eq!(departures(EvaluationProtocol::Rainbow, "catch", &[]), ["environment = \"catch 10x5\""]);
        let noise = [("evaluation.noise", Value::String("off".to_owned()))];
        assert_eq!(departures(EvaluationProtocol::Rainbow, "rainbow", &noise), ["noise = \"off\""]);
        // Without noisy layers it has no effect.
        assert_eq!(departures(EvaluationProtocol::Rainbow, "dqn", &noise), Vec::<String>::new());
        let config = Config::preset("dqn").unwrap();
        let length = EvaluationLength::Games(config.evaluation().episodes);
        let found = protocol.departures(&protocol.configure(&config, |_| false).unwrap(), length, None);
        assert_eq!(found, ["episodes = 10", "weights = \"unknown\""]);
        assert_eq!(protocol.label(&found), "deepmind evaluation with episodes = 10, weights = \"unknown\"");
    }

    #[test]
    fn protocols_are_found_by_name() {
        for protocol in EvaluationProtocol::ALL {
            assert_eq!(protocol.name().parse(), Ok(protocol));
            assert!(protocol.new_games(Layers::Plain).is_some() || protocol.training_games().is_some());
        }
        assert!("atari".parse::<EvaluationProtocol>().unwrap_err().to_string().contains("rainbow"));
    }

    #[test]
    fn fewer_training_games_than_a_protocol_asks_for_depart_from_it() {
        let protocol = EvaluationProtocol::Machado;
        let which = protocol.training_games().unwrap();
        let config = Config::preset("dqn").unwrap();
        let scores = TrainingScores { span: Span::End, scores: vec![1.0, 2.0, 3.0], at: Position::default() };
        assert_eq!(
            protocol.label_of_training(&scores, &config, which),
            "machado training games before the end with repeat_action_probability = 0.0, no_op_max = 30, life_loss = \
             \"zero-discount\", actions = \"minimal\", episodes = 3"
        );
    }
}
