//! Ctrl-C: a first press asks the run to end, a second one ends it.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;

/// What a process that was told to stop by Ctrl-C returns, by the convention of shells: 128 and the signal's number.
const INTERRUPTED: i32 = 130;

/// Whether somebody asked the run to end.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    requested: Arc<AtomicBool>,
}

impl Interrupt {
    /// Listens for Ctrl-C, and for the signals that end a process or its terminal. The second one exits at once.
    ///
    /// # Errors
    /// When the process listens already or the system refuses.
    pub fn listen() -> anyhow::Result<Self> {
        let interrupt = Self::default();
        let requested = Arc::clone(&interrupt.requested);
        ctrlc::set_handler(move || {
            if requested.swap(true, Ordering::Relaxed) {
                std::process::exit(INTERRUPTED);
            }
            // The terminal may be gone, which is one of the reasons to be here: a panic would deafen this thread.
            let _ = writeln!(
                io::stderr(),
                "\nstopping after this step and saving; once more to quit at once without saving"
            );
        })
        .context("cannot listen for Ctrl-C")?;
        Ok(interrupt)
    }

    /// Whether the run should end.
    pub fn requested(&self) -> bool {
        self.requested.load(Ordering::Relaxed)
    }
}
