//! The games: a file each, with what has to be known of it and what its memory means.

mod standing;

pub use self::standing::Standing;
use crate::game::Game;

/// Declares a game's module and its place in the lists of both versions.
macro_rules! games {
    ($($name:ident $($version:ident)?),* $(,)?) => {
        $(mod $name;)*

        /// The games of version 0.12 of the Arcade Learning Environment, by their names.
        pub static GAMES: &[Game] = &[$($name::GAME),*];

        /// The same game as the version of 2020 plays it; none where it does not have it.
        fn of_2020(name: &str) -> Option<&'static Game> {
            match name {
                $(stringify!($name) => games!(@old $name $($version)?),)*
                _ => None,
            }
        }
    };
    (@old $name:ident) => {{
        static OLD: Game = $name::GAME;
        Some(&OLD)
    }};
    (@old $name:ident changed) => {{
        static OLD: Game = $name::GAME_2020;
        Some(&OLD)
    }};
    (@old $name:ident added) => {
        None
    };
}

// `added` came after 2020, `changed` was otherwise then.
games! {
    adventure,
    air_raid,
    alien,
    amidar,
    assault,
    asterix,
    asteroids,
    atlantis,
    atlantis2 added,
    backgammon added,
    bank_heist,
    basic_math added,
    battle_zone,
    beam_rider,
    berzerk,
    blackjack added,
    bowling,
    boxing,
    breakout,
    carnival,
    casino added,
    centipede,
    chopper_command changed,
    crazy_climber,
    crossbow added,
    darkchambers added,
    defender,
    demon_attack,
    donkey_kong,
    double_dunk,
    earthworld added,
    elevator_action,
    enduro,
    entombed added,
    et added,
    fishing_derby,
    flag_capture added,
    freeway,
    frogger changed,
    frostbite,
    galaxian,
    gopher,
    gravitar,
    hangman added,
    haunted_house added,
    hero,
    human_cannonball added,
    ice_hockey,
    jamesbond,
    journey_escape,
    kaboom,
    kangaroo,
    keystone_kapers,
    king_kong changed,
    klax added,
    koolaid,
    krull,
    kung_fu_master,
    laser_gates,
    lost_luggage changed,
    mario_bros added,
    miniature_golf added,
    montezuma_revenge,
    mr_do changed,
    ms_pacman,
    name_this_game,
    othello added,
    pacman added,
    phoenix,
    pitfall,
    pitfall2 added,
    pong changed,
    pooyan,
    private_eye,
    qbert,
    riverraid,
    road_runner,
    robotank,
    seaquest,
    sir_lancelot,
    skiing,
    solaris,
    space_invaders,
    space_war added,
    star_gunner,
    superman added,
    surround added,
    tennis,
    tetris,
    tic_tac_toe_3d added,
    time_pilot,
    trondead changed,
    turmoil changed,
    tutankham,
    up_n_down,
    venture,
    video_checkers added,
    video_chess added,
    video_cube added,
    video_pinball,
    wizard_of_wor,
    word_zapper added,
    yars_revenge,
    zaxxon,
}

/// The game of a name, in one of the versions.
pub fn find(name: &str, profile: crate::Profile) -> Option<&'static Game> {
    match profile {
        crate::Profile::Ale2020 { .. } => of_2020(name),
        crate::Profile::Ale012 { .. } => GAMES.iter().find(|game| game.name == name),
    }
}
