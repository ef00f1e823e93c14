//! Frogger: the score is at CC and CE, the frogs at D0, which turns FF at the end.

use super::Standing;
use crate::action::Action;
use crate::game::{Game, Press, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "frogger",
    md5: 0x081e2c11_4c9c20b6_1acf25fc_95c71bf4,
    actions: &[Action::Noop, Action::Up, Action::Right, Action::Left, Action::Down],
    modes: &[0, 1, 2],
    select: Some(Select::when(|ram, mode| u32::from(ram.at(0xDD)) == 2 * mode + 1, 2)),
    difficulties: &[0, 1],
    ..Game::ruled_by(START, step)
};

/// The game in 2020.
pub const GAME_2020: Game =
    Game { modes: &[0], select: None, difficulties: &[0], opening: &[(Press::Reset, 1)], ..GAME };

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(4);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0xCC, 0xCE]));
    now.over = ram.at(0xD0) == 0xFF;
    now.lives = if now.over { 0 } else { i32::from(ram.at(0xD0)) };
}
