//! Tennis: 0xC5 and 0xC6 count the points within a game, 0xC7 and 0xC8 the games that player and opponent have won; the
//! match ends with the set.

use super::Standing;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The places in `memory` of the player's leads of the frame before.
const POINT_LEAD: usize = 0;
const GAME_LEAD: usize = 1;

/// The game.
pub const GAME: Game = Game {
    name: "tennis",
    md5: 0x42cdd6a9_e42a3639_e190722b_8ea3fc51,
    modes: &[0, 2],
    select: Some(Select::at(0x80, 2)),
    difficulties: &[0, 1, 2, 3],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(0);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    let [own_points, other_points, own, other] = [0xC5, 0xC6, 0xC7, 0xC8].map(|place| i32::from(ram.at(place)));
    let (point_lead, game_lead) = (own_points - other_points, own - other);
    // The points go back to 0 when a game is won, which is no loss to anyone.
    now.reward = if game_lead != now.memory[GAME_LEAD] {
        game_lead - now.memory[GAME_LEAD]
    } else {
        point_lead - now.memory[POINT_LEAD]
    };
    now.score += now.reward;
    now.memory[POINT_LEAD] = point_lead;
    now.memory[GAME_LEAD] = game_lead;
    now.over = (own.max(other) >= 6 && game_lead.abs() >= 2) || own == 7 || other == 7;
}
