//! The worker threads of a vector environment, and the queue through which environments travel to them and back.

use std::any::Any;
use std::collections::VecDeque;
use std::hint;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bytes::BytesMut;

use crate::vector::{VectorError, VectorStep};
use crate::{Environment, StepType};

/// How long a thread with nothing to do looks for work before it sleeps. Waking one took 4 to 40 microseconds on a virtual
/// machine with two cores (EPYC, Linux 6.18), so that is what a longer look could save.
const SPIN: Duration = Duration::from_micros(30);

/// What an environment is to do next.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Task {
    Reset,
    Step(usize),
}

/// Whether an environment can be trusted with another step.
#[derive(Debug)]
pub(crate) enum Condition {
    Sound,
    /// It panicked with this message; only a reset is worth trying.
    Panicked(String),
}

/// One environment with what it needs to work on any thread.
pub(crate) struct Slot {
    pub index: usize,
    pub environment: Box<dyn Environment>,
    pub condition: Condition,
    pub task: Task,
    /// Its parts of the batch buffers, while it is away from the vector environment.
    pub observation: BytesMut,
    pub last_observation: BytesMut,
    pub outcome: Option<Result<VectorStep, VectorError>>,
}

impl Slot {
    pub fn new(index: usize, environment: Box<dyn Environment>) -> Self {
        Self {
            index,
            environment,
            condition: Condition::Sound,
            task: Task::Reset,
            observation: BytesMut::new(),
            last_observation: BytesMut::new(),
            outcome: None,
        }
    }

    /// Does the task on the parts of the batch buffers that the slot holds, and keeps the outcome.
    fn work(&mut self) {
        let mut observation = std::mem::take(&mut self.observation);
        let mut last_observation = std::mem::take(&mut self.last_observation);
        self.outcome = Some(self.perform(&mut observation, &mut last_observation));
        self.observation = observation;
        self.last_observation = last_observation;
    }

    /// Does the task; an episode that ends is followed by a reset, and its last observation is kept.
    pub fn perform(&mut self, observation: &mut [u8], last_observation: &mut [u8]) -> Result<VectorStep, VectorError> {
        let index = self.index;
        if let (Task::Step(_), Condition::Panicked(message)) = (self.task, &self.condition) {
            return Err(VectorError::Panicked { index, message: message.clone() });
        }
        let (environment, task) = (&mut self.environment, self.task);
        // An environment that unwinds is not used again before a reset, so no broken invariant is seen.
        let result = panic::catch_unwind(AssertUnwindSafe(|| match task {
            Task::Reset => Ok(VectorStep { time_step: environment.reset(observation)?, restart: None }),
            Task::Step(action) => {
                let time_step = environment.step(action, observation)?;
                let restart = if time_step.step_type == StepType::Last {
                    last_observation.copy_from_slice(observation);
                    Some(environment.reset(observation)?)
                } else {
                    None
                };
                Ok(VectorStep { time_step, restart })
            }
        }));
        match result {
            Ok(answer) => {
                self.condition = Condition::Sound;
                answer.map_err(|source| VectorError::Environment { index, source })
            }
            Err(payload) => {
                let message = panic_message(payload.as_ref());
                self.condition = Condition::Panicked(message.clone());
                Err(VectorError::Panicked { index, message })
            }
        }
    }
}

fn panic_message(payload: &(dyn Any + Send)) -> String {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(message), _) => (*message).to_owned(),
        (_, Some(message)) => message.clone(),
        _ => "a panic without a message".to_owned(),
    }
}

/// How finished environments come back.
#[derive(Clone, Copy, Debug)]
enum Delivery {
    /// The caller waits for all: threads take several environments at once, fewer towards the end.
    Together,
    /// The caller waits for the first: threads take one at a time.
    FirstReady,
}

/// Which end of the queue a thread takes environments from.
#[derive(Clone, Copy, Debug)]
enum End {
    Front,
    Back,
}

struct Queue {
    waiting: VecDeque<Slot>,
    finished: VecDeque<Slot>,
    delivery: Delivery,
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

    /// Moves this thread's next share of the waiting environments to `into`. Caller and workers take from opposite ends, so
    /// that most environments stay in the caches of one core from step to step: 3 % more steps of Pong and Breakout on two
    /// cores.
    fn take(&self, queue: &mut Queue, end: End, into: &mut Vec<Slot>) {
        let share = match queue.delivery {
            Delivery::Together => (queue.waiting.len() / (2 * self.threads)).max(1),
            Delivery::FirstReady => 1,
        };
        let (waiting, share) = (queue.waiting.len(), share.min(queue.waiting.len()));
        match (queue.delivery, end) {
            (Delivery::Together, End::Back) => into.extend(queue.waiting.drain(waiting - share..)),
            _ => into.extend(queue.waiting.drain(..share)),
        }
        self.waiting_hint.store(queue.waiting.len(), Ordering::Relaxed);
    }

