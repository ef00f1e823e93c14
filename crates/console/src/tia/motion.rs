//! How far HMOVE moves an object.

/// Pixels to the right, for the high nibble of an object's motion register and the processor cycle of the line at which HMOVE
/// is written.
///
/// HMOVE begins to move all objects to the right, and takes back the motion of each after as many of the steps that its
/// register asks for. Written late, the blank part of the line has not enough time left for all steps.
pub fn motion(nibble: u8, cycle: u32) -> i32 {
    let nibble = i32::from(nibble & 15);
    let full = if nibble < 8 { -nibble } else { 16 - nibble };
    // Three quarters of the cycles, rounded to the nearest.
    let steps = |cycles: u32| (3 * cycles as i32 + 2) / 4;
    match cycle {
        0..=3 | 75.. => full,
        4..=20 => full.max(steps(cycle - 3) - 7),
        21..=54 => 0,
        55..=74 => 0.min(full + 6 - steps(cycle - 55)),
    }
}

#[cfg(test)]
mod tests {
    use super::motion;

    #[test]
    fn written_at_the_line_s_beginning_it_moves_as_the_manual_says() {
        assert_eq!([7, 1, 0, 15, 8].map(|nibble| motion(nibble, 3)), [-7, -1, 0, 1, 8]);
    }

    #[test]
    fn the_formula_is_the_rounding_of_its_documentation() {
        for cycles in 0..20u32 {
            assert_eq!((3 * cycles as i32 + 2) / 4, (0.75 * f64::from(cycles) + 0.5).floor() as i32);
        }
    }
}
