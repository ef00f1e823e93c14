//! Arguments of the commands that train many runs, or the same run again.

use std::path::PathBuf;

use clap::Args;

use super::values::whole_in;

/// Arguments of `prism sweep`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  prism sweep sweeps/dqn.toml --dry-run     the runs it asks for, and how each stands
  prism sweep sweeps/dqn.toml --jobs 4      four at a time on this machine
  prism sweep sweeps/dqn.toml --submit      as a job array of Slurm
  prism summarize sweeps/dqn/*/*            what the runs came to

The same command again skips runs that have ended, goes on with those that have not, and begins the others. A file:

  presets = [\"dqn\", \"c51\"]                 presets, or paths of configuration files
  games = [\"pong\", \"breakout\"]             or groups, such as atari-26; the preset's own without it
  seeds = \"0..4\"                           or a list
  out = \"dqn\"                              beside the file; named after it without this line
  jobs = 2                                 how many at a time
  slurm = [\"--time=12:00:00\", \"--cpus-per-task=4\"]

  [set]                                    settings of every run
  training.agent_steps = 100_000

  [[variants]]                             each with every preset, game and seed
  name = \"n3\"
  set = { learning.n_step = 3 }")]
pub struct SweepArguments {
    /// The TOML file that describes the runs
    #[arg(value_name = "FILE.toml")]
    pub file: PathBuf,
    /// How many runs go on at a time, sharing the processor's cores; of a job array, at most [default: the file's, else 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole_in(1..=10_000))]
    pub jobs: Option<u32>,
    /// List the runs and how each stands, and begin none
    #[arg(long, conflicts_with_all = ["only", "slurm", "submit"])]
    pub dry_run: bool,
    /// Train this one of the runs in this process, by the name that --dry-run lists
    #[arg(long, value_name = "RUN", conflicts_with_all = ["jobs", "slurm", "submit"])]
    pub only: Option<String>,
    /// Write the script of a Slurm job array into the sweep's folder: a task for each run that has not ended
    #[arg(long)]
    pub slurm: bool,
    /// The same, and hand it to sbatch
    #[arg(long)]
    pub submit: bool,
    /// Folder of ROM files, searched before ALE_ROMS_DIR and the data folder
    #[arg(long, value_name = "DIR")]
    pub roms: Option<PathBuf>,
}

/// Arguments of `prism rerun`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  prism rerun runs/pong-seed0-...
  prism rerun runs/pong-seed0-... --frames 200000 --out again    its beginning alone

The run is run again to where it ended, in a new folder. What differs from then is said first: program, device, ROM, machine. \
Then tables and weights are compared, byte for byte. The code is 0 where they are the same and 1 where they differ.")]
pub struct RerunArguments {
    /// The folder of a run
    pub run: PathBuf,
    /// The folder of the new run, which must not exist yet [default: a new one in runs/]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Repeat so many emulator frames and compare tables as far as both go
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub frames: Option<String>,
    /// Device of the networks [default: the one that the run was last on]
    #[arg(long)]
    pub device: Option<String>,
    /// Folder of ROM files, searched before ALE_ROMS_DIR and the data folder
    #[arg(long, value_name = "DIR")]
    pub roms: Option<PathBuf>,
}
