//! A run of a sweep and the process that trains it.

use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use prism::RunProgress;
use prism::sweep::{PlannedRun, Standing};

use super::Launcher;
use crate::failure::Failure;

/// The variable that says with how many threads a process computes.
const THREADS: &str = "RAYON_NUM_THREADS";
/// Time between two looks at a run that another process trains.
const ELSEWHERE_PERIOD: Duration = Duration::from_secs(2);

/// A run and how it gets on.
pub struct Job<'a> {
    pub run: &'a PlannedRun,
    pub state: State,
    /// What it had written when somebody last looked.
    pub progress: RunProgress,
}

/// Where a run stands.
pub enum State {
    /// Its turn has yet to come.
    Waiting,
    /// A process of this one trains it.
    Running(Process),
    /// A process that is not of this one trains it, and was so when somebody last looked.
    Elsewhere(Instant),
    Ended,
    /// It was asked to stop and has saved what there is.
    Stopped,
    /// It failed, for this reason.
    Failed(String),
}

/// A process that trains a run.
pub struct Process {
    child: Child,
    /// Reads what it says on standard error, and returns the last of it.
    message: JoinHandle<Option<String>>,
}

impl<'a> Job<'a> {
    /// One whose turn has yet to come.
    pub fn new(run: &'a PlannedRun) -> Self {
        Self { run, state: State::Waiting, progress: RunProgress::default() }
    }

    /// The state of a run whose turn has come.
    pub fn started(&self, launcher: &Launcher, threads: usize) -> State {
        let arguments = match self.run.standing() {
            Ok(Standing::Ended) => return State::Ended,
            Ok(Standing::Busy) => return State::Elsewhere(Instant::now()),
            Ok(Standing::New) => self.run.train(),
            Ok(Standing::Remnant) => match self.run.remove_remnant() {
                Ok(()) => self.run.train(),
                Err(error) => return State::Failed(Failure::from(error).sentence()),
            },
            Ok(Standing::Unfinished(changes)) => self.run.resume(&changes),
            Err(error) => return State::Failed(Failure::from(error).sentence()),
        };
        let mut command = launcher.command(arguments);
        // In a group of its own, so that Ctrl-C reaches it through this process alone, once.
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        if std::env::var_os(THREADS).is_none() {
            command.env(THREADS, threads.to_string());
        }
        match command.spawn() {
            Ok(mut child) => {
                let said = child.stderr.take().expect("standard error is piped");
                State::Running(Process { child, message: thread::spawn(move || last_message(said)) })
            }
            Err(error) => State::Failed(format!("cannot start {}: {error}", launcher.program.display())),
        }
    }

    /// Takes note of what has changed since the last look. `asked` says whether the processes were asked to stop.
    pub fn look(&mut self, asked: bool) {
        match &mut self.state {
            State::Running(process) => {
                let status = match process.child.try_wait() {
                    Ok(None) => return,
                    Ok(Some(status)) => Ok(status),
                    Err(error) => Err(error.to_string()),
                };
                let State::Running(Process { message, .. }) = std::mem::replace(&mut self.state, State::Waiting) else {
                    unreachable!("it was running")
                };
                let message = message.join().ok().flatten();
                self.state = match status {
                    Ok(status) => self.after(status, message, asked),
                    Err(error) => State::Failed(format!("nobody knows what became of its process: {error}")),
                };
                self.progress = RunProgress::of(&self.run.folder);
            }
            State::Elsewhere(since) if since.elapsed() >= ELSEWHERE_PERIOD => {
                self.state = match self.run.standing() {
                    Ok(Standing::Busy) => State::Elsewhere(Instant::now()),
                    _ => State::Waiting,
                };
            }
            _ => {}
        }
    }

    /// The state of a run whose process has ended.
    fn after(&self, status: ExitStatus, message: Option<String>, asked: bool) -> State {
        match self.run.standing() {
            Ok(Standing::Ended) if status.success() => return State::Ended,
            // Another sweep was faster.
            Ok(Standing::Busy) => return State::Elsewhere(Instant::now()),
            _ => {}
        }
        let stopped = [130, 143].map(Some).contains(&status.code());
        match (status.signal(), message) {
            _ if stopped && asked => State::Stopped,
            (Some(9), _) if asked => State::Failed("it was killed before it had saved".to_owned()),
            (Some(9), _) => {
                State::Failed("something killed its process (signal 9): is there enough memory?".to_owned())
            }
            (Some(signal), _) => State::Failed(format!("its process was ended by signal {signal}")),
            _ if stopped => State::Failed("somebody else told its process to stop".to_owned()),
            (None, Some(message)) => State::Failed(message),
            (None, None) => State::Failed(format!("its process ended without a word, with {status}")),
        }
    }
}

impl Process {
    /// Its number in the system.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once.
    pub fn kill(&mut self) -> io::Result<()> {
        self.child.kill()
    }
}

/// The last error that a process reports, else the last that it says.
fn last_message(said: impl Read) -> Option<String> {
    let mut last = None;
    let mut error: Option<String> = None;
    for line in BufReader::new(said).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        if let Some(reason) = line.strip_prefix("error: ") {
            error = Some(reason.to_owned());
        } else if let Some(error) = error.as_mut().filter(|_| line.starts_with("  ")) {
            // Several faults are a list below the first line.
            error.push('\n');
            error.push_str(&line);
        } else if !line.is_empty() {
            last = Some(line);
        }
    }
    error.or(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_error_is_the_reason_whatever_is_said_around_it() {
        let last = |said: &str| last_message(said.as_bytes());
        assert_eq!(last("note\nerror: no device\nstopping\n").as_deref(), Some("no device"));
        assert_eq!(last("error: 2 settings:\n  a\n  b\n").as_deref(), Some("2 settings:\n  a\n  b"));
        assert_eq!(last("stopping after this step\n\n").as_deref(), Some("stopping after this step"));
        assert_eq!(last(""), None);
    }
}
