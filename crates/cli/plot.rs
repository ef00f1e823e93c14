//! `prism plot`: draws pictures, and says what to type when there is nothing to draw.

use std::io::Write;
use std::num::NonZeroUsize;

use prism_report::{
    CurveOptions, DistributionOptions, ReportError, diagnostics, distributions, learning_curves, results,
};
use prism_runs::OutputFile;

use crate::arguments::{Picture, PlotArguments, ProjectionArguments};
use crate::failure::{Failure, of_reading};

/// Draws the picture, writes it and says where it is; below learning curves, with the numbers behind them.
pub fn run(arguments: PlotArguments, output: &mut impl Write) -> Result<(), Failure> {
    let out = match arguments.picture {
        Picture::Curves(arguments) => {
            let window = arguments.window.map(NonZeroUsize::get);
            let table = arguments.csv.as_deref().map(|path| OutputFile::new(path, "csv")).transpose()?;
            let numbers = results(&arguments.runs, window, &arguments.labels).map_err(with_remedy)?;
            let options =
                CurveOptions { runs: arguments.runs, against: arguments.by, window, labels: arguments.labels };
            let curves = learning_curves(&options).map_err(with_remedy)?;
            curves.picture.write(&arguments.out)?;
            if let Some(table) = table {
                table.write(numbers.to_csv().as_bytes())?;
            }
            write!(output, "{numbers}")?;
            for reason in curves.left_out {
                writeln!(output, "not in the picture: {reason}")?;
            }
            arguments.out
        }
        Picture::Diagnostics(arguments) => {
            diagnostics(&arguments.run).map_err(with_remedy)?.write(&arguments.out)?;
            arguments.out
        }
        Picture::Distributions(arguments) => {
            let options = DistributionOptions {
                run: arguments.run,
                observation: arguments.observation,
                updates: arguments.updates,
                show: arguments.show,
            };
            distributions(&options).map_err(with_remedy)?.write(&arguments.out)?;
            arguments.out
        }
        Picture::Projection(ProjectionArguments { reward, discount, deviation, out }) => {
            let device = prism_model::open_device("auto")?;
            let svg = prism::plot::projection_of_normal(reward, discount, deviation, &device);
            svg.write(&out)?;
            out
        }
    };
    writeln!(output, "the picture is in {}", out.display())?;
    Ok(())
}

/// `error` with its causes, and what to type instead.
pub fn with_remedy(error: ReportError) -> Failure {
    let remedy = match &error {
        ReportError::Run(reading) => {
            let remedy = of_reading(reading);
            return Failure::outside(error).with_some_remedy(remedy);
        }
        ReportError::Read { .. } => "give a folder that is whole",
        ReportError::Malformed { .. } => "give a folder whose files are as the run wrote them",
        ReportError::Empty { missing: "evaluation", .. } => "score it with `prism eval` first",
        ReportError::Empty { .. } => "plot a run that has come further",
        ReportError::Environments { .. } => "plot each by itself",
        ReportError::Windows { .. } => "give one number for all with --window",
        ReportError::LabelWithoutRun { .. } => "give its folder as an argument too, or another folder with --label",
        ReportError::Protocols { .. } => "give each its own with --label",
        ReportError::Rules { .. } => "summarize the runs of each by themselves",
        ReportError::TooManyGroups { .. } => "plot fewer, or give some the same --label",
        ReportError::UnknownObservation { .. } => "give another one with --observation",
        ReportError::UnknownUpdate { .. } => "give others with --updates",
        ReportError::TooManyMoments(_) => "give one update with --updates, or one observation with --observation",
        _ => return Failure::outside(error),
    };
    Failure::outside(error).with_remedy(remedy)
}
