//! The real binary: its output and exit codes for command lines, above all bad ones.

use std::process::{Command, Stdio};

use crate::support::{TINY_RUN, assert_says, prism, refusal, refusal_in, tiny_run, wrong_usage};

#[test]
fn an_unknown_preset_lists_those_that_exist() {
    let message = wrong_usage(&["train", "pnog"]);
    assert_says(&message, &["`pnog`", "did you mean `pong`", "breakout-small", "cartpole", "path"]);
}

#[test]
fn a_configuration_file_that_is_missing_is_named() {
    assert_says(&refusal(&["train", "folder/mine.toml"]), &["folder/mine.toml", "No such file"]);
}

#[test]
fn an_unknown_game_names_similar_ones() {
    let message = refusal(&["train", "pong", "--game", "brakeout"]);
    assert_says(&message, &["--game", "brakeout", "did you mean breakout", "`prism list` lists the games"]);
    assert_says(
        &refusal(&["train", "pong", "--set", "environment.game=brakeout"]),
        &["--set", "did you mean breakout"],
    );
}

#[test]
fn ram_has_no_height() {
    let message = refusal(&["train", "pong", "--set", "environment.view=ram", "--set", "environment.height=84"]);
    assert_says(&message, &["environment.height = 84", "only environment.view = \"image\" has it: leave it out"]);
}

#[test]
fn an_unknown_device_is_wrong_usage_and_lists_those_of_the_build() {
    let message = wrong_usage(&["train", "catch", "--device", "abacus"]);
    assert_says(&message, &["error: unknown device `abacus`", "flex"]);
    let folder = tempfile::tempdir().unwrap();
    tiny_run(folder.path(), "run", &[]);
    let output = prism(folder.path(), &["eval", "run", "--device", "abacus"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), message);
}

#[test]
fn a_network_that_does_not_fit_its_observations_is_wrong_usage() {
    let arguments = ["train", "catch", "--set", "network.kind=nature", "--set", "network.hidden=[8]"];
    assert_says(&wrong_usage(&arguments), &["[1, 10, 5]", "`mlp`"]);
}

#[test]
fn convolutions_that_cannot_be_are_refused_and_those_that_can_train() {
    let kind = ["train", "catch", "--set", "network.kind=convolutional", "--set"];
    let sizes = |sizes: &str| format!("network.convolutions={sizes}");
    for wrong in
        ["[]", "[[0, 1, 1]]", "[[1, 0, 1]]", "[[1, 1, 0]]", "[[65, 1, 1]]", "[[1, 1, 5000]]", "[[8, 4]]", "[8]"]
    {
        assert_says(&refusal(&[&kind[..], &[&sizes(wrong)]].concat()), &["network.convolutions", "[[8, 4, 16]"]);
    }
    let message = wrong_usage(&[&kind[..], &[&sizes("[[3, 2, 4], [3, 1, 4]]")]].concat());
    assert_says(&message, &["at least 7x7", "[1, 10, 5]"]);

    let folder = tempfile::tempdir().unwrap();
    let settings = ["network.kind=convolutional", &sizes("[[3, 2, 4], [2, 1, 4]]"), "network.hidden=[8, 6]"];
    tiny_run(folder.path(), "run", &settings);
}

#[test]
fn stages_that_cannot_be_are_refused_and_those_that_can_train() {
    let kind = ["train", "catch", "--set", "network.kind=impala", "--set"];
    let channels = |channels: &str| format!("network.channels={channels}");
    for wrong in ["[]", "[16, 0]", "[5000]", "[[16]]", "16"] {
        assert_says(&refusal(&[&kind[..], &[&channels(wrong)]].concat()), &["network.channels", "[16, 32, 32]"]);
    }
    let folder = tempfile::tempdir().unwrap();
    tiny_run(folder.path(), "run", &["network.kind=impala", &channels("[3, 4]"), "network.hidden=[8]"]);
}

