//! `prism sweep`: trains the runs that a file describes, several at a time, as often as it takes until all have ended.

mod job;
mod jobs;
mod screen;
mod slurm;

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use indicatif::HumanCount;
use prism::sweep::{PlannedRun, Standing, Sweep, SweepError};
use prism::{Config, Environments, Run, RunProgress, available_memory};

use crate::arguments::SweepArguments;
use crate::failure::Failure;

/// Trains what `arguments` name, or says what would be.
pub fn run(arguments: &SweepArguments, output: &mut impl Write) -> Result<ExitCode, Failure> {
    let sweep = Sweep::read(&arguments.file)?;
    let launcher = Launcher::new(arguments.roms.clone())?;
    if let Some(name) = &arguments.only {
        return only(sweep.run(name)?, &launcher, output);
    }
    let standings: Vec<Standing> = sweep.runs.iter().map(PlannedRun::standing).collect::<Result<_, _>>()?;
    if arguments.dry_run {
        let width = sweep.runs.iter().map(|run| run.name.chars().count()).max().unwrap_or(0);
        for (run, standing) in sweep.runs.iter().zip(&standings) {
            writeln!(output, "{:<width$}  {}", run.name, described(run, standing))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let left = sweep.runs.iter().zip(&standings).filter(|(_, standing)| **standing != Standing::Ended);
    let left: Vec<&PlannedRun> = left.map(|(run, _)| run).collect();
    if arguments.slurm || arguments.submit {
        // Devices and memory are those of the cluster's machines, not of this one.
        each_kind(&left, |config| Ok(Environments::of(config.environment(), arguments.roms.as_deref()).map(|_| ())?))?;
        return slurm::run(arguments, &sweep, &left, &launcher, output);
    }
    let jobs = arguments.jobs.map(|jobs| jobs as usize).or(sweep.jobs.map(usize::from)).unwrap_or(1);
    check(&left, jobs, arguments.roms.as_deref())?;
    let code = jobs::run(&sweep.runs, jobs, &launcher, output)?;
    if code == ExitCode::SUCCESS {
        writeln!(output, "`prism summarize {}/*/*` says what they came to", sweep.out.display())?;
    }
    Ok(code)
}

/// How this program is started once more.
struct Launcher {
    program: PathBuf,
    roms: Option<PathBuf>,
}

impl Launcher {
    fn new(roms: Option<PathBuf>) -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(|error| {
            Failure::outside(
                anyhow::Error::new(error).context("cannot find the program itself to start it for each run"),
            )
        })?;
        Ok(Self { program, roms })
    }

    /// `prism` with these arguments of `train` or `resume`.
    fn command(&self, arguments: Vec<OsString>) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments);
        if let Some(roms) = &self.roms {
            command.arg("--roms").arg(roms);
        }
        command
    }
}

/// Becomes the process that trains `run`: signals then reach it without a detour.
fn only(run: &PlannedRun, launcher: &Launcher, output: &mut impl Write) -> Result<ExitCode, Failure> {
    let arguments = match run.standing()? {
        Standing::Ended => {
            writeln!(output, "{} has ended", run.name)?;
            return Ok(ExitCode::SUCCESS);
        }
        Standing::New => run.train(),
        Standing::Remnant => {
            run.remove_remnant()?;
            run.train()
        }
        Standing::Unfinished(changes) => run.resume(&changes),
        // Which says that another process has it.
        Standing::Busy => run.resume(&[]),
    };
    output.flush()?;
    let error = launcher.command(arguments).exec();
    Err(Failure::outside(anyhow::Error::new(error).context(format!("cannot start {}", launcher.program.display()))))
}

/// Refuses what would stop a run after the hours that those before it take.
fn check(left: &[&PlannedRun], jobs: usize, roms: Option<&Path>) -> Result<(), Failure> {
    let mut needs = Vec::new();
    each_kind(left, |config| {
        let environments = Environments::of(config.environment(), roms)?;
        needs.push(Run::check(config, &environments)?.total());
        Ok(())
    })?;
    // Runs of one kind may all go on at a time.
    let at_a_time = jobs.min(left.len()) as u64;
    let most = needs.into_iter().max().unwrap_or(0);
    let (available, bound) = available_memory();
    if most.saturating_mul(at_a_time) > available {
        let gigabytes = |bytes: u64| bytes as f64 / 1e9;
        let error = anyhow::anyhow!(
            "{at_a_time} runs at a time need up to {:.1} GB of memory, {:.1} GB each, and there are {:.1} GB; {bound}",
            gigabytes(most * at_a_time),
            gigabytes(most),
            gigabytes(available)
        );
        return Err(Failure::usage(error).with_remedy(format!("give --jobs {}", available / most)));
    }
    Ok(())
}

/// Calls `check` for each run that differs from the one before it in more than its seed.
fn each_kind(runs: &[&PlannedRun], mut check: impl FnMut(&Config) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut checked: Option<&Config> = None;
    for run in runs {
        let config = &run.config;
        let same = |checked: &&Config| {
            let without_seed = |config: &Config| -> Vec<_> {
                let kept = config.settings().filter(|(key, _)| *key != "run.seed");
                kept.map(|(key, value)| (key, value.clone())).collect()
            };
            without_seed(checked) == without_seed(config)
        };
        if checked.filter(same).is_none() {
            check(config)?;
            checked = Some(config);
        }
    }
    Ok(())
}

fn described(run: &PlannedRun, standing: &Standing) -> String {
    let limit = HumanCount(run.config.training().limit.0);
    match standing {
        Standing::New => format!("to begin, {limit} agent steps"),
        Standing::Remnant => format!("to begin anew, {limit} agent steps"),
        Standing::Unfinished(_) => {
            format!("to go on, at {} of {limit} agent steps", HumanCount(RunProgress::of(&run.folder).agent_steps))
        }
        Standing::Busy => "another process is training it".to_owned(),
        Standing::Ended => format!("ended, at {} agent steps", HumanCount(RunProgress::of(&run.folder).agent_steps)),
    }
}

impl From<SweepError> for Failure {
    fn from(error: SweepError) -> Self {
        let remedy = match &error {
            SweepError::Settings { source, .. } | SweepError::Preset { source, .. } => {
                let names_game = source.to_string().contains("environment.game");
                names_game.then_some("`prism list` lists the games")
            }
            SweepError::InTheWay(_) => Some("move it away, or give the sweep another `out`"),
            SweepError::OtherRun { .. } => Some(
                "give the sweep another `out`, the changed runs a variant of their own, or delete the folder to train it anew",
            ),
            SweepError::CannotGoOn(_) => {
                Some("delete the folder to train it anew; training.checkpoints = false leaves none")
            }
            SweepError::Missing { .. } | SweepError::UnknownKey { .. } | SweepError::Read { .. } => {
                Some("`prism sweep --help` shows a file")
            }
            _ => None,
        };
        let outside = matches!(
            error,
            SweepError::Read { .. }
                | SweepError::InTheWay(_)
                | SweepError::CannotGoOn(_)
                | SweepError::Unreadable(_)
                | SweepError::Checkpoints(_)
                | SweepError::TakeAway { .. }
        );
        let failure = if outside { Self::outside(error) } else { Self::usage(error) };
        failure.with_some_remedy(remedy.map(str::to_owned))
    }
}
