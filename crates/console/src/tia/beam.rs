//! The television's beam, and the registers that decide what it draws.

use serde::{Deserialize, Serialize};

use super::collisions;
use super::motion::motion;
use super::objects::{self, FirstCopy, Mask, PIXELS, RightHalf};
use super::{CLOCKS_PER_CYCLE, LINE_CLOCKS};

/// Clocks at the beginning of a line in which nothing can be seen.
pub const BLANK_CLOCKS: u32 = 68;

/// Pixels at the left of a line that HMOVE blanks.
pub const COMB_PIXELS: u32 = 8;

/// More lines than any picture begins at or has.
const LINES_LIMIT: u32 = 1_000;

/// A write of the processor to a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    /// When, in clocks since the beginning of the frame's line 0.
    pub clock: u32,
    /// Which of the 64.
    pub register: u8,
    /// What.
    pub value: u8,
}

impl Write {
    /// When the beam begins to show what was written.
    #[inline]
    pub fn takes_effect(&self) -> u32 {
        self.clock
            + match self.register {
                VBLANK | REFP0 | REFP1 | GRP0 | GRP1 => 1,
                NUSIZ0 | NUSIZ1 | RESM0 | RESM1 => 8,
                // The playfield's next four pixels are fetched once in four cycles.
                PF0..=PF2 => [4, 5, 2, 3][(self.cycle() % 4) as usize],
                _ => 0,
            }
    }

    /// Clock of the line.
    fn line_clock(&self) -> u32 {
        self.clock % LINE_CLOCKS
    }

    /// Processor cycle of the line.
    fn cycle(&self) -> u32 {
        self.line_clock() / CLOCKS_PER_CYCLE
    }
}

const VBLANK: u8 = 0x01;
const NUSIZ0: u8 = 0x04;
const NUSIZ1: u8 = 0x05;
const COLUP0: u8 = 0x06;
const COLUBK: u8 = 0x09;
const CTRLPF: u8 = 0x0A;
const REFP0: u8 = 0x0B;
const REFP1: u8 = 0x0C;
const PF0: u8 = 0x0D;
const PF2: u8 = 0x0F;
const RESP0: u8 = 0x10;
const RESP1: u8 = 0x11;
const RESM0: u8 = 0x12;
const RESM1: u8 = 0x13;
const RESBL: u8 = 0x14;
const GRP0: u8 = 0x1B;
const GRP1: u8 = 0x1C;
const ENAM0: u8 = 0x1D;
const ENAM1: u8 = 0x1E;
const ENABL: u8 = 0x1F;
const HMP0: u8 = 0x20;
const HMM0: u8 = 0x22;
const HMBL: u8 = 0x24;
const VDELP0: u8 = 0x25;
const VDELP1: u8 = 0x26;
const VDELBL: u8 = 0x27;
const RESMP0: u8 = 0x28;
const RESMP1: u8 = 0x29;
const HMOVE: u8 = 0x2A;
const HMCLR: u8 = 0x2B;
const CXCLR: u8 = 0x2C;

/// The objects that move, by their places in arrays.
pub const P0: usize = 0;
pub const P1: usize = 1;
pub const M0: usize = 2;
pub const M1: usize = 3;
pub const BL: usize = 4;
/// The playfield, which does not.
pub const PF: usize = 5;
/// How many objects there are.
pub const OBJECTS: usize = 6;

/// Clocks from HMOVE to the write that lets missile 0 move on by itself, as Cosmic Ark's and Journey Escape's stars do.
const STAR_CLOCKS: i32 = 63;
/// What is then written, in place of one more.
const STAR_NIBBLE: u8 = 6;
/// By how many pixels the stars move to the left from line to line.
const STAR_STEPS: [u32; 4] = [18, 33, 0, 17];

/// What missile 0 looks like while it moves by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Star {
    Usual,
    Wide,
    Hidden,
}

/// The lines of a frame that are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The first.
    pub top: u32,
    /// How many.
    pub height: u32,
    /// Whether HMOVE blanks the first eight pixels of its line.
    pub comb: Comb,
}

impl Window {
    /// That of most games.
    pub const USUAL: Self = Self { top: 34, height: 210, comb: Comb::Shown };
}

/// What HMOVE does to the left edge of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Comb {
    Shown,
    Hidden,
}

/// What is done with the pixels that the beam passes.
pub trait Sink {
    /// What of the pixels makes a difference.
    const SEES: Sees;

    /// The beam passes the pixels from one place to before another of a row.
    fn span(&mut self, beam: &mut Beam, row: u32, from: u32, to: u32);

