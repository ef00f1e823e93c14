//! Settings that cannot be used, and how they are refused.

use crate::support::{assert_says, prism, refusal, refusal_in, wrong_usage};

#[test]
fn an_unknown_key_names_similar_ones() {
    let message = refusal(&["train", "pong", "--set", "learning.gama=0.9"]);
    assert_says(&message, &["--set", "`learning.gama`", "did you mean `learning.gamma`", "learning.batch_size"]);
    let message = refusal(&["train", "pong", "--set", "learning.learning_rate=1e-3"]);
    assert_says(&message, &["did you mean `optimiser.learning_rate`?"]);
    let message = refusal(&["train", "pong", "--set", "network.atoms=51"]);
    assert_says(&message, &["--set", "`network.atoms` is called `learning.atoms`"]);
    let message = refusal(&["train", "pong", "--set", "gamma=0.9"]);
    assert_says(&message, &["`gamma`", "did you mean `learning.gamma`"]);
    let message = refusal(&["train", "pong", "--set", "learning=0.9"]);
    assert_says(&message, &["`learning` is a section", "learning.gamma"]);
}

#[test]
fn a_set_that_assigns_nothing_shows_the_form() {
    for text in ["learning.gamma", "learning.gamma=", "=0.9"] {
        assert_says(&refusal(&["train", "pong", "--set", text]), &[text, "section.key=value"]);
    }
}

