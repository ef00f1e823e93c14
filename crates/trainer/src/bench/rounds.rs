//! How times are taken: warmed up first, then in rounds in which the devices take turns.

use std::time::Instant;

use super::spread::Spread;
use super::work::{Work, WorkError};
use crate::interrupt::Interrupt;

/// Rounds of a measurement whose operations are as long as a whole round should be, or longer.
const LEAST_ROUNDS: usize = 5;
/// Rounds of all others.
const MOST_ROUNDS: usize = 9;
/// Share of a measurement's time that it is warmed up for at least.
const WARM_UP: f64 = 0.25;

/// What the rounds gave for one device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    /// Seconds per unit of work.
    pub(super) spread: Spread,
    /// Rounds behind the spread.
    pub(super) rounds: usize,
}

/// Runs `work` until it has been at it for a while, and gives the seconds of an operation.
///
/// The first operation is not counted: kernels are compiled and tuned in it.
pub(super) fn warm_up(work: &mut Work, seconds: f64) -> Result<f64, WorkError> {
    (work.run)(1)?;
    let start = Instant::now();
    let mut operations = 1;
    loop {
        let time = time(work, operations)?;
        if start.elapsed().as_secs_f64() >= WARM_UP * seconds {
            return Ok(time / operations as f64);
        }
        operations *= 2;
    }
}

/// How many rounds there are, and how many operations each of several devices does in one, given the seconds of an
/// operation on each and the seconds that all rounds of a device should take together.
fn schedule(operation_seconds: &[f64], seconds: f64) -> (usize, Vec<u64>) {
    let slowest = operation_seconds.iter().copied().fold(0.0, f64::max);
    // The cast saturates: what is too fast to be timed gets the most rounds.
    let rounds = ((seconds / slowest) as usize).clamp(LEAST_ROUNDS, MOST_ROUNDS);
    let in_round = |&of_one: &f64| ((seconds / rounds as f64 / of_one) as u64).max(1);
    (rounds, operation_seconds.iter().map(in_round).collect())
}

/// Measures several devices in turns: whatever else keeps the machine busy falls on all of them alike. `seconds` is
/// about what each takes. `None` when the interrupt came before the end.
pub(super) fn measure(
    works: &mut [&mut Work],
    operation_seconds: &[f64],
    seconds: f64,
    interrupt: &Interrupt,
) -> Result<Option<Vec<Timing>>, WorkError> {
    let (rounds, operations) = schedule(operation_seconds, seconds);
    let mut times = vec![Vec::with_capacity(rounds); works.len()];
    for round in 0..rounds {
        for turn in 0..works.len() {
            if interrupt.requested() {
                return Ok(None);
            }
            // Nobody is always the first, nor always after the same.
            let device = (round + turn) % works.len();
            let units = operations[device] * works[device].units;
            times[device].push(time(works[device], operations[device])? / units as f64);
        }
    }
    Ok(Some(times.iter().map(|times| Timing { spread: Spread::of(times), rounds }).collect()))
}

/// Seconds that so many operations take.
fn time(work: &mut Work, operations: u64) -> Result<f64, WorkError> {
    let start = Instant::now();
    (work.run)(operations)?;
    Ok(start.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use crate::bench::work::WrongResult;

    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;

    #[test]
    fn long_operations_get_five_rounds_of_one_and_short_ones_nine_of_many() {
        assert_eq!(schedule(&[3.0], 2.0), (5, vec![1]));
        assert_eq!(schedule(&[0.001], 1.8), (9, vec![200]));
        assert_eq!(
            schedule(&[0.3, 0.01], 2.0),
            (6, vec![1, 33]),
            "the slowest device decides how many rounds there are"
        );
    }

    #[test]
    fn devices_take_turns_and_times_are_per_unit() {
        let order = Rc::new(RefCell::new(String::new()));
        let work = |name: char, units: u64| {
            let order = Rc::clone(&order);
            let run = move |operations| {
                order.borrow_mut().push(name);
                assert_eq!(operations, 1);
                std::thread::sleep(std::time::Duration::from_millis(4));
                Ok(())
            };
            Work { run: Box::new(run), units }
        };
        let (mut a, mut b) = (work('a', 1), work('b', 4));
        let timings = measure(&mut [&mut a, &mut b], &[1.0, 1.0], 0.1, &Interrupt::default()).unwrap().unwrap();
        assert_eq!(*order.borrow(), "abbaabbaab");
        assert_eq!(timings.iter().map(|timing| timing.rounds).collect::<Vec<_>>(), [5, 5]);
        // Sleep is never shorter than asked for.
        assert!(timings[0].spread.low >= 0.004 && timings[1].spread.low >= 0.001);
    }

    #[test]
    fn an_error_of_the_work_ends_its_measurement() {
        let wrong = || WrongResult { what: "a number", found: "nothing".to_owned(), expected: "one".to_owned() };
        let mut broken = Work { run: Box::new(move |_| Err(wrong().into())), units: 1 };
        assert!(warm_up(&mut broken, 0.01).is_err());
        assert!(measure(&mut [&mut broken], &[1.0], 0.01, &Interrupt::default()).is_err());
    }
}
