use proptest::prelude::*;

use super::key::typed_value;
use super::*;

/// A preset with settings in the form of `--set`.
fn read(preset: &str, overrides: &[&str]) -> Result<Config, SettingsError> {
    let overrides: Vec<_> = overrides.iter().map(|text| Override::parse(text).unwrap()).collect();
    Config::read(&Source::find(preset).unwrap(), &overrides)
}

fn refusal(preset: &str, overrides: &[&str]) -> String {
    read(preset, overrides).expect_err("it must be refused").to_string()
}

#[track_caller]
fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

#[test]
fn keys_are_unique_and_what_they_mean_by_absence_is_a_value_of_theirs() {
    let mut paths: Vec<_> = settings().map(|setting| setting.about().path).collect();
    paths.sort_unstable();
    let count = paths.len();
    paths.dedup();
    assert_eq!(paths.len(), count);
    for setting in settings() {
        let about = setting.about();
        assert!(sections::sections().any(|section| section == about.section()), "{}", about.path);
        for meant in [about.before_2, about.otherwise].into_iter().flatten() {
            let value = typed_value(meant);
            assert_eq!(setting.canonical(&value), Some(value), "{}", about.path);
        }
        assert!(about.sentence.ends_with('.') && !setting.expected().is_empty(), "{}", about.path);
        if let Some(formerly) = about.formerly {
            assert!(self::setting(formerly).is_none(), "{formerly} is the name of another setting");
        }
    }
}

/// Values at and beyond the ends of what a setting may be, made from what it says that it expects.
#[test]
fn the_ends_of_every_range_are_allowed_and_what_lies_beyond_is_not() {
    let mut tried = 0;
    for setting in settings() {
        let expected = setting.expected();
        let Some(range) = expected.strip_prefix("a whole number of ") else { continue };
        let takes = |value: i64| setting.canonical(&Value::Integer(value)).is_some();
        let digits = |text: &str| -> i64 {
            let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().expect("a number stands there")
        };
        let least = range.split_once(" from ").or(range.split_once("at least ")).map_or(0, |(_, text)| digits(text));
        assert!(takes(least) && !takes(least - 1), "{}: {expected}", setting.about().path);
        if let Some((_, most)) = range.split_once(" to ") {
            let most = digits(most);
            assert!(takes(most) && !takes(most + 1), "{}: {expected}", setting.about().path);
        }
        tried += 1;
    }
    assert!(tried > 25, "{tried} settings say what whole numbers they may be");
}

#[test]
fn every_preset_is_what_it_was_after_being_written_and_read() {
    for preset in presets::ALL {
        let config = Config::preset(preset.name).unwrap_or_else(|error| panic!("{}: {error}", preset.name));
        let text = config.to_toml();
        let again = Config::from_toml("again", &text).unwrap_or_else(|error| panic!("{}: {error}", preset.name));
        assert_eq!(again, config, "{}", preset.name);
        assert_eq!(again.to_toml(), text, "{}", preset.name);
        assert_eq!(again.agent(), config.agent(), "{}", preset.name);
        assert_eq!(again.environment(), config.environment(), "{}", preset.name);
        assert_eq!((again.training(), again.evaluation()), (config.training(), config.evaluation()), "{}", preset.name);
    }
}