    fn worker(&self) {
        let mut slots = Vec::new();
        let mut queue = self.lock();
        loop {
            self.take(&mut queue, End::Back, &mut slots);
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
            for slot in &mut slots {
                slot.work();
            }
            queue = self.lock();
            queue.finished.extend(slots.drain(..));
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

/// The threads that step environments: the workers, and the caller while it waits.
pub(crate) struct Crew {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    /// The caller's share of the work.
    slots: Vec<Slot>,
}

impl Crew {
    /// A crew of `threads` threads, one of which is the caller.
    pub fn new(threads: usize, environments: usize) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue {
                waiting: VecDeque::with_capacity(environments),
                finished: VecDeque::with_capacity(environments),
                delivery: Delivery::Together,
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
        let mut crew =
            Self { shared, workers: Vec::with_capacity(threads - 1), slots: Vec::with_capacity(environments) };
        for number in 1..threads {
            let shared = Arc::clone(&crew.shared);
            let name = format!("environment-{number}");
            // On failure the crew is dropped, which ends the workers that have started.
            crew.workers.push(thread::Builder::new().name(name).spawn(move || shared.worker())?);
        }
        Ok(crew)
    }

    pub fn threads(&self) -> usize {
        self.shared.threads
    }

    /// How many slots no thread has taken yet.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.shared.lock().waiting.len()
    }

    /// Has every slot do its task; each comes back to the place it was taken from.
    pub fn work_together(&mut self, slots: &mut [Option<Slot>]) {
        let mut queue = self.shared.lock();
        queue.delivery = Delivery::Together;
        queue.waiting.extend(slots.iter_mut().filter_map(Option::take));
        let mut away = queue.waiting.len();
        // Take the caller's share first: the others then see what is left, and it is one lock less.
        self.shared.take(&mut queue, End::Front, &mut self.slots);
        let wake = queue.sleeping_workers.min(queue.waiting.len());
        drop(queue);
        for _ in 0..wake {
            self.shared.work.notify_one();
        }
        while !self.slots.is_empty() {
            for mut slot in self.slots.drain(..) {
                slot.work();
                let index = slot.index;
                slots[index] = Some(slot);
                away -= 1;
            }
            self.shared.take(&mut self.shared.lock(), End::Front, &mut self.slots);
        }
        let mut queue = self.wait_for(away);
        for slot in queue.finished.drain(..) {
            let index = slot.index;
            slots[index] = Some(slot);
        }
        self.shared.finished_hint.store(0, Ordering::Relaxed);
    }

    /// Hands one slot to whichever thread is free first.
    pub fn send(&mut self, slot: Slot) {
        let mut queue = self.shared.lock();
        queue.delivery = Delivery::FirstReady;
        queue.waiting.push_back(slot);
        self.shared.waiting_hint.store(queue.waiting.len(), Ordering::Relaxed);
        let wake = queue.sleeping_workers > 0;
        drop(queue);
        if wake {
            self.shared.work.notify_one();
        }
    }

    /// A slot that has done its task, one of those sent; while none has, the caller does a waiting one itself.
    pub fn receive(&mut self) -> Slot {
        let mut queue = self.shared.lock();
        if queue.finished.is_empty() {
            self.shared.take(&mut queue, End::Front, &mut self.slots);
            if let Some(mut slot) = self.slots.pop() {
                drop(queue);
                slot.work();
                return slot;
            }
            drop(queue);
            queue = self.wait_for(1);
        }
        let slot = queue.finished.pop_front().expect("waited for one");
        self.shared.finished_hint.store(queue.finished.len(), Ordering::Relaxed);
        slot
    }

    /// Waits until `count` slots have finished.
    fn wait_for(&self, count: usize) -> MutexGuard<'_, Queue> {
        spin_until(|| self.shared.finished_hint.load(Ordering::Relaxed) >= count);
        let mut queue = self.shared.lock();
        while queue.finished.len() < count {
            queue.caller_wants = count;
            queue = self.shared.finished.wait(queue).expect("nothing panics while it holds the queue");
        }
        queue.caller_wants = 0;
        queue
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        let mut queue = self.shared.lock();
        queue.closing = true;
        queue.waiting.clear();
        drop(queue);
        self.shared.work.notify_all();
        for worker in self.workers.drain(..) {
            // A worker catches the panics of environments; should it die all the same, dropping must not panic too.
            let _ = worker.join();
        }
    }
}
