//! The program `prism`: one function per command, and the one place where exit codes are decided.

mod cli;
mod devices;
mod list;
#[cfg(feature = "ale")]
mod roms;

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::process::ExitCode;

use clap::Parser;
use prism::bench::{self, Agent, BenchOptions, Comparison, Report, Task};
use prism::plot::{self, CurveOptions, DistributionOptions};
use prism::{Config, EvaluateOptions, Interrupt, Override, RunFolder, SettingsError, Source, Statistics, TrainOptions};
use prism_algorithms::LearnerError;
use prism_model::DeviceError;

use cli::{
    BenchArguments, Command, CommandLine, EvalArguments, Picture, PlotArguments, ProjectionArguments, TrainArguments,
};

/// Every update allocates and frees tensors of megabytes: this allocator keeps their pages, where the system's gives
/// them back and takes them again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Has the allocator keep pages for good, which it would give back after some milliseconds without use: between two
/// updates, only to have the system clear them again for the next. That cost a quarter of an update's time.
#[allow(unsafe_code, reason = "options of the allocator are set through its C interface")]
fn keep_pages() {
    /// `mi_option_purge_delay` of mimalloc 2 and 3: milliseconds, -1 for never.
    const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
    // What the user says in the environment stands.
    if std::env::var_os("MIMALLOC_PURGE_DELAY").is_none() {
        // SAFETY: no other thread of this process exists yet, and the option takes any number.
        unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, -1) };
    }
}

/// Something outside the program went wrong.
const FAILURE: u8 = 1;
/// The command line or the configuration is wrong; clap uses the same number.
const WRONG_USAGE: u8 = 2;
/// The program itself is wrong: `EX_SOFTWARE` of BSD's sysexits.
const BUG: u8 = 70;

fn main() -> ExitCode {
    keep_pages();
    std::panic::set_hook(Box::new(report_bug));
    // This thread computes as well, instead of waking another for every small operation and sleeping until it is done.
    // Without the pool, which is refused where there can be no threads, rayon makes its own.
    let _ = rayon::ThreadPoolBuilder::new().use_current_thread().build_global();
    let command = CommandLine::parse().command;
    match catch_unwind(AssertUnwindSafe(|| run(command))) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            // Standard error may be gone as well; the exit code then says enough.
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::from(if is_wrong_usage(&error) { WRONG_USAGE } else { FAILURE })
        }
        Err(_) => ExitCode::from(BUG),
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Train(arguments) => train(arguments),
        Command::Eval(arguments) => eval(arguments),
        Command::Plot(arguments) => plot(arguments),
        Command::Devices => Ok(devices::print(&mut io::stdout().lock())?),
        Command::Bench(arguments) => bench(arguments),
        Command::List => Ok(list::print(&mut io::stdout().lock())?),
        Command::Settings(arguments) => {
            let text = prism::settings::render(arguments.section.as_deref())?;
            Ok(io::stdout().lock().write_all(text.as_bytes())?)
        }
        #[cfg(feature = "ale")]
        Command::Roms(arguments) => roms::run(&arguments, &mut io::stdout().lock()),
    }
}

fn train(arguments: TrainArguments) -> anyhow::Result<()> {
    let source = Source::find(&arguments.preset)?;
    let mut overrides = parse_settings(&arguments.settings)?;
    overrides.extend(arguments.game.map(|game| Override::flag("--game", "environment.game", game)));
    overrides.extend(arguments.frames.map(|frames| Override::typed("--frames", "training.frames", &frames)));
    let agent_steps = |steps: String| Override::typed("--agent-steps", "training.agent_steps", &steps);
    overrides.extend(arguments.agent_steps.map(agent_steps));
    overrides.extend(arguments.place.seed.map(|seed| Override::typed("--seed", "run.seed", &seed)));
    overrides.extend(arguments.place.device.map(|device| Override::flag("--device", "run.device", device)));
    overrides.extend(arguments.pipeline.then(|| Override::flag("--pipeline", "training.pipeline", true)));
    let config = Config::read(&source, &overrides)?;
    for note in config.notes() {
        writeln!(io::stderr(), "note: {note}")?;
    }
    let options = TrainOptions {
        name: source.name,
        device: config.run().device.clone(),
        seed: config.run().seed,
        roms: arguments.place.roms,
        out: arguments.out,
        interrupt: Interrupt::listen()?,
    };
    prism::train(&config, options)?;
    Ok(())
}

