//! A picture to draw on.

use crate::font::{self, GLYPH_HEIGHT, GLYPH_WIDTH};

/// Red, green and blue, 0 to 255.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rgb(pub [u8; 3]);

/// A picture, row by row from its upper left corner. Whatever is drawn beyond its edges is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canvas {
    width: usize,
    pixels: Vec<Rgb>,
}

impl Canvas {
    /// A black picture.
    ///
    /// # Panics
    /// When a side is 0.
    pub fn new(width: usize, height: usize) -> Self {
        assert!(width > 0 && height > 0, "a picture of {width} by {height} pixels has none");
        Self { width, pixels: vec![Rgb::default(); width * height] }
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.pixels.len() / self.width
    }

    /// The pixels, row by row.
    pub fn pixels(&self) -> &[Rgb] {
        &self.pixels
    }

    /// The colour of a pixel.
    ///
    /// # Panics
    /// When there is no such pixel.
    pub fn pixel(&self, x: usize, y: usize) -> Rgb {
        self.pixels[y * self.width..][..self.width][x]
    }

    /// Fills a rectangle, `[left, top, width, height]`.
    pub fn fill(&mut self, [left, top, width, height]: [usize; 4], colour: Rgb) {
        let right = left.saturating_add(width).min(self.width);
        let bottom = top.saturating_add(height).min(self.height());
        for y in top..bottom {
            if left < right {
                self.pixels[y * self.width + left..y * self.width + right].fill(colour);
            }
        }
    }

    /// Draws a picture of `columns` columns, each of its pixels as a rectangle of `size`, `[width, height]`.
    pub fn draw(&mut self, [left, top]: [usize; 2], pixels: &[Rgb], columns: usize, size: [usize; 2]) {
        for (index, &colour) in pixels.iter().enumerate() {
            let place = [left + index % columns * size[0], top + index / columns * size[1], size[0], size[1]];
            self.fill(place, colour);
        }
    }

    /// Writes a line of text with its upper left corner here, in letters of 5 by 7 pixels, 6 apart. Small letters are written
    /// as capitals, and what there is no letter for as a box.
    pub fn text(&mut self, left: usize, top: usize, text: &str, colour: Rgb) {
        for (index, letter) in text.chars().enumerate() {
            for (row, bits) in font::glyph(letter).into_iter().enumerate() {
                for column in (0..GLYPH_WIDTH).filter(|column| bits >> (GLYPH_WIDTH - 1 - column) & 1 == 1) {
                    self.fill([left + index * (GLYPH_WIDTH + 1) + column, top + row, 1, 1], colour);
                }
            }
        }
    }

    /// Columns that a text takes.
    pub fn text_width(text: &str) -> usize {
        text.chars().count() * (GLYPH_WIDTH + 1)
    }

    /// Rows of a line of text.
    pub const TEXT_HEIGHT: usize = GLYPH_HEIGHT;
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHITE: Rgb = Rgb([255; 3]);

    #[test]
    fn what_lies_beyond_the_edges_is_left_out() {
        let mut canvas = Canvas::new(4, 3);
        canvas.fill([2, 1, 50, 50], WHITE);
        canvas.fill([9, 0, 1, 1], WHITE);
        canvas.fill([usize::MAX, 0, 9, 9], WHITE);
        let lit = canvas.pixels().iter().filter(|pixel| **pixel == WHITE).count();
        assert_eq!(lit, 4);
        assert_eq!((canvas.pixel(1, 1), canvas.pixel(2, 1)), (Rgb::default(), WHITE));
    }

    #[test]
    fn text_is_readable() {
        let mut canvas = Canvas::new(12, 7);
        canvas.text(0, 0, "t1", WHITE);
        let rows: Vec<String> = canvas
            .pixels()
            .chunks(12)
            .map(|row| row.iter().map(|pixel| if *pixel == WHITE { '#' } else { '.' }).collect())
            .collect();
        let expected = [
            "#####...#...",
            "..#....##...",
            "..#.....#...",
            "..#.....#...",
            "..#.....#...",
            "..#.....#...",
            "..#....###..",
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn a_picture_is_drawn_enlarged() {
        let mut canvas = Canvas::new(6, 3);
        canvas.draw([1, 0], &[WHITE, Rgb::default(), Rgb::default(), WHITE], 2, [2, 1]);
        let lit: Vec<usize> = (0..18).filter(|&index| canvas.pixels()[index] == WHITE).collect();
        assert_eq!(lit, [1, 2, 9, 10]);
    }
}
