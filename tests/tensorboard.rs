//! The event file of a run, read back: the same numbers as in its tables.

use crate::support::{Point, event_points, preset, rows, train_into};

#[test]
fn curves_hold_what_the_tables_hold() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = folder.path().join("run");
    let settings =
        ["training.agent_steps=1300", "evaluation.period=400", "evaluation.episodes=4", "diagnostics.held_out=20"];
    train_into(&run, &preset("catch", &settings), 3);
    let points = event_points(&run);

    let curve = |tag: &str| -> Vec<(u64, f32)> {
        points.iter().filter(|point| point.tag == tag).map(|point| (point.step, point.value)).collect()
    };
    // table, its columns and their curves
    let tables: [(&str, &[(&str, &str)]); 3] = [
        (
            "episodes.csv",
            &[
                ("score", "episode/score"),
                ("mean_score", "episode/mean_score"),
                ("episode_steps", "episode/steps"),
                ("epsilon", "episode/epsilon"),
            ],
        ),
        (
            "train.csv",
            &[
                ("loss", "train/loss"),
                ("mean_q", "train/mean_q"),
                ("gradient_norm", "train/gradient_norm"),
                ("best_q_value", "train/best_q_value"),
                ("epsilon", "train/epsilon"),
                ("replay", "train/replay"),
            ],
        ),
        ("evaluations.csv", &[("mean", "evaluation/mean"), ("median", "evaluation/median")]),
    ];
    let mut speeds = 0;
    let mut compared = 0;
    for (table, columns) in tables {
        let rows = rows(&run.join(table));
        assert!(rows.len() >= 3, "{table} has {} rows, too few to compare", rows.len());
        for (column, tag) in columns {
            let expected: Vec<(u64, f32)> =
                rows.iter().map(|row| (row.number("agent_steps") as u64, row.number(column) as f32)).collect();
            assert_eq!(curve(tag), expected, "{tag} is not {column} of {table}");
            compared += rows.len();
        }
        speeds += match table {
            "episodes.csv" => rows.len(),
            "train.csv" => 2 * rows.len(),
            _ => 0,
        };
    }
    let is_speed = |point: &&Point| point.tag.starts_with("speed/");
    assert!(points.iter().filter(is_speed).all(|point| point.value.is_finite() && point.value >= 0.0), "{points:?}");
    assert_eq!(points.iter().filter(is_speed).count(), speeds);
    assert_eq!(points.len(), compared + speeds, "there are curves that no table has");
    assert!(points.is_sorted_by_key(|point| point.wall_time), "time runs backwards");
    assert!(points[0].wall_time > 1.7e9, "{} is not a time of this century's third decade", points[0].wall_time);
}
