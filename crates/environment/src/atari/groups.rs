//! Groups of games that papers report together.

/// Games that are known by one name.
#[derive(Debug)]
pub struct GameGroup {
    /// The name.
    pub name: &'static str,
    /// Who reports these games.
    pub source: &'static str,
    /// Names of the games.
    pub games: &'static [&'static str],
}

/// Every group.
pub const GROUPS: [GameGroup; 2] = [
    GameGroup {
        name: "atari-26",
        source: "the games of Atari 100k, Kaiser et al. 2020",
        games: &[
            "alien",
            "amidar",
            "assault",
            "asterix",
            "bank_heist",
            "battle_zone",
            "boxing",
            "breakout",
            "chopper_command",
            "crazy_climber",
            "demon_attack",
            "freeway",
            "frostbite",
            "gopher",
            "hero",
            "jamesbond",
            "kangaroo",
            "krull",
            "kung_fu_master",
            "ms_pacman",
            "pong",
            "private_eye",
            "qbert",
            "road_runner",
            "seaquest",
            "up_n_down",
        ],
    },
    GameGroup {
        name: "atari-56",
        source: "the games that a human was measured on, Wang et al. 2016, without surround, which this ALE lacks",
        games: &[
            "alien",
            "amidar",
            "assault",
            "asterix",
            "asteroids",
            "atlantis",
            "bank_heist",
            "battle_zone",
            "beam_rider",
            "berzerk",
            "bowling",
            "boxing",
            "breakout",
            "centipede",
            "chopper_command",
            "crazy_climber",
            "defender",
            "demon_attack",
            "double_dunk",
            "enduro",
            "fishing_derby",
            "freeway",
            "frostbite",
            "gopher",
            "gravitar",
            "hero",
            "ice_hockey",
            "jamesbond",
            "kangaroo",
            "krull",
            "kung_fu_master",
            "montezuma_revenge",
            "ms_pacman",
            "name_this_game",
            "phoenix",
            "pitfall",
            "pong",
            "private_eye",
            "qbert",
            "riverraid",
            "road_runner",
            "robotank",
            "seaquest",
            "skiing",
            "solaris",
            "space_invaders",
            "star_gunner",
            "tennis",
            "time_pilot",
            "tutankham",
            "up_n_down",
            "venture",
            "video_pinball",
            "wizard_of_wor",
            "yars_revenge",
            "zaxxon",
        ],
    },
];

impl GameGroup {
    /// The group of this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        GROUPS.iter().find(|group| group.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atari::games::GAMES;

    #[test]
    fn groups_hold_games_that_there_are_each_once() {
        for group in GROUPS {
            for (index, game) in group.games.iter().enumerate() {
                assert!(GAMES.iter().any(|info| info.name == *game), "{game}");
                assert!(!group.games[..index].contains(game), "{game}");
            }
            let count: usize = group.name.strip_prefix("atari-").unwrap().parse().unwrap();
            assert_eq!(group.games.len(), count);
        }
    }
}
