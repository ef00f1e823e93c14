//! Video Cube: the 54 tiles of the cube are 0xA0 to 0xD5, nine for each face; the score is the number of faces in a
//! single colour, and the game ends when all six are.

use super::Standing;
use crate::action::Action;
use crate::atari::Atari;
use crate::game::{Game, Press, Select};
use crate::ram::Ram;

/// Cubes to begin with: the first has two numbers, 0 and 1.
const CUBES: usize = 51;
/// Kinds of play, with what memory shows for each.
const LEVELS: [u8; 3] = [0, 2, 8];

/// A hundred times the cube's number and the level.
const MODES: [u32; CUBES * LEVELS.len()] = {
    let mut modes = [0; CUBES * LEVELS.len()];
    let mut index = 0;
    while index < modes.len() {
        modes[index] = (index / LEVELS.len() * 100 + index % LEVELS.len()) as u32;
        index += 1;
    }
    modes
};

/// The game.
pub const GAME: Game = Game {
    name: "video_cube",
    md5: 0x3f540a30_fdee0b20_aed7288e_4a5ea528,
    opening: &[(Press::Player(Action::Noop), 61), (Press::Player(Action::Fire), 1), (Press::Player(Action::Noop), 2)],
    modes: &MODES,
    select: Some(Select::By(choose_mode)),
    difficulties: &[0, 1],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(1);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    let finished = (0..6).filter(|face| {
        let first = 0xA0 + 9 * face;
        (first..first + 9).all(|tile| ram.at(tile) == ram.at(first))
    });
    now.set_score(finished.count() as i32);
    now.over = now.score == 6;
    now.lives = if now.over { 0 } else { 1 };
}

/// Chooses the level by the select switch and the cube by the stick.
fn choose_mode(atari: &mut Atari, mode: u32) {
    let (cube, level) = ((mode / 100).max(1), LEVELS[(mode % 100) as usize]);
    atari.select_until(2, |ram| ram.at(0xFB) & 0x0F == level);
    atari.press_reset();
    atari.repeat_until(
        |ram| ram.decimal(0x9F) == cube as i32,
        |atari| {
            atari.act(Action::Right);
        },
    );
}
