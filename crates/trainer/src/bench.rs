//! Speeds of this machine's devices: what `prism bench` measures.
//!
//! [`run`] takes [`BenchOptions`] to a [`Report`], which is a file too: [`Report::write`], [`Report::read`].
//! [`render`] makes a table of it, beside an older one if there is a [`Comparison`]; [`crate::plot::speeds`] a picture.
//!
//! Each piece of work is made ready on every device, its first results are checked, and it is warmed up; all that is
//! preparation. Then come rounds in which the devices take turns. A time ends when a result has been read from the
//! device.

mod case;
mod comparison;
mod machine;
mod memory;
mod networks;
mod playing;
mod prepare;
mod progress;
mod report;
mod rounds;
mod sampling;
mod spread;
mod subject;
mod table;
mod work;

use std::io;
use std::path::PathBuf;
use std::time::Instant;

use prism_model::{Device, DeviceClass, DeviceError, PresentDevice};
use prism_runs::Ending;
use thiserror::Error;

pub use self::case::{Task, UnknownTask};
pub use self::comparison::Comparison;
pub use self::machine::Machine;
pub use self::memory::{device_memory, resident_memory};
pub use self::report::{DeviceDescription, Measurement, Report};
pub use self::subject::Agent;
pub use self::table::render;

use self::case::Case;
use self::progress::Progress;
use self::rounds::Timing;
use self::work::{Work, WorkError};
use crate::error::RunError;
use crate::interrupt::Interrupt;

/// Name of the device in measurements of work in which no network takes part.
const PROCESSOR: &str = "cpu";

/// What is measured.
#[derive(Clone, Debug)]
pub struct BenchOptions {
    /// Kinds of work.
    pub tasks: Vec<Task>,
    /// Agents of the tasks that have agents; each task's usual ones if there are none.
    pub agents: Vec<Agent>,
    /// Batch sizes of the tasks that have batches; each task's usual ones if there are none.
    pub batches: Vec<usize>,
    /// Devices by name; every device of this machine but software that poses as one, if there are none.
    pub devices: Vec<String>,
    /// Seconds of each measurement on each device, above 0. Five rounds of one operation may take longer.
    pub seconds: f64,
    /// Where ROMs are looked for first.
    pub roms: Option<PathBuf>,
    /// How somebody asks the run to end.
    pub interrupt: Interrupt,
}

/// How a benchmark run ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What it measured.
    pub report: Report,
    /// Why it ended early, if it did.
    pub interruption: Option<Ending>,
    /// What could not be measured, and why.
    pub failures: Vec<String>,
}

/// Why a file of measurements cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BenchError {
    /// It cannot be read at all.
    #[error("cannot read {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It holds something else.
    #[error("{} holds no measurements", .path.display())]
    NotAReport {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        source: serde_json::Error,
    },
    /// It is of another version.
    #[error("{} has format {found}, and this version reads format {known}", .path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The format that can be read.
        known: u64,
    },
}

/// A device that work runs on.
struct Opened {
    description: DeviceDescription,
    device: Device,
}

/// Measures, and shows on standard error how far it has come. An interrupt ends it early; work that was not yet through
/// all its rounds is then left out. Work that fails is left out as well.
///
/// # Errors
/// When a device cannot be opened or there is none, or a ROM is there and wrong.
pub fn run(options: &BenchOptions) -> Result<Outcome, RunError> {
    let devices = open_devices(&options.devices)?;
    let cases = Case::plan(&options.tasks, &options.agents, &options.batches, options.roms.as_deref())?;
    let descriptions = devices.iter().map(|opened| opened.description.clone()).collect();
    let mut report = Report::start(Machine::this(), machine::versions(), descriptions, cases.len());
    let mut failures = Vec::new();
    let mut progress = Progress::new(cases.len());
    for &case in &cases {
        if options.interrupt.requested() {
            break;
        }
        progress.begin(case);
        let Some(measurements) = measure(case, &devices, options, &mut failures) else { break };
        report.measurements.extend(measurements);
        report.tried += 1;
        progress.end();
    }
    let interruption = options.interrupt.ending().filter(|_| report.is_incomplete());
    Ok(Outcome { report, interruption, failures })
}

