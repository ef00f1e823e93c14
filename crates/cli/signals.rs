//! Signals that ask the program to stop: the first asks in good order, the second ends it at once.

use std::io::{self, Write};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use prism::{Interrupt, Request};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;

use crate::failure::{Failure, INTERRUPTED, TERMINATED};

/// Signals that follow the first within this time are the same request: batch systems signal a shell, which passes it on, and
/// what it has started.
const TOGETHER: Duration = Duration::from_millis(300);

/// A write that goes beyond a limit on the size of files (`ulimit -f`) then fails as on a full disk, with an error that names
/// the file, instead of ending the program.
pub fn survive_limits_on_files() {
    // That the signal is heard is what keeps it from ending the program; nobody looks at the flag. Where the system refuses,
    // it does what it would have done.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
}

/// An interrupt that Ctrl-C, SIGTERM and the loss of the terminal request; a second signal ends the program at once. A signal
/// that whoever started the program has it ignore, as `nohup` does with SIGHUP and shells do with SIGINT in the background,
/// stays ignored. `notice` says what the first signal brings about.
///
/// # Errors
/// When the system refuses.
pub fn interrupt(notice: &'static str) -> Result<Interrupt, Failure> {
    listen(notice, |code| std::process::exit(code.into()))
}

/// The same, where a second signal calls `at_once` with the code to end with.
///
/// # Errors
/// When the system refuses.
pub fn listen(notice: &'static str, at_once: impl Fn(u8) + Send + 'static) -> Result<Interrupt, Failure> {
    let ignored = ignored();
    let heard = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0);
    let mut signals = Signals::new(heard)
        .map_err(|error| Failure::outside(anyhow::Error::new(error).context("cannot listen for Ctrl-C")))?;
    let interrupt = Interrupt::default();
    let requested = interrupt.clone();
    thread::spawn(move || {
        let mut first: Option<Instant> = None;
        for signal in signals.forever() {
            let (request, code) = match signal {
                SIGINT => (Request::Interrupt, INTERRUPTED),
                _ => (Request::Terminate, TERMINATED),
            };
            if first.is_some_and(|first| first.elapsed() < TOGETHER) {
                continue;
            }
            if first.is_some() {
                at_once(code);
                continue;
            }
            first = Some(Instant::now());
            requested.request(request);
            // The terminal may be gone, which is one of the reasons to be here.
            let _ = writeln!(io::stderr(), "\n{notice}");
        }
    });
    Ok(interrupt)
}

/// The signals that this process ignores, a bit each from signal 1 on; none where the system does not say.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
