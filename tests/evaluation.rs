//! `prism eval`: protocols, weights, seeds, devices, and the row in the table of the run.

use std::fs;
use std::path::Path;

use prism::RecordedRun;
use prism_model::Weights;

use crate::support::{assert_says, prism, refusal_in, tiny_run};

/// What `prism eval run` with these arguments prints, and its JSON.
fn eval(folder: &Path, arguments: &[&str]) -> (String, serde_json::Value) {
    let output = prism(folder, &[&["eval", "run", "--json", "eval.json", "--csv", "eval.csv"][..], arguments].concat());
    let [out, error] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(output.status.success(), "{arguments:?}: {error}");
    (out, serde_json::from_str(&fs::read_to_string(folder.join("eval.json")).unwrap()).unwrap())
}

/// The protocol of each row of the run's evaluations.csv, its epsilon and its number of games.
fn recorded(folder: &Path) -> Vec<(String, f64, usize)> {
    let rows = RecordedRun::open(&folder.join("run")).unwrap().evaluations().unwrap();
    rows.into_iter().map(|row| (row.protocol, row.epsilon, row.episodes)).collect()
}

#[test]
fn new_games_are_played_as_a_protocol_says_and_every_score_carries_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    tiny_run(folder, "run", &["training.score_window=10"]);
    let on_catch = "with environment = \"catch 10x5\"";
    let mut expected = Vec::new();
    for (protocol, games, epsilon, weights) in
        [("deepmind", 30, 0.05, "best"), ("rainbow", 200, 0.001, "best"), ("cleanrl", 10, 0.05, "latest")]
    {
        let (out, json) = eval(folder, &["--protocol", protocol]);
        let label = format!("{protocol} evaluation {on_catch}");
        assert_says(&out, &[&format!("catch (protocol {label}, epsilon {epsilon})\n"), &format!("{games} episodes")]);
        assert_says(&out, &[&format!("\n{weights} weights run/weights/{weights}.safetensors, seed 0\n")]);
        assert_eq!((&json["protocol"], &json["evaluation"]), (&label.as_str().into(), &protocol.into()));
        assert_eq!((&json["epsilon"], &json["planned"]), (&epsilon.into(), &games.into()));
        assert_eq!((&json["which_weights"], json["scores"].as_array().unwrap().len()), (&weights.into(), games));
        let csv = fs::read_to_string(folder.join("eval.csv")).unwrap();
        let labelled = format!(",\"{}\"", label.replace('"', "\"\""));
        assert_eq!(csv.lines().filter(|line| line.ends_with(&labelled)).count(), games, "{csv}");
        expected.push((label, epsilon, games));
    }
    // Without a protocol, scores are those of the run's own settings, as ever.
    let (out, json) = eval(folder, &[]);
    assert_says(&out, &["catch (protocol catch 10x5, epsilon 0)\n", "100 episodes", "\nbest weights run/weights/best"]);
    assert_eq!((&json["protocol"], json.get("evaluation")), (&"catch 10x5".into(), None));
    expected.push(("catch 10x5".to_owned(), 0.0, 100));
    assert_eq!(recorded(folder), expected);
}

#[test]
fn what_is_typed_over_a_protocol_departs_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // Too few games for best weights.
    tiny_run(folder, "run", &[]);
    let (out, _) = eval(folder, &["--protocol", "deepmind", "--episodes", "3", "--epsilon", "0.25"]);
    let departures = "environment = \"catch 10x5\", epsilon = 0.25, episodes = 3, weights = \"latest\"";
    assert_says(
        &out,
        &[&format!("deepmind evaluation with {departures}, epsilon 0.25)"), "3 episodes", "human starts"],
    );
    assert_says(&recorded(folder)[0].0, &[departures]);
    let (out, _) = eval(folder, &["--protocol", "cleanrl", "--set", "evaluation.episodes=4"]);
    assert_says(&out, &["cleanrl evaluation with environment = \"catch 10x5\", episodes = 4, epsilon", "4 episodes"]);
    fs::copy(folder.join("run/weights/latest.safetensors"), folder.join("lone.safetensors")).unwrap();
    let lone = prism(folder, &["eval", "lone.safetensors", "--protocol", "cleanrl"]);
    assert_says(&String::from_utf8(lone.stdout).unwrap(), &["weights = \"unknown\"", "\nweights lone.safetensors"]);
}

