//! The runs of a sweep as processes of this machine: so many at a time, each with its share of the cores.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ExitCode, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use prism::sweep::{PlannedRun, Standing};
use prism::{Ending, Interrupt, RunProgress};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, Signal, System};

use super::Launcher;
use super::screen::Screen;
use crate::failure::{Failure, code_of};
use crate::signals;

/// What the first signal to stop brings about.
const STOPPING: &str = "asking the runs to stop and save; once more to kill them";
/// The variable that says with how many threads a process computes.
const THREADS: &str = "RAYON_NUM_THREADS";
/// Time between two looks at the processes.
const PERIOD: Duration = Duration::from_millis(100);
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

/// Trains `runs`, `at_a_time` of them, and says what became of them.
pub fn run(
    runs: &[PlannedRun],
    at_a_time: usize,
    launcher: &Launcher,
    output: &mut impl Write,
) -> Result<ExitCode, Failure> {
    let at_once = Arc::new(AtomicBool::new(false));
    let asked = at_once.clone();
    let interrupt = signals::listen(STOPPING, move |_| asked.store(true, Ordering::Relaxed))?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let threads = (cores / at_a_time.min(runs.len())).max(1);
    let new = |run| Job { run, state: State::Waiting, progress: RunProgress::default() };
    let mut jobs = Jobs { jobs: runs.iter().map(new).collect(), at_a_time, threads, launcher };
    let mut screen = Screen::new();
    jobs.go(&interrupt, &at_once, &mut screen, output);
    screen.finish(&mut jobs.jobs, output)?;
    let failed = jobs.jobs.iter().any(|job| matches!(job.state, State::Failed(_)));
    Ok(match interrupt.ending() {
        _ if failed => ExitCode::FAILURE,
        Some(ending @ (Ending::Interrupted | Ending::Terminated)) => code_of(&ending),
        _ => ExitCode::SUCCESS,
    })
}

struct Jobs<'a> {
    jobs: Vec<Job<'a>>,
    at_a_time: usize,
    /// For each process.
    threads: usize,
    launcher: &'a Launcher,
}

impl Jobs<'_> {
    /// Until every run has ended or failed, or all have stopped that were asked to.
    fn go(&mut self, interrupt: &Interrupt, at_once: &AtomicBool, screen: &mut Screen, output: &mut impl Write) {
        let mut asked = false;
        loop {
            for job in &mut self.jobs {
                job.look(interrupt.requested());
            }
            if let Some(ending) = interrupt.ending().filter(|_| !asked) {
                asked = true;
                screen.leave();
                self.signal(if ending == Ending::Interrupted { Signal::Interrupt } else { Signal::Term });
            }
            if at_once.load(Ordering::Relaxed) {
                self.kill();
            } else if !asked {
                self.begin();
            }
            screen.show(&mut self.jobs, output);
            let running = self.running() > 0;
            let to_come = self.jobs.iter().any(|job| matches!(job.state, State::Waiting | State::Elsewhere(_)));
            if !running && (asked || !to_come) {
                return;
            }
            thread::sleep(PERIOD);
        }
    }

    fn running(&self) -> usize {
        self.jobs.iter().filter(|job| matches!(job.state, State::Running(_))).count()
    }

    /// Begins or goes on with as many runs as there is room for.
    fn begin(&mut self) {
        while self.running() < self.at_a_time {
            let Some(job) = self.jobs.iter_mut().find(|job| matches!(job.state, State::Waiting)) else { return };
            job.state = job.started(self.launcher, self.threads);
        }
    }

    /// Sends the processes a signal.
    fn signal(&self, signal: Signal) {
        let pids: Vec<Pid> = self.processes().map(|process| Pid::from_u32(process.child.id())).collect();
        let mut system = System::new();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&pids), true, ProcessRefreshKind::nothing());
        for process in pids.iter().filter_map(|&pid| system.process(pid)) {
            // One that has ended meanwhile needs no signal.
            let _ = process.kill_with(signal);
        }
    }

    fn kill(&mut self) {
        for job in &mut self.jobs {
            if let State::Running(process) = &mut job.state {
                // One that has ended meanwhile needs no killing.
                let _ = process.child.kill();
            }
        }
    }

    fn processes(&self) -> impl Iterator<Item = &Process> {
        self.jobs.iter().filter_map(|job| match &job.state {
            State::Running(process) => Some(process),
            _ => None,
        })
    }
}

impl Drop for Jobs<'_> {
    fn drop(&mut self) {
        // Whatever ends the sweep, nothing is left behind that nobody looks after.
        self.signal(Signal::Term);
    }
}

impl Job<'_> {
    /// The state of a run whose turn has come.
    fn started(&self, launcher: &Launcher, threads: usize) -> State {
        let arguments = match self.run.standing() {
            Ok(Standing::Ended) => return State::Ended,
            Ok(Standing::Busy) => return State::Elsewhere(Instant::now()),
            Ok(Standing::New) => self.run.train(),
            Ok(Standing::Stub) => match self.run.take_stub_away() {
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
    fn look(&mut self, asked: bool) {
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
