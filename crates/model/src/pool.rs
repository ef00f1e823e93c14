//! Keeping the threads of rayon's pool awake between short parallel tasks.

use burn::tensor::Device;

/// Runs `work`, which uses networks on `device`. If the device is the processor, the other threads of rayon's pool stay
/// awake meanwhile, so that each parallel part of the work starts at once: a sleeping thread takes tens of microseconds
/// to wake up, which is as long as many parts take. The waiting threads yield to other programs, and those that find
/// nothing to do for a millisecond go to sleep after all.
///
/// On other devices, and on a thread outside of the pool, this only runs `work`.
pub fn keep_pool_awake<R>(device: &Device, work: impl FnOnce() -> R) -> R {
    #[cfg(feature = "flex")]
    if let Some(own) = rayon::current_thread_index().filter(|_| *device == Device::flex()) {
        return waiting::during(own, work);
    }
    let _ = device;
    work()
}

#[cfg(feature = "flex")]
mod waiting {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;
    use std::time::{Duration, Instant};

    /// How long an idle thread waits for a task. The wait may interrupt a task of this thread that another thread waits
    /// for, so it must end by itself.
    const PATIENCE: Duration = Duration::from_millis(1);

    /// Ends the waiting, also when the work panics.
    struct Done<'a>(&'a AtomicBool);

    impl Drop for Done<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    /// Does `work` on this thread of the pool, which is number `own`.
    pub(super) fn during<R>(own: usize, work: impl FnOnce() -> R) -> R {
        let done = AtomicBool::new(false);
        let waiting = &done;
        rayon::in_place_scope(|scope| {
            // Tasks of a broadcast run only on their own threads; a plain task could make this thread wait.
            scope.spawn_broadcast(move |_, context| {
                if context.index() != own {
                    help_until(waiting);
                }
            });
            let _done = Done(&done);
            work()
        })
    }

    /// Runs tasks of the pool until `done`.
    fn help_until(done: &AtomicBool) {
        let mut idle_since = Instant::now();
        while !done.load(Ordering::Relaxed) {
            if rayon::yield_now() == Some(rayon::Yield::Executed) {
                idle_since = Instant::now();
            } else if idle_since.elapsed() < PATIENCE {
                thread::yield_now();
            } else {
                return;
            }
        }
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::thread;
    use std::time::Duration;

    use rayon::ThreadPoolBuilder;
    use rayon::prelude::*;

    use super::*;

    /// Parallel parts within parallel parts, and what they add up to.
    fn sums() -> u64 {
        (0..200).map(|_| (0..64_u64).into_par_iter().map(|i| (0..=i).into_par_iter().sum::<u64>()).sum::<u64>()).sum()
    }

    #[test]
    fn work_is_done_with_any_number_of_threads_inside_and_outside_of_the_pool() {
        let device = Device::flex();
        let expected = sums();
        assert_eq!(keep_pool_awake(&device, sums), expected);
        for threads in [1, 2, 5] {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("a few threads");
            assert_eq!(pool.install(|| keep_pool_awake(&device, sums)), expected);
        }
    }

    #[test]
    fn learners_that_share_a_pool_do_not_wait_for_each_other() {
        let pool = ThreadPoolBuilder::new().num_threads(2).build().expect("a few threads");
        let expected = sums();
        let one = || keep_pool_awake(&Device::flex(), sums);
        for _ in 0..20 {
            assert_eq!(pool.install(|| rayon::join(one, one)), (expected, expected));
        }
    }

    #[test]
    fn a_panic_ends_the_waiting_and_long_work_does_not_need_it() {
        let pool = ThreadPoolBuilder::new().num_threads(3).build().expect("a few threads");
        let work = || pool.install(|| keep_pool_awake(&Device::flex(), || -> u64 { panic!("as planned") }));
        let panic = catch_unwind(AssertUnwindSafe(work)).expect_err("the work panics");
        assert_eq!(panic.downcast_ref(), Some(&"as planned"));

        let long = || {
            thread::sleep(Duration::from_millis(5));
            sums()
        };
        assert_eq!(pool.install(|| keep_pool_awake(&Device::flex(), long)), sums());
    }
}