proptest! {
    #[test]
    fn what_is_changed_is_in_force_and_survives_being_written(
        preset in 0..presets::ALL.len(),
        gamma in 0.0..=1.0f64,
        n_step in 1..9u16,
        rate in 1e-8..1e-2f64,
        limit in 1..u64::from(u32::MAX),
        seed in any::<u64>(),
    ) {
        let config = Config::preset(presets::ALL[preset].name).unwrap().with_run(Seed(seed), "flex").unwrap();
        // Few steps, so that every warm-up finds enough transitions.
        let n_step = n_step.min(config.agent().learning.n_step.max(1));
        let changed = config
            .with_all([("learning.gamma", Value::from(gamma)), ("optimiser.learning_rate", rate.into())])
            .and_then(|config| config.with("learning.n_step", i64::from(n_step)))
            .and_then(|config| config.with("training.agent_steps", limit as i64))
            .unwrap();
        prop_assert_eq!(changed.agent().learning.gamma, gamma);
        prop_assert_eq!((changed.agent().learning.n_step, changed.training().limit.0), (n_step, limit));
        let again = Config::from_toml("again", &changed.to_toml()).unwrap();
        prop_assert_eq!(again.agent(), changed.agent());
        prop_assert_eq!((again.run().seed, again.run().device.as_str()), (Seed(seed), "flex"));
        prop_assert_eq!(again, changed);
    }
}

#[test]
fn what_a_protocol_decides_is_written_down_and_another_protocol_replaces_it() {
    let pong = Config::preset("pong").unwrap();
    let text = pong.to_toml();
    for line in ["version = 2", "frame_skip = 4", "stack = 4", "life_loss = \"episode-end\"", "frame_limit = 108000"] {
        assert!(text.lines().any(|known| known == line), "{line} is not in: {text}");
    }
    let source = Source::text("written", &text);
    let machado = [Override::parse("environment.protocol=machado").unwrap()];
    let machado = Config::read(&source, &machado).unwrap();
    assert_eq!(machado.environment().kind.protocol(), "machado");
    let both = read("pong", &["environment.frame_skip=2", "environment.protocol=machado"]).unwrap();
    assert_eq!(both.environment().kind.protocol(), "machado with frame_skip = 2");
    // What a layer says itself is not its base's protocol.
    let text = "version = 2\nbase = \"pong\"\n[environment]\nprotocol = \"machado\"\nno_op_max = 30\n";
    let own = Config::from_toml("own", text).unwrap();
    assert_eq!(own.environment().kind.protocol(), "machado with no_op_max = 30");
    // What departs from a protocol stays where the protocol changes.
    let ram = read("freeway-ram", &["environment.protocol=machado"]).unwrap();
    assert_eq!(
        ram.environment().kind.protocol(),
        "machado with view = \"ram\", stack = 1, repeat_action_probability = 0.0, reward = { shaped = { ended = -10, \
         otherwise = -1, scored = 10 } }"
    );
}

#[test]
fn the_last_override_wins_is_named_and_strings_need_no_quotes() {
    let overrides =
        ["environment.game=boxing", "learning.gamma=0.9", "environment.game = \"freeway\"", "learning.gamma=1"];
    let config = read("dqn", &overrides).unwrap();
    assert_eq!((config.environment().kind.name(), config.agent().learning.gamma), ("freeway", 1.0));
    let notes: Vec<String> = config.notes().iter().map(Note::to_string).collect();
    assert!(
        notes.contains(&"learning.gamma is given twice (--set on the command line): 1.0 counts, 0.9 does not".into())
    );
    assert!(read("dqn", &["learning.gamma=0.99", "learning.gamma=0.99"]).unwrap().notes().is_empty());
}

#[test]
fn one_limit_replaces_that_of_a_lower_layer_and_two_of_one_layer_are_refused() {
    let config = read("pong", &["training.frames=2e5"]).unwrap();
    assert_eq!(config.training().limit.0, 50_000);
    assert_eq!(
        (config.setting("training.frames"), config.setting("training.agent_steps")),
        (None, Some(&50_000.into()))
    );
    let longer = config.with("training.agent_steps", 7_000_000).unwrap();
    assert_eq!(longer.training().limit.0, 7_000_000);
    let message = refusal("pong", &["training.frames=2e5", "training.agent_steps=7"]);
    assert_says(
        &message,
        &["training.frames = 200000", "training.agent_steps limits the run already (--set", "delete one"],
    );
    let message = refusal("pong", &["training.frames=3"]);
    assert_says(&message, &["training.frames = 3", "at least the frames of one agent step, 4"]);
}

