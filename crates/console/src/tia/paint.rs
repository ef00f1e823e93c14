//! Which colour each pixel has.

use super::beam::{BL, Beam, COMB_PIXELS, M0, M1, OBJECTS, P0, P1, PF, Sink};
use super::picture::WIDTH;

/// Places of the colours in [`Beam::colours`].
const PLAYER_0: usize = 0;
const PLAYER_1: usize = 1;
const PLAYFIELD: usize = 2;
const BACKGROUND: usize = 3;

/// CTRLPF's bit by which the halves of the playfield have the players' colours.
const SCORE: u8 = 2;
/// CTRLPF's bit by which playfield and ball lie before players and missiles.
const PRIORITY: u8 = 4;

/// Draws into rows of [`WIDTH`] palette bytes.
pub struct Paint<'a>(pub &'a mut [u8]);

impl Sink for Paint<'_> {
    fn span(&mut self, beam: &mut Beam, row: u32, from: u32, to: u32) {
        let start = row as usize * WIDTH;
        let pixels = &mut self.0[start + from as usize..start + to as usize];
        if beam.vblank {
            pixels.fill(0);
            return;
        }
        let masks = *beam.masks();
        let only_playfield = beam.only_playfield();
        for (x, pixel) in (from..to).zip(pixels.iter_mut()) {
            let objects = (0..OBJECTS).fold(0, |objects, object| objects | u8::from(masks[object].at(x)) << object);
            *pixel = beam.colours[colour(objects, beam.control, x, only_playfield)];
        }
        if beam.combed && from < COMB_PIXELS {
            let blank = to.min(COMB_PIXELS) - from;
            pixels[..blank as usize].fill(0);
        }
    }
}

/// The colour of a pixel in which the objects of these bits are.
fn colour(objects: u8, control: u8, x: u32, only_playfield: bool) -> usize {
    let any = |wanted: &[usize]| wanted.iter().any(|object| objects >> object & 1 != 0);
    let half = if x < WIDTH as u32 / 2 { PLAYER_0 } else { PLAYER_1 };
    let scored = control & SCORE != 0;
    let before = control & PRIORITY != 0;
    if before && any(&[PF, BL]) {
        // The score's colours go with the priority only while no other object is on.
        return if any(&[PF]) && scored && only_playfield { half } else { PLAYFIELD };
    }
    if any(&[P0, M0]) {
        return PLAYER_0;
    }
    if any(&[PF]) && scored && half == PLAYER_0 {
        return PLAYER_0;
    }
    if any(&[P1, M1]) {
        return PLAYER_1;
    }
    match () {
        () if any(&[PF]) && scored => half,
        () if any(&[PF, BL]) => PLAYFIELD,
        () => BACKGROUND,
    }
}
