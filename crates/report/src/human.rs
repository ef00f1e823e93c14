//! Human-normalised scores of Atari games.

/// The table that this package carries.
const TABLE: &str = include_str!("../human.csv");

/// A score on the scale on which random play has 0 and a professional human tester 1; `None` of games that no human was
/// measured on. The 57 games and their two scores are those of Mnih et al. (2015) and Wang et al. (2016).
pub fn human_normalised(game: &str, score: f64) -> Option<f64> {
    let row = TABLE.lines().find_map(|line| line.strip_prefix(game)?.strip_prefix(','))?;
    let (random, human) = row.split_once(',')?;
    let (random, human): (f64, f64) = (random.parse().ok()?, human.parse().ok()?);
    Some((score - random) / (human - random))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_play_has_0_and_the_human_1_in_each_of_57_games() {
        let rows: Vec<Vec<&str>> = TABLE.lines().skip(3).map(|line| line.split(',').collect()).collect();
        assert_eq!(rows.len(), 57);
        for row in rows {
            let number = |column: usize| row[column].parse::<f64>().expect("a number");
            assert!(number(1) < number(2), "{row:?}");
            assert_eq!([1, 2].map(|column| human_normalised(row[0], number(column))), [Some(0.0), Some(1.0)]);
        }
        // DQN's Breakout of Mnih et al. (2015): 401.2, 1327 %.
        let breakout = human_normalised("breakout", 401.2).expect("one of them");
        assert!((breakout - 13.87).abs() < 0.01, "{breakout}");
        for none in ["catch", "game", "pon", ""] {
            assert_eq!(human_normalised(none, 1.0), None, "{none}");
        }
    }
}
