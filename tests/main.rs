//! Behaviour of the whole program and of its crates together. One binary; its modules:
//!
//! * `bench`: what `prism bench` prints and writes, and what it refuses
//! * `cli`: what is typed and what comes back, above all for bad input
//! * `determinism`: equal seeds give equal runs
//! * `devices`: one result on every device, where the build has more than one
//! * `interrupt`: Ctrl-C in the middle of a run
//! * `learning`: values and scores that must be reached
//! * `plot`: pictures of recorded runs, and what is refused
//! * `presets`: each preset against the values it must have
//! * `readme`: what README.md and GUIDE.md say, against the program
//! * `settings`: settings that cannot be used, and how they are refused
//! * `tensorboard`: the event file of a run, against its tables

mod bench;
mod cli;
mod determinism;
#[cfg(any(feature = "cuda", feature = "wgpu"))]
mod devices;
#[cfg(unix)]
mod interrupt;
mod learning;
mod plot;
mod presets;
mod readme;
mod settings;
mod support;
mod tensorboard;
