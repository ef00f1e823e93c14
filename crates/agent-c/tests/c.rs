//! A C program that uses the library, compiled and run: as it is, and under the address sanitizer, which also finds what is
//! not freed.

use std::path::{Path, PathBuf};
use std::process::Command;

use prism_agent::Policy;

const README: &str = include_str!("../README.md");

/// The package's folder.
fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where cargo put the libraries.
fn libraries() -> PathBuf {
    let deps = std::env::current_exe().expect("a path").parent().expect("a folder").to_owned();
    assert!(deps.join("libprism_agent_c.a").is_file(), "no static library in {}", deps.display());
    deps
}

/// Compiles a program.
fn compiled(source: &Path, program: PathBuf, options: &[&str]) -> PathBuf {
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let output = Command::new(&compiler)
        .args(["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g"])
        .arg("-I")
        .arg(here().join("include"))
        .arg(source)
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
    let file = here().join("../agent/tests/policies/catch-0.1.0.safetensors");
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

/// The static library, as an argument of a compiler.
fn static_library() -> String {
    libraries().join("libprism_agent_c.a").to_str().expect("a name").to_owned()
}

#[test]
fn a_c_program_plays_with_the_static_library() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = compiled(&here().join("tests/plays.c"), folder.path().join("static"), &[&static_library()]);
    play(folder.path(), &program);
}

#[test]
#[cfg(target_os = "linux")]
fn a_c_program_plays_with_the_dynamic_library_under_the_address_sanitizer() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = format!("-L{}", libraries().display());
    let options = ["-fsanitize=address", &place, "-lprism_agent_c"];
    play(folder.path(), &compiled(&here().join("tests/plays.c"), folder.path().join("dynamic"), &options));
}

#[test]
fn the_program_of_the_readme_acts_on_bytes_and_on_numbers() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, rest) = README.split_once("```c\n").expect("it has a program");
    let (text, _) = rest.split_once("```").expect("the program ends");
    let source = folder.path().join("game.c");
    std::fs::write(&source, text).expect("it can be written");
    let program = compiled(&source, folder.path().join("game"), &[&static_library()]);
    for policy in ["../agent/tests/policies/catch-0.1.0.safetensors", "../../games/lanterns/lanterns.safetensors"] {
        let file = here().join(policy);
        let output = Command::new(&program).arg(&file).output().expect("it starts");
        let mut policy = Policy::from_bytes(&std::fs::read(&file).expect("it is there")).expect("a policy");
        let action = policy.act(&vec![0; policy.observation_bytes()], 0.0)[0];
        assert_eq!(String::from_utf8_lossy(&output.stdout), format!("action {action} of {}\n", policy.actions()));
    }
}

#[test]
fn the_readme_names_every_call() {
    let header = include_str!("../include/prism_agent.h");
    let calls: Vec<&str> = header
        .split_once("#include <stdint.h>")
        .expect("it declares calls after this line")
        .1
        .split('(')
        .filter_map(|before| before.rsplit([' ', '*']).next())
        .filter(|name| name.starts_with("prism_"))
        .collect();
    assert!(calls.len() > 20, "{calls:?}");
    for call in calls {
        assert!(README.contains(&format!("`{call}`")), "the readme does not name {call}");
    }
}
