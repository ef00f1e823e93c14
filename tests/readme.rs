//! README.md and GUIDE.md, checked against the program.

use std::fs;
use std::path::Path;

use prism::{Config, Course, EvaluationLength, EvaluationProtocol, NewGames, Override, Source, listing, presets};
use prism_environment::{ActionSet, AtariOptions, FireReset, GAMES, LifeLoss, Protocol, RewardTransform};
use prism_model::Layers;
use toml::{Table, Value};

const README: &str = include_str!("../README.md");
const GUIDE: &str = include_str!("../GUIDE.md");

/// The lines before and after the guide's chapter of settings.
const SETTINGS_BEGIN: &str =
    "<!-- settings: written by `PRISM_WRITE_GUIDE=1 cargo test --release --test prism readme` -->\n";
const SETTINGS_END: &str = "<!-- settings: end -->\n";
/// If this variable is set, the chapter is written instead of compared.
const WRITE: &str = "PRISM_WRITE_GUIDE";

/// The cells of the row of one of the guide's tables that begins with `name`.
fn row(name: &str) -> Vec<&'static str> {
    row_of(GUIDE, name)
}

fn row_of(text: &'static str, name: &str) -> Vec<&'static str> {
    let start = format!("| `{name}` |");
    let row = text.lines().find(|line| line.starts_with(&start));
    let row = row.unwrap_or_else(|| panic!("GUIDE.md has no row that begins with `{name}`"));
    row.trim_matches('|').split('|').map(str::trim).collect()
}

/// A whole number with commas between thousands.
fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).expect("digits")).collect();
    groups.join(",")
}

fn whole(value: &Value) -> i64 {
    value.as_integer().expect("a whole number")
}

fn float(value: &Value) -> f64 {
    value.as_float().expect("a number with a point")
}

/// The cells that the guide must have for a preset, from the stop score on.
fn preset_cells(preset: &Table) -> Vec<String> {
    let of = |section: &str, key: &str| &preset[section][key];
    vec![
        of("training", "stop_score")
            .as_str()
            .map_or_else(|| float(of("training", "stop_score")).to_string(), str::to_owned),
        grouped(whole(of("replay", "capacity"))),
        grouped(whole(of("replay", "warm_up"))),
        grouped(whole(of("learning", "target_period"))),
        format!(
            "{} to {} in {}",
            float(of("exploration", "epsilon_start")),
            float(of("exploration", "epsilon_end")),
            grouped(whole(of("exploration", "epsilon_decay")))
        ),
        format!("{:e}", float(of("optimiser", "learning_rate"))),
        of("learning", "batch_size").to_string(),
        of("learning", "loss").as_str().expect("a name").to_owned(),
    ]
}

/// The cells that the guide must have for a protocol.
fn protocol_cells(options: &AtariOptions) -> Vec<String> {
    let sticky = options.repeat_action_probability;
    let fire = match options.fire_reset {
        FireReset::Off => "no",
        FireReset::Press => "yes",
    };
    let life = match options.life_loss {
        LifeLoss::Ignore => "nothing",
        LifeLoss::ZeroDiscount => "discount 0, the episode goes on",
        LifeLoss::EpisodeEnd => "the episode ends, the game goes on",
    };
    let actions = match options.actions {
        ActionSet::Minimal => "minimal",
        ActionSet::Full => "all 18",
    };
    let reward = match options.reward {
        RewardTransform::Raw => "as it is",
        RewardTransform::Clip => "clipped to -1..1",
        RewardTransform::Sign => "its sign",
        RewardTransform::Shaped { .. } => "one of three numbers",
    };
    vec![
        if sticky == 0.0 { "none".to_owned() } else { sticky.to_string() },
        if options.no_op_max == 0 { "none".to_owned() } else { format!("1 to {}", options.no_op_max) },
        fire.to_owned(),
        life.to_owned(),
        actions.to_owned(),
        options.frame_limit.map_or_else(|| "none".to_owned(), |limit| grouped(limit.into())),
        reward.to_owned(),
    ]
}

/// The guide's chapter of settings: a block of text for each section, as `prism settings` gives it.
fn settings_chapter() -> String {
    let all = listing::render(None).expect("all sections can be listed");
    let names = all.lines().filter_map(|line| Some(line.strip_prefix('[')?.split_once(']')?.0));
    let blocks = names.map(|name| {
        let text = listing::render(Some(name)).expect("a section that is listed can be listed alone");
        format!("\n### Section {name}\n\n```text\n{text}```\n")
    });
    blocks.chain(["\n".to_owned()]).collect()
}

/// The words of every command line of `prism` in the pages' code blocks, without comments.
fn commands() -> impl Iterator<Item = Vec<&'static str>> {
    let lines = [README, GUIDE].into_iter().flat_map(str::lines);
    let commands = lines.filter_map(|line| line.strip_prefix("    prism "));
    commands.map(|line| line.split(" #").next().unwrap_or(line).split_whitespace().collect())
}

