#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod area;
mod colour;
mod screens;
mod spec;
mod stack;

pub use area::{AreaResize, Row};
pub use colour::{Colour, luminance};
pub use screens::{Pixels, Screens};
pub use spec::{FrameError, FrameSpec};
pub use stack::FrameStack;