/// The devices called `names`, each once; without names, those of this machine that are worth learning on.
fn open_devices(names: &[String]) -> Result<Vec<Opened>, DeviceError> {
    let mut devices: Vec<PresentDevice> = if names.is_empty() {
        let present = prism_model::present_devices().into_iter();
        present.filter(|device| device.class != DeviceClass::SoftwareGpu).collect()
    } else {
        names.iter().map(|name| Ok(prism_model::find_device(name)?.device)).collect::<Result<_, DeviceError>>()?
    };
    // One device has several names.
    let mut seen = Vec::new();
    devices.retain(|device| {
        let new = !seen.contains(&device.name);
        seen.push(device.name.clone());
        new
    });
    if devices.is_empty() {
        // Says why there is none.
        devices.push(prism_model::find_device("auto")?.device);
    }
    let open = |device: PresentDevice| Opened {
        device: device.open(),
        description: DeviceDescription { name: device.name, description: device.description },
    };
    Ok(devices.into_iter().map(open).collect())
}

/// A case made ready on one device.
struct Ready<'a> {
    name: &'a str,
    /// The device, where a network takes part.
    device: Option<&'a Device>,
    work: Work,
    /// Seconds of an operation.
    operation: f64,
    /// Seconds that it took to come so far.
    preparation: f64,
}

impl<'a> Ready<'a> {
    fn new(case: Case, opened: &'a Opened, options: &BenchOptions) -> Result<Self, WorkError> {
        let of_network = case.task().uses_device();
        let start = Instant::now();
        let mut work = prepare::prepare(case, &opened.device, options.roms.as_deref())?;
        let operation = rounds::warm_up(&mut work, options.seconds)?;
        Ok(Self {
            name: if of_network { &opened.description.name } else { PROCESSOR },
            device: of_network.then_some(&opened.device),
            work,
            operation,
            preparation: start.elapsed().as_secs_f64(),
        })
    }
}

/// Measures a case on each device; `None` when the interrupt came before it was through. Adds to `failures` what
/// failed.
fn measure(
    case: Case,
    devices: &[Opened],
    options: &BenchOptions,
    failures: &mut Vec<String>,
) -> Option<Vec<Measurement>> {
    let name = format!("{} {} {}", case.task().name(), case.subject(), case.batch());
    let devices = if case.task().uses_device() { devices } else { &devices[..1] };
    let mut ready = Vec::new();
    for opened in devices {
        if options.interrupt.requested() {
            return None;
        }
        memory::clean_up(&opened.device);
        match Ready::new(case, opened, options) {
            Ok(prepared) => ready.push(prepared),
            Err(error) => failures.push(format!("{name} on {}: {}", opened.description.name, error.reason())),
        }
    }
    let operations: Vec<f64> = ready.iter().map(|ready| ready.operation).collect();
    let mut works: Vec<&mut Work> = ready.iter_mut().map(|ready| &mut ready.work).collect();
    let timings = match rounds::measure(&mut works, &operations, options.seconds, &options.interrupt) {
        Ok(timings) => timings?,
        Err(error) => {
            failures.push(format!("{name}: {}", error.reason()));
            return Some(Vec::new());
        }
    };
    let measurement = |(ready, timing): (&Ready<'_>, Timing)| Measurement {
        task: case.task(),
        subject: case.subject().to_owned(),
        batch: case.batch(),
        device: ready.name.to_owned(),
        median: timing.spread.median,
        low: timing.spread.low,
        high: timing.spread.high,
        rounds: timing.rounds,
        preparation: Some(ready.preparation),
        memory_bytes: memory::held(ready.device),
    };
    Some(ready.iter().zip(timings).map(measurement).collect())
}

#[cfg(test)]
pub(crate) use self::report::examples;
