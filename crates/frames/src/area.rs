//! Resizing by area: each output pixel is the mean of the input it covers.

use std::iter;

/// What one output line (a row or a column) covers: input lines from `start` on, with their weights.
#[derive(Debug)]
struct Cover {
    start: usize,
    weights: Vec<f32>,
}

/// Output line `d` covers the input from `d * ratio` to `(d + 1) * ratio`, `ratio` being input over output size; an
/// input line's weight is its share of that.
fn covers(input: usize, output: usize) -> Vec<Cover> {
    // A shorter overlap comes from the rounding of `ratio` alone.
    let ratio = input as f64 / output as f64;
    let noise = 1e-3 * ratio.min(1.0);
    let cover = |index: usize| {
        let from = index as f64 * ratio;
        let to = (from + ratio).min(input as f64);
        let covered: Vec<(usize, f64)> = (from as usize..input)
            .map(|line| (line, to.min(line as f64 + 1.0) - from.max(line as f64)))
            .take_while(|(_, overlap)| *overlap > 0.0)
            .filter(|(_, overlap)| *overlap > noise)
            .collect();
        Cover {
            start: covered.first().expect("every output line covers some input").0,
            weights: covered.iter().map(|(_, overlap)| (overlap / (to - from)) as f32).collect(),
        }
    };
    (0..output).map(cover).collect()
}

/// What is known of an input row before it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// Nothing.
    New,
    /// It equals the row above it.
    SameAsAbove,
    /// It equals the same row of the image resized before.
    Unchanged,
}

/// Resizes images of bytes from one fixed size to another, without allocating.
///
/// Where no side grows, the result is bit for bit that of OpenCV's `resize` with `INTER_AREA`: same weights, same order of
/// `f32` sums, same rounding. Where a side grows this takes the same means; OpenCV interpolates there.
#[derive(Debug)]
pub struct AreaResize {
    input: (usize, usize),
    output: (usize, usize),
    rows: Vec<Cover>,
    /// First input column under each output column.
    column_starts: Vec<usize>,
    /// Weights under each output column, `taps` for each, the unused ones 0.
    column_weights: Vec<f32>,
    taps: usize,
    /// Applied to the finished sums.
    scale: f32,
    half: Half,
    /// One input row, as bytes.
    row: Vec<u8>,
    /// One input row as floats, with `taps` zeros behind it for weights of 0 to meet.
    wide: Vec<f32>,
    /// Input rows shrunk to the output's width.
    narrow: Vec<f32>,
    sums: Vec<f32>,
}

/// Where a mean that lies halfway between two bytes goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    ToEven,
    Up,
}

impl AreaResize {
    /// A resizer from `input` to `output`, both as (height, width).
    ///
    /// # Panics
    /// When a side is 0.
    pub fn new(input: (usize, usize), output: (usize, usize)) -> Self {
        assert!(input.0 > 0 && input.1 > 0, "cannot resize an empty image of {input:?}");
        assert!(output.0 > 0 && output.1 > 0, "cannot resize to an empty image of {output:?}");
        let mut rows = covers(input.0, output.0);
        let mut columns = covers(input.1, output.1);
        let mut scale = 1.0;
        let mut half = Half::ToEven;
        // OpenCV sums whole blocks as integers, and rounds halves up in blocks of 2 x 2.
        if input.0.is_multiple_of(output.0) && input.1.is_multiple_of(output.1) {
            let block = (input.0 / output.0, input.1 / output.1);
            for cover in rows.iter_mut().chain(&mut columns) {
                cover.weights.fill(1.0);
            }
            scale = 1.0 / (block.0 * block.1) as f32;
            if block == (2, 2) {
                half = Half::Up;
            }
        }
        let taps = columns.iter().map(|cover| cover.weights.len()).max().expect("there are columns");
        let mut column_weights = vec![0.0; output.1 * taps];
        for (weights, cover) in column_weights.chunks_exact_mut(taps).zip(&columns) {
            weights[..cover.weights.len()].copy_from_slice(&cover.weights);
        }
        Self {
            input,
            output,
            rows,
            column_starts: columns.iter().map(|cover| cover.start).collect(),
            column_weights,
            taps,
            scale,
            half,
            row: vec![0; input.1],
            wide: vec![0.0; input.1 + taps],
            narrow: vec![0.0; input.0 * output.1],
            sums: vec![0.0; output.1],
        }
    }

