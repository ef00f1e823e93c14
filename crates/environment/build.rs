//! Names the C++ runtime that the Arcade Learning Environment needs: `ale-sys` links the library and leaves this to us.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_ALE").is_none() {
        return;
    }
    let vendor = env::var("CARGO_CFG_TARGET_VENDOR").unwrap_or_default();
    let environment = env::var("CARGO_CFG_TARGET_ENV").unwrap_or_default();
    if vendor == "apple" {
        println!("cargo:rustc-link-lib=c++");
    } else if environment != "msvc" {
        println!("cargo:rustc-link-lib=stdc++");
    }
}