    /// The beam passes a whole row that looks like the one above.
    fn repeat(&mut self, row: u32);
}

/// What a sink looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sees {
    /// Where objects are, not which colours they have.
    Shapes,
    /// Both.
    Colours,
}

/// Looks at nothing.
pub struct Unseen;

impl Sink for Unseen {
    const SEES: Sees = Sees::Shapes;

    #[inline(always)]
    fn span(&mut self, _: &mut Beam, _: u32, _: u32, _: u32) {}

    #[inline(always)]
    fn repeat(&mut self, _: u32) {}
}

/// Where the beam is and what it would draw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beam {
    window: Window,
    /// Clock up to which the picture is drawn.
    clock: u32,
    pub(super) vblank: bool,
    number_size: [u8; 2],
    /// Of player 0 and its missile, player 1 and its missile, playfield and ball, background.
    pub(super) colours: [u8; 4],
    /// What PAL's colours have in their lowest bit: set after a frame with an odd number of lines.
    colour_loss: u8,
    pub(super) control: u8,
    reflected: [bool; 2],
    playfield: [u8; 3],
    right_half: RightHalf,
    graphics: [u8; 2],
    delayed_graphics: [u8; 2],
    /// Whether players and ball show what was written before the other player's last graphics.
    delayed: [bool; 3],
    /// Of missiles and ball.
    enabled: [bool; 3],
    delayed_ball: bool,
    motion: [u8; 5],
    missile_locked: [bool; 2],
    places: [u32; 5],
    first_copy: [FirstCopy; 2],
    /// Clock of the last HMOVE.
    moved: i32,
    /// How many lines ago the stars of missile 0 began, modulo 4; none where they never have.
    pub(super) stars: Option<u8>,
    /// What a star looks like in this line.
    star: Star,
    /// Whether the first eight pixels of the line are blank.
    pub(super) comb: Comb,
    /// Whether a line has been drawn and the next one not begun.
    line_over: bool,
    latches: u16,
    /// The objects' pixels, as far as they are up to date.
    pub(super) masks: [Mask; OBJECTS],
    /// A bit for each object whose pixels have to be found anew.
    pub(super) stale: u8,
    /// A bit for each object that has pixels, as far as they are up to date.
    pub(super) shown: u8,
}

impl Beam {
    /// The chip as it is after a reset.
    pub fn new(window: Window) -> Self {
        Self {
            window,
            clock: window.top * LINE_CLOCKS,
            vblank: false,
            number_size: [0; 2],
            colours: [0; 4],
            colour_loss: 0,
            control: 0,
            reflected: [false; 2],
            playfield: [0; 3],
            right_half: RightHalf::Copied,
            graphics: [0; 2],
            delayed_graphics: [0; 2],
            delayed: [false; 3],
            enabled: [false; 3],
            delayed_ball: false,
            motion: [0; 5],
            missile_locked: [false; 2],
            places: [0; 5],
            first_copy: [FirstCopy::Shown; 2],
            moved: 0,
            stars: None,
            star: Star::Usual,
            comb: Comb::Hidden,
            line_over: false,
            latches: 0,
            masks: [Mask::default(); OBJECTS],
            stale: 0x3F,
            shown: 0,
        }
    }

    /// The lines that are drawn.
    pub fn window(&self) -> Window {
        self.window
    }

    /// Whether nothing of the frame has been drawn.
    pub fn is_at_top(&self) -> bool {
        self.clock <= self.window.top * LINE_CLOCKS
    }

    /// Whether a beam can be like this.
    pub fn is_sound(&self) -> bool {
        self.places.iter().all(|place| *place < PIXELS)
            && self.window.height <= LINES_LIMIT
            && self.window.top <= LINES_LIMIT
            && self.stars.is_none_or(|lines| lines < 4)
            && self.clock >= self.window.top * LINE_CLOCKS
            && self.clock <= self.bottom()
    }

    /// The collision latches.
    pub fn collisions(&self) -> u16 {
        self.latches
    }

    /// Sets collision latches.
    pub fn latch(&mut self, collisions: u16) {
        self.latches |= collisions;
    }

    /// Clock at which the drawn lines are over.
    fn bottom(&self) -> u32 {
        (self.window.top + self.window.height) * LINE_CLOCKS
    }

    /// Begins the next frame, whose line 0 is so many clocks later than that of the last.
    pub fn begin_frame(&mut self, passed: u32, odd_lines: bool) {
        self.clock = self.window.top * LINE_CLOCKS;
        self.moved -= passed as i32;
        self.colour_loss = u8::from(odd_lines);
        self.colours = self.colours.map(|colour| colour & 0xFE | u8::from(odd_lines));
    }

