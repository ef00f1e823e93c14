//! `prism plot` through the real binary: what is in the figures, and what is refused.

use std::fs;
use std::path::Path;

use prism_report::observations::{self, Pixels};

use crate::support::{assert_says, prism, refusal_in};

/// Colours of the first two groups.
const COLOURS: [&str; 2] = ["#0072B2", "#D55E00"];

/// A run of Catch that ends after a few agent steps.
fn train(folder: &Path, out: &str, seed: u64, settings: &[&str]) {
    let seed = seed.to_string();
    let mut arguments = vec!["train", "catch", "--frames", "700", "--seed", &seed, "--out", out];
    arguments.extend(settings.iter().flat_map(|setting| ["--set", setting]));
    let output = prism(folder, &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Draws a figure and returns its text.
fn picture(folder: &Path, arguments: &[&str]) -> String {
    let arguments = [&["plot"], arguments, &["--out", "picture.svg"]].concat();
    let output = prism(folder, &arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    assert_says(&String::from_utf8(output.stdout).unwrap(), &["the picture is in picture.svg"]);
    let text = fs::read_to_string(folder.join("picture.svg")).unwrap();
    assert!(text.starts_with("<svg ") && text.trim_end().ends_with("</svg>"), "{text}");
    text
}

/// The texts in a figure.
fn texts(svg: &str) -> Vec<&str> {
    svg.lines()
        .filter_map(|line| line.strip_prefix("<text ")?.strip_suffix("</text>")?.split_once('>'))
        .map(|(_, text)| text)
        .collect()
}

#[track_caller]
fn assert_has(svg: &str, expected: &[&str]) {
    for text in expected {
        assert!(texts(svg).contains(text), "`{text}` is not among {:?}", texts(svg));
    }
}

/// Points of every line of a colour that is more than a sample in a legend, with its width.
fn lines<'a>(svg: &'a str, colour: &str) -> Vec<(&'a str, usize)> {
    let attribute = |line: &'a str, name: &str| {
        let start = line.find(&format!(" {name}=\"")).expect("it has the attribute") + name.len() + 3;
        &line[start..start + line[start..].find('"').expect("it ends")]
    };
    svg.lines()
        .filter(|line| line.starts_with("<polyline") && line.contains(&format!("stroke=\"{colour}\"")))
        .map(|line| (attribute(line, "stroke-width"), attribute(line, "points").split_whitespace().count()))
        .filter(|(_, points)| *points > 2)
        .collect()
}

/// Bands of spread of a colour.
fn bands(svg: &str, colour: &str) -> usize {
    svg.lines().filter(|line| line.starts_with("<polygon") && line.contains(&format!("fill=\"{colour}\""))).count()
}

#[test]
fn runs_that_differ_in_the_seed_are_one_curve_with_a_band() {
    let folder = tempfile::tempdir().unwrap();
    train(folder.path(), "a", 1, &[]);
    train(folder.path(), "b", 2, &[]);
    train(folder.path(), "c", 1, &["learning.n_step=3"]);
    let svg = picture(folder.path(), &["curves", "a", "b", "c"]);
    assert_has(&svg, &["catch", "Scores of training games, protocol catch 10x5", "stop score 0.95"]);
    assert_has(&svg, &["catch, n_step 1 (2 seeds)", "catch, n_step 3 (1 seed)"]);
    assert_has(&svg, &["agent steps", "score, mean of 100 games"]);
    let caption = texts(&svg).join(" ");
    assert_says(&caption, &["mean of its last 100 games", "band: lowest to highest seed"]);
    let thick = |colour| lines(&svg, colour).iter().filter(|(width, _)| *width == "1.75").count();
    assert_eq!(COLOURS.map(thick), [1, 1]);
    assert_eq!(COLOURS.map(|colour| bands(&svg, colour)), [1, 0]);

    let svg = picture(folder.path(), &["curves", "a", "b", "c", "--label", "one <step>=b", "--window", "10"]);
    assert_has(&svg, &["one &lt;step&gt; (2 seeds)", "catch, n_step 3 (1 seed)", "score, mean of 10 games"]);
    let svg = picture(folder.path(), &["curves", "a", "b", "c", "--label", "all=b", "--label", "all=c"]);
    assert_has(&svg, &["all (3 runs)"]);
    assert_eq!(bands(&svg, COLOURS[0]), 1);
    assert!(lines(&svg, COLOURS[1]).is_empty());
}

#[test]
fn the_numbers_stand_below_the_curves_and_in_a_table() {
    let folder = tempfile::tempdir().unwrap();
    train(folder.path(), "a", 1, &[]);
    // The stop score, the periods of saving and the threads do not change learning.
    let beside = ["training.stop_score=none", "training.save_period=100", "environment.threads=1"];
    train(folder.path(), "b", 2, &beside);
    train(folder.path(), "c", 1, &["learning.n_step=3"]);
    let output = prism(folder.path(), &["plot", "curves", "a", "b", "c", "--csv", "numbers.csv", "--window", "20"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let shown = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[0].starts_with("group") && lines[0].contains("mean of last 20 games"), "{shown}");
    let one: Vec<&str> = lines[1].split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    assert_eq!(one[..2], ["catch, n_step 1", "2"], "{shown}");
    assert!(one[2].contains(" ± ") && one[3].contains(" to ") && one[4] == "- to 0.95 (0 of 2)", "{shown}");
    assert!(lines[2].starts_with("catch, n_step 3") && lines[3] == "the picture is in curves.svg", "{shown}");

    // The mean over seeds of the values in the runs' own files.
    let last_mean = |run: &str| {
        let text = fs::read_to_string(folder.path().join(run).join("episodes.csv")).unwrap();
        let scores: Vec<f64> =
            text.lines().skip(1).map(|row| row.split(',').nth(4).unwrap().parse().unwrap()).collect();
        scores[scores.len() - 20..].iter().sum::<f64>() / 20.0
    };
    let csv = fs::read_to_string(folder.path().join("numbers.csv")).unwrap();
    let row = csv.lines().nth(1).unwrap();
    let cells: Vec<&str> = row.strip_prefix("\"catch, n_step 1\",").expect(row).split(',').collect();
    assert_eq!(cells[..4], ["catch", "catch 10x5", "2", "20"]);
    assert!((cells[4].parse::<f64>().unwrap() - f64::midpoint(last_mean("a"), last_mean("b"))).abs() < 1e-12, "{row}");
}

#[test]
fn scores_are_drawn_against_every_axis() {
    let folder = tempfile::tempdir().unwrap();
    train(folder.path(), "run", 1, &[]);
    let titles = [
        ("time", "wall-clock time (seconds)"),
        ("episodes", "games"),
        ("steps", "agent steps"),
        ("frames", "emulator frames"),
        ("updates", "updates"),
    ];
    for (axis, title) in titles {
        let svg = picture(folder.path(), &["curves", "run", "--by", axis]);
        assert_has(&svg, &[title, "catch (1 seed)"]);
        assert_eq!(lines(&svg, COLOURS[0]).len(), 1, "{axis}");
    }
}

#[test]
fn a_run_that_is_going_on_is_drawn_without_the_line_it_is_writing() {
    let folder = tempfile::tempdir().unwrap();
    train(folder.path(), "run", 1, &[]);
    for name in ["summary.json", "weights/latest.safetensors"] {
        fs::remove_file(folder.path().join("run").join(name)).unwrap();
    }
    let drawn = picture(folder.path(), &["curves", "run"]);
    for (name, begun) in [("episodes.csv", "78,0,7"), ("train.csv", "300,1"), ("timing.csv", "0.")] {
        let path = folder.path().join("run").join(name);
        let text = fs::read_to_string(&path).unwrap() + begun;
        fs::write(path, text).unwrap();
    }
    assert_eq!(picture(folder.path(), &["curves", "run"]), drawn);
    picture(folder.path(), &["curves", "run", "--by", "time"]);
    picture(folder.path(), &["curves", "run", "--by", "updates"]);
    picture(folder.path(), &["diagnostics", "run"]);
}

#[test]
fn diagnostics_have_a_panel_for_every_column_whatever_it_is() {
    let folder = tempfile::tempdir().unwrap();
    train(folder.path(), "run", 1, &[]);
    let train_csv = folder.path().join("run/train.csv");
    fs::write(
        &train_csv,
        "updates,agent_steps,frames,loss,gradient_norm,unused\n\
         100,600,600,0.5,7,\n200,700,700,0.25,inf,\n300,800,800,0.2,3,\n400,900,900,0.1,5,\n",
    )
    .unwrap();
    let svg = picture(folder.path(), &["diagnostics", "run"]);
    assert_has(&svg, &["loss", "gradient_norm", "agent steps", "seed 1; columns of train.csv"]);
    assert_has(&svg, &["Left out because they are infinite: 1 of gradient_norm."]);
    for absent in ["unused", "updates", "frames"] {
        assert!(!texts(&svg).contains(&absent), "{absent}");
    }
    let points: Vec<usize> = lines(&svg, COLOURS[0]).into_iter().map(|(_, points)| points).collect();
    assert_eq!(points, [4, 3]);
}

/// Distributions of two actions for two observations after 100 and 200 updates.
const DISTRIBUTIONS: &str = "update,observation,action,atom,probability,q
100,0,0,-1,0.5,0\n100,0,0,1,0.5,0\n100,0,1,-1,0.25,0.5\n100,0,1,1,0.75,0.5
100,1,0,-1,0.5,0\n100,1,0,1,0.5,0\n100,1,1,-1,1,-1\n100,1,1,1,0,-1
200,0,0,-1,0.5,0\n200,0,0,1,0.5,0\n200,0,1,-1,0.25,0.5\n200,0,1,1,0.75,0.5
200,1,0,-1,0.5,0\n200,1,0,1,0.5,0\n200,1,1,-1,0.75,-0.5\n200,1,1,1,0.25,-0.5
";

#[test]
fn distributions_are_drawn_by_observation_or_by_update() {
    let folder = tempfile::tempdir().unwrap();
    train(folder.path(), "run", 1, &[]);
    fs::write(folder.path().join("run/distributions.csv"), DISTRIBUTIONS).unwrap();
    let svg = picture(folder.path(), &["distributions", "run"]);
    assert_has(&svg, &["catch: update 200", "observation 0", "observation 1", "action 0", "action 1", "return"]);
    assert!(!svg.contains("<image "));
    let svg = picture(folder.path(), &["distributions", "run", "--observation", "1"]);
    assert_has(&svg, &["catch: observation 1", "update 100", "update 200"]);
    // The white page and two samples of the legend; two bars of action 0 twice; one and two of action 1.
    assert_eq!(svg.matches("<rect").count(), 1 + 2 + 4 + 1 + 2);
    let svg =
        picture(folder.path(), &["distributions", "run", "--observation", "0", "--updates", "100", "--show", "best"]);
    assert_has(&svg, &["update 100: best is action 1", "q-value of action 0", "distribution of the best action"]);
    let refused =
        |arguments: &[&str]| refusal_in(folder.path(), &[&["plot", "distributions", "run"], arguments].concat());
    assert_says(&refused(&["--observation", "7"]), &["observation 7", "observations 0 to 1", "--observation"]);
    assert_says(&refused(&["--updates", "150"]), &["update 150", "100, 200", "--updates"]);
    assert_says(&refused(&["--updates", "100,200"]), &["one update", "--observation", "--updates"]);
}

#[test]
fn observations_are_shown_and_actions_named_where_the_run_tells() {
    let folder = tempfile::tempdir().unwrap();
    train(folder.path(), "run", 1, &[]);
    let run = folder.path().join("run");
    fs::write(run.join("distributions.csv"), DISTRIBUTIONS).unwrap();
    fs::write(run.join(observations::FILE), observations::sheet(Pixels::Grey, (5, 10), &[7; 100])).unwrap();
    let manifest = fs::read_to_string(run.join("manifest.json")).unwrap();
    let mut manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["actions"].as_array().unwrap().len(), 3, "a run names its actions");
    manifest["actions"] = serde_json::json!(["left", "right"]);
    fs::write(run.join("manifest.json"), manifest.to_string()).unwrap();
    let svg = picture(folder.path(), &["distributions", "run"]);
    assert_has(&svg, &["left", "right", "observation 1"]);
    assert_eq!(svg.matches("<image ").count(), 2, "one for each observation");
    let svg = picture(folder.path(), &["distributions", "run", "--observation", "1"]);
    assert_eq!(svg.matches("<image ").count(), 1, "the same one in all rows");
    let svg = picture(folder.path(), &["distributions", "run", "--show", "best"]);
    assert_has(&svg, &["observation 0: best is right", "q-value of left"]);
    assert_eq!(svg.matches("<image ").count(), 2);

    fs::write(run.join(observations::FILE), observations::sheet(Pixels::Grey, (5, 1), &[7; 15])).unwrap();
    let message = refusal_in(folder.path(), &["plot", "distributions", "run"]);
    assert_says(&message, &["observations.png", "3 rows cannot be shared by 2 observations"]);
}

#[test]
fn scores_of_different_environments_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    train(folder.path(), "catch", 1, &[]);
    let output = prism(folder.path(), &["train", "cartpole", "--frames", "60", "--out", "cartpole"]);
    assert!(output.status.success());
    let message = refusal_in(folder.path(), &["plot", "curves", "catch", "cartpole"]);
    assert_says(&message, &["catch plays catch", "cartpole plays cartpole", "each by itself"]);
}