#[test]
fn a_wrong_value_names_key_value_and_expectation() {
    // setting, what must be said beside it
    let table = [
        ("environment.count=0", "1 to 4096"),
        ("environment.count=-1", "1 to 4096"),
        ("environment.threads=0", "at least 1"),
        ("environment.kind=pinball", "\"cartpole\""),
        ("environment.kind={ catch = 1 }", "\"cartpole\""),
        ("environment.kind=[\"catch\"]", "\"cartpole\""),
        ("environment.frame_limit={ none = 1 }", "\"none\""),
        ("training.stop_score=[1]", "\"none\""),
        ("environment.frame_skip=0", "1 to 1000"),
        ("environment.stack=0", "1 to 64"),
        ("environment.height=0", "1 to 1024"),
        ("environment.width=5000", "1 to 1024"),
        ("environment.repeat_action_probability=1", "below 1"),
        ("environment.no_op_max=20000", "0 to 10000"),
        ("environment.frame_limit=0", "\"none\""),
        ("environment.protocol=atari-like", "\"cleanrl\""),
        ("environment.life_loss=death", "\"episode-end\""),
        ("environment.points=rally", "\"zero-discount\""),
        ("environment.fire_reset=true", "\"press\""),
        ("environment.states=5", "\"chain\""),
        ("network.convolutions=[[8, 4, 32]]", "\"convolutional\""),
        ("network.channels=[16]", "\"impala\""),
        ("network.hidden=[]", "list"),
        ("network.hidden=[512, 512]", "exactly one for \"nature\""),
        ("network.hidden=[0]", "1 to 65536"),
        ("network.hidden=512", "list"),
        ("exploration.epsilon_start=1.5", "0 to 1"),
        ("exploration.epsilon_end=nan", "0 to 1"),
        ("exploration.epsilon_decay=0", "at least 1"),
        ("replay.capacity=0", "from 1"),
        ("replay.capacity=9999", "replay.warm_up"),
        ("replay.warm_up=10", "set at least 33"),
        ("learning.gamma=high", "0 to 1"),
        ("learning.gamma=1.01", "0 to 1"),
        ("learning.n_step=0", "1 to 1000"),
        ("learning.batch_size=0", "1 to 65536"),
        ("learning.batch_size=1.5", "whole number"),
        ("learning.period=0", "at least 1"),
        ("learning.target_period=0", "at least 1"),
        ("training.pipeline=sometimes", "true"),
        ("learning.loss=absolute", "\"huber\""),
        ("learning.kappa=1", "only learning.loss = \"quantile-huber\""),
        ("learning.bootstrap=triple", "\"double\""),
        ("network.scaling=none", "\"unit-length\""),
        ("network.activation=tanh", "\"selu\""),
        ("network.streams=three", "\"dueling\""),
        ("network.layers=noisy", "\"noisy-factorised\""),
        ("network.sigma=0.5", "only network.layers"),
        ("network.output=distribution", "follows from learning.loss"),
        ("learning.v_min=-1", "only learning.loss"),
        ("learning.atoms=51", "leave it out"),
        ("exploration.decay_from=summer", "\"warm-up\""),
        ("environment.colour=blue", "\"rgb\""),
        ("environment.reward={ shaped = 3 }", "\"sign\" or { shaped = {"),
        ("environment.mode=-1", "the number of a game mode"),
        ("replay.sampling=greedy", "\"rank-based\""),
        ("replay.priority_offset=1e-5", "leave it out"),
        ("replay.priority=loss", "leave it out"),
        ("replay.copies=3", "leave it out"),
        ("optimiser.kind=momentum", "\"adam\""),
        ("optimiser.decay=0.95", "only optimiser.kind"),
        ("evaluation.noise=loud", "\"fresh\""),
        ("diagnostics.held_out=-1", "0 to 100000"),
        ("optimiser.learning_rate=0", "above 0"),
        ("optimiser.learning_rate=1e300", "3.4e38"),
        ("optimiser.learning_rate=1e-300", "1e-45"),
        ("optimiser.epsilon=-1e-8", "above 0"),
        ("optimiser.gradient_norm=0", "above 0"),
        ("optimiser.gradient_norm=never", "\"none\""),
        ("training.agent_steps=0", "at least 1"),
        ("training.frames=3", "at least the frames of one agent step"),
        ("training.stop_score=inf", "\"none\""),
        ("training.score_window=0", "1 to 1000000"),
        ("training.score_window=1000000000000000000", "1 to 1000000"),
        ("training.save_period=0", "at least 1"),
        ("diagnostics.record_period=0", "at least 1"),
        ("evaluation.period=0", "at least 1"),
        ("evaluation.episodes=0", "1 to 1000000"),
        ("evaluation.episodes=1000000000000000000", "1 to 1000000"),
        ("evaluation.epsilon=2", "0 to 1"),
    ];
    for (setting, missing) in [
        ("network.kind=convolutional", "network.convolutions"),
        ("network.kind=impala", "network.channels"),
        ("network.layers=noisy-factorised", "network.sigma"),
        ("learning.loss=cross-entropy", "learning.atoms"),
        ("learning.loss=quantile-huber", "learning.quantiles"),
        ("replay.sampling=proportional", "replay.priority"),
        ("replay.sampling=copy-rewarded", "replay.copies"),
        ("optimiser.kind=rmsprop", "optimiser.decay"),
    ] {
        assert_says(&refusal(&["train", "pong", "--set", setting]), &[missing, "is missing: expected"]);
    }
    for (setting, expectation) in table {
        // A run that is wrongly accepted ends after one step.
        let short = if setting.starts_with("training.") { vec![] } else { vec!["--set", "training.agent_steps=1"] };
        let message = refusal(&[&["train", "pong"][..], &short, &["--set", setting]].concat());
        let (key, value) = setting.split_once('=').unwrap();
        // If two settings contradict each other, the message may name either.
        if expectation != "replay.warm_up" {
            let value = value.trim_start_matches('-').split(['.', 'e']).next().unwrap();
            assert_says(&message, &[key, value]);
        }
        assert_says(&message, &[expectation]);
    }
}

#[test]
fn a_wrong_value_in_a_file_is_found_by_its_line() {
    let pong = prism::presets::find("pong").unwrap().text;
    // replaced text, its replacement, what must be said
    let table: &[(&str, &str, &[&str])] = &[
        ("gamma = 0.99", "gamma = \"high\"", &["learning.gamma", "\"high\"", "0 to 1"]),
        ("gamma = 0.99", "gamma = 99", &["learning.gamma", "99", "0 to 1"]),
        ("gamma = 0.99", "gama = 0.99", &["`learning.gama`", "did you mean `learning.gamma`"]),
        ("[learning]", "[lerning]", &["`lerning`", "did you mean `learning`"]),
        ("batch_size = 32", "batch_size = 32.5", &["learning.batch_size", "32.5", "whole number"]),
        ("batch_size = 32", "batch_size = ", &["TOML"]),
        ("hidden = [512]", "hidden = [\"many\"]", &["network.hidden", "many", "list"]),
        ("batch_size = 32", "gamma = 0.99", &["duplicate"]),
    ];
    for (from, to, parts) in table {
        let folder = tempfile::tempdir().unwrap();
        let text = pong.replacen(from, to, 1);
        let line = 1 + text[..text.find(to).unwrap()].matches('\n').count();
        std::fs::write(folder.path().join("mine.toml"), &text).unwrap();
        let message = refusal_in(folder.path(), &["train", "mine.toml"]);
        if *parts != ["duplicate"] {
            assert_says(&message, &[&format!("mine.toml, line {line}:")]);
        }
        assert_says(&message, parts);
    }
}