    /// Carries writes out and notes what collides.
    pub fn collide(&mut self, writes: &[Write]) {
        // What happened before the latches were last cleared is forgotten.
        let remembered = writes.iter().rposition(|write| write.register == CXCLR).map_or(0, |clear| clear + 1);
        self.carry_out(&writes[..remembered], &mut Unseen);
        self.carry_out(&writes[remembered..], &mut collisions::Latches);
    }

    /// Notes what collides until the beam is at a clock.
    pub fn collide_until(&mut self, clock: u32) {
        self.advance(clock, &mut collisions::Latches);
    }

    /// Carries writes out.
    pub fn carry_out<S: Sink>(&mut self, writes: &[Write], sink: &mut S) {
        for write in writes {
            if self.changes(write, S::SEES) {
                self.advance(write.takes_effect(), sink);
            }
            self.apply(write, sink);
        }
    }

    /// Whether the pixels after a write can look otherwise than those before.
    #[inline]
    fn changes(&self, write: &Write, sees: Sees) -> bool {
        let &Write { register, value, .. } = write;
        match register {
            COLUP0..=COLUBK => sees == Sees::Colours,
            PF0..=PF2 => self.playfield[usize::from(register - PF0)] != value,
            // Motion takes effect with HMOVE; but missile 0 can be set off.
            HMM0 => value >> 4 == STAR_NIBBLE,
            REFP0 | REFP1 => self.reflected[usize::from(register - REFP0)] != (value & 8 != 0),
            GRP0 => self.graphics[P0] != value && !self.delayed[P0] || self.copies_graphics(P1),
            GRP1 => {
                self.graphics[P1] != value && !self.delayed[P1]
                    || self.copies_graphics(P0)
                    || self.delayed[2] && self.delayed_ball != self.enabled[2]
            }
            ENAM0..=ENABL => self.enabled[usize::from(register - ENAM0)] != (value & 2 != 0),
            VBLANK | NUSIZ0 | NUSIZ1 | CTRLPF | RESP0..=RESBL | VDELP0..=HMOVE | CXCLR => true,
            _ => false,
        }
    }

    /// Whether the delayed graphics of a player are shown, and a write to the other player's would change them.
    fn copies_graphics(&self, player: usize) -> bool {
        self.delayed[player] && self.delayed_graphics[player] != self.graphics[player]
    }

    /// Lets the beam go on to a clock.
    #[inline]
    pub fn advance<S: Sink>(&mut self, clock: u32, sink: &mut S) {
        if clock > self.clock {
            self.draw_until(clock.min(self.bottom()), sink);
        }
    }

    fn draw_until<S: Sink>(&mut self, end: u32, sink: &mut S) {
        // The row above, if it was drawn whole and nothing has changed since.
        let mut whole = false;
        while self.clock < end {
            if self.line_over {
                self.end_line();
            }
            let line = self.clock / LINE_CLOCKS;
            let from = self.clock - line * LINE_CLOCKS;
            let to = (end - line * LINE_CLOCKS).min(LINE_CLOCKS);
            if to > BLANK_CLOCKS {
                let left = from.max(BLANK_CLOCKS) - BLANK_CLOCKS;
                let row = line - self.window.top;
                let right = to - BLANK_CLOCKS;
                if whole && right == PIXELS && self.stale == 0 {
                    sink.repeat(row);
                } else {
                    whole = left == 0 && right == PIXELS && self.comb == Comb::Hidden;
                    sink.span(self, row, left, right);
                }
                if left < COMB_PIXELS && right >= COMB_PIXELS {
                    self.comb = Comb::Hidden;
                }
            }
            self.clock = line * LINE_CLOCKS + to;
            self.line_over = to == LINE_CLOCKS;
        }
    }

    /// What waits for the end of a line. A write in its very last moment still comes before.
    fn end_line(&mut self) {
        self.line_over = false;
        for player in [P0, P1] {
            self.show_first_copy(player, FirstCopy::Shown);
        }
        self.set_right_half();
        if let Some(lines) = &mut self.stars {
            *lines = (*lines + 1) % 4;
            let place = &mut self.places[M0];
            *place = (*place + PIXELS - STAR_STEPS[usize::from(*lines)]) % PIXELS;
            self.star = match *lines {
                1 => Star::Wide,
                2 => Star::Hidden,
                _ => Star::Usual,
            };
            self.spoil(M0);
        }
    }

    fn set_right_half(&mut self) {
        let right_half = if self.control & 1 != 0 { RightHalf::Reflected } else { RightHalf::Copied };
        if right_half != self.right_half {
            self.right_half = right_half;
            self.spoil(PF);
        }
    }

