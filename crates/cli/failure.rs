//! Why a command failed: what is said of it, what to type instead, and the code that the program ends with.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use prism::bench::BenchError;
use prism::{
    BuildError, CheckpointError, Ending, OutputError, Problem, RecordError, RunError, RunErrorKind, RunFolderError,
    SavedWeights, SettingsError,
};
use prism_algorithms::AgentError;
use prism_environment::{EmulatorError, EnvironmentError, RomError, VectorError};
use prism_model::{DeviceError, NetworkError, WeightsError};
use prism_picture::PictureError;
use prism_runs::ReadError;

/// Something outside the program went wrong.
const OUTSIDE: u8 = 1;
/// The command line or the configuration is wrong; clap uses the same number.
const WRONG_USAGE: u8 = 2;
/// The program itself is wrong: `EX_SOFTWARE` of BSD's sysexits.
pub const BUG: u8 = 70;
/// The command was told to stop by Ctrl-C: 128 and the number of SIGINT, by the convention of shells.
pub const INTERRUPTED: u8 = 130;
/// The command was told to stop by the system or its terminal: 128 and the number of SIGTERM.
pub const TERMINATED: u8 = 143;

/// Why a command failed.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    error: anyhow::Error,
    remedy: Option<String>,
}

impl Failure {
    /// What was typed is wrong.
    pub fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { code: WRONG_USAGE, error: error.into(), remedy: None }
    }

    /// Something outside the program went wrong.
    pub fn outside(error: impl Into<anyhow::Error>) -> Self {
        Self { code: OUTSIDE, error: error.into(), remedy: None }
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn with_remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }

    /// The same with something more that helps.
    #[must_use]
    pub fn with_further_remedy(self, more: &str) -> Self {
        let remedy = self.remedy.map_or_else(|| more.to_owned(), |remedy| format!("{remedy}; {more}"));
        Self { remedy: Some(remedy), ..self }
    }

    /// The same with what to do about it, where that is known.
    #[must_use]
    pub fn with_some_remedy(self, remedy: Option<String>) -> Self {
        Self { remedy: self.remedy.or(remedy), ..self }
    }

    /// Says what went wrong, and gives the code to end with.
    pub fn report(self) -> ExitCode {
        // Whoever reads our output, such as `head`, may go away: that is its right.
        let is_broken_pipe = |cause: &(dyn Error + 'static)| match cause.downcast_ref::<io::Error>() {
            Some(error) => error.kind() == io::ErrorKind::BrokenPipe,
            None => false,
        };
        if self.error.chain().any(is_broken_pipe) {
            return ExitCode::SUCCESS;
        }
        // Standard error may be gone as well; the exit code then says enough.
        let _ = writeln!(io::stderr(), "error: {}", self.sentence());
        ExitCode::from(self.code)
    }

    /// The error with its causes, each said once, and the remedy.
    pub fn sentence(&self) -> String {
        let mut sentence = String::new();
        for cause in self.error.chain() {
            let text = cause.to_string();
            if sentence.contains(&text) {
                continue;
            }
            if !sentence.is_empty() {
                sentence.push_str(": ");
            }
            sentence.push_str(&text);
        }
        if let Some(remedy) = &self.remedy {
            sentence.push_str(": ");
            sentence.push_str(remedy);
        }
        sentence
    }
}

/// The code of a command that has come to this end in good order.
pub fn code_of(ending: &Ending) -> ExitCode {
    match ending {
        Ending::Interrupted => ExitCode::from(INTERRUPTED),
        Ending::Terminated => ExitCode::from(TERMINATED),
        _ => ExitCode::SUCCESS,
    }
}

impl From<io::Error> for Failure {
    /// An error of standard output: nothing else is written without saying which file it is.
    fn from(error: io::Error) -> Self {
        let error = anyhow::Error::new(error).context("cannot write to standard output");
        Self::outside(error).with_remedy("is the disk full, or the file that it goes to read-only?")
    }
}

impl From<OutputError> for Failure {
    fn from(error: OutputError) -> Self {
        let remedy = match &error {
            OutputError::Extension { extension, .. } => format!("choose a name that ends in .{extension}"),
            OutputError::Record { .. } | OutputError::Input { .. } | OutputError::NotAFile { .. } => {
                "choose another name".to_owned()
            }
            _ => "give a file in a folder that exists, is writable and has space".to_owned(),
        };
        let failure = match error {
            OutputError::Extension { .. } => Self::usage(error),
            _ => Self::outside(error),
        };
        failure.with_remedy(remedy)
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        let of_game = |problem: &Problem| problem.key == "environment.game";
        let unknown_game = matches!(&error, SettingsError::Refused(problems) if problems.iter().any(of_game));
        let remedy = unknown_game.then(|| "`prism list` lists the games".to_owned());
        Self::usage(error).with_some_remedy(remedy)
    }
}

impl From<BenchError> for Failure {
    fn from(error: BenchError) -> Self {
        let remedy = match &error {
            BenchError::Format { .. } => "measure again, or use the prism that wrote it",
            _ => "give a file that `prism bench --json` wrote",
        };
        Self::outside(error).with_remedy(remedy)
    }
}

impl From<PictureError> for Failure {
    fn from(error: PictureError) -> Self {
        let remedy = match &error {
            PictureError::TooLarge(..) => "give a smaller --scale",
            PictureError::Window(_) => "leave out --window to see the game in the terminal, or give a file with --out",
            _ => "give a name in a folder that exists, is writable and has space, or another folder for PNG files",
        };
        Self::outside(error).with_remedy(remedy)
    }
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        Self::outside(error)
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        let remedy = of_reading(&error);
        Self::outside(error).with_some_remedy(remedy)
    }
}