#[test]
fn a_missing_key_says_what_it_expects() {
    let folder = tempfile::tempdir().unwrap();
    let pong = prism::presets::find("pong").unwrap().text;
    let text: String = pong.lines().filter(|line| !line.starts_with("gamma")).map(|line| format!("{line}\n")).collect();
    std::fs::write(folder.path().join("mine.toml"), text).unwrap();
    let message = refusal_in(folder.path(), &["train", "mine.toml"]);
    assert_says(&message, &["mine.toml", "`learning.gamma` is missing", "0 to 1"]);
}

#[test]
fn a_file_that_leaves_most_out_is_told_of_presets() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mine.toml"), "version = 2\n[learning]\ngamma = 0.9\n").unwrap();
    assert_says(&refusal_in(folder.path(), &["train", "mine.toml"]), &["is missing", "base = \"dqn\""]);
}

#[test]
fn two_limits_are_one_too_many() {
    let folder = tempfile::tempdir().unwrap();
    let pong = prism::presets::find("pong").unwrap().text;
    std::fs::write(folder.path().join("mine.toml"), pong.replace("[training]", "[training]\nframes = 1000")).unwrap();
    let message = refusal_in(folder.path(), &["train", "mine.toml"]);
    assert_says(&message, &["training.frames", "training.agent_steps", "delete one"]);
}

#[test]
fn keys_of_games_are_refused_where_there_is_no_game() {
    let message = refusal(&["train", "catch", "--game", "pong"]);
    assert_says(&message, &["--game", "pong", "\"atari\""]);
}

#[test]
fn frames_and_agent_steps_are_at_least_one_and_may_have_an_exponent() {
    for limit in ["--frames", "--agent-steps"] {
        for wrong in ["0", "-4", "many", "1.5"] {
            assert_says(&wrong_usage(&["train", "pong", limit, wrong]), &[limit, wrong, "a whole number of"]);
        }
        let folder = tempfile::tempdir().unwrap();
        let output = prism(folder.path(), &["train", "catch", limit, "7e2", "--out", "run"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let config = std::fs::read_to_string(folder.path().join("run/config.toml")).unwrap();
        assert_says(&config, &["agent_steps = 700"]);
    }
}

#[test]
fn two_limits_on_the_command_line_are_one_too_many() {
    let message = wrong_usage(&["train", "cartpole", "--set", "training.agent_steps=300", "--frames", "5000"]);
    assert_says(
        &message,
        &["--frames", "training.frames = 5000", "training.agent_steps limits the run already (--set"],
    );
    assert_says(
        &wrong_usage(&["train", "catch", "--frames", "5", "--agent-steps", "5"]),
        &["--frames", "--agent-steps"],
    );
}

#[test]
fn settings_are_listed_by_section() {
    let folder = tempfile::tempdir().unwrap();
    let output = prism(folder.path(), &["settings", "replay"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert_says(
        &text,
        &["replay.capacity", "from 1 to 1000000000", "1000000 in the preset dqn", "How many transitions"],
    );
    assert!(!text.contains("learning.gamma"));
    assert_says(&wrong_usage(&["settings", "replays"]), &["did you mean `replay`", "sections: environment"]);
    for one in ["learning.gamma", "gamma"] {
        let output = prism(folder.path(), &["settings", one]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert_says(&text, &["[learning]", "learning.gamma"]);
        assert!(!text.contains("learning.n_step"), "{text}");
    }
    assert_says(&wrong_usage(&["settings", "gama"]), &["did you mean `gamma`"]);
}
