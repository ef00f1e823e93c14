//! The game in a window, as it is called: without a display it opens none.

use std::process::{Command, Output};

#[test]
fn the_window_is_opened_for_a_policy_of_the_game_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("text"), "no policy").expect("it can be written");
    std::fs::write(folder.path().join("agent"), lanterns::SHIPPED).expect("it can be written");
    for (arguments, code, says) in [
        (&["--help"][..], 0, "Usage: lanterns [FILE.safetensors]"),
        (&["--seed"], 2, "error: expected nothing or a policy file"),
        (&["agent", "agent"], 2, "error: expected nothing or a policy file"),
        (&["absent"], 1, "error: cannot read absent: "),
        (&["text"], 1, "error: text cannot play: this is not a complete safetensors file"),
        #[cfg(target_os = "linux")]
        (&["agent"], 1, "error: there is no X server"),
    ] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_lanterns"));
        let output = program.args(arguments).current_dir(folder.path()).env_remove("DISPLAY").output();
        let Output { status, stdout, stderr } = output.expect("it starts");
        let text = String::from_utf8([stdout, stderr].concat()).expect("it is text");
        assert!(text.contains(says) && status.code() == Some(code), "{arguments:?} ends with {status}: {text}");
    }
}
