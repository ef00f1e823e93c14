//! Double Dunk: the points are at F6 and F7, FE is E7 when a match stops, and there are no lives.

use super::Standing;
use crate::action::Action;
use crate::atari::Atari;
use crate::cartridge::Scheme;
use crate::game::{Game, Press, Select};
use crate::ram::Ram;

/// A side with this many points has won.
const POINTS_TO_WIN: i32 = 24;

/// The game.
pub const GAME: Game = Game {
    name: "double_dunk",
    md5: 0x368d88a6_c071caba_60b4f778_615aae94,
    scheme: Scheme::F6,
    opening: &[(Press::Player(Action::UpFire), 1)],
    modes: &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    select: Some(Select::By(choose_mode)),
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(0);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    let (own, other) = (ram.decimal(0xF6), ram.decimal(0xF7));
    now.set_score(own - other);
    now.over = own.max(other) >= POINTS_TO_WIN && ram.at(0xFE) == 0xE7;
}

/// The options of the menu, from above, by their bits at 80; each bit of the mode is one of them.
const OPTIONS: [(u32, u8); 4] = [(1, 0x08), (2, 0x10), (4, 0x04), (8, 0x20)];

/// Goes through the menu, a line at a time, and leaves it by the button.
fn choose_mode(atari: &mut Atari, mode: u32) {
    fn press(atari: &mut Atari, action: Action) {
        atari.act(action);
        atari.act(Action::Noop);
    }

    atari.press_select(1);
    press(atari, Action::Down);
    for (bit, option) in OPTIONS {
        press(atari, Action::Down);
        if mode & bit != 0 {
            atari.repeat_until(|ram| ram.at(0x80) & option != 0, |atari| press(atari, Action::Right));
        } else {
            atari.repeat_until(|ram| ram.at(0x80) & option == 0, |atari| press(atari, Action::Left));
        }
    }
    atari.press_reset();
    press(atari, Action::UpFire);
}