#[test]
fn guides_tables_of_presets_are_those_of_the_presets() {
    for preset in presets::ALL {
        let found = row(preset.name);
        let text: Table = preset.text.parse().expect("presets are TOML");
        if let Some(base) = text.get("base") {
            let base = base.as_str().expect("a base is a name");
            assert_eq!(found[1], format!("`{base}`"), "GUIDE.md's row for the preset {}", preset.name);
        } else {
            assert_eq!(found[3..], preset_cells(&text), "GUIDE.md's row for the preset {}", preset.name);
        }
    }
}

#[test]
fn guides_table_of_protocols_is_that_of_the_protocols() {
    for protocol in Protocol::ALL {
        let options = protocol.options("breakout");
        assert_eq!(row(protocol.name())[1..], protocol_cells(&options), "GUIDE.md's row for {protocol}");
    }
}

#[test]
fn guides_table_of_evaluation_protocols_is_that_of_the_protocols() {
    let (_, text) = GUIDE.split_once("\n### As papers evaluate\n").expect("GUIDE.md says how papers evaluate");
    for protocol in EvaluationProtocol::ALL {
        let found = row_of(text, protocol.name());
        assert_eq!(found[7], format!("`{}`", protocol.rules()), "GUIDE.md's row for {protocol}");
        let Some(NewGames { length, epsilon, course, weights, .. }) = protocol.new_games(Layers::Plain) else {
            assert_eq!((found[5], &found[6][..14]), ("none", "training games"), "GUIDE.md's row for {protocol}");
            continue;
        };
        let games = match length {
            EvaluationLength::Games(games) => games.to_string(),
            EvaluationLength::Phase(steps) => format!("those of {} agent steps", grouped(steps.0 as i64)),
        };
        let (starts, cut) = match course {
            Course::Own { no_op_max, frame_limit } => {
                (format!("no-ops, 1 to {no_op_max}"), format!("{} frames", grouped(frame_limit.into())))
            }
            Course::OfTraining => ("as in training".to_owned(), "as in training".to_owned()),
        };
        assert_eq!([found[1], found[3], found[5]], [&games, &starts, weights.name()], "GUIDE.md's row for {protocol}");
        assert!(found[2].contains(&epsilon.to_string()), "GUIDE.md's row for {protocol}: {}", found[2]);
        assert!(found[4].starts_with(&cut), "GUIDE.md's row for {protocol}: {}", found[4]);
        assert_eq!(found[6].contains("training games"), protocol.training_games().is_some(), "{protocol}");
    }
}

#[test]
fn guides_table_of_networks_has_every_kind() {
    let text = listing::render(Some("network")).expect("there is such a section");
    let (_, kind) = text.split_once("\nnetwork.kind\n").expect("it is a setting");
    let (kind, _) = kind.split_once("\n\n").expect("it is not the last");
    let names: Vec<&str> = kind.split('"').skip(1).step_by(2).collect();
    assert!(names.contains(&"nature"), "{kind}");
    for name in names {
        assert!(row(name)[1].len() > 10, "GUIDE.md says what {name} is");
    }
}

#[test]
fn guides_chapter_of_settings_is_what_the_program_lists() {
    let (before, rest) = GUIDE.split_once(SETTINGS_BEGIN).expect("GUIDE.md has a line where the chapter begins");
    let (found, after) = rest.split_once(SETTINGS_END).expect("GUIDE.md has a line where the chapter ends");
    let chapter = settings_chapter();
    if std::env::var_os(WRITE).is_some() {
        let path = Path::new("GUIDE.md");
        let text = format!("{before}{SETTINGS_BEGIN}{chapter}{SETTINGS_END}{after}");
        fs::write(path, text).expect("GUIDE.md can be written");
    } else {
        let remedy = format!("write it with {WRITE}=1 cargo test --release --test prism readme");
        assert!(found == chapter, "GUIDE.md's chapter of settings is not what `prism settings` lists: {remedy}");
    }
}

#[test]
fn readmes_numbers_of_presets_and_games_are_right() {
    for claim in [format!("| presets | {}, ", presets::ALL.len()), format!("| {} Atari games, ", GAMES.len())] {
        assert!(README.contains(&claim), "README.md says {claim:?}");
    }
}

#[test]
fn the_pages_train_presets_that_exist_with_settings_that_exist() {
    let mut trained = 0;
    for words in commands().filter(|words| words[0] == "train" && !words[1].contains('/')) {
        let given = |flag: &str| -> Vec<Override> {
            let values = words.windows(2).filter(|pair| pair[0] == flag).map(|pair| pair[1]);
            values.map(|value| Override::parse(value).unwrap_or_else(|error| panic!("{words:?}: {error}"))).collect()
        };
        let source = Source::find(words[1]).unwrap_or_else(|error| panic!("{words:?}: {error}"));
        Config::read(&source, &given("--set")).unwrap_or_else(|error| panic!("{words:?}: {error}"));
        trained += 1;
    }
    assert!(trained > 4, "{trained} commands of the pages train a preset");
}
