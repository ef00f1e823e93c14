//! Ice Hockey: the goals are at 8A and 8B, the clock at 86 and 87, and there are no lives.

use super::Standing;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "ice_hockey",
    md5: 0xa4c08c49_94eb9d24_fb78be17_93e82e26,
    modes: &[0, 2],
    select: Some(Select::at(0x80, 2)),
    difficulties: &[0, 1, 2, 3],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(0);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimal(0x8A) - ram.decimal(0x8B));
    // However much the lead rises in one frame, that is one goal.
    now.reward = now.reward.min(1);
    now.over = ram.at(0x86) == 0 && ram.at(0x87) == 0;
}