#[test]
fn a_run_whose_loss_is_no_number_any_more_ends_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let rate = ["--set", "optimiser.learning_rate=1e25", "--set", "learning.loss=squared"];
    let arguments = [&["train", "catch", "--out", "run", "--set", "optimiser.gradient_norm=none"][..], &rate].concat();
    let output = prism(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(1));
    assert_says(
        &String::from_utf8(output.stderr).unwrap(),
        &["error: learning has blown up", "learning_rate", "in run"],
    );
    // However a run ends, its weights are finite and its summary gives the reason.
    let run = folder.path().join("run");
    let weights = prism_model::Weights::read(&run.join("weights/latest.safetensors")).unwrap();
    assert!(weights.are_finite());
    let summary: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(run.join("summary.json")).unwrap()).unwrap();
    assert_eq!(summary["ending"], "failed");
    assert_says(summary["reason"].as_str().unwrap(), &["learning has blown up"]);
}

#[cfg(feature = "ale")]
#[test]
fn a_mode_that_the_game_lacks_is_wrong_usage() {
    let arguments = ["train", "pong", "--set", "environment.mode=77"];
    assert_says(&wrong_usage(&arguments), &["pong has no mode 77", "0, 1"]);
}

#[test]
fn what_may_not_have_been_meant_is_said_before_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let output = prism(folder.path(), &["train", "catch", "--frames", "300", "--out", "run"]);
    assert!(output.status.success());
    assert_says(&String::from_utf8(output.stdout).unwrap(), &["nothing is learned", "300 agent steps"]);
    let log = std::fs::read_to_string(folder.path().join("run/log.txt")).unwrap();
    assert_says(&log, &["nothing is learned"]);
}

#[test]
fn a_run_folder_is_a_configuration_with_its_seed_and_device() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let output = prism(folder.path(), arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    run(&["train", "catch", "--frames", "700", "--seed", "5", "--device", "flex", "--out", "first"]);
    run(&["train", "first", "--out", "again"]);
    run(&["train", "first/config.toml", "--seed", "6", "--out", "other"]);
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_says(&read("first/config.toml"), &["[run]\nseed = 5\ndevice = \"flex\""]);
    assert_eq!(read("first/config.toml"), read("again/config.toml"));
    assert_eq!(read("first/episodes.csv"), read("again/episodes.csv"));
    assert_ne!(read("first/episodes.csv"), read("other/episodes.csv"));
    let manifest: serde_json::Value = serde_json::from_str(&read("again/manifest.json")).unwrap();
    assert_eq!((&manifest["name"], &manifest["config"]["environment"]["kind"]), (&"catch".into(), &"catch".into()));
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    assert_says(&refusal_in(folder.path(), &["train", "./empty"]), &["./empty", "without config.toml"]);
}

#[test]
fn presets_are_found_in_any_case() {
    let folder = tempfile::tempdir().unwrap();
    let output = prism(folder.path(), &["train", "Catch", "--frames", "700", "--out", "run"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_says(&wrong_usage(&["train", "Pnog"]), &["did you mean `pong`"]);
}

#[test]
fn eval_says_what_it_looked_for() {
    assert_says(&refusal(&["eval", "runs/nothing"]), &["there is nothing at runs/nothing", "`prism train` names"]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("lone.safetensors"), b"weights").unwrap();
    assert_says(&refusal_in(folder.path(), &["eval", "lone.safetensors"]), &["lone.safetensors", "not a complete"]);
    assert_says(&refusal_in(folder.path(), &["eval", "."]), &["not the folder of a run", "config.toml"]);
}

#[test]
fn help_shows_examples() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["--help"][..], &["train", "--help"], &["eval", "--help"]] {
        let output = prism(folder.path(), arguments);
        assert!(output.status.success());
        assert_says(&String::from_utf8(output.stdout).unwrap(), &["Examples:", "prism"]);
    }
}