#[test]
fn dopamines_phase_is_of_agent_steps_and_not_of_games() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    tiny_run(folder, "run", &[]);
    // A game of Catch takes 9 agent steps: the 12th is the first to end beyond 100.
    let (out, json) = eval(folder, &["--protocol", "dopamine", "--steps", "100"]);
    assert_says(&out, &["dopamine evaluation with environment = \"catch 10x5\", steps = 100, epsilon 0.001)"]);
    assert_says(&out, &["12 episodes", "latest weights"]);
    assert_eq!((&json["planned_agent_steps"], json.get("planned")), (&100.into(), None));
    let (out, _) = eval(folder, &["--protocol", "dopamine", "--set", "environment.threads=1"]);
    // 125,000 / 9 = 13,888.9.
    assert_says(&out, &["dopamine evaluation with environment = \"catch 10x5\", epsilon 0.001)", "13889 episodes"]);
    // The run has no iteration of 250,000 agent steps.
    assert!(!out.contains("training games of"), "{out}");
}

#[test]
fn machados_scores_are_those_of_training_games_and_need_no_weights() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    tiny_run(folder, "run", &[]);
    fs::remove_dir_all(folder.join("run/weights")).unwrap();
    let trained: Vec<f64> =
        RecordedRun::open(&folder.join("run")).unwrap().episodes().unwrap().iter().map(|row| row.score).collect();
    let (out, json) = eval(folder, &["--protocol", "machado", "--episodes", "5"]);
    let label = "machado training games before the end with environment = \"catch 10x5\", episodes = 5";
    assert_says(&out, &[&format!("catch (protocol {label}, epsilon "), "5 episodes", "none was played"]);
    let last: Vec<f64> = serde_json::from_value(json["training"][0]["scores"].clone()).unwrap();
    assert_eq!(last, trained[trained.len() - 5..]);
    assert_eq!((json.get("scores"), &json["training"][0]["protocol"]), (None, &label.into()));
    let csv = fs::read_to_string(folder.join("eval.csv")).unwrap();
    assert_eq!((csv.lines().count(), csv.lines().next()), (6, Some("game,score,protocol")));
    // Fewer games than the 100 of the protocol are fewer.
    let (out, _) = eval(folder, &["--protocol", "machado"]);
    assert_says(&out, &[&format!("episodes = {}, epsilon", trained.len())]);
    let rows = RecordedRun::open(&folder.join("run")).unwrap().evaluations().unwrap();
    assert_eq!((rows[0].protocol.as_str(), rows[0].agent_steps, rows[0].frames), (label, 700, 700));
    assert!(rows[0].updates > 100, "{:?}", rows[0]);
    // Where the games of 10 million frames stand: written in, as no test plays so long.
    let path = folder.join("run/episodes.csv");
    let table = fs::read_to_string(&path).unwrap();
    fs::write(&path, table + "78,0,10000000,10000000,5,0,9,9,0.01\n79,0,10000001,10000001,7,0,9,9,0.02\n").unwrap();
    let (out, _) = eval(folder, &["--protocol", "machado", "--episodes", "1"]);
    assert_says(
        &out,
        &["before 10000000 frames with environment = \"catch 10x5\", episodes = 1, epsilon 0.01)\nmean 5.00"],
    );
    assert_says(&out, &["before the end with environment = \"catch 10x5\", episodes = 1, epsilon 0.02)\nmean 7.00"]);
}

