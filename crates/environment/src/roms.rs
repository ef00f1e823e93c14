//! ROM files: where they are looked for, how they are recognised, how they are installed.

pub mod install;
pub mod library;
