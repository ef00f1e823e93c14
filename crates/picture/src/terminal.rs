//! Pictures in a terminal: each character is two pixels, one above the other.

use std::fmt::Write;

use crate::canvas::{Canvas, Rgb};

/// Colours that a terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TerminalColours {
    /// All of them.
    True,
    /// The 256 that most terminals know: a cube of six steps for each channel.
    Cube,
}

/// A picture as lines of half blocks, made smaller to fit into so many columns and lines. Each line ends with the terminal's
/// own colours.
pub fn half_blocks(picture: &Canvas, [columns, lines]: [usize; 2], colours: TerminalColours) -> Vec<String> {
    let (columns, rows) = (columns.max(1), 2 * lines.max(1));
    // The scale is the same along both sides; a pixel of a terminal is about square.
    let scale = (picture.width() as f64 / columns as f64).max(picture.height() as f64 / rows as f64).max(1.0);
    let width = ((picture.width() as f64 / scale) as usize).clamp(1, columns);
    let height = ((picture.height() as f64 / scale) as usize).clamp(1, rows);
    let pixel = |x: usize, y: usize| mean(picture, [x, y], [width, height]);
    (0..height.div_ceil(2))
        .map(|line| {
            let mut text = String::new();
            let mut before = None;
            for x in 0..width {
                let above = pixel(x, 2 * line);
                let below = if 2 * line + 1 < height { pixel(x, 2 * line + 1) } else { Rgb::default() };
                if before != Some((above, below)) {
                    colour(&mut text, 38, above, colours);
                    colour(&mut text, 48, below, colours);
                    before = Some((above, below));
                }
                text.push('▀');
            }
            text.push_str("\x1b[0m");
            text
        })
        .collect()
}

/// The mean of the pixels under one of the smaller picture.
fn mean(picture: &Canvas, [x, y]: [usize; 2], [width, height]: [usize; 2]) -> Rgb {
    let range = |index: usize, of: usize, side: usize| {
        let start = index * side / of;
        start..((index + 1) * side / of).max(start + 1)
    };
    let (columns, rows) = (range(x, width, picture.width()), range(y, height, picture.height()));
    let count = columns.len() * rows.len();
    let mut sums = [0; 3];
    for y in rows {
        for x in columns.clone() {
            for (sum, value) in sums.iter_mut().zip(picture.pixel(x, y).0) {
                *sum += usize::from(value);
            }
        }
    }
    Rgb(sums.map(|sum| (sum / count) as u8))
}

/// Sets the colour of letters (38) or behind them (48).
fn colour(text: &mut String, layer: u8, Rgb([red, green, blue]): Rgb, colours: TerminalColours) {
    let written = match colours {
        TerminalColours::True => write!(text, "\x1b[{layer};2;{red};{green};{blue}m"),
        TerminalColours::Cube => {
            // The steps are 0, 95, 135, 175, 215, 255.
            let step = |value: u8| usize::from(value >= 48) + usize::from(value.saturating_sub(75)) / 40;
            write!(text, "\x1b[{layer};5;{}m", 16 + 36 * step(red) + 6 * step(green) + step(blue))
        }
    };
    written.expect("text grows");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_rows_become_a_line() {
        let mut canvas = Canvas::new(2, 3);
        canvas.fill([0, 0, 2, 1], Rgb([255, 0, 0]));
        canvas.fill([1, 1, 1, 1], Rgb([0, 0, 255]));
        let lines = half_blocks(&canvas, [80, 24], TerminalColours::True);
        let first = "\x1b[38;2;255;0;0m\x1b[48;2;0;0;0m▀\x1b[38;2;255;0;0m\x1b[48;2;0;0;255m▀\x1b[0m";
        assert_eq!(lines, [first, "\x1b[38;2;0;0;0m\x1b[48;2;0;0;0m▀▀\x1b[0m"]);
        let lines = half_blocks(&canvas, [80, 24], TerminalColours::Cube);
        assert!(lines[0].starts_with("\x1b[38;5;196m\x1b[48;5;16m▀"), "{:?}", lines[0]);
    }

    #[test]
    fn a_picture_fits_into_what_there_is() {
        for (width, height) in [(160, 210), (500, 10), (10, 500), (1, 1)] {
            for [columns, lines] in [[80, 24], [10, 3], [1, 1], [0, 0]] {
                let shown = half_blocks(&Canvas::new(width, height), [columns, lines], TerminalColours::True);
                assert!(shown.len() <= lines.max(1));
                assert!(shown.iter().all(|line| line.matches('▀').count() <= columns.max(1)));
            }
        }
    }
}