#[test]
fn options_that_a_protocol_has_no_use_for_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    tiny_run(folder, "run", &[]);
    fs::copy(folder.join("run/weights/latest.safetensors"), folder.join("lone.safetensors")).unwrap();
    for (arguments, parts) in [
        (&["run", "--protocol", "machado", "--epsilon", "0.1"][..], &["--epsilon is about new games", "leave out"][..]),
        (&["run", "--protocol", "machado", "--weights", "best"], &["--weights is about new games"]),
        (&["run", "--protocol", "machado", "--episodes", "none"], &["--episodes none", "a whole number of games"]),
        (&["lone.safetensors", "--protocol", "machado"], &["in no run's folder", "give the folder of the run"]),
        (&["lone.safetensors", "--weights", "best"], &["names weights itself", "leave out --weights"]),
        (&["run", "--weights", "best"], &["run has no best weights", "--weights latest"]),
        (&["run", "--protocol", "atari"], &["'atari'", "deepmind, rainbow, machado, dopamine, cleanrl"]),
        (&["run", "--steps", "5", "--episodes", "5"], &["--steps", "--episodes"]),
    ] {
        assert_says(&refusal_in(folder, &[&["eval"][..], arguments].concat()), parts);
    }
    assert_eq!(recorded(folder), []);
}

#[test]
fn cleanrls_published_scores_stand_beside_its_evaluation() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    tiny_run(folder, "run", &[]);
    let trained = RecordedRun::open(&folder.join("run")).unwrap().episodes().unwrap();
    let mean = trained.iter().map(|row| row.score).sum::<f64>() / trained.len() as f64;
    // What is typed for the evaluation is not what training was like.
    let (out, json) = eval(folder, &["--protocol", "cleanrl", "--episodes", "2"]);
    let label = format!(
        "cleanrl training games before the end with environment = \"catch 10x5\", episodes = {}",
        trained.len()
    );
    assert_says(&out, &["2 episodes", &label, &format!("mean {mean:.2}")]);
    assert_eq!(json["training"][0]["protocol"], label);
    // The table of the run has its evaluation alone: the training games are in episodes.csv.
    assert_eq!(recorded(folder).len(), 1);
}

#[test]
fn evaluations_by_different_protocols_are_not_summarized_together() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    tiny_run(folder, "run", &[]);
    tiny_run(folder, "other", &["run.seed=1"]);
    let evaluate = |run, arguments: &[&str]| {
        assert!(prism(folder, &[&["eval", run][..], arguments].concat()).status.success());
    };
    evaluate("run", &["--epsilon", "0.05"]);
    evaluate("other", &["--protocol", "cleanrl"]);
    let summarize = ["summarize", "run", "other", "--scores", "evaluation"];
    assert_says(&refusal_in(folder, &summarize), &["protocol catch 10x5", "protocol cleanrl evaluation", "0.05"]);
    evaluate("run", &["--protocol", "cleanrl"]);
    let output = prism(folder, &summarize);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_says(&String::from_utf8(output.stdout).unwrap(), &["protocol cleanrl evaluation with environment"]);
    // The scores of a policy file are those of the run's own settings.
    assert!(prism(folder, &["export", "other", "--out", "other.safetensors"]).status.success());
    let exported = prism(folder, &["export", "other", "--out", "other.safetensors"]);
    assert_says(&String::from_utf8(exported.stdout).unwrap(), &["no scores"]);
}

