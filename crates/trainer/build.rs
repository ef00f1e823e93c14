//! Tells the program which commit it was built from and with what, so that every run can record it.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=crates");
    println!("cargo::rerun-if-changed=assets/presets");
    println!("cargo::rerun-if-changed=Cargo.lock");
    // HEAD names a branch, and the branch's own file changes with each commit.
    let head = git(&["rev-parse", "--git-path", "HEAD"]);
    let branch = git(&["symbolic-ref", "-q", "HEAD"]).and_then(|name| git(&["rev-parse", "--git-path", &name]));
    for path in [head, branch].into_iter().flatten().filter(|path| Path::new(path).exists()) {
        println!("cargo::rerun-if-changed={path}");
    }
    let commit = git(&["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]);
    println!("cargo::rustc-env=PRISM_COMMIT={}", commit.as_deref().unwrap_or("unknown"));
    println!("cargo::rustc-env=PRISM_BURN_VERSION={}", locked_version("burn").as_deref().unwrap_or("unknown"));
    println!("cargo::rustc-env=PRISM_RUSTC_VERSION={}", rustc_version().as_deref().unwrap_or("unknown"));
}

/// The version of a dependency in Cargo.lock, where it stands in the line after the name.
fn locked_version(name: &str) -> Option<String> {
    let lock = std::fs::read_to_string("Cargo.lock").ok()?;
    let name = format!("name = \"{name}\"");
    let version = lock.lines().skip_while(|line| *line != name).nth(1)?;
    Some(version.strip_prefix("version = ")?.trim_matches('"').to_owned())
}

/// `1.95.0`, of the compiler that cargo runs.
fn rustc_version() -> Option<String> {
    let output = Command::new(std::env::var_os("RUSTC")?).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.split_whitespace().nth(1).map(str::to_owned)
}

/// What git answers, `None` without git or outside a repository.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}
