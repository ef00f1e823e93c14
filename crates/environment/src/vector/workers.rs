//! The worker threads of a vector environment, and the queue through which environments travel to them and back.

use std::collections::VecDeque;
use std::hint;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::step::{Batch, Slot};

/// How long a thread with nothing to do looks for work before it sleeps. Waking one took 4 to 40 microseconds on a virtual
/// machine with two cores (EPYC, Linux 6.18), so that is what a longer look could save.
const SPIN: Duration = Duration::from_micros(30);

/// Which end of the queue a thread takes environments from. Caller and workers take from opposite ends, so that most
/// environments stay in the caches of one core from step to step: 3 % more steps of Pong and Breakout on two cores.
#[derive(Clone, Copy, Debug)]
enum End {
    Caller,
    Worker,
}

struct Queue {
    waiting: VecDeque<Slot>,
    finished: Vec<Slot>,
    sleeping_workers: usize,
    /// How many finished environments wake the sleeping caller; 0 while it is awake.
    caller_wants: usize,
    closing: bool,
}

struct Shared {
    queue: Mutex<Queue>,
    work: Condvar,
    finished: Condvar,
    /// Lengths of the two queues for a look without the lock; what counts is what is found under it.
    waiting_hint: AtomicUsize,
    finished_hint: AtomicUsize,
    /// Workers and the caller.
    threads: usize,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().expect("nothing panics while it holds the queue")
    }

    /// Moves a thread's next share of the waiting environments to `into`: several at once, fewer towards the end.
    fn take(&self, queue: &mut Queue, end: End, into: &mut Vec<Slot>) {
        let waiting = queue.waiting.len();
        let share = (waiting / (2 * self.threads)).max(1).min(waiting);
        match end {
            End::Caller => into.extend(queue.waiting.drain(..share)),
            End::Worker => into.extend(queue.waiting.drain(waiting - share..)),
        }
        self.waiting_hint.store(queue.waiting.len(), Ordering::Relaxed);
    }

    fn worker(&self) {
        let mut slots = Vec::new();
        let mut queue = self.lock();
        loop {
            self.take(&mut queue, End::Worker, &mut slots);
            if slots.is_empty() {
                if queue.closing {
                    return;
                }
                drop(queue);
                spin_until(|| self.waiting_hint.load(Ordering::Relaxed) > 0);
                queue = self.lock();
                if queue.waiting.is_empty() && !queue.closing {
                    queue.sleeping_workers += 1;
                    queue = self.work.wait(queue).expect("nothing panics while it holds the queue");
                    queue.sleeping_workers -= 1;
                }
                continue;
            }
            drop(queue);
            slots.iter_mut().for_each(Slot::work_apart);
            queue = self.lock();
            queue.finished.append(&mut slots);
            self.finished_hint.store(queue.finished.len(), Ordering::Relaxed);
            if queue.caller_wants > 0 && queue.finished.len() >= queue.caller_wants {
                self.finished.notify_one();
            }
        }
    }
}

fn spin_until(ready: impl Fn() -> bool) {
    let start = Instant::now();
    while !ready() && start.elapsed() < SPIN {
        hint::spin_loop();
    }
}

/// The threads that step environments: the workers, and the caller while it waits for them.
pub(super) struct Workers {
    shared: Arc<Shared>,
    handles: Vec<JoinHandle<()>>,
    /// Environments that the caller has taken or got back, kept for its capacity.
    slots: Vec<Slot>,
}

impl Workers {
    /// As many threads, one of which is the caller.
    pub fn new(threads: usize, environments: usize) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue {
                waiting: VecDeque::with_capacity(environments),
                finished: Vec::with_capacity(environments),
                sleeping_workers: 0,
                caller_wants: 0,
                closing: false,
            }),
            work: Condvar::new(),
            finished: Condvar::new(),
            waiting_hint: AtomicUsize::new(0),
            finished_hint: AtomicUsize::new(0),
            threads,
        });
        let mut workers =
            Self { shared, handles: Vec::with_capacity(threads - 1), slots: Vec::with_capacity(environments) };
        for number in 1..threads {
            let shared = Arc::clone(&workers.shared);
            let name = format!("environment-{number}");
            // On failure the workers that have started are dropped, which ends them.
            workers.handles.push(thread::Builder::new().name(name).spawn(move || shared.worker())?);
        }
        Ok(workers)
    }

    /// Threads, the caller included.
    pub fn threads(&self) -> usize {
        self.shared.threads
    }

    /// Has every environment do its task, on all threads, and puts what they show into the batch.
    pub fn run(&mut self, slots: &mut Vec<Slot>, batch: &mut Batch) {
        if self.threads() == 1 {
            slots.iter_mut().for_each(|slot| slot.work_in(batch));
            return;
        }
        let all = slots.len();
        let mut queue = self.shared.lock();
        queue.waiting.extend(slots.drain(..));
        // Take the caller's share first: the others then see what is left, and it is one lock less.
        self.shared.take(&mut queue, End::Caller, &mut self.slots);
        let wake = queue.sleeping_workers.min(queue.waiting.len());
        drop(queue);
        for _ in 0..wake {
            self.shared.work.notify_one();
        }
        while !self.slots.is_empty() {
            self.slots.iter_mut().for_each(|slot| slot.work_in(batch));
            slots.append(&mut self.slots);
            self.shared.take(&mut self.shared.lock(), End::Caller, &mut self.slots);
        }
        while slots.len() < all {
            self.receive(all - slots.len());
            // Without the lock: other workers are still at work.
            self.slots.iter().for_each(|slot| slot.deliver(batch));
            slots.append(&mut self.slots);
        }
        slots.sort_unstable_by_key(|slot| slot.index);
    }

    /// Waits for the workers, which have `away` environments, and takes those that are finished: at least one.
    fn receive(&mut self, away: usize) {
        spin_until(|| self.shared.finished_hint.load(Ordering::Relaxed) > 0);
        let mut queue = self.shared.lock();
        if queue.finished.is_empty() {
            // Waking costs more than copying several observations at once later: sleep until all have finished.
            queue.caller_wants = away;
            while queue.finished.len() < away {
                queue = self.shared.finished.wait(queue).expect("nothing panics while it holds the queue");
            }
            queue.caller_wants = 0;
        }
        self.slots.append(&mut queue.finished);
        self.shared.finished_hint.store(0, Ordering::Relaxed);
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        let mut queue = self.shared.lock();
        queue.closing = true;
        drop(queue);
        self.shared.work.notify_all();
        for handle in self.handles.drain(..) {
            // A worker catches the panics of environments; should it die all the same, dropping must not panic too.
            let _ = handle.join();
        }
    }
}
