//! A sweep as a job array of Slurm: a task for each run, which needs nothing on the cluster but this program.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use prism::sweep::{PlannedRun, Sweep};

use super::Launcher;
use crate::arguments::SweepArguments;
use crate::failure::Failure;

/// The script's name within the folder of the sweep.
const SCRIPT: &str = "slurm.sh";
/// Seconds before the end of its time at which a task is told to save. The largest replay takes a minute to write.
const NOTICE: u32 = 120;

/// Writes the script for the runs that are `left`, and submits it where `arguments` say so.
pub fn run(
    arguments: &SweepArguments,
    sweep: &Sweep,
    left: &[&PlannedRun],
    launcher: &Launcher,
    output: &mut impl Write,
) -> Result<ExitCode, Failure> {
    if left.is_empty() {
        writeln!(output, "every run has ended: there is nothing to submit")?;
        return Ok(ExitCode::SUCCESS);
    }
    let out = absolute(&sweep.out)?;
    let script = Script {
        out: &out,
        file: absolute(&arguments.file)?,
        program: launcher.program.clone(),
        roms: launcher.roms.as_deref().map(absolute).transpose()?,
        options: &sweep.slurm,
        at_a_time: arguments.jobs.or(sweep.jobs.and_then(|jobs| u32::try_from(jobs.get()).ok())),
        runs: left,
    };
    let path = out.join(SCRIPT);
    let written = fs::create_dir_all(&out).and_then(|()| fs::write(&path, script.text()));
    written.map_err(|error| {
        let error = anyhow::Error::new(error).context(format!("cannot write {}", path.display()));
        Failure::outside(error).with_remedy("give the sweep an `out` that is writable and has space")
    })?;
    writeln!(output, "{}", path.display())?;
    if arguments.submit {
        submit(&path, output)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn submit(script: &Path, output: &mut impl Write) -> Result<(), Failure> {
    let remedy = || format!("submit {} yourself where sbatch is", script.display());
    let answer = Command::new("sbatch").arg(script).output().map_err(|error| {
        Failure::outside(anyhow::Error::new(error).context("cannot start sbatch")).with_remedy(remedy())
    })?;
    if !answer.status.success() {
        let said = String::from_utf8_lossy(&answer.stderr).trim().replace('\n', "; ");
        let error = anyhow::anyhow!("sbatch refused {}: {said}", script.display());
        return Err(Failure::outside(error).with_remedy("options of sbatch stand in the sweep's file as slurm = [...]"));
    }
    Ok(output.write_all(&answer.stdout)?)
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error: io::Error| {
        Failure::outside(anyhow::Error::new(error).context(format!("cannot find where {} is", path.display())))
    })
}

struct Script<'a> {
    out: &'a Path,
    file: PathBuf,
    program: PathBuf,
    roms: Option<PathBuf>,
    options: &'a [String],
    at_a_time: Option<u32>,
    runs: &'a [&'a PlannedRun],
}

impl Script<'_> {
    fn text(&self) -> String {
        let name = self.out.file_name().unwrap_or_default().to_string_lossy();
        let last = self.runs.len() - 1;
        let at_a_time = self.at_a_time.map_or_else(String::new, |jobs| format!("%{jobs}"));
        let mut text = "#!/bin/bash\n".to_owned();
        let mut option = |text_of: &str| {
            let _ = writeln!(text, "#SBATCH {text_of}");
        };
        option(&format!("--job-name={}", name.replace(char::is_whitespace, "-")));
        option(&format!("--array=0-{last}{at_a_time}"));
        option(&format!("--output=\"{}/slurm-%A_%a.txt\"", self.out.display()));
        // Preempted tasks are begun again, and one whose time is up is told so before: below.
        option("--requeue");
        option("--open-mode=append");
        option(&format!("--signal=B:TERM@{NOTICE}"));
        self.options.iter().for_each(|given| option(given));

        text.push_str("\nruns=(\n");
        for run in self.runs {
            let _ = writeln!(text, "    {}", quoted(&run.name));
        }
        text.push_str(")\n");
        let mut command =
            format!("{} sweep {}", quoted(&self.program.to_string_lossy()), quoted(&self.file.to_string_lossy()));
        if let Some(roms) = &self.roms {
            let _ = write!(command, " --roms {}", quoted(&roms.to_string_lossy()));
        }
        let _ = write!(
            text,
            r#"
{command} --only "${{runs[$SLURM_ARRAY_TASK_ID]}}" &
run=$!
told=no
# When its time is nearly up, prism saves a checkpoint and ends.
trap 'told=yes; kill -TERM "$run"' TERM
wait "$run"
code=$?
while kill -0 "$run" 2>/dev/null; do
    wait "$run"
    code=$?
done
# Then the task goes back into the queue, and the run goes on from there. A task that was cancelled does not come back.
if [ "$told" = yes ] && [ "$code" = 143 ] && [ "$(squeue -h -j "$SLURM_JOB_ID" -o %T)" = RUNNING ]; then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
"#
        );
        text
    }
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
