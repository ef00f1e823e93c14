//! The two pictures that the chip draws in turns, and what is still to be drawn in them.

use std::mem;

use serde::{Deserialize, Serialize};

use super::beam::{Beam, Window, Write};
use super::paint::Paint;

/// Pixels in a row.
pub const WIDTH: usize = 160;

/// A frame that nobody has looked at: what the beam was like at its beginning, what was written, how far it came.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Undrawn {
    begin: Beam,
    writes: Vec<Write>,
    reached: u32,
}

impl Undrawn {
    fn draw(&self, pixels: &mut [u8]) {
        let mut beam = self.begin.clone();
        let mut paint = Paint(pixels);
        beam.carry_out(&self.writes, &mut paint);
        beam.advance(self.reached, &mut paint);
    }

    /// Whether nothing of an earlier picture is left after drawing.
    fn covers_all(&self) -> bool {
        let window = self.begin.window();
        self.reached >= (window.top + window.height) * super::LINE_CLOCKS
    }
}

/// A picture in which frames of every second number are drawn, each over the one before.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Canvas {
    #[serde(with = "serde_bytes")]
    pixels: Vec<u8>,
    /// The newest frame, where it is not in the pixels.
    newest: Option<Undrawn>,
}

impl Canvas {
    fn bring_up_to_date(&mut self) {
        if let Some(undrawn) = self.newest.take() {
            undrawn.draw(&mut self.pixels);
        }
    }
}

/// The pictures.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Picture {
    /// Of the frame that ended last, then of the one before, which the next frame is drawn over.
    canvases: [Canvas; 2],
    /// The beam when the frame began, or was interrupted.
    begin: Beam,
    /// Whether the newest frame was not over when it was last looked at: then it goes on in its own picture.
    interrupted: bool,
    /// Vectors of writes no longer needed.
    #[serde(skip)]
    spare: Vec<Write>,
}

impl Picture {
    /// Two black pictures.
    pub fn new(beam: &Beam) -> Self {
        let black = Canvas { pixels: vec![0; beam.window().height as usize * WIDTH], newest: None };
        Self { canvases: [black.clone(), black], begin: beam.clone(), interrupted: false, spare: Vec::new() }
    }

    /// Takes the writes of a frame, or of the rest of one that was interrupted.
    fn take(&mut self, writes: &mut Vec<Write>, reached: u32) {
        if !self.interrupted {
            self.canvases.swap(0, 1);
        }
        let newest =
            Undrawn { begin: self.begin.clone(), writes: mem::replace(writes, mem::take(&mut self.spare)), reached };
        let canvas = &mut self.canvases[0];
        if let Some(before) = canvas.newest.take() {
            if !newest.covers_all() || self.interrupted {
                before.draw(&mut canvas.pixels);
            }
            self.spare = before.writes;
            self.spare.clear();
        }
        canvas.newest = Some(newest);
    }

    /// A frame has ended.
    pub fn end_frame(&mut self, writes: &mut Vec<Write>, reached: u32) {
        self.take(writes, reached);
        self.interrupted = false;
    }

    /// Notes what the beam is like at the beginning of a frame.
    pub fn begin_frame(&mut self, beam: &Beam) {
        self.begin.clone_from(beam);
    }

    /// A frame is interrupted in a line: its picture is grey from there on.
    pub fn interrupt_frame(&mut self, writes: &mut Vec<Write>, reached: u32, beam: &Beam, line: u32) {
        self.take(writes, reached);
        let canvas = &mut self.canvases[0];
        canvas.bring_up_to_date();
        let row = line.saturating_sub(beam.window().top).min(beam.window().height) as usize;
        if !self.interrupted {
            for pixel in &mut canvas.pixels[row * WIDTH..] {
                *pixel = (*pixel & 0x0F) >> 1;
            }
        }
        self.interrupted = true;
        self.begin.clone_from(beam);
    }

    /// Whether these can be the pictures of a chip that draws these lines.
    pub fn is_sound(&self, window: Window) -> bool {
        let fits = |beam: &Beam| beam.window() == window && beam.is_sound();
        self.canvases.iter().all(|canvas| {
            canvas.pixels.len() == window.height as usize * WIDTH
                && canvas.newest.iter().all(|newest| fits(&newest.begin))
        }) && fits(&self.begin)
    }

    /// Writes the pixels of the newest frame.
    pub fn read(&self, pixels: &mut [u8]) {
        let Canvas { pixels: old, newest } = &self.canvases[0];
        match newest {
            Some(newest) if newest.covers_all() && newest.begin.is_at_top() => newest.draw(pixels),
            Some(newest) => {
                pixels.copy_from_slice(old);
                newest.draw(pixels);
            }
            None => pixels.copy_from_slice(old),
        }
    }
}
