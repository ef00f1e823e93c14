//! What has to be known of a game beside its program.

use crate::action::Action;
use crate::atari::Atari;
use crate::cartridge::{CARTRIDGE_RAM, Scheme};
use crate::games::Standing;
use crate::ram::Ram;
use crate::tia::{Television, Window};

/// A game: its cartridge, its controllers, how it is started, and what its memory says of its score.
#[derive(Clone, Debug)]
pub struct Game {
    /// Name, in small letters.
    pub name: &'static str,
    /// MD5 of the cartridge's bytes.
    pub md5: u128,
    /// How the cartridge is wired.
    pub scheme: Scheme,
    /// The television that it was made for; none where the console finds out by counting lines.
    pub television: Option<Television>,
    /// Lines that are shown on an NTSC television.
    pub window: Window,
    /// What is plugged in.
    pub controllers: Controllers,
    /// The actions that do something.
    pub actions: &'static [Action],
    /// Whether an action that does nothing is worse than none: then it is taken for [`Action::Noop`].
    pub illegal: &'static [Action],
    /// What is pressed when the game has been reset, so that it begins; for so many frames each.
    pub opening: &'static [(Press, u32)],
    /// Modes, the default first.
    pub modes: &'static [u32],
    /// Difficulties, the default first.
    pub difficulties: &'static [u32],
    /// How a mode is chosen; none where there is nothing to choose.
    pub select: Option<Select>,
    /// How a game stands when it begins.
    pub start: Standing,
    /// What memory says of score, lives and the game's end.
    pub rules: Rules,
}

/// What a player has in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Controllers {
    /// A stick with a button, at the left port.
    Stick,
    /// The same at the right port.
    StickAtTheRight,
    /// Two paddles with a button each at the left port; the player has one of them.
    Paddles(Paddles),
}

/// The player's paddle and what else is plugged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paddles {
    /// Which of the left port's two the player has: 0 or 1. The other one stays in the middle.
    pub which: usize,
    /// Its largest resistance, in ohm.
    pub largest: i32,
    /// What is at the right port.
    pub right_port: RightPort,
}

/// What is at the right port while paddles are at the left one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RightPort {
    /// A stick, which nobody touches.
    Stick,
    /// Two more paddles, without resistance.
    Paddles,
}

impl Paddles {
    /// The usual: the player has the first, and there are no others.
    pub const USUAL: Self = Self { which: 0, largest: 790_196, right_port: RightPort::Stick };
}

/// Something pressed at the beginning of a game.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Press {
    /// What the player holds.
    Player(Action),
    /// The console's reset switch.
    Reset,
}

/// How a mode is chosen; the reset switch is pressed afterwards.
#[derive(Clone, Copy, Debug)]
pub enum Select {
    /// By the select switch, until a byte of memory is the mode's number.
    At {
        /// The byte's address.
        address: u8,
        /// Frames for which the switch is held, before memory is looked at again.
        hold: u32,
    },
    /// By the select switch, until memory shows the mode otherwise.
    When {
        /// Whether it does.
        shown: fn(&Ram, u32) -> bool,
        /// Frames for which the switch is held, before memory is looked at again.
        hold: u32,
    },
    /// In a way of its own, the reset switch included.
    By(fn(&mut Atari, u32)),
}

impl Select {
    /// By the select switch, held for so many frames at a time, until the byte at an address is the mode's number.
    pub const fn at(address: u8, hold: u32) -> Self {
        Self::At { address, hold }
    }

    /// By the select switch, held for so many frames at a time, until memory shows the mode.
    pub const fn when(shown: fn(&Ram, u32) -> bool, hold: u32) -> Self {
        Self::When { shown, hold }
    }
}

/// What is asked after each frame how the game stands.
#[derive(Clone, Copy, Debug)]
pub enum Rules {
    /// The console's memory.
    Console(fn(&Ram, &mut Standing)),
    /// That and the cartridge's own.
    ConsoleAndCartridge(fn(&Ram, &[u8; CARTRIDGE_RAM], &mut Standing)),
}

impl Game {
    /// A game of 2 or 4 KiB with a stick, of one mode and difficulty, that begins by the reset switch alone.
    pub const fn ruled_by(start: Standing, step: fn(&Ram, &mut Standing)) -> Self {
        Self {
            name: "",
            md5: 0,
            scheme: Scheme::Plain,
            television: None,
            window: Window::USUAL,
            controllers: Controllers::Stick,
            actions: &Action::ALL,
            illegal: &[],
            opening: &[],
            modes: &[0],
            difficulties: &[0],
            select: None,
            start,
            rules: Rules::Console(step),
        }
    }
}