#[test]
fn whole_numbers_may_have_an_exponent_or_underscores() {
    for capacity in ["1e6", "1_000_000", "1000000", "1000000.0"] {
        let config = read("pong", &[&format!("replay.capacity={capacity}")]).unwrap();
        assert_eq!(config.agent().replay.capacity, 1_000_000, "{capacity}");
        assert_eq!(config.setting("replay.capacity"), Some(&Value::Integer(1_000_000)), "{capacity}");
    }
    assert_says(&refusal("pong", &["replay.capacity=1.5"]), &["replay.capacity = 1.5", "a whole number"]);
}

#[test]
fn a_later_choice_drops_the_keys_it_has_no_use_for_and_an_equal_one_refuses_them() {
    let config = read("dqn", &["optimiser.kind=sgd"]).unwrap();
    assert_eq!((config.setting("optimiser.decay"), config.setting("optimiser.epsilon")), (None, None));
    let message = refusal("dqn", &["optimiser.kind=sgd", "optimiser.decay=0.9"]);
    assert_says(&message, &["optimiser.decay = 0.9", "only optimiser.kind = \"rmsprop\" has it: leave it out"]);
    let message = refusal("dqn", &["learning.loss=absolute", "learning.atoms=7"]);
    assert!(!message.contains("leave it out"), "what the loss is not known to have is not refused: {message}");
}

#[test]
fn everything_that_is_wrong_stands_in_one_message_with_values_that_would_do() {
    let error = read("pong", &["learning.loss=cross-entropy"]).unwrap_err();
    let SettingsError::Refused(problems) = &error else { panic!("{error}") };
    let keys: Vec<&str> = problems.iter().map(|problem| problem.key.as_str()).collect();
    assert_eq!(keys, ["learning.distribution_target", "learning.atoms", "learning.v_min", "learning.v_max"]);
    assert_says(
        &error.to_string(),
        &[
            "4 settings cannot be used",
            "preset pong: the key `learning.atoms` is missing: expected a whole number of atoms from 2 to 1000",
            "the preset pong-c51 has 51",
            "(learning.loss = \"cross-entropy\" needs it)",
        ],
    );
    let message =
        refusal("pong", &["learning.gama=0.9", "replay.capacity=0", "optimiser.kind=best", "network.hidden=[]"]);
    assert_says(
        &message,
        &["4 settings", "`learning.gama`", "replay.capacity = 0", "optimiser.kind = \"best\"", "network.hidden"],
    );
}

#[test]
fn near_matches_are_looked_for_in_all_sections() {
    let near = |setting: &str| refusal("pong", &[setting]);
    assert_says(&near("learning.learning_rate=1e-3"), &["did you mean `optimiser.learning_rate`"]);
    assert_says(&near("gamma=0.9"), &["did you mean `learning.gamma`"]);
    assert_says(&near("learning.gama=0.9"), &["did you mean `learning.gamma`", "learning.batch_size"]);
    assert_says(&near("optimizer.kind=adam"), &["`optimiser.kind`"]);
    assert_says(&near("training.capasity=7"), &["`replay.capacity`"]);
    assert_says(&near("learning=0.9"), &["`learning` is a section", "learning.gamma"]);
}

#[test]
fn a_stop_score_belongs_to_a_game() {
    let breakout = read("pong", &["environment.game=breakout"]).unwrap();
    assert_eq!(breakout.training().stop_score, None);
    assert_eq!(breakout.notes().len(), 1);
    assert_says(
        &breakout.notes()[0].to_string(),
        &["no score ends this run", "18.0 is a score of pong", "breakout is played"],
    );
    let given = read("pong", &["environment.game=breakout", "training.stop_score=300"]).unwrap();
    assert_eq!((given.training().stop_score, given.notes()), (Some(300.0), &[][..]));
    let same = read("pong", &["environment.game=Pong"]).unwrap();
    assert_eq!((same.training().stop_score, same.notes()), (Some(18.0), &[][..]));
    let catch = Config::preset("pong-fast").unwrap().with("environment.game", "breakout").unwrap();
    assert_eq!(catch.training().stop_score, None);
}

