//! How somebody asks a run to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use prism_runs::Ending;

const NOT_YET: u8 = 0;
const INTERRUPTED: u8 = 1;
const TERMINATED: u8 = 2;

/// Whether somebody asked a run to end. Clones are asked together.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    requested: Arc<AtomicU8>,
}

/// Who asks a run to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// A person, by Ctrl-C.
    Interrupt,
    /// The system, a batch system or a terminal that goes away.
    Terminate,
}

impl Interrupt {
    /// Asks the run to end. The first request decides how it will have ended.
    pub fn request(&self, request: Request) {
        let request = match request {
            Request::Interrupt => INTERRUPTED,
            Request::Terminate => TERMINATED,
        };
        // A request that comes second changes nothing.
        let _ = self.requested.compare_exchange(NOT_YET, request, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// How the run should end, if it should.
    pub fn ending(&self) -> Option<Ending> {
        match self.requested.load(Ordering::Relaxed) {
            NOT_YET => None,
            INTERRUPTED => Some(Ending::Interrupted),
            _ => Some(Ending::Terminated),
        }
    }

    /// Whether the run should end.
    pub fn requested(&self) -> bool {
        self.ending().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_request_decides() {
        let interrupt = Interrupt::default();
        assert_eq!(interrupt.ending(), None);
        let asked = interrupt.clone();
        asked.request(Request::Terminate);
        asked.request(Request::Interrupt);
        assert_eq!(interrupt.ending(), Some(Ending::Terminated));
    }
}
