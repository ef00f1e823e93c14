//! What ends a parser that allocates without measure or never ends: neither can be caught, so the process ends with the
//! name of the file that did it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::any::Any;
use std::cell::Cell;
use std::fs::{self, File};
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a parser may take, which takes a millisecond on a machine that does nothing else.
const LONGEST: Duration = Duration::from_secs(30);
/// What a parser may allocate for each byte of its input.
const FACTOR: usize = 100;

/// The system's allocator, with a bound for threads that feed parsers.
pub struct Allocator;

thread_local! {
    /// What the thread has allocated since its parser began, less what it has freed.
    static LIVE: Cell<isize> = const { Cell::new(0) };
    /// The most that it may.
    static BOUND: Cell<isize> = const { Cell::new(isize::MAX) };
}

#[expect(unsafe_code, reason = "an allocator cannot be written without it")]
// SAFETY: everything is passed on to the system's allocator, as it came.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        account(layout.size() as isize);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        account(layout.size() as isize);
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        account(size as isize - layout.size() as isize);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        account(-(layout.size() as isize));
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn account(bytes: isize) {
    let live = LIVE.get().saturating_add(bytes);
    LIVE.set(live);
    if live > BOUND.get() {
        // What is said about it allocates as well.
        let bound = BOUND.replace(isize::MAX);
        let name = thread::current().name().unwrap_or_default().to_owned();
        end(&format!("{name}: the newest file in {} allocates more than {bound} bytes", folder().display()));
    }
}

/// Parsers at work, and since when.
static AT_WORK: Mutex<Vec<Option<(PathBuf, Instant)>>> = Mutex::new(Vec::new());

/// A parser that is watched. Its input lies in a file while it works, so that not even a stack that overflows loses it.
pub struct Watched {
    place: usize,
    path: PathBuf,
    file: File,
    room: usize,
}

impl Watched {
    /// Watches the parser `name`, which may allocate `room` bytes beside a hundred times its input.
    pub fn begin(name: &str, room: usize) -> Self {
        static WATCH: Once = Once::new();
        WATCH.call_once(|| drop(thread::spawn(watch)));
        let path = folder().join(name);
        fs::create_dir_all(path.parent().expect("a file in a folder")).expect("a folder of the build");
        let file = File::create(&path).expect("a file of the build");
        let mut at_work = AT_WORK.lock().unwrap_or_else(PoisonError::into_inner);
        at_work.push(None);
        Self { place: at_work.len() - 1, path, file, room }
    }

    /// Has the parser work.
    pub fn during<T>(&mut self, input: &[u8], parse: impl FnOnce() -> T) -> T {
        let written = self.file.set_len(0).and_then(|()| self.file.rewind()).and_then(|()| self.file.write_all(input));
        written.expect("a file of the build");
        self.set(Some((self.path.clone(), Instant::now())));
        LIVE.set(0);
        BOUND.set((self.room + FACTOR * input.len()) as isize);
        let answer = parse();
        BOUND.set(isize::MAX);
        self.set(None);
        answer
    }

    fn set(&self, work: Option<(PathBuf, Instant)>) {
        AT_WORK.lock().unwrap_or_else(PoisonError::into_inner)[self.place] = work;
    }
}

/// Ends the process when a parser takes too long.
fn watch() {
    loop {
        thread::sleep(Duration::from_secs(1));
        let at_work = AT_WORK.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((path, _)) = at_work.iter().flatten().find(|(_, since)| since.elapsed() > LONGEST) {
            end(&format!("the file {} has been read for {LONGEST:?}", path.display()));
        }
    }
}

/// Where inputs lie while they are read, and those that break a parser stay.
pub fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_TARGET_TMPDIR"), "/fuzz"))
}

/// The text of a panic.
pub fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without text").to_owned()
}

/// Says something whether or not the output of tests is shown.
pub fn say(line: &str) {
    if std::env::var_os("PRISM_FUZZ_SECONDS").is_some() {
        let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
    }
}

fn end(reason: &str) -> ! {
    let _ = std::io::stderr().write_all(format!("fuzz: {reason}\n").as_bytes());
    std::process::abort()
}