#[test]
fn a_run_that_ends_too_soon_for_its_settings_is_told_so() {
    let notes = |preset: &str, settings: &[&str]| -> String {
        read(preset, settings).unwrap().notes().iter().map(|note| format!("{note}\n")).collect()
    };
    assert_says(&notes("breakout", &["training.frames=400_000"]), &["epsilon would fall until 1000000", "0.910"]);
    let freeway = notes("dqn", &["environment.game=freeway", "training.frames=8000"]);
    assert_says(&freeway, &["nothing is learned", "2000 agent steps", "50000"]);
    let target = notes("pong", &["learning.target_period=3_000_000"]);
    assert_says(&target, &["target network is never replaced", "3000000"]);
    assert_says(&notes("pong", &["exploration.epsilon_decay=5000"]), &["5000", "warm-up", "untrained network"]);
    for preset in presets::ALL {
        assert_eq!(notes(preset.name, &[]), "", "{}", preset.name);
    }
}

#[test]
fn the_papers_presets_explore_until_the_warm_up_ends() {
    let epsilon = |preset: &str, step: u64| {
        Config::preset(preset).unwrap().agent().exploration.value(prism_environment::AgentSteps(step))
    };
    for preset in ["dqn", "double", "prioritized", "dueling", "c51", "qr-dqn", "dqn-impala"] {
        assert_eq!(epsilon(preset, 50_000), 1.0, "{preset}");
        assert!(epsilon(preset, 1_049_999) > epsilon(preset, 1_050_000), "{preset}");
    }
    assert_eq!((epsilon("der", 1_600), epsilon("der", 3_600)), (1.0, 0.01));
    // The book's fall from the first step on, and the noise of the others explores.
    assert_eq!((epsilon("pong", 50_000), epsilon("pong", 100_000)), (0.51, 0.02));
    assert_eq!((epsilon("rainbow", 0), epsilon("noisy", 0)), (0.0, 0.0));
}

const OLDEST: &str = include_str!("../../../../assets/results/2026-11-21-2core-epyc-cartpole-catch/catch-config.toml");

#[test]
fn a_file_of_version_1_means_what_it_meant() {
    let config = Config::from_toml("catch", OLDEST).unwrap();
    let catch = Config::preset("catch").unwrap();
    assert_eq!(config, catch, "the preset has not changed since");
    let later = "base = \"pong-c51\"\n[network]\noutput = \"distribution\"\natoms = 11\n[learning]\npipeline = true\n\
                 [training]\nrecord_period = 7\n";
    let config = Config::from_toml("later", later).unwrap();
    assert_eq!(config.setting("learning.atoms"), Some(&Value::Integer(11)));
    assert!(config.training().pipeline && config.agent().diagnostics.record_period == 7);
    assert_eq!(config.setting("network.output"), None);
    // The same in a file that says it is of version 2 is refused, with the names of now.
    let message = Config::from_toml("later", &format!("version = 2\n{later}")).unwrap_err().to_string();
    assert_says(
        &message,
        &["`network.atoms` is called `learning.atoms`", "`learning.pipeline` is called", "follows from"],
    );
    assert_says(&message, &["later, line 4:", "`training.record_period` is called `diagnostics.record_period`"]);
    let missing = OLDEST.replacen("[environment]", "version = 2\n[environment]", 1);
    let message = Config::from_toml("x", &missing).unwrap_err().to_string();
    assert_says(&message, &["`network.scaling` is missing", "`diagnostics.held_out` is missing"]);
}

