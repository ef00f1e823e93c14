//! The runs of a sweep as processes of this machine: so many at a time, each with its share of the cores.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use prism::sweep::PlannedRun;
use prism::{Ending, Interrupt};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, Signal, System};

use super::Launcher;
use super::job::{Job, Process, State};
use super::screen::Screen;
use crate::failure::{Failure, code_of};
use crate::signals;

/// What the first signal to stop brings about.
const STOPPING: &str = "asking the runs to stop and save; once more to kill them";
/// Time between two looks at the processes.
const PERIOD: Duration = Duration::from_millis(100);

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
    let mut jobs = Jobs { jobs: runs.iter().map(Job::new).collect(), at_a_time, threads, launcher };
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
        let pids: Vec<Pid> = self.processes().map(|process| Pid::from_u32(process.id())).collect();
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
                let _ = process.kill();
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