    /// Resizes `image`, row by row, into `resized`.
    ///
    /// # Panics
    /// When a buffer does not have the size given to [`AreaResize::new`].
    pub fn resize(&mut self, image: &[u8], resized: &mut [u8]) {
        let (height, width) = self.input;
        assert_eq!(image.len(), height * width, "the image must be {height} x {width}");
        let rows = image.chunks_exact(width);
        let above = iter::once(None).chain(rows.clone().map(Some));
        let kinds =
            rows.clone().zip(above).map(|(row, above)| if above == Some(row) { Row::SameAsAbove } else { Row::New });
        self.resize_rows(kinds, |y, row| row.copy_from_slice(&image[y * width..][..width]), resized);
    }

    /// Resizes an image of which something is known: `write_row` is asked for the rows that are new, by index. The image
    /// before the first counts as all zeros.
    pub fn resize_rows(
        &mut self,
        kinds: impl IntoIterator<Item = Row>,
        mut write_row: impl FnMut(usize, &mut [u8]),
        resized: &mut [u8],
    ) {
        let (height, width) = self.output;
        assert_eq!(resized.len(), height * width, "the resized image must be {height} x {width}");
        for (y, kind) in kinds.into_iter().enumerate() {
            match kind {
                Row::New => {
                    write_row(y, &mut self.row);
                    self.narrow_row(y);
                }
                Row::SameAsAbove => self.narrow.copy_within((y - 1) * width..y * width, y * width),
                Row::Unchanged => {}
            }
        }
        for (cover, line) in self.rows.iter().zip(resized.chunks_exact_mut(width)) {
            self.sums.fill(0.0);
            for (weight, narrow) in cover.weights.iter().zip(self.narrow[cover.start * width..].chunks_exact(width)) {
                for (sum, value) in self.sums.iter_mut().zip(narrow) {
                    *sum += weight * value;
                }
            }
            match self.half {
                Half::ToEven => {
                    line.iter_mut().zip(&self.sums).for_each(|(byte, sum)| *byte = nearest(sum * self.scale))
                }
                Half::Up => {
                    line.iter_mut().zip(&self.sums).for_each(|(byte, sum)| *byte = (sum * self.scale + 0.5) as u8)
                }
            }
        }
    }

    /// Shrinks the row in `row`, the input's row `y`, to the output's width.
    fn narrow_row(&mut self, y: usize) {
        for (wide, byte) in self.wide.iter_mut().zip(&self.row) {
            *wide = f32::from(*byte);
        }
        let width = self.output.1;
        let narrow = &mut self.narrow[y * width..][..width];
        // The usual shrinkings have few taps, known to the compiler they need no loop.
        match self.taps {
            1 => weigh::<1>(&self.wide, &self.column_starts, &self.column_weights, narrow),
            2 => weigh::<2>(&self.wide, &self.column_starts, &self.column_weights, narrow),
            3 => weigh::<3>(&self.wide, &self.column_starts, &self.column_weights, narrow),
            4 => weigh::<4>(&self.wide, &self.column_starts, &self.column_weights, narrow),
            taps => {
                let weights = self.column_weights.chunks_exact(taps);
                for ((value, start), weights) in narrow.iter_mut().zip(&self.column_starts).zip(weights) {
                    let covered = &self.wide[*start..][..taps];
                    *value = covered.iter().zip(weights).fold(0.0, |sum, (pixel, weight)| sum + pixel * weight);
                }
            }
        }
    }
}

fn weigh<const TAPS: usize>(wide: &[f32], starts: &[usize], weights: &[f32], narrow: &mut [f32]) {
    let (weights, _) = weights.as_chunks::<TAPS>();
    for ((value, start), weights) in narrow.iter_mut().zip(starts).zip(weights) {
        let covered: &[f32; TAPS] = wide[*start..].first_chunk().expect("zeros follow the row");
        let mut sum = 0.0;
        for tap in 0..TAPS {
            sum += covered[tap] * weights[tap];
        }
        *value = sum;
    }
}

