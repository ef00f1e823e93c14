//! Atari through the ALE library: needs the ROM files.

mod console;
mod golden;
mod play;
mod screens;