impl From<RomError> for Failure {
    fn from(error: RomError) -> Self {
        let remedy = of_rom(&error);
        Self::outside(error).with_some_remedy(remedy)
    }
}

impl From<DeviceError> for Failure {
    fn from(error: DeviceError) -> Self {
        RunError::from(error).into()
    }
}

impl From<WeightsError> for Failure {
    fn from(error: WeightsError) -> Self {
        RunError::from(error).into()
    }
}

impl From<RunFolderError> for Failure {
    fn from(error: RunFolderError) -> Self {
        RunError::from(error).into()
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        RunError::from(error).into()
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let remedy = remedy(&error);
        let failure = match error.kind() {
            RunErrorKind::Usage => Self::usage(error),
            RunErrorKind::Outside => Self::outside(error),
        };
        failure.with_some_remedy(remedy)
    }
}

/// What to type, or to do, about an error.
fn remedy(error: &RunError) -> Option<String> {
    let remedy = match error {
        RunError::Device(DeviceError::NotCompiled { backend, .. }) => {
            return Some(format!("build prism with --features {backend} (with make: FEATURES={backend})"));
        }
        RunError::Device(DeviceError::Unknown { .. } | DeviceError::NoSuchNumber { .. }) => {
            "`prism devices` lists what there is"
        }
        RunError::Build(BuildError::Rom(error)) => return of_rom(error),
        RunError::Build(BuildError::Own { .. }) => {
            "run it through the library, as examples/own_environment.rs does, or choose another environment.kind"
        }
        RunError::Agent(AgentError::Network(NetworkError::NotAnImage { .. })) => {
            "choose the network kind `mlp`, or observations that are large enough images"
        }
        RunError::Build(BuildError::Vector(VectorError::NotMade(EnvironmentError::Emulator(
            EmulatorError::NotInBuild { .. },
        )))) => "build prism with its default features",
        RunError::Folder(RunFolderError::Exists(_)) => "give another folder with --out, or delete this one",
        RunError::Folder(RunFolderError::Write { .. }) => {
            "give a folder on a disk that is writable and has space with --out"
        }
        RunError::Folder(RunFolderError::NotARun { .. } | RunFolderError::Absent(_)) => {
            "give the folder of a run, which `prism train` names when it starts, or a weights file"
        }
        RunError::Folder(RunFolderError::NoSuchWeights { weights: SavedWeights::Best, .. }) => {
            "take the latest with --weights latest: a run has best weights once training.score_window games have ended"
        }
        RunError::Folder(
            RunFolderError::NoWeights(_) | RunFolderError::NoSuchWeights { weights: SavedWeights::Latest, .. },
        ) => "let it train for a while first",
        RunError::Folder(RunFolderError::InUse(_)) => "wait until it ends, or stop it with Ctrl-C where it runs",
        RunError::Checkpoint(CheckpointError::None(_)) => {
            "delete the folder and train it anew: runs of prism 0.1.0 and older, those with training.checkpoints = false, and \
             one that was killed while it began have none"
        }
        RunError::Checkpoint(CheckpointError::Damaged { .. }) => {
            "its weights can still be played and scored; train it anew in another folder with `prism train`"
        }
        RunError::UnusableCheckpoint { .. } => "use the version of prism that wrote it",
        RunError::AtLimit { .. } => "give a higher one with --frames or --agent-steps",
        RunError::Unchangeable { .. } => "train a new run with it: `prism train` takes the folder of a run and --set",
        RunError::OtherConfiguration { .. } => {
            "write the old value back to go on, or train a new run with the new one: `prism train` takes the folder of a run"
        }
        RunError::Record(RecordError::Missing(_) | RecordError::Shorter { .. } | RecordError::Foreign { .. }) => {
            "put back what was there, or train the run anew: without its records it cannot go on"
        }
        RunError::Record(_) => "is the disk full or read-only? The run has stopped there",
        RunError::Weights(WeightsError::Corrupt { .. }) => "copy the file again, or take other weights of the run",
        RunError::Weights(WeightsError::NotFinite { .. }) => {
            "take the run's best weights, which are from before, or train with a lower optimiser.learning_rate"
        }
        RunError::Weights(WeightsError::OtherNumbers { .. } | WeightsError::NotOurs { .. }) => {
            "give weights that `prism train` saved"
        }
        RunError::Weights(WeightsError::Unknown { .. }) => "use the version of prism that saved it",
        RunError::OtherPolicy { .. } => "play it under its own run's configuration",
        RunError::Weights(WeightsError::OtherNetwork { .. }) => "evaluate it with its own run's configuration",
        _ => return None,
    };
    Some(remedy.to_owned())
}

/// What to do about a run that cannot be read.
pub fn of_reading(error: &ReadError) -> Option<String> {
    let remedy = match error {
        ReadError::Run { .. } => "give the folder of a run, which `prism train` names when it starts",
        ReadError::Read { .. } => "give a folder that is whole",
        ReadError::Malformed { .. } => "give a folder whose files are as the run wrote them",
        _ => return None,
    };
    Some(remedy.to_owned())
}

fn of_rom(error: &RomError) -> Option<String> {
    match error {
        RomError::Missing { .. } | RomError::NoHome => Some(format!(
            "run `prism roms install`, or name your own folder with --roms DIR or {}",
            prism_environment::ROMS_VARIABLE
        )),
        RomError::Unreadable { .. } => Some(format!(
            "name a folder that exists and can be read with --roms DIR or {}, or run `prism roms install`",
            prism_environment::ROMS_VARIABLE
        )),
        RomError::Truncated { .. } | RomError::Wrong { .. } => {
            Some("delete it and run `prism roms install`".to_owned())
        }
        _ => None,
    }
}
