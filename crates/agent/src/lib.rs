#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod description;
mod error;
mod layers;
mod network;
mod policy;
mod tensors;

pub use description::Element;
pub use error::PolicyError;
pub use policy::Policy;