/// Rounds a value from 0 to 255 to the nearest byte, halves to even.
fn nearest(value: f32) -> u8 {
    // Floats this large have no fraction, so the addition rounds, in the mode that every float operation rounds in, and
    // leaves the integer in the low bits. The standard library's function is a call on processors without SSE4.1.
    const NO_FRACTION: f32 = (1 << 23) as f32;
    (value + NO_FRACTION).to_bits() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, without tables: for each output pixel, the mean of the input weighted by covered area, in f64.
    fn mean_by_definition(image: &[u8], input: (usize, usize), output: (usize, usize)) -> Vec<f64> {
        let overlap = |from: f64, to: f64, line: usize| (to.min(line as f64 + 1.0) - from.max(line as f64)).max(0.0);
        let (ratio_y, ratio_x) = (input.0 as f64 / output.0 as f64, input.1 as f64 / output.1 as f64);
        let mut means = Vec::new();
        for dy in 0..output.0 {
            for dx in 0..output.1 {
                let (top, left) = (dy as f64 * ratio_y, dx as f64 * ratio_x);
                let mut sum = 0.0;
                for y in 0..input.0 {
                    for x in 0..input.1 {
                        let area = overlap(top, top + ratio_y, y) * overlap(left, left + ratio_x, x);
                        sum += area * f64::from(image[y * input.1 + x]);
                    }
                }
                means.push(sum / (ratio_y * ratio_x));
            }
        }
        means
    }

    fn pattern(height: usize, width: usize) -> Vec<u8> {
        (0..height * width).map(|i| (i * i * 31 + i * 7 + (i / width) * 13) as u8).collect()
    }

    #[test]
    fn every_pixel_is_the_mean_of_what_it_covers() {
        for (input, output) in [
            ((21, 16), (8, 8)),
            ((21, 16), (7, 8)),
            ((21, 16), (21, 16)),
            ((20, 16), (10, 8)),
            ((5, 4), (9, 11)),
            ((21, 16), (1, 1)),
            ((30, 33), (3, 5)),
        ] {
            let image = pattern(input.0, input.1);
            let mut resized = vec![0; output.0 * output.1];
            AreaResize::new(input, output).resize(&image, &mut resized);
            for (byte, mean) in resized.iter().zip(mean_by_definition(&image, input, output)) {
                assert!((f64::from(*byte) - mean).abs() <= 0.5 + 1e-3, "{input:?} to {output:?}: {byte} for {mean}");
            }
        }
    }

    #[test]
    fn what_is_known_of_rows_changes_nothing() {
        let (input, output) = ((10, 8), (4, 3));
        let mut image = pattern(10, 8);
        image.copy_within(8..16, 16);
        image.copy_within(8..16, 24);
        let mut expected = vec![0; 12];
        let all_new = [Row::New; 10];
        let write = |y: usize, row: &mut [u8]| row.copy_from_slice(&image[y * 8..][..8]);
        AreaResize::new(input, output).resize_rows(all_new, write, &mut expected);

        let mut resized = vec![0; 12];
        let mut resizer = AreaResize::new(input, output);
        resizer.resize(&image, &mut resized);
        assert_eq!(resized, expected);
        resizer.resize_rows([Row::Unchanged; 10], |y, _| panic!("row {y} is known"), &mut resized);
        assert_eq!(resized, expected);
    }

    #[test]
    fn halves_go_to_the_even_byte_except_in_blocks_of_two_by_two() {
        let resize = |image: &[u8], input, output| {
            let mut resized = vec![0; 2];
            AreaResize::new(input, output).resize(image, &mut resized);
            resized
        };
        assert_eq!(resize(&[0, 1, 1, 2], (1, 4), (1, 2)), [0, 2]);
        assert_eq!(resize(&[0, 1, 1, 2, 0, 1, 1, 2], (2, 4), (1, 2)), [1, 2]);
    }
}