    fn show_first_copy(&mut self, player: usize, first: FirstCopy) {
        if self.first_copy[player] != first {
            self.first_copy[player] = first;
            self.spoil(player);
        }
    }

    /// The pixels of an object have to be found anew.
    fn spoil(&mut self, object: usize) {
        self.stale |= 1 << object;
    }

    /// The same of a missile or the ball, in a way that gives a star its usual looks.
    fn spoil_missile(&mut self, object: usize) {
        self.spoil(object);
        if object == M0 {
            self.star = Star::Usual;
        }
    }

    fn apply<S: Sink>(&mut self, write: &Write, sink: &mut S) {
        let &Write { register, value, .. } = write;
        match register {
            VBLANK => self.vblank = value & 2 != 0,
            NUSIZ0 | NUSIZ1 => {
                let player = usize::from(register - NUSIZ0);
                self.number_size[player] = value;
                self.first_copy[player] = FirstCopy::Shown;
                self.spoil(P0 + player);
                self.spoil_missile(M0 + player);
            }
            COLUP0..=COLUBK => self.colours[usize::from(register - COLUP0)] = value & 0xFE | self.colour_loss,
            CTRLPF => {
                self.control = value;
                // Later in the line, the right half has begun.
                if write.line_clock() < BLANK_CLOCKS + PIXELS / 2 - 1 {
                    self.set_right_half();
                }
                self.spoil(BL);
            }
            REFP0 | REFP1 => {
                let player = usize::from(register - REFP0);
                if self.reflected[player] != (value & 8 != 0) {
                    self.reflected[player] = value & 8 != 0;
                    self.spoil(P0 + player);
                }
            }
            PF0..=PF2 => {
                let part = &mut self.playfield[usize::from(register - PF0)];
                if *part != value {
                    *part = value;
                    self.spoil(PF);
                }
            }
            RESP0 | RESP1 => self.place_player(usize::from(register - RESP0), write, sink),
            RESM0 | RESM1 | RESBL => {
                let object = M0 + usize::from(register - RESM0);
                self.places[object] = self.new_place_of_missile(object, write);
                self.spoil_missile(object);
            }
            GRP0 => {
                if self.graphics[P0] != value {
                    self.graphics[P0] = value;
                    self.spoil(P0);
                }
                self.copy_graphics(P1);
            }
            GRP1 => {
                if self.graphics[P1] != value {
                    self.graphics[P1] = value;
                    self.spoil(P1);
                }
                self.copy_graphics(P0);
                if self.delayed_ball != self.enabled[2] {
                    self.delayed_ball = self.enabled[2];
                    self.spoil(BL);
                }
            }
            ENAM0 | ENAM1 | ENABL => {
                let enabled = &mut self.enabled[usize::from(register - ENAM0)];
                if *enabled != (value & 2 != 0) {
                    *enabled = value & 2 != 0;
                    self.spoil(M0 + usize::from(register - ENAM0));
                }
            }
            HMM0 => {
                // Taking back one step of a motion that is under way leaves the missile moving for good.
                let begins = self.motion[M0] == STAR_NIBBLE + 1
                    && value >> 4 == STAR_NIBBLE
                    && write.clock as i32 - self.moved == STAR_CLOCKS;
                if begins {
                    self.stars = Some(0);
                }
                self.motion[M0] = value >> 4;
                self.spoil(M0);
            }
            HMP0..=HMBL => self.motion[usize::from(register - HMP0)] = value >> 4,
            VDELP0 | VDELP1 => {
                let player = usize::from(register - VDELP0);
                self.delayed[player] = value & 1 != 0;
                self.spoil(player);
            }
            VDELBL => {
                self.delayed[2] = value & 1 != 0;
                self.spoil(BL);
            }
            RESMP0 | RESMP1 => {
                let player = usize::from(register - RESMP0);
                let locked = value & 2 != 0;
                if self.missile_locked[player] && !locked {
                    let middle = 4 * objects::scale(self.number_size[player]);
                    self.places[M0 + player] = (self.places[player] + middle) % PIXELS;
                }
                self.missile_locked[player] = locked;
                self.spoil_missile(M0 + player);
            }
            HMOVE => self.move_objects(write),
            HMCLR => self.motion = [0; 5],
            CXCLR => self.latches = 0,
            _ => {}
        }
    }

    /// The delayed graphics of a player become those that were written last.
    fn copy_graphics(&mut self, player: usize) {
        if self.delayed_graphics[player] != self.graphics[player] {
            self.delayed_graphics[player] = self.graphics[player];
            self.spoil(player);
        }
    }

