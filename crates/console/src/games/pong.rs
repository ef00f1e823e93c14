//! Pong: 0x8E counts the player's points and 0x8D the opponent's; the match ends when either has 21.

use super::Standing;
use crate::action::Action;
use crate::game::{Controllers, Game, Paddles, RightPort, Select};
use crate::ram::Ram;

const POINTS_TO_WIN: u8 = 21;

/// The game.
pub const GAME: Game = Game {
    name: "pong",
    md5: 0x60e0ea3c_be0913d3_98034779_45e9e5ec,
    controllers: Controllers::Paddles(Paddles { which: 1, right_port: RightPort::Paddles, ..Paddles::USUAL }),
    actions: &[Action::Noop, Action::Fire, Action::Right, Action::Left, Action::RightFire, Action::LeftFire],
    modes: &[0, 1],
    select: Some(Select::at(0x96, 2)),
    difficulties: &[0, 1, 2, 3],
    ..Game::ruled_by(START, step)
};

/// The game in 2020.
pub const GAME_2020: Game = Game { difficulties: &[0, 1], ..GAME };

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(0);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    let (own, other) = (ram.at(0x8E), ram.at(0x8D));
    now.set_score(i32::from(own) - i32::from(other));
    now.over = own == POINTS_TO_WIN || other == POINTS_TO_WIN;
}