#[test]
fn what_cannot_be_drawn_is_named_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    train(folder.path(), "run", 1, &[]);
    let refused = |arguments: &[&str]| refusal_in(folder.path(), &[&["plot"], arguments].concat());
    assert_says(&refused(&["curves", "nothing"]), &["nothing", "prism train", "give the folder of a run"]);
    assert_says(&refused(&["curves", "."]), &["give the folder of a run"]);
    assert_says(&refused(&["curves", "run", "--by", "moon"]), &["'moon'", "--by", "episodes", "updates"]);
    assert_says(&refused(&["curves", "run", "--window", "0"]), &["--window", "0"]);
    assert_says(&refused(&["curves", "run", "--label", "run"]), &["--label", "NAME=RUN"]);
    assert_says(&refused(&["curves", "run", "--label", "x=other"]), &["`x`", "other", "argument"]);
    assert_says(&refused(&["curves", "run", "--out", "curves.png"]), &["curves.png", "end in .svg"]);
    assert_says(&refused(&["curves", "run", "--csv", "numbers.txt"]), &["numbers.txt", "end in .csv"]);
    assert_says(&refused(&["curves", "run", "--out", "no/folder.svg"]), &["no/folder.svg", "no folder no", "writable"]);
    assert_says(&refused(&["distributions", "run"]), &["distributions.csv", "only runs that learn distributions"]);
    for (name, message) in [("episodes.csv", "games that have ended"), ("train.csv", "rows with values")] {
        let path = folder.path().join("run").join(name);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{}\n", text.lines().next().unwrap())).unwrap();
        let picture = if name == "train.csv" { "diagnostics" } else { "curves" };
        assert_says(&refused(&[picture, "run"]), &[name, message, "yet", "come further"]);
    }
    fs::write(folder.path().join("run/manifest.json"), "{").unwrap();
    assert_says(&refused(&["curves", "run"]), &["manifest.json", "as the run wrote"]);
}

#[test]
fn help_shows_examples_of_every_picture() {
    let folder = tempfile::tempdir().unwrap();
    for picture in ["curves", "diagnostics", "distributions"] {
        let output = prism(folder.path(), &["plot", picture, "--help"]);
        assert!(output.status.success());
        assert_says(&String::from_utf8(output.stdout).unwrap(), &["Examples:", &format!("prism plot {picture}")]);
    }
}

#[test]
fn the_projection_is_drawn_before_after_and_at_an_ending() {
    let folder = tempfile::tempdir().unwrap();
    let svg = picture(folder.path(), &["projection", "--reward=-1.2", "--discount", "0.5"]);
    assert_has(&svg, &["source: return Z of the next state", "projected: −1.2 + 0.5 Z"]);
    let message = refusal_in(folder.path(), &["plot", "projection", "--discount", "1.5"]);
    assert_says(&message, &["1.5", "0 to 1"]);
}
