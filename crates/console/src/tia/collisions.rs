//! Which objects share a pixel.

use super::beam::{BL, Beam, M0, M1, P0, P1, PF, Sink};
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

/// Notes in the beam's latches what collides.
pub struct Latches;

impl Sink for Latches {
    fn span(&mut self, beam: &mut Beam, _: u32, from: u32, to: u32) {
        if beam.vblank {
            return;
        }
        let span = Mask::span(from, to);
        let masks = beam.masks();
        let mut latches = 0;
        for (bit, pair) in PAIRS.iter().enumerate() {
            if let Some((a, b)) = pair
                && masks[*a].meet(&masks[*b], &span)
            {
                latches |= 1 << bit;
            }
        }
        beam.latch(latches);
    }
}
