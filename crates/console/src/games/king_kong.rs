//! King Kong: the score is decimal in 0x82 and 0x83, and 0xEE counts the lives, with none at the end.

use super::Standing;
use crate::action::Action;
use crate::game::{Game, Press, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "king_kong",
    md5: 0x0dd4c69b_5f9a7ae9_6a7a0832_9496779a,
    actions: &[Action::Noop, Action::Fire, Action::Up, Action::Right, Action::Left, Action::Down],
    modes: &[0, 1, 2, 3],
    select: Some(Select::when(|ram, mode| u32::from(ram.at(0xEC)) == 2 * mode, 2)),
    ..Game::ruled_by(START, step)
};

/// The game in 2020.
pub const GAME_2020: Game = Game { modes: &[0], select: None, opening: &[(Press::Reset, 1)], ..GAME };

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(3);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0x82, 0x83]));
    now.lives = i32::from(ram.at(0xEE));
    now.over = now.lives == 0;
}
