//! The command line: what can be typed.

mod eval;
mod many;
mod reports;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand};
use prism::Seeds;
use prism::bench::{Agent, Task};

pub use eval::EvalArguments;
pub use many::{RerunArguments, SweepArguments};
pub use reports::{Picture, PlotArguments, ProjectionArguments, SummarizeArguments};
use values::{Games, agent, number_in, one_of, whole_in};

/// Value-based deep reinforcement learning on Atari: native emulator, networks in Burn.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "Examples:
  prism roms install                 get the games' ROM files through pip
  prism train pong                   train DQN on Pong until it is solved
  prism train cartpole --seed 1      a first try without ROMs, a minute
  prism resume runs/pong-seed0-...   go on with a run that was interrupted
  prism sweep sweeps/dqn.toml        train many runs that a file describes
  prism rerun runs/pong-seed0-...    run it again: are the records the same?
  prism eval runs/pong-seed0-...     score the best weights of a run
  prism plot curves runs/pong-*      draw the learning curves of several runs
  prism summarize runs/*             say what they come to, with intervals
  prism devices                      what the networks can run on here
  prism bench --quick                how fast that is
  prism list                         presets, games, environments, protocols
  prism settings replay              what can be set, with ranges and values")]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train an agent and write a run folder
    Train(Box<TrainArguments>),
    /// Go on with a run that was interrupted, killed, solved or at its limit
    Resume(ResumeArguments),
    /// Train many runs that a small file describes, several at a time, here or under Slurm
    Sweep(SweepArguments),
    /// Run a recorded run again, and say what differs
    Rerun(RerunArguments),
    /// Score the weights of a run
    Eval(EvalArguments),
    /// Watch an agent play, in the terminal or as a GIF, PNG files or a video
    Play(PlayArguments),
    /// Write a policy file that games load, or ONNX
    Export(ExportArguments),
    /// Make a policy file of weights that PyTorch saved
    Import(ImportArguments),
    /// Draw pictures of runs
    Plot(PlotArguments),
    /// Say what several runs come to, over seeds and games, with intervals
    Summarize(SummarizeArguments),
    /// List the devices that networks can run on, and say which one `auto` takes
    Devices,
    /// Measure how fast the devices of this machine act, learn and play
    Bench(BenchArguments),
    /// List presets, games, environments and protocols
    List,
    /// List every setting: what it may be, what it is in a preset, what it means
    Settings(SettingsArguments),
    /// Get the games' ROM files, or look at those there are
    Roms(RomsArguments),
}

/// Arguments of `prism train`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  prism train pong
  prism train pong --frames 200000                      a short try
  prism train pong --pipeline                           play and learn at the same time
  prism train pong --game freeway --set training.stop_score=none
  prism train breakout --set environment.count=8 --set replay.capacity=300000
  prism train runs/pong-seed0-... --seed 1              repeat a run with another seed

Settings are sections and keys of a preset: `prism settings` lists them, a run folder's config.toml has those of a run.")]
pub struct TrainArguments {
    /// A preset (see `prism list`), or the path of a configuration file or of a run folder
    pub preset: OsString,
    /// Play another game; several games, such as pong,breakout, make several runs
    #[arg(long = "game", value_name = "GAME,...", value_parser = Games::from_str)]
    pub games: Option<Games>,
    /// Train with each of several seeds, such as 0..2 (0, 1 and 2) or 3,5, one run after the other
    #[arg(long, value_name = "SEEDS", conflicts_with = "seed")]
    pub seeds: Option<Seeds>,
    /// Device of the networks: auto, or one that `prism devices` lists, such as flex or cuda:1 [default: the
    /// configuration's]
    #[arg(long)]
    pub device: Option<String>,
    /// Seed of every random choice [default: the configuration's, 0 in presets]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub seed: Option<String>,
    /// Folder of ROM files, searched before ALE_ROMS_DIR and the data folder
    #[arg(long, value_name = "DIR")]
    pub roms: Option<PathBuf>,
    /// The run folder, which must not exist yet; of several runs, the folder that holds theirs
    /// [default: a new one in runs/]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Change a setting, such as `learning.gamma=0.98`; may be given several times
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE")]
    pub settings: Vec<String>,
    /// Play on while the network learns, with the weights from before the update: faster; results differ from a run
    /// without it
    #[arg(long)]
    pub pipeline: bool,
    /// End after this many emulator frames, instead of the preset's limit
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub frames: Option<String>,
    /// End after this many agent steps, instead of the preset's limit
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub agent_steps: Option<String>,
}

/// Arguments of `prism resume`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  prism resume runs/pong-seed0-...
  prism resume runs/pong-seed0-... --frames 8000000      beyond its limit
  prism resume runs/pong-seed0-... --set environment.threads=4

The run goes on from its last checkpoint as if nothing had been: on the same kind of machine its records become those of a \
run that was never interrupted, byte for byte. Only settings that do not change what is learned can be set: its end, \
threads, device, evaluation and how often it is saved.")]
pub struct ResumeArguments {
    /// The folder of a run
    pub run: PathBuf,
    /// End after this many emulator frames in all, instead of the run's limit
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub frames: Option<String>,
    /// End after this many agent steps in all, instead of the run's limit
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub agent_steps: Option<String>,
    /// Device of the networks: auto, or one that `prism devices` lists; another one computes other numbers [default: the
    /// run's]
    #[arg(long)]
    pub device: Option<String>,
    /// Folder of ROM files, searched before ALE_ROMS_DIR and the data folder
    #[arg(long, value_name = "DIR")]
    pub roms: Option<PathBuf>,
    /// Change a setting, such as `environment.threads=4`; may be given several times
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE")]
    pub settings: Vec<String>,
}

/// Arguments of `prism settings`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  prism settings                   every setting
  prism settings replay            those of one section
  prism settings learning.gamma    one of them")]
pub struct SettingsArguments {
    /// A section, such as learning, or a setting, such as learning.gamma or gamma [default: all]
    #[arg(value_name = "SECTION | SETTING")]
    pub of: Option<String>,
}

/// Arguments of `prism play`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  prism play runs/pong-seed0-...                    in the terminal
  prism play runs/pong-seed0-... --window --overlay
  prism play runs/pong-seed0-... --overlay --out pong.gif
  prism play pong.safetensors --episodes 9 --show median --out game.y4m
  prism play pong.safetensors --out frames/         a PNG file for each picture

Games are drawn from the seed: the same command shows the same games. Ctrl-C ends, and keeps what is written.")]
pub struct PlayArguments {
    /// A run folder (its best weights, else its latest), a weights file or a policy file
    pub run: PathBuf,
    /// Where the pictures go: FILE.gif, FILE.y4m, or a folder for PNG files [default: the terminal]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Show the game in a window; Escape closes it
    #[arg(long, conflicts_with = "out")]
    pub window: bool,
    /// Draw each action's q-value, or the distribution of its return, beside the game
    #[arg(long)]
    pub overlay: bool,
    /// Games to play; with several, --show says which is shown
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true, value_parser = whole_in(1..=10_000))]
    pub episodes: u32,
    /// Which of the games is shown, by its score
    #[arg(long, default_value_t, value_parser = one_of::<Choice>(Choice::ALL.map(|choice| (choice.name(), choice.description()))))]
    pub show: Choice,
    /// Leave out this many seconds of the game at its beginning
    #[arg(long, value_name = "S", default_value_t = 0.0, allow_negative_numbers = true,
        value_parser = number_in(0.0..=100_000.0))]
    pub from: f64,
    /// End after this many seconds
    #[arg(long, value_name = "S", allow_negative_numbers = true, value_parser = number_in(0.01..=100_000.0))]
    pub seconds: Option<f64>,
    /// Pixels of a screen's pixel in files [default: so that the picture has about 200 rows]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole_in(1..=32))]
    pub scale: Option<u32>,
    /// Probability of a random action [default: the run's setting]
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    pub epsilon: Option<f64>,
    /// Seed of the games and of random actions [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub seed: Option<String>,
    /// Folder of ROM files, searched before ALE_ROMS_DIR and the data folder
    #[arg(long, value_name = "DIR")]
    pub roms: Option<PathBuf>,
    /// Change a setting of the run; may be given several times
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE")]
    pub settings: Vec<String>,
}

/// Which of several games is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// That of the highest score.
    #[default]
    Best,
    /// That in the middle.
    Median,
    /// That of the lowest score.
    Worst,
}

impl Choice {
    const ALL: [Self; 3] = [Self::Best, Self::Median, Self::Worst];

    fn name(self) -> &'static str {
        match self {
            Self::Best => "best",
            Self::Median => "median",
            Self::Worst => "worst",
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::Best => "the one of the highest score",
            Self::Median => "the one in the middle",
            Self::Worst => "the one of the lowest score",
        }
    }
}

impl std::fmt::Display for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Choice {
    type Err = std::convert::Infallible;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Ok(Self::ALL.into_iter().find(|choice| choice.name() == name).unwrap_or_default())
    }
}

/// Arguments of `prism export`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  prism export runs/pong-seed0-...                  writes pong.safetensors
  prism export runs/pong-seed0-... --out small.safetensors --int8
  prism export runs/pong-seed0-... --onnx pong.onnx

Programs load a policy file with the crate prism-agent or with its C library. If `prism eval` has scored the weights, the \
file also carries these scores.")]
pub struct ExportArguments {
    /// A run folder (its best weights, else its latest), a weights file or a policy file
    pub run: PathBuf,
    /// The policy file to write [default: named after the environment; none where --onnx is given]
    #[arg(long, value_name = "FILE.safetensors")]
    pub out: Option<PathBuf>,
    /// Write the policy to this file as an ONNX model
    #[arg(long, value_name = "FILE.onnx")]
    pub onnx: Option<PathBuf>,
    /// Store each weight of the policy file in a byte: a quarter of the size; q-values then differ by about one percent
    #[arg(long)]
    pub int8: bool,
}

/// Arguments of `prism import`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  prism import dqn_atari.cleanrl_model --preset dqn --game breakout --out breakout.safetensors
  prism import c51_atari.cleanrl_model --preset c51 --game pong --out pong.safetensors
  prism import dqn-PongNoFrameskip-v4.zip --preset dqn --out pong.safetensors
  prism eval pong.safetensors

Layers are found by their order and shapes. The preset says what the network is and what it plays.")]
pub struct ImportArguments {
    /// A state dict that torch.save wrote, a model of Stable-Baselines3, or safetensors
    pub file: PathBuf,
    /// A preset with the network of the file (see `prism list`), or a configuration file
    #[arg(long, value_name = "PRESET")]
    pub preset: OsString,
    /// The game, unless it is the preset's
    #[arg(long)]
    pub game: Option<String>,
    /// The policy file
    #[arg(long, value_name = "FILE.safetensors")]
    pub out: PathBuf,
    /// Folder of ROM files, searched before ALE_ROMS_DIR and the data folder
    #[arg(long, value_name = "DIR")]
    pub roms: Option<PathBuf>,
    /// Change a setting of the preset; may be given several times
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE")]
    pub settings: Vec<String>,
}

/// Arguments of `prism bench`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  prism bench                                                  everything on every device, minutes for each
  prism bench --quick --device flex                            a first look at the processor
  prism bench --device flex --device cuda:0 --json speed.json  two devices side by side, kept
  prism bench --task update --agent rainbow --batch 32,256     one task
  prism bench --json new.json --compare old.json               what has changed since
  prism bench --json speed.json --chart speed.svg              a picture as well

Times are medians with quartiles over five to nine rounds, in which devices take turns. Compiling and
tuning kernels and warming up come before the first round and are shown in a column of their own.
Ctrl-C ends early and shows what was measured by then.")]
pub struct BenchArguments {
    /// Measure on this device (see `prism devices`); may be given several times [default: all of this
    /// machine, without processors that pose as a GPU]
    #[arg(long = "device", value_name = "DEVICE")]
    pub devices: Vec<String>,
    /// Kinds of work [default: all]
    #[arg(long = "task", value_name = "TASK,...", value_delimiter = ',',
        value_parser = one_of::<Task>(Task::ALL.map(|task| (task.name(), task.description()))))]
    pub tasks: Vec<Task>,
    /// Presets whose agents do forward, update and end-to-end [default: dqn, c51 and rainbow; end-to-end: pong]
    #[arg(long = "agent", value_name = "PRESET,...", value_delimiter = ',', value_parser = agent)]
    pub agents: Vec<Agent>,
    /// Batch sizes of forward, update, projection and sampling [default: the usual ones of each]
    #[arg(long = "batch", value_name = "N,...", value_delimiter = ',',
        allow_negative_numbers = true, value_parser = whole_in(1..=4096))]
    pub batches: Vec<u32>,
    /// Time for each measurement on each device, without its preparation
    #[arg(long, value_name = "S", default_value_t = 2.0, conflicts_with = "quick",
        allow_negative_numbers = true, value_parser = number_in(0.001..=600.0))]
    pub seconds: f64,
    /// The same as --seconds 0.3
    #[arg(long)]
    pub quick: bool,
    /// Write the measurements to this file
    #[arg(long, value_name = "FILE.json")]
    pub json: Option<PathBuf>,
    /// Draw the measurements into this file
    #[arg(long, value_name = "FILE.svg")]
    pub chart: Option<PathBuf>,
    /// Show beside each measurement how it differs from that of an older file
    #[arg(long, value_name = "OLD.json")]
    pub compare: Option<PathBuf>,
    /// Folder of ROM files, searched before ALE_ROMS_DIR and the data folder
    #[arg(long, value_name = "DIR")]
    pub roms: Option<PathBuf>,
}

/// Arguments of `prism roms`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  prism roms install              download the ROM files through pip and verify them
  prism roms check                say what is missing or damaged
  prism roms list --roms my-roms  every game with its file in a folder of yours")]
pub struct RomsArguments {
    /// What to do
    #[command(subcommand)]
    pub action: RomsAction,
    /// Folder of ROM files, searched before ALE_ROMS_DIR and the data folder; where `install` puts them
    #[arg(long, value_name = "DIR", global = true)]
    pub roms: Option<PathBuf>,
}

/// What to do with ROM files.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum RomsAction {
    /// Download every missing or damaged ROM file through pip and verify it
    Install,
    /// List every game and its ROM file
    List,
    /// Verify every ROM file; fails if one is missing or damaged
    Check,
}