#[test]
fn list_names_presets_games_and_protocols() {
    let folder = tempfile::tempdir().unwrap();
    let output = prism(folder.path(), &["list"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    for preset in prism::presets::ALL {
        let row = text.lines().find(|line| line.split_whitespace().next() == Some(preset.name));
        assert!(row.is_some_and(|row| row.ends_with(preset.title())), "{} runs into its title: {row:?}", preset.name);
        assert_says(&text, &[preset.time()]);
    }
    assert_says(&text, &["deepmind", "cleanrl", "montezuma_revenge", "cartpole", "a ball falls"]);
}

#[test]
fn devices_tells_what_is_here_what_is_not_and_what_auto_takes() {
    let folder = tempfile::tempdir().unwrap();
    let output = prism(folder.path(), &["devices"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
    for backend in prism_model::BACKENDS {
        let listed = rows.iter().any(|row| row.split(':').next() == Some(backend));
        assert!(listed, "{backend} is missing: {text}");
    }
    for device in prism_model::present_devices() {
        assert_says(&text, &[&device.name, &device.description]);
    }
    let auto = prism_model::find_device("auto").expect("tests are built with flex");
    assert_says(&text, &[&format!("auto takes {}", auto.device.name)]);
}

#[test]
fn a_device_that_is_not_here_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    for survey in prism_model::survey() {
        let Err(reason) = &survey.devices else { continue };
        let output = prism(folder.path(), &["train", "catch", "--device", survey.backend]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let message = String::from_utf8(output.stderr).unwrap();
        assert_says(&message, &[&format!("error: device `{}` cannot be used: {reason}", survey.backend)]);
    }
    let message = wrong_usage(&["train", "catch", "--device", "flex:first"]);
    assert_says(&message, &["unknown device `flex:first`"]);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_reader_that_goes_away_is_no_error_and_files_are_written_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    tiny_run(folder.path(), "run", &[]);
    for (arguments, files) in [
        (&["list"][..], &[][..]),
        (&["eval", "run", "--json", "a.json", "--csv", "a.csv"], &["a.json", "a.csv"]),
        (&["export", "run", "--onnx", "a.onnx", "--out", "a.safetensors"], &["a.onnx", "a.safetensors"]),
        (&["play", "run", "--episodes", "2", "--out", "a.gif"], &["a.gif"]),
        (&["plot", "curves", "run", "--out", "a.svg"], &["a.svg"]),
    ] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_prism"))
            .args(arguments)
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("prism starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(output.stderr.is_empty(), "{output:?}");
        for file in files {
            assert!(folder.path().join(file).metadata().is_ok_and(|file| file.len() > 0), "{arguments:?}: {file}");
        }
    }
}

#[cfg(feature = "ale")]
mod roms {
    use std::path::Path;
    use std::process::Output;

    use super::*;

    /// `prism` that finds no ROM files but those in the folder `roms`.
    fn prism_without_roms(folder: &Path, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_prism"))
            .args(arguments)
            .current_dir(folder)
            .env("HOME", folder)
            .env_remove("XDG_DATA_HOME")
            .env_remove("ALE_ROMS_DIR")
            .output()
            .expect("prism starts")
    }

    #[test]
    fn check_fails_and_says_what_to_do_where_roms_are_missing_or_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let roms = folder.path().join("roms");
        std::fs::create_dir(&roms).unwrap();
        std::fs::write(roms.join("pong.bin"), b"cut").unwrap();
        std::fs::write(roms.join("boxing.bin"), vec![7; 1 << 16]).unwrap();
        let output = prism_without_roms(folder.path(), &["roms", "check", "--roms", "roms"]);
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8(output.stdout).unwrap();
        assert_says(&text, &["pong.bin is truncated", "boxing.bin is not the ROM of boxing", "no ROM for breakout"]);
        assert_says(&text, &["0 of 76 ROM files are good"]);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_says(&message, &["error: 76 ROM files", "prism roms install"]);
    }

    #[test]
    fn a_folder_of_roms_that_does_not_exist_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let output = prism_without_roms(folder.path(), &["roms", "list", "--roms", "nowhere"]);
        assert_eq!(output.status.code(), Some(1));
        assert_says(&String::from_utf8(output.stderr).unwrap(), &["error: ", "nowhere"]);
    }
}

#[test]
fn pipeline_is_a_flag_and_without_it_a_run_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = TINY_RUN.to_vec();
    arguments.extend(["--out", "at-once", "--pipeline"]);
    assert!(prism(folder.path(), &arguments).status.success());
    tiny_run(folder.path(), "in-turns", &[]);
    let manifest = |run: &str| std::fs::read_to_string(folder.path().join(run).join("manifest.json")).unwrap();
    assert_says(&manifest("at-once"), &["\"pipeline\": true"]);
    assert_says(&manifest("in-turns"), &["\"pipeline\": false"]);
}

#[test]
fn a_run_writes_what_the_readme_lists_and_can_be_scored() {
    let folder = tempfile::tempdir().unwrap();
    tiny_run(folder.path(), "run", &[]);
    let run = folder.path().join("run");
    for name in [
        "config.toml",
        "manifest.json",
        "summary.json",
        "log.txt",
        "episodes.csv",
        "train.csv",
        "evaluations.csv",
        "timing.csv",
        "weights/latest.safetensors",
    ] {
        assert!(run.join(name).is_file(), "{name} is missing");
    }
    let output =
        prism(folder.path(), &["eval", "run", "--episodes", "5", "--games", "--json", "s.json", "--csv", "s.csv"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("game ")).count(), 5, "{text}");
    assert_says(&text, &["protocol catch", "mean", "median", "standard deviation"]);
    let json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.path().join("s.json")).unwrap()).unwrap();
    assert_eq!((json["scores"].as_array().unwrap().len(), &json["environment"]), (5, &"catch".into()));
    assert_eq!(std::fs::read_to_string(folder.path().join("s.csv")).unwrap().lines().count(), 6);
    // A row in the run's own table, at the steps that the weights had seen.
    let rows = crate::support::rows(&run.join("evaluations.csv"));
    let (last, summary) = (rows.last().unwrap(), std::fs::read_to_string(run.join("summary.json")).unwrap());
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(last.number("agent_steps"), summary["agent_steps"].as_f64().unwrap());
    assert_eq!(last.number("episodes"), 5.0);

    assert_says(json["weights"].as_str().unwrap(), &["run/weights/", ".safetensors"]);

    // Nothing that the run recorded is written over by a slip in a name.
    let before = std::fs::read_to_string(run.join("evaluations.csv")).unwrap();
    for (option, name, part) in [
        ("--csv", "run/evaluations.csv", "record of the run"),
        ("--json", "run/manifest.json", "record of the run"),
        ("--csv", "run/weights/latest.safetensors", "does not end in .csv"),
        ("--json", "deep/s.json", "no folder deep"),
    ] {
        assert_says(&refusal_in(folder.path(), &["eval", "run", option, name]), &[name, part]);
    }
    assert_eq!(std::fs::read_to_string(run.join("evaluations.csv")).unwrap(), before);

    // Weights alone say what they were trained on.
    std::fs::copy(run.join("weights/latest.safetensors"), folder.path().join("lone.safetensors")).unwrap();
    let lone = prism(folder.path(), &["eval", "lone.safetensors", "--episodes", "5"]);
    assert!(lone.status.success(), "{}", String::from_utf8_lossy(&lone.stderr));
}