    /// A player is placed where the beam is. What the line still shows of it depends on what its copies are doing.
    fn place_player<S: Sink>(&mut self, player: usize, write: &Write, sink: &mut S) {
        let place = match write.line_clock() {
            0..BLANK_CLOCKS => 3,
            clock => (clock - BLANK_CLOCKS + 5) % PIXELS,
        };
        let number_size = self.number_size[player];
        let width = 8 * objects::scale(number_size);
        let distance = |copy: &u32| (PIXELS + place - (self.places[player] + copy) % PIXELS) % PIXELS;
        let mut first = FirstCopy::Suppressed;
        for distance in objects::copies(number_size).iter().map(distance) {
            if distance < 4 {
                // A copy is about to be drawn.
                first = FirstCopy::Shown;
            } else if distance < 4 + width {
                // A copy is being drawn, and is finished.
                self.advance(write.clock + 11, sink);
                break;
            }
        }
        self.places[player] = place;
        self.first_copy[player] = first;
        self.spoil(player);
    }

    /// Where a missile or the ball is placed: where the beam is, but for what was measured after some HMOVEs.
    fn new_place_of_missile(&self, object: usize, write: &Write) -> u32 {
        let since_move = write.clock as i32 - self.moved;
        let after = if since_move % 3 == 0 { since_move / 3 } else { -1 };
        match (object, after, write.line_clock()) {
            (M0, 20, 69) => 8,
            (M1, 3, 18) | (BL, 3, 18) => 3,
            (BL, 18, 60 | 69) => 10,
            (BL, 7, 30) => 6,
            (BL, 6, 27) => 5,
            (_, _, clock) if clock < BLANK_CLOCKS => 2,
            (_, _, clock) => (clock - BLANK_CLOCKS + 4) % PIXELS,
        }
    }

    fn move_objects(&mut self, write: &Write) {
        let cycle = write.cycle();
        if self.window.comb == Comb::Shown && (cycle <= 20 || cycle == 75) {
            self.comb = Comb::Shown;
        }
        for (place, nibble) in self.places.iter_mut().zip(self.motion) {
            *place = place.wrapping_add_signed(motion(nibble, cycle)).wrapping_add(PIXELS) % PIXELS;
        }
        self.first_copy = [FirstCopy::Shown; 2];
        self.moved = write.clock as i32;
        self.stale |= 0x1F;
        self.stars = None;
        self.star = Star::Usual;
    }

    /// Whether nothing is switched on but the playfield. A player is on where its graphics are not empty, also where
    /// nothing of it can be seen on this line.
    pub fn only_playfield(&self) -> bool {
        [P0, P1].into_iter().all(|player| self.shown_graphics(player) == 0 && !self.missile_on(player))
            && !self.ball_on()
    }

    fn shown_graphics(&self, player: usize) -> u8 {
        if self.delayed[player] { self.delayed_graphics[player] } else { self.graphics[player] }
    }

    fn missile_on(&self, player: usize) -> bool {
        self.enabled[player] && !self.missile_locked[player]
    }

    fn ball_on(&self) -> bool {
        if self.delayed[2] { self.delayed_ball } else { self.enabled[2] }
    }

    /// Brings the objects' pixels up to date.
    #[inline]
    pub fn find_pixels(&mut self) {
        if self.stale != 0 {
            self.renew_masks();
        }
    }

    fn renew_masks(&mut self) {
        while self.stale != 0 {
            let object = self.stale.trailing_zeros() as usize;
            self.stale &= self.stale - 1;
            let mask = match object {
                P0 | P1 => self.player_mask(object),
                M0 if self.star == Star::Hidden => Mask::default(),
                M0 if self.star == Star::Wide && self.missile_on(0) => {
                    objects::missile(self.number_size[0] | 0x10, self.places[M0])
                }
                M0 | M1 if self.missile_on(object - M0) => {
                    objects::missile(self.number_size[object - M0], self.places[object])
                }
                BL if self.ball_on() => objects::ball(self.control, self.places[BL]),
                PF => objects::playfield(self.playfield, self.right_half),
                _ => Mask::default(),
            };
            self.masks[object] = mask;
            self.shown = self.shown & !(1 << object) | u8::from(!mask.is_empty()) << object;
        }
    }

    fn player_mask(&self, player: usize) -> Mask {
        let graphics = self.shown_graphics(player);
        if graphics == 0 {
            return Mask::default();
        }
        let graphics = if self.reflected[player] { graphics.reverse_bits() } else { graphics };
        objects::player(graphics, self.number_size[player], self.places[player], self.first_copy[player])
    }
}
