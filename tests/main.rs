//! Behaviour of the whole program and of its crates together. One binary; its modules:
//!
//! * `agent`: what acts in games, against the networks of training
//! * `bench`: what `prism bench` prints and writes, and what it refuses
//! * `checkpoint_cost`: what saving a replay costs
//! * `cli`: output and exit codes of command lines, above all bad ones
//! * `determinism`: equal seeds give equal runs
//! * `devices`: equal results on every device, where the build has more than one
//! * `evaluation`: what `prism eval` takes into account and writes
//! * `examples`: programs that use the libraries
//! * `exchange`: policy files, ONNX and weights of PyTorch
//! * `faults`: what goes wrong around a run
//! * `fuzz`: damaged files, for every parser of what comes from outside
//! * `interrupt`: Ctrl-C in the middle of a run
//! * `learning`: values and scores that must be reached
//! * `own`: environments of a program's own, and a run that it listens to
//! * `play`: what `prism play` shows and writes
//! * `plot`: figures of recorded runs, and what is refused
//! * `presets`: each preset against the values it must have
//! * `readme`: what README.md and GUIDE.md say, against the program
//! * `rerun`: the same run again, and what is found to differ
//! * `resume`: runs that end early and go on
//! * `settings`: settings that cannot be used, and how they are refused
//! * `several_runs`: several runs of one command
//! * `summarize`: what several runs come to
//! * `sweep`: many runs of one file, begun, killed and gone on with, also as tasks of Slurm
//! * `tensorboard`: the event file of a run, against its tables

mod agent;
mod bench;
#[cfg(feature = "ale")]
mod checkpoint_cost;
mod cli;
mod determinism;
#[cfg(any(feature = "cuda", feature = "wgpu"))]
mod devices;
mod evaluation;
mod examples;
mod exchange;
#[cfg(target_os = "linux")]
mod faults;
mod fuzz;
#[cfg(unix)]
mod interrupt;
mod learning;
mod own;
mod play;
mod plot;
mod presets;
mod readme;
mod rerun;
mod resume;
mod settings;
mod several_runs;
mod summarize;
mod support;
#[cfg(unix)]
mod sweep;
mod tensorboard;

/// Threads that feed parsers have a bound on what they allocate; for all others it is the system's.
#[global_allocator]
static ALLOCATOR: fuzz::guard::Allocator = fuzz::guard::Allocator;
