#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod error;
mod import;
pub mod messages;
mod onnx;
mod pickle;
mod state_dict;

pub use error::ImportError;
pub use import::from_pytorch;
pub use onnx::{OPSET, to_onnx};
