//! Which objects share a pixel.

use super::beam::{BL, Beam, M0, M1, OBJECTS, P0, P1, PF, Sees, Sink};
use super::objects::Mask;

/// The pairs of objects that have a latch, in the order of the latches' bits: registers CXM0P to CXPPMM, for each first bit 6,
/// then bit 7. CXBLPF has no bit 6.
const PAIRS: [Option<(usize, usize)>; 16] = [
    Some((M0, P0)),
    Some((M0, P1)),
    Some((M1, P1)),
    Some((M1, P0)),
    Some((P0, BL)),
    Some((P0, PF)),
    Some((P1, BL)),
    Some((P1, PF)),
    Some((M0, BL)),
    Some((M0, PF)),
    Some((M1, BL)),
    Some((M1, PF)),
    None,
    Some((BL, PF)),
    Some((M0, M1)),
    Some((P0, P1)),
];

/// The latches that a set of objects can set.
const POSSIBLE: [u16; 1 << OBJECTS] = {
    let mut possible = [0; 1 << OBJECTS];
    let mut objects = 0;
    while objects < possible.len() {
        let mut bit = 0;
        while bit < PAIRS.len() {
            if let Some((a, b)) = PAIRS[bit]
                && objects >> a & 1 != 0
                && objects >> b & 1 != 0
            {
                possible[objects] |= 1 << bit;
            }
            bit += 1;
        }
        objects += 1;
    }
    possible
};

/// Notes in the beam's latches what collides.
pub struct Latches;

impl Sink for Latches {
    const SEES: Sees = Sees::Shapes;

    #[inline]
    fn span(&mut self, beam: &mut Beam, _: u32, from: u32, to: u32) {
        if beam.vblank {
            return;
        }
        // Often everything that could collide has, before any pixel is looked at.
        if POSSIBLE[usize::from(beam.shown | beam.stale)] & !beam.collisions() == 0 {
            return;
        }
        beam.find_pixels();
        let mut candidates = POSSIBLE[usize::from(beam.shown)] & !beam.collisions();
        let span = Mask::span(from, to);
        let mut latches = 0;
        while candidates != 0 {
            let bit = candidates.trailing_zeros();
            candidates &= candidates - 1;
            if let Some((a, b)) = PAIRS[bit as usize]
                && beam.masks[a].meet(&beam.masks[b], &span)
            {
                latches |= 1 << bit;
            }
        }
        beam.latch(latches);
    }

    fn repeat(&mut self, _: u32) {}
}
