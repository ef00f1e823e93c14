//! A C program that uses the library, compiled and run: as it is, and under the address sanitizer, which also finds what is
//! not freed.

use std::path::{Path, PathBuf};
use std::process::Command;

use prism_agent::Policy;

/// Where cargo put the libraries.
fn libraries() -> PathBuf {
    let deps = std::env::current_exe().expect("a path").parent().expect("a folder").to_owned();
    assert!(deps.join("libprism_agent_c.a").is_file(), "no static library in {}", deps.display());
    deps
}

/// Compiles the program; `None` where there is no such compiler or sanitizer.
fn compiled(folder: &Path, name: &str, options: &[&str]) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = folder.join(name);
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let output = Command::new(&compiler)
        .args(["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g"])
        .arg("-I")
        .arg(here.join("include"))
        .arg(here.join("tests/plays.c"))
        .args(options)
        .args(["-lm", "-lpthread", "-ldl", "-o"])
        .arg(&program)
        .output()
        .unwrap_or_else(|error| panic!("{compiler}: {error}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    program
}

/// Has the program answer for boards of Catch, and checks that it says what Rust does.
fn play(folder: &Path, program: &Path) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../agent/tests/policies/catch-0.1.0.safetensors");
    let observations: Vec<u8> = (0..40 * 50).map(|index| if index * index % 17 == 3 { 255 } else { 0 }).collect();
    let (given, answers) = (folder.join("observations"), folder.join("answers"));
    std::fs::write(&given, &observations).expect("it can be written");
    let output = Command::new(program)
        .args([file.as_path(), &given, &answers])
        .env("LD_LIBRARY_PATH", libraries())
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut policy = Policy::from_bytes(&std::fs::read(&file).expect("it is there")).expect("a policy");
    let mut expected: Vec<u8> = policy.values(&observations).iter().flat_map(|value| value.to_ne_bytes()).collect();
    expected.extend(policy.act(&observations, 0.0).iter().map(|&action| action as u8));
    assert!(std::fs::read(&answers).expect("answers") == expected, "C says something else");
}

#[test]
fn a_c_program_plays_with_the_static_library() {
    let folder = tempfile::tempdir().expect("a folder");
    let library = libraries().join("libprism_agent_c.a");
    play(folder.path(), &compiled(folder.path(), "static", &[library.to_str().expect("a name")]));
}

#[test]
#[cfg(target_os = "linux")]
fn a_c_program_plays_with_the_dynamic_library_under_the_address_sanitizer() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = format!("-L{}", libraries().display());
    play(folder.path(), &compiled(folder.path(), "dynamic", &["-fsanitize=address", &place, "-lprism_agent_c"]));
}
