//! Which colour each pixel has.

use super::beam::{BL, Beam, COMB_PIXELS, Comb, M0, M1, OBJECTS, P0, P1, PF, Sees, Sink};
use super::picture::WIDTH;

/// Places of the colours in [`Beam::colours`].
const PLAYER_0: u8 = 0;
const PLAYER_1: u8 = 1;
const PLAYFIELD: u8 = 2;
const BACKGROUND: u8 = 3;

/// CTRLPF's bit by which the halves of the playfield have the players' colours.
const SCORE: u8 = 2;
/// CTRLPF's bit by which playfield and ball lie before players and missiles.
const PRIORITY: u8 = 4;

/// How the playfield is coloured: two bits of CTRLPF, then whether nothing else is on, then the half of the screen.
const MODES: usize = 16;

/// The colour of a pixel in each mode for each set of objects in it.
const COLOURS: [[u8; 1 << OBJECTS]; MODES] = {
    let mut colours = [[0; 1 << OBJECTS]; MODES];
    let mut mode = 0;
    while mode < MODES {
        let mut objects = 0;
        while objects < 1 << OBJECTS {
            colours[mode][objects] = colour(objects, mode);
            objects += 1;
        }
        mode += 1;
    }
    colours
};

/// The colour of a pixel in which the objects of these bits are.
const fn colour(objects: usize, mode: usize) -> u8 {
    let scored = mode & 1 != 0;
    let before = mode & 2 != 0;
    let only_playfield = mode & 4 != 0;
    let half = if mode & 8 == 0 { PLAYER_0 } else { PLAYER_1 };
    let playfield = objects >> PF & 1 != 0;
    let ball = objects >> BL & 1 != 0;
    if before && (playfield || ball) {
        // The score's colours go with the priority only while no other object is on.
        return if playfield && scored && only_playfield { half } else { PLAYFIELD };
    }
    if objects >> P0 & 1 != 0 || objects >> M0 & 1 != 0 {
        return PLAYER_0;
    }
    // In the left half of the score the other player does not cover it.
    if playfield && scored && half == PLAYER_0 {
        return PLAYER_0;
    }
    if objects >> P1 & 1 != 0 || objects >> M1 & 1 != 0 {
        return PLAYER_1;
    }
    if playfield && scored {
        half
    } else if playfield || ball {
        PLAYFIELD
    } else {
        BACKGROUND
    }
}

/// Eight bits as eight bytes, the lowest first.
const BYTES: [u64; 256] = {
    let mut bytes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut bit = 0;
        while bit < 8 {
            bytes[byte] |= (byte as u64 >> bit & 1) << (8 * bit);
            bit += 1;
        }
        byte += 1;
    }
    bytes
};

/// Draws into rows of [`WIDTH`] palette bytes.
pub struct Paint<'a>(pub &'a mut [u8]);

impl Sink for Paint<'_> {
    const SEES: Sees = Sees::Colours;

    fn span(&mut self, beam: &mut Beam, row: u32, from: u32, to: u32) {
        let start = row as usize * WIDTH;
        let row = &mut self.0[start..start + WIDTH];
        let (from, to) = (from as usize, to as usize);
        if beam.vblank {
            row[from..to].fill(0);
            return;
        }
        let (control, colours) = (beam.control, beam.colours);
        let only_playfield = beam.only_playfield();
        beam.find_pixels();
        row[from..to].fill(colours[usize::from(BACKGROUND)]);
        if beam.shown != 0 {
            let mode = usize::from((control & (SCORE | PRIORITY)) >> 1) | usize::from(only_playfield) << 2;
            let halves = [0, 8].map(|half| COLOURS[mode | half].map(|colour| colours[usize::from(colour)]));
            for x in (from & !7..to).step_by(8) {
                let mut objects = 0;
                for (object, mask) in beam.masks.iter().enumerate() {
                    objects |= BYTES[usize::from(mask.eight(x as u32))] << object;
                }
                if objects == 0 {
                    continue;
                }
                let palette = &halves[usize::from(x >= WIDTH / 2)];
                let drawn = objects.to_le_bytes().map(|objects| palette[usize::from(objects & 63)]);
                let (first, end) = (from.max(x), to.min(x + 8));
                row[first..end].copy_from_slice(&drawn[first - x..end - x]);
            }
        }
        let comb = COMB_PIXELS as usize;
        if beam.comb == Comb::Shown && from < comb {
            row[from..to.min(comb)].fill(0);
        }
    }

    fn repeat(&mut self, row: u32) {
        let start = row as usize * WIDTH;
        self.0.copy_within(start - WIDTH..start, start);
    }
}