#[test]
fn an_existing_run_folder_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("run")).unwrap();
    std::fs::write(folder.path().join("run/mine.txt"), "precious").unwrap();
    let message = refusal_in(folder.path(), &["train", "catch", "--out", "run"]);
    assert_says(&message, &["run", "exists", "--out"]);
    assert_eq!(std::fs::read_dir(folder.path().join("run")).unwrap().count(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_folder_that_cannot_be_made_is_named() {
    // Not even root can make folders in /proc.
    let message = refusal(&["train", "catch", "--out", "/proc/prism-run"]);
    assert_says(&message, &["/proc/prism-run"]);
}

#[cfg(unix)]
#[test]
fn a_full_disk_ends_the_run_with_the_file_it_could_not_write() {
    let folder = tempfile::tempdir().unwrap();
    // A limit on the size of files answers writes like a full disk: 8 blocks of 1 KiB or less.
    let script = format!("ulimit -f 8; exec {} train catch --device flex --out run", env!("CARGO_BIN_EXE_prism"));
    let output = Command::new("sh").args(["-c", &script]).current_dir(folder.path()).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    let error = message.lines().find(|line| line.starts_with("error: ")).expect("one line says what is wrong");
    assert_says(error, &["run"]);
    assert!(!message.contains("panicked") && !message.contains("bug in prism"), "{message}");
}

#[test]
fn corrupt_weights_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    tiny_run(folder.path(), "run", &[]);
    let weights = folder.path().join("run/weights/latest.safetensors");
    let whole = std::fs::read(&weights).unwrap();
    for damaged in [&whole[..whole.len() / 2], b"", b"neither weights nor anything else"] {
        std::fs::write(&weights, damaged).unwrap();
        let message = refusal_in(folder.path(), &["eval", "run/weights/latest.safetensors"]);
        assert_says(&message, &["latest.safetensors", "not a complete safetensors file"]);
    }
}

#[test]
fn weights_whose_configuration_is_damaged_are_refused_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    tiny_run(folder.path(), "run", &[]);
    let weights = prism_model::Weights::read(&folder.path().join("run/weights/latest.safetensors")).unwrap();
    let damaged = weights.with_metadata(prism::CONFIG_KEY, "gamma = [");
    std::fs::write(folder.path().join("damaged.safetensors"), damaged.bytes()).unwrap();
    let output = prism(folder.path(), &["eval", "damaged.safetensors"]);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert_says(&message, &["configuration inside damaged.safetensors", "beside the config.toml of its run"]);
}

