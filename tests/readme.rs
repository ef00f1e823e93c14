//! What README says about presets, against the presets themselves.

use toml::{Table, Value};

const README: &str = include_str!("../README.md");

/// A whole number with commas between thousands.
fn grouped(value: &Value) -> String {
    let digits = value.as_integer().expect("a whole number").to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).expect("digits")).collect();
    groups.join(",")
}

fn float(value: &Value) -> f64 {
    value.as_float().expect("a number with a point")
}

/// The cells that README must have for a preset, from the stop score on.
fn cells(preset: &Table) -> Vec<String> {
    let of = |section: &str, key: &str| &preset[section][key];
    vec![
        of("training", "stop_score")
            .as_str()
            .map_or_else(|| float(of("training", "stop_score")).to_string(), str::to_owned),
        grouped(of("replay", "capacity")),
        grouped(of("replay", "warm_up")),
        grouped(of("learning", "target_period")),
        format!(
            "{} to {} in {}",
            float(of("exploration", "epsilon_start")),
            float(of("exploration", "epsilon_end")),
            grouped(of("exploration", "epsilon_decay"))
        ),
        format!("{:e}", float(of("optimiser", "learning_rate"))),
        of("learning", "batch_size").to_string(),
        of("learning", "loss").as_str().expect("a name").to_owned(),
    ]
}

#[test]
fn readmes_table_of_presets_is_that_of_the_presets() {
    for preset in prism::presets::ALL {
        let start = format!("| `{}` |", preset.name);
        let row = README.lines().find(|line| line.starts_with(&start));
        let row = row.unwrap_or_else(|| panic!("README has no row for the preset {}", preset.name));
        let text: Table = preset.text.parse().expect("presets are TOML");
        if let Some(base) = text.get("base") {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            let base = base.as_str().expect("a base is a name");
            assert_eq!(cells[1], format!("`{base}`"), "README's row for the preset {}", preset.name);
            continue;
        }
        let found: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).skip(3).collect();
        let expected = cells(&text);
        assert_eq!(found, expected, "README's row for the preset {}", preset.name);
    }
}