#[test]
fn a_newer_version_is_refused_with_a_sentence() {
    let message = Config::from_toml("x.toml", "\nversion = 3\n[magic]\n").unwrap_err().to_string();
    assert_says(&message, &["x.toml, line 2", "version 3", "up to 2", "newer program"]);
    for wrong in ["0", "\"two\"", "1.5"] {
        let message = Config::from_toml("x", &format!("version = {wrong}\n")).unwrap_err().to_string();
        assert_says(&message, &["version = ", "from 1 to 2"]);
    }
}

#[test]
fn a_base_gives_what_a_file_leaves_out_and_must_be_a_preset() {
    let config = Config::from_toml("x.toml", "base = \"catch\"\n[learning]\ngamma = 0.5\n").unwrap();
    assert_eq!(config, Config::preset("catch").unwrap().with("learning.gamma", 0.5).unwrap());
    for unknown in ["base = \"cacth\"", "base = 3"] {
        let message = Config::from_toml("x.toml", unknown).unwrap_err().to_string();
        assert!(message.starts_with("x.toml, line 1: base = ") && message.contains("catch"), "{message}");
    }
}

#[test]
fn an_environment_of_the_programs_own_has_a_name_and_no_stop_score_of_others() {
    let config = Config::preset("catch").unwrap().with_all([("environment.kind", "own"), ("environment.name", "maze")]);
    let config = config.unwrap();
    let kind = &config.environment().kind;
    assert_eq!((kind.name(), kind.protocol(), kind.frame_skip()), ("maze", "maze", 1));
    assert_eq!(config.training().stop_score, None);
    assert_says(&refusal("catch", &["environment.kind=own"]), &["`environment.name` is missing"]);
}

#[test]
fn a_seed_beyond_tomls_numbers_is_written_and_read() {
    let config = Config::preset("catch").unwrap().with_run(Seed(u64::MAX), "cuda:1").unwrap();
    let again = Config::from_toml("x", &config.to_toml()).unwrap();
    assert_eq!((again.run().seed, again.run().device.as_str()), (Seed(u64::MAX), "cuda:1"));
    assert_eq!(Config::from_toml("x", "base = \"catch\"\n[run]\nseed = 3\n").unwrap().run().seed, Seed(3));
    let json = serde_json::to_value(&config).unwrap();
    assert_eq!(json["learning"]["gamma"], 0.99);
    assert!(json.get("run").is_none(), "runs that differ in their seed alone have one configuration");
}

#[test]
fn settings_are_listed_with_range_value_and_meaning() {
    let all = listing::render(None).unwrap();
    for setting in settings() {
        let about = setting.about();
        assert_says(&all, &[&format!("\n{}\n", about.path), about.sentence, &setting.expected()]);
    }
    let learning = listing::render(Some("learning")).unwrap();
    assert_says(&learning, &["0.99 in the preset dqn", "200 in the preset qr-dqn", "from 1 to 1000"]);
    assert!(!learning.contains("replay.capacity"));
    assert_says(&listing::render(Some("trainning")).unwrap_err().to_string(), &["`training`", "sections: environment"]);
}

#[test]
fn a_name_that_stands_for_other_rules_elsewhere_is_noted() {
    let notes = |game: &str, protocol: &str| -> Vec<String> {
        let settings = [format!("environment.game={game}"), format!("environment.protocol={protocol}")];
        let config = read("pong", &settings.each_ref().map(String::as_str)).unwrap();
        let notes = config.notes().iter().map(ToString::to_string);
        notes.filter(|note| note.contains("elsewhere")).collect()
    };
    let [note] = &notes("ALE/Breakout-v5", "deepmind")[..] else { panic!("one note") };
    assert_says(note, &["ALE/Breakout-v5", "dopamine comes nearest", "has protocol deepmind"]);
    for (game, protocol) in [
        ("ALE/Breakout-v5", "dopamine"),
        ("BreakoutNoFrameskip-v4", "cleanrl"),
        ("breakout", "machado"),
        ("Breakout", "dopamine"),
    ] {
        assert_eq!(notes(game, protocol), [""; 0], "{game} {protocol}");
    }
}
