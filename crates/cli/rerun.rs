//! `prism rerun`: runs a recorded run again, and says whether its records are the same.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use prism::{Comparison, Difference, Environments, Outcome, Override, Place, Rerun, RerunError, Run, Screen};

use crate::arguments::RerunArguments;
use crate::failure::{Failure, code_of};
use crate::signals;
use crate::train;

/// The code of a rerun whose records differ.
const DIFFERENT: u8 = 1;
/// Letters of a line of a table that are shown.
const SHOWN: usize = 160;

/// Runs again what `arguments` name.
pub fn run(arguments: &RerunArguments, output: &mut impl Write) -> Result<ExitCode, Failure> {
    let interrupt = signals::interrupt(train::STOPPING)?;
    let mut changes: Vec<Override> = Vec::new();
    let frames = arguments.frames.as_deref();
    changes.extend(frames.map(|frames| Override::typed("--frames", "training.frames", frames)));
    let device = arguments.device.clone();
    changes.extend(device.map(|device| Override::flag("--device", "run.device", device)));

    let rerun = Rerun::of(&arguments.run, &changes)?;
    let environments = Environments::of(rerun.config().environment(), arguments.roms.as_deref())?;
    let place = arguments.out.clone().map_or_else(|| Place::In(PathBuf::from("runs")), Place::At);
    let run = Run::new(rerun.config(), environments, place)?
        .with_interrupt(interrupt)
        .with_sink(Box::new(Screen::default()))?;
    let folder = run.folder().clone();
    let differences = rerun.differences(&folder)?;
    say_differences(&differences, output)?;

    let code = match train::go(run) {
        Ok(summary) => Some(code_of(&summary.ending)),
        Err(_) if rerun.failed_alike(&folder)? => {
            writeln!(output, "it failed as it did then")?;
            Some(ExitCode::SUCCESS)
        }
        Err(failure) => {
            // What it has recorded until then is compared all the same.
            writeln!(io::stderr(), "error: {}", failure.sentence())?;
            None
        }
    };
    let comparisons = rerun.compare(&folder)?;
    comparisons.iter().try_for_each(|comparison| say(comparison, output))?;
    let different = comparisons.iter().filter(|comparison| comparison.outcome.differs()).count();
    let compared = comparisons.iter().any(|comparison| comparison.outcome.compares());
    match different {
        0 if !compared => writeln!(output, "nothing was compared: the two have no game and no update in common yet")?,
        0 => writeln!(output, "the records are the same, byte for byte, as far as they were compared")?,
        number => writeln!(output, "{number} of {} records differ", comparisons.len())?,
    }
    Ok(match code {
        Some(code) if different == 0 && compared => code,
        _ => ExitCode::from(DIFFERENT),
    })
}

impl From<RerunError> for Failure {
    fn from(error: RerunError) -> Self {
        match error {
            RerunError::Settings(error) => error.into(),
            RerunError::Unreadable(error) => error.into(),
            error => Self::outside(error).with_remedy("let it train for a while first"),
        }
    }
}

/// Says what may be the reason where records differ.
fn say_differences(differences: &[Difference], output: &mut impl Write) -> io::Result<()> {
    if differences.is_empty() {
        return writeln!(output, "program, device, ROM and machine are those of then");
    }
    for Difference { resumed_at, what, then, now } in differences {
        let when =
            resumed_at.map_or_else(|| "then".to_owned(), |steps| format!("when it went on at {steps} agent steps"));
        let then = then.as_deref().unwrap_or("not recorded");
        writeln!(output, "{what}: {then} {when}, {now} now")?;
    }
    Ok(())
}

fn say(comparison: &Comparison, output: &mut impl Write) -> io::Result<()> {
    let Comparison { file, outcome } = comparison;
    match outcome {
        Outcome::Equal { count, unit } => {
            let plural = if *count == 1 { "" } else { "s" };
            writeln!(output, "{file}: the same {count} {unit}{plural}")
        }
        Outcome::Line { number, first, second } => {
            writeln!(output, "{file}: line {number} differs")?;
            for (when, line) in [("then", first), ("now", second)] {
                let line = line.as_deref().unwrap_or("no such line");
                let end = line.char_indices().nth(SHOWN).map_or(line.len(), |(index, _)| index);
                let more = if end < line.len() { "..." } else { "" };
                writeln!(output, "  {when:<4}  {}{more}", &line[..end])?;
            }
            Ok(())
        }
        Outcome::Tensor(name) => writeln!(output, "{file}: the tensor {name} differs"),
        Outcome::Lacking => writeln!(output, "{file}: one of the runs has none"),
        Outcome::NotCompared(reason) => writeln!(output, "{file}: not compared, {reason}"),
    }
}
