//! The program `prism`: one file per command, and one place where exit codes are decided.

mod arguments;
mod bench;
mod devices;
mod eval;
mod export;
mod failure;
mod import;
mod list;
mod live;
mod overlay;
mod play;
mod plot;
mod rerun;
mod resume;
mod roms;
mod signals;
mod summarize;
mod sweep;
mod train;
mod weights;

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::process::ExitCode;

use clap::Parser;

use arguments::{Command, CommandLine};
use failure::{BUG, Failure};

/// Every update allocates and frees tensors of megabytes: this allocator keeps their pages, where the system's gives
/// them back and takes them again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Has the allocator keep pages for good, which it would give back after some milliseconds without use: between two
/// updates, only to have the system clear them again for the next. That cost a quarter of an update's time.
#[allow(unsafe_code, reason = "options of the allocator are set through its C interface")]
fn keep_pages() {
    /// `mi_option_purge_delay` of mimalloc 2 and 3: milliseconds, -1 for never.
    const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
    // What the user says in the environment stands.
    if std::env::var_os("MIMALLOC_PURGE_DELAY").is_none() {
        // SAFETY: no other thread of this process exists yet, and the option takes any number.
        unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, -1) };
    }
}

fn main() -> ExitCode {
    keep_pages();
    signals::survive_limits_on_files();
    std::panic::set_hook(Box::new(report_bug));
    // This thread computes as well, instead of waking another for every small operation and sleeping until it is done.
    // Without the pool, which is refused where there can be no threads, rayon makes its own.
    let _ = rayon::ThreadPoolBuilder::new().use_current_thread().build_global();
    let command = CommandLine::parse().command;
    match catch_unwind(AssertUnwindSafe(|| run(command))) {
        Ok(Ok(code)) => code,
        Ok(Err(failure)) => failure.report(),
        Err(_) => ExitCode::from(BUG),
    }
}

fn run(command: Command) -> Result<ExitCode, Failure> {
    let mut output = io::stdout().lock();
    match command {
        Command::Train(arguments) => return train::run(*arguments),
        Command::Resume(arguments) => return resume::run(&arguments),
        Command::Rerun(arguments) => return rerun::run(&arguments, &mut output),
        Command::Sweep(arguments) => return sweep::run(&arguments, &mut output),
        Command::Eval(arguments) => return eval::run(&arguments, &mut output),
        Command::Export(arguments) => export::run(&arguments, &mut output)?,
        Command::Import(arguments) => import::run(&arguments, &mut output)?,
        Command::Play(arguments) => return play::run(&arguments, &mut output),
        Command::Plot(arguments) => plot::run(arguments, &mut output)?,
        Command::Summarize(arguments) => summarize::run(arguments, &mut output)?,
        Command::Devices => devices::print(&mut output)?,
        Command::Bench(arguments) => return bench::run(arguments, &mut output),
        Command::List => list::print(&mut output)?,
        Command::Settings(arguments) => {
            output.write_all(prism::listing::render(arguments.of.as_deref())?.as_bytes())?;
        }
        Command::Roms(arguments) => roms::run(&arguments, &mut output)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// One line instead of a panic's usual text.
fn report_bug(panic: &PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("it gave no reason");
    let place = panic.location().map_or_else(String::new, |location| format!(" ({location})"));
    let _ = writeln!(io::stderr(), "error: this is a bug in prism, please report it: {message}{place}");
}
