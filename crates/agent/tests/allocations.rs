//! Acting allocates nothing after the first call.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use prism_agent::Policy;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

#[allow(unsafe_code, reason = "an allocator cannot be written without it")]
// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(work: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

#[test]
fn nothing_is_allocated_after_the_first_call() {
    // Where the whole workspace is built, kernels have threads, and handing work to another would allocate.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global();
    for (network, observation) in
        [(support::vectors(), 2 * size_of::<f32>()), (support::nature(), 4 * 84 * 84), (support::impala(), 2 * 20 * 17)]
    {
        let mut policy = Policy::from_bytes(&network.file(&[])).expect("a policy");
        assert_eq!(policy.observation_bytes(), observation);
        let observations = vec![1; 3 * observation];
        let first = allocations(|| {
            policy.act(&observations, 0.5);
            policy.values(&observations);
        });
        assert!(first > 0, "the counter does not count");
        let later = allocations(|| {
            for count in [3, 1, 2, 3] {
                let observations = &observations[..count * observation];
                policy.act(observations, 0.5);
                policy.values(observations);
                policy.distributions(observations);
            }
        });
        assert_eq!(later, 0, "{}", network.description);
    }
}