fn eval(arguments: EvalArguments) -> anyhow::Result<()> {
    let (folder, weights) = RunFolder::open_weights(&arguments.run)?;
    let mut overrides = parse_settings(&arguments.settings)?;
    let episodes = |episodes: String| Override::typed("--episodes", "evaluation.episodes", &episodes);
    overrides.extend(arguments.episodes.map(episodes));
    overrides.extend(arguments.epsilon.map(|epsilon| Override::flag("--epsilon", "evaluation.epsilon", epsilon)));
    // An evaluation has a seed and a device of its own.
    let device = arguments.place.device.unwrap_or_else(|| "auto".to_owned());
    overrides.push(Override::flag("--device", "run.device", device));
    overrides.push(Override::typed("--seed", "run.seed", &arguments.place.seed.unwrap_or_else(|| "0".to_owned())));
    let config = Config::read(&Source::read(&folder.config())?, &overrides)?;
    let options = EvaluateOptions {
        weights,
        device: config.run().device.clone(),
        seed: config.run().seed,
        roms: arguments.place.roms,
    };
    let scores = prism::evaluate(&config, &options)?;
    let mut output = io::stdout().lock();
    for (number, score) in (1..).zip(&scores) {
        writeln!(output, "episode {number}  score {score}")?;
    }
    let kind = &config.environment().kind;
    writeln!(output, "{} (protocol {}, epsilon {})", kind.name(), kind.protocol(), config.evaluation().epsilon)?;
    writeln!(output, "{}", Statistics::of(&scores))?;
    writeln!(output, "weights {}, seed {}", options.weights.display(), options.seed.0)?;
    Ok(())
}

fn plot(arguments: PlotArguments) -> anyhow::Result<()> {
    let (svg, out) = match arguments.picture {
        Picture::Curves(arguments) => {
            let options = CurveOptions {
                runs: arguments.runs,
                against: arguments.by,
                window: arguments.window.map(NonZeroUsize::get),
                labels: arguments.labels,
            };
            (plot::learning_curves(&options)?, arguments.out)
        }
        Picture::Diagnostics(arguments) => (plot::diagnostics(&arguments.run)?, arguments.out),
        Picture::Distributions(arguments) => {
            let options = DistributionOptions {
                run: arguments.run,
                observation: arguments.observation,
                updates: arguments.updates,
                show: arguments.show,
            };
            (plot::distributions(&options)?, arguments.out)
        }
        Picture::Projection(ProjectionArguments { reward, discount, deviation, out }) => {
            let device = prism_model::open_device("auto")?;
            (plot::projection_of_normal(reward, discount, deviation, &device), out)
        }
    };
    svg.write(&out)?;
    writeln!(io::stdout(), "the picture is in {}", out.display())?;
    Ok(())
}

/// Seconds of each measurement for a first look.
const QUICK: f64 = 0.3;

fn bench(arguments: BenchArguments) -> anyhow::Result<()> {
    // Minutes of measuring must not be lost to a slip in a name.
    let comparison = arguments.compare.map(|path| Report::read(&path)).transpose()?.map(Comparison::with);
    for (path, extension) in [(&arguments.json, "json"), (&arguments.chart, "svg")] {
        path.as_deref().map_or(Ok(()), |path| bench::check_target(path, extension))?;
    }
    let outcome = bench::run(&BenchOptions {
        tasks: all_if_empty(arguments.tasks, &Task::ALL),
        agents: all_if_empty(arguments.agents, &Agent::USUAL),
        batches: arguments.batches.into_iter().map(usize::from).collect(),
        devices: arguments.devices,
        seconds: if arguments.quick { QUICK } else { arguments.seconds },
        roms: arguments.roms,
        interrupt: Interrupt::listen()?,
    })?;
    // Files first: whoever reads the table may have gone away.
    if let Some(path) = &arguments.json {
        outcome.report.write(path)?;
    }
    if let Some(path) = arguments.chart.filter(|_| !outcome.report.measurements.is_empty()) {
        plot::speeds(&outcome.report).write(&path)?;
    }
    let mut output = io::stdout().lock();
    write!(output, "{}", bench::render(&outcome.report, comparison.as_ref()))?;
    if outcome.tried < outcome.planned {
        writeln!(output, "interrupted after {} of {} pieces of work", outcome.tried, outcome.planned)?;
    }
    anyhow::ensure!(outcome.failures.is_empty(), "could not measure {}", outcome.failures.join("; "));
    Ok(())
}

fn all_if_empty<T: Clone>(chosen: Vec<T>, all: &[T]) -> Vec<T> {
    if chosen.is_empty() { all.to_vec() } else { chosen }
}

fn parse_settings(settings: &[String]) -> Result<Vec<Override>, SettingsError> {
    settings.iter().map(|text| Override::parse(text)).collect()
}

/// Whether what was typed is wrong, not something outside the program.
fn is_wrong_usage(error: &anyhow::Error) -> bool {
    error.is::<SettingsError>()
        || error.is::<LearnerError>()
        || matches!(error.downcast_ref(), Some(DeviceError::Unknown { .. } | DeviceError::NotCompiled { .. }))
        || lacks_mode(error)
}

/// Whether the game has no such mode or difficulty, which only its ROM can tell.
#[cfg(feature = "ale")]
fn lacks_mode(error: &anyhow::Error) -> bool {
    use prism_environment::AleError;
    matches!(error.downcast_ref(), Some(AleError::UnknownMode { .. } | AleError::UnknownDifficulty { .. }))
}

#[cfg(not(feature = "ale"))]
fn lacks_mode(_: &anyhow::Error) -> bool {
    false
}

/// Whether a reader of our output, such as `head`, has gone away: that is its right.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// One line instead of a panic's usual text.
fn report_bug(panic: &PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("it gave no reason");
    let place = panic.location().map_or_else(String::new, |location| format!(" ({location})"));
    let _ = writeln!(io::stderr(), "error: this is a bug in prism, please report it: {message}{place}");
}
