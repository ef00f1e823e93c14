//! `prism bench`: measures how fast the devices of this machine do the work of a run.

use std::io::Write;
use std::process::ExitCode;

use prism::OutputFile;
use prism::bench::{self, BenchOptions, Comparison, Report, Task};

use crate::arguments::BenchArguments;
use crate::failure::{Failure, code_of};
use crate::signals;

/// Seconds of each measurement for a first look.
const QUICK: f64 = 0.3;

/// What the first signal to stop brings about.
const STOPPING: &str = "stopping, and showing what has been measured; once more to quit at once";

/// Measures and shows what came out.
pub fn run(arguments: BenchArguments, output: &mut impl Write) -> Result<ExitCode, Failure> {
    // Minutes of measuring must not be lost to a slip in a name.
    let comparison = arguments.compare.map(|path| Report::read(&path)).transpose()?.map(Comparison::with);
    for (path, extension) in [(&arguments.json, "json"), (&arguments.chart, "svg")] {
        path.as_deref().map(|path| OutputFile::new(path, extension)).transpose()?;
    }
    let outcome = bench::run(&BenchOptions {
        tasks: if arguments.tasks.is_empty() { Task::ALL.to_vec() } else { arguments.tasks },
        agents: arguments.agents,
        batches: arguments.batches.into_iter().map(|batch| batch as usize).collect(),
        devices: arguments.devices,
        seconds: if arguments.quick { QUICK } else { arguments.seconds },
        roms: arguments.roms,
        interrupt: signals::interrupt(STOPPING)?,
    })?;
    // Files first: whoever reads the table may have gone away.
    if let Some(path) = &arguments.json {
        outcome.report.write(path)?;
    }
    if let Some(path) = arguments.chart.filter(|_| !outcome.report.measurements.is_empty()) {
        prism::plot::speeds(&outcome.report).write(&path)?;
    }
    write!(output, "{}", bench::render(&outcome.report, comparison.as_ref()))?;
    if outcome.failures.is_empty() {
        return Ok(outcome.interruption.as_ref().map_or(ExitCode::SUCCESS, code_of));
    }
    Err(Failure::outside(anyhow::anyhow!("could not measure {}", outcome.failures.join("; "))))
}
