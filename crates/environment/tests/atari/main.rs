//! Atari through the ALE library: needs the ROM files.

mod golden;
mod play;
mod screens;
