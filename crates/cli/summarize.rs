//! `prism summarize`: what several runs of several agents on several games come to.

use std::io::Write;
use std::path::Path;

use prism_report::{ReportError, Summary, SummaryOptions, Svg, summarize};
use prism_runs::OutputFile;

use crate::arguments::SummarizeArguments;
use crate::failure::Failure;
use crate::plot::with_remedy;

/// Reads the runs, writes the files that were asked for, and shows the tables.
pub fn run(arguments: SummarizeArguments, output: &mut impl Write) -> Result<(), Failure> {
    let target = |path: Option<&Path>, extension| path.map(|path| OutputFile::new(path, extension)).transpose();
    let csv = target(arguments.csv.as_deref(), "csv")?;
    let pictures = [arguments.intervals.as_deref(), arguments.profile.as_deref()];
    let [intervals, profile] = [target(pictures[0], "svg")?, target(pictures[1], "svg")?];
    let options = SummaryOptions { runs: arguments.runs, earned: arguments.scores, labels: arguments.labels };
    let summary = summarize(&options).map_err(with_remedy)?;
    // Files first: whoever reads the tables may have gone away.
    if let Some(csv) = csv {
        csv.write(summary.to_csv().as_bytes())?;
    }
    let draw = |target: Option<OutputFile>, picture: fn(&Summary) -> Result<Option<Svg>, ReportError>| {
        let Some(target) = target else { return Ok(()) };
        let picture = picture(&summary).map_err(with_remedy)?.ok_or_else(|| {
            Failure::outside(anyhow::anyhow!(
                "there is nothing to draw: no human was measured on these games, and only human-normalised scores compare"
            ))
        })?;
        Ok::<(), Failure>(target.write(picture.as_str().as_bytes())?)
    };
    draw(intervals, Summary::intervals)?;
    draw(profile, Summary::profile)?;
    write!(output, "{summary}")?;
    for picture in pictures.into_iter().flatten() {
        writeln!(output, "the picture is in {}", picture.display())?;
    }
    Ok(())
}
