#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod canvas;
mod folder;
mod font;
mod gif;
mod terminal;
mod writer;
mod y4m;

pub use canvas::{Canvas, Rgb};
pub use folder::PngFolder;
pub use gif::GifWriter;
pub use terminal::{TerminalColours, half_blocks};
pub use writer::{PictureError, Writer};
pub use y4m::Y4mWriter;