#[test]
fn weights_of_another_shape_are_refused_with_both_shapes() {
    let folder = tempfile::tempdir().unwrap();
    tiny_run(folder.path(), "small", &["network.hidden=[7]"]);
    tiny_run(folder.path(), "large", &["network.hidden=[9]"]);
    let [small, large] = ["small", "large"].map(|run| folder.path().join(run).join("weights/latest.safetensors"));
    std::fs::copy(large, small).unwrap();
    let message = refusal_in(folder.path(), &["eval", "small/weights/latest.safetensors"]);
    assert_says(&message, &["another network", "9", "7"]);
}

#[cfg(feature = "ale")]
#[test]
fn a_missing_or_wrong_rom_is_refused_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let roms = folder.path().join("roms");
    std::fs::create_dir(&roms).unwrap();
    let train = |home: &str| {
        let arguments = ["train", "pong", "--roms", "roms", "--out", "run"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_prism"));
        // Another home, so that installed ROMs are not found in this one's data directory.
        command.args(arguments).current_dir(folder.path()).env("HOME", home).env_remove("XDG_DATA_HOME");
        let output = command.env_remove("ALE_ROMS_DIR").output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(!folder.path().join("run").exists());
        String::from_utf8(output.stderr).unwrap()
    };
    let home = folder.path().join("home");
    let home = home.to_str().unwrap();
    assert_says(&train(home), &["error: ", "pong", "prism roms install"]);
    std::fs::write(roms.join("pong.bin"), [0u8; 2048]).unwrap();
    let message = train(home);
    assert_says(&message, &["error: ", "pong"]);
    assert!(!message.contains("bug in prism"), "{message}");
}

#[cfg(all(feature = "ale", target_os = "linux"))]
#[test]
fn a_run_that_needs_more_memory_than_there_is_is_refused_before_it_begins() {
    let capacity = ["--set", "replay.capacity=1000000000", "--agent-steps", "1000000000"];
    let message = wrong_usage(&[&["train", "dqn"][..], &capacity].concat());
    assert_says(&message, &["replay.capacity = 1000000000", "of memory", "would fit", "has no more"]);

    let folder = tempfile::tempdir().unwrap();
    let limited = Command::new("sh")
        .args(["-c", "ulimit -v 4000000; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_prism"), "train", "dqn"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let message = String::from_utf8(limited.stderr).unwrap();
    assert_eq!(limited.status.code(), Some(2), "{message}");
    assert_says(&message, &["replay.capacity = 1000000", "ulimit -v"]);
    assert!(!folder.path().join("runs").exists(), "nothing is left behind");
}

#[cfg(target_os = "linux")]
#[test]
fn paths_need_not_be_unicode() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let name = OsStr::from_bytes(b"r\xff");
    let mut command = Command::new(env!("CARGO_BIN_EXE_prism"));
    let output = command.args(TINY_RUN).arg("--out").arg(name).current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let manifest = std::fs::read_to_string(folder.path().join(name).join("manifest.json")).unwrap();
    assert_says(&manifest, &["\"r\u{fffd}\""]);
    // The run's folder is also a configuration.
    let mut command = Command::new(env!("CARGO_BIN_EXE_prism"));
    let output = command.arg("train").arg(name).args(["--out", "again"]).current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
