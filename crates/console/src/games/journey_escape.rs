//! Journey Escape: the score is decimal in 0x90 to 0x92, and the game ends when minutes (0x95) and seconds (0x96) are
//! both 0.

use super::Standing;
use crate::action::Action;
use crate::game::{Game, Press};
use crate::ram::Ram;
use crate::tia::Window;

/// The game.
pub const GAME: Game = Game {
    name: "journey_escape",
    md5: 0x718ae62c_70af4e5f_d8e932fe_e216948a,
    window: Window { height: 230, ..Window::USUAL },
    actions: &[
        Action::Noop,
        Action::Up,
        Action::Right,
        Action::Left,
        Action::Down,
        Action::UpRight,
        Action::UpLeft,
        Action::DownRight,
        Action::DownLeft,
        Action::RightFire,
        Action::LeftFire,
        Action::DownFire,
        Action::UpRightFire,
        Action::UpLeftFire,
        Action::DownRightFire,
        Action::DownLeftFire,
    ],
    opening: &[(Press::Player(Action::Fire), 1)],
    difficulties: &[0, 1],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(0);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0x90, 0x91, 0x92]));
    // The gift that a game begins with is no reward.
    if now.reward == 50_000 {
        now.reward = 0;
    }
    now.over = ram.at(0x95) == 0 && ram.at(0x96) == 0;
}