#[cfg(feature = "ale")]
#[test]
fn rules_of_play_that_differ_from_those_of_a_protocol_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (run, rules) in [("run", "deepmind"), ("sticky", "machado")] {
        let rules = format!("environment.protocol={rules}");
        let settings = [
            rules.as_str(),
            "environment.frame_limit=400",
            "network.kind=convolutional",
            "network.convolutions=[[8, 8, 4]]",
            "network.hidden=[8]",
            "replay.capacity=1000",
            "replay.warm_up=1000",
            "evaluation.period=none",
            "diagnostics.held_out=0",
        ];
        let set = settings.iter().flat_map(|setting| ["--set", setting]);
        let arguments: Vec<&str> = ["train", "dqn", "--frames", "2000", "--out", run].into_iter().chain(set).collect();
        let output = prism(folder, &arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let short = ["--episodes", "2", "--set", "environment.frame_limit=400"];
    let (out, _) = eval(folder, &[&["--protocol", "rainbow"][..], &short].concat());
    assert_says(
        &out,
        &["pong (protocol rainbow evaluation with frame_limit = 400, episodes = 2, weights = \"latest\""],
    );
    let (out, _) = eval(folder, &[&["--protocol", "cleanrl"][..], &short].concat());
    let deepmind = "fire_reset = \"off\", life_loss = \"zero-discount\", reward = \"clip\"";
    assert_says(
        &out,
        &[&format!("cleanrl evaluation with {deepmind}, frame_limit = 400, episodes = 2, epsilon 0.05)")],
    );
    // Of training games what counts is what the run was trained with.
    let (out, _) = eval(folder, &["--protocol", "machado", "--episodes", "2"]);
    assert_says(&out, &["machado training games before the end with repeat_action_probability = 0.0, no_op_max = 30"]);
    let sticky = prism(folder, &["eval", "sticky", "--protocol", "machado", "--episodes", "2"]);
    let sticky = String::from_utf8(sticky.stdout).unwrap();
    assert_says(&sticky, &["machado training games before the end with frame_limit = 400, episodes = 2, epsilon"]);
    // Dopamine's games start as those of training did, here with no-ops, which its own never have.
    let (out, _) = eval(folder, &["--protocol", "dopamine", "--steps", "150", "--set", "environment.frame_limit=400"]);
    assert_says(&out, &["dopamine evaluation with repeat_action_probability = 0.0, no_op_max = 30", "2 episodes"]);
}

#[test]
fn an_evaluation_depends_on_its_seed_alone() {
    let folder = tempfile::tempdir().unwrap();
    tiny_run(folder.path(), "run", &[]);
    let scores = |seed| {
        let output =
            prism(folder.path(), &["eval", "run", "--episodes", "30", "--epsilon", "1", "--games", "--seed", seed]);
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().filter(|line| line.starts_with("game ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(scores("1").len(), 30);
    assert_eq!(scores("1"), scores("1"));
    assert_ne!(scores("1"), scores("2"));
}

#[test]
fn a_seed_and_a_device_of_set_count_and_those_of_flags_count_more() {
    let folder = tempfile::tempdir().unwrap();
    tiny_run(folder.path(), "run", &["run.seed=3"]);
    let eval = |arguments: &[&str]| {
        let output = prism(folder.path(), &[&["eval", "run", "--episodes", "2"][..], arguments].concat());
        let [out, error] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        (out, error, output.status.code())
    };
    // The seed of a run is not that of its evaluation.
    assert_says(&eval(&[]).0, &["seed 0"]);
    let (out, error, _) = eval(&["--set", "run.seed=5"]);
    assert_says(&out, &["seed 5"]);
    assert_eq!(error, "");
    let (out, error, _) = eval(&["--set", "run.seed=5", "--seed", "6"]);
    assert_says(&out, &["seed 6"]);
    assert_says(
        &error,
        &["run.seed is given twice: 6 (--seed on the command line) counts, 5 (--set on the command line) does not"],
    );
    let (_, error, code) = eval(&["--set", "run.device=cuda:99"]);
    assert_eq!(code, Some(2).filter(|_| !cfg!(feature = "cuda")).or(code), "{error}");
    assert_says(&error, &["cuda:99"]);
}

#[test]
fn weights_that_do_not_say_where_their_run_was_leave_its_table_alone() {
    let folder = tempfile::tempdir().unwrap();
    tiny_run(folder.path(), "run", &[]);
    let [path, table] = ["run/weights/latest.safetensors", "run/evaluations.csv"].map(|name| folder.path().join(name));
    let before = fs::read(&table).ok();
    let weights = Weights::read(&path).unwrap();
    let device = prism_model::open_device("flex").unwrap();
    let bare = Weights::of(&weights.network(&device).unwrap(), weights.config());
    fs::write(&path, bare.bytes()).unwrap();
    let output = prism(folder.path(), &["eval", "run/weights/latest.safetensors", "--episodes", "2"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{error}");
    assert_says(&error, &["the run's own table does not have this evaluation", "at which agent step"]);
    assert_eq!(fs::read(&table).ok(), before);
}
