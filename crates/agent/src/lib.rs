#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod buffers;
mod card;
mod description;
mod error;
mod file;
mod int8;
mod layers;
mod network;
mod observations;
mod policy;

pub use card::{Card, Scores};
pub use description::{Activation, Description, Element, Input, Layers, Output, Scaling, Streams, Torso};
pub use error::PolicyError;
pub use file::PolicyFile;
pub use int8::{to_f32, to_int8};
pub use observations::Observations;
pub use policy::Policy;
pub use prism_frames::{Colour, FrameError, FrameSpec, Pixels, Screens};
pub use prism_kernels::Arch;
