//! A game's screens, one after the other, and the observations made of them.

use crate::area::AreaResize;
use crate::colour::{Colour, luminance};
use crate::spec::{FrameError, FrameSpec};
use crate::stack::FrameStack;

/// Bytes of a screen's pixels, row by row from the top left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pixels {
    /// Four: red, green, blue, and opacity, which is ignored.
    Rgba,
    /// Three: red, green, blue.
    Rgb,
    /// One: luminance.
    Grey,
}

/// Makes observations of a game's screens, as training made them.
///
/// The first screen of a game makes the first frame alone; the frames before it are black. Then an action is held for
/// [`FrameSpec::skip`] screens, and the maximum of the last [`FrameSpec::pool`] of them, channel by channel, is resized to
/// the next frame.
#[derive(Debug)]
pub struct Screens {
    spec: FrameSpec,
    pixels: Pixels,
    /// Rows and columns of a screen.
    size: (usize, usize),
    /// Resizers, one for each channel of a frame.
    channels: Vec<AreaResize>,
    /// The maximum of the screens to be pooled so far, `[channels, rows, columns]`.
    pooled: Vec<u8>,
    stack: FrameStack,
    observation: Vec<u8>,
    /// Screens since the last frame; `None` before the first screen of a game.
    held: Option<usize>,
}

impl Screens {
    /// Observations as `spec` says, of screens of `size`, rows and columns.
    ///
    /// # Errors
    /// [`FrameError::Spec`] and [`FrameError::Size`].
    pub fn new(spec: FrameSpec, pixels: Pixels, size: (usize, usize)) -> Result<Self, FrameError> {
        spec.check()?;
        let side = 1..=1 << 14;
        if !(side.contains(&size.0) && side.contains(&size.1)) {
            return Err(FrameError::Size(size.0, size.1));
        }
        let channels = spec.colour.channels();
        let frame_bytes = channels * spec.height * spec.width;
        Ok(Self {
            spec,
            pixels,
            size,
            channels: (0..channels).map(|_| AreaResize::new(size, (spec.height, spec.width))).collect(),
            pooled: vec![0; channels * size.0 * size.1],
            stack: FrameStack::new(spec.stack, frame_bytes),
            observation: vec![0; spec.stack * frame_bytes],
            held: None,
        })
    }

    /// Begins a new game: the next screen is its first.
    pub fn reset(&mut self) {
        self.held = None;
        self.stack.clear();
    }

    /// Bytes of a screen.
    pub fn screen_bytes(&self) -> usize {
        let of_pixel = match self.pixels {
            Pixels::Rgba => 4,
            Pixels::Rgb => 3,
            Pixels::Grey => 1,
        };
        self.size.0 * self.size.1 * of_pixel
    }

    /// The observation that the last frame completed, `[channels, height, width]` as [`FrameSpec::observation`] has them.
    pub fn observation(&self) -> &[u8] {
        &self.observation
    }

    /// Takes the game's next screen. Gives the new observation where the agent has to act, which is after the first screen
    /// and after every `skip` of the others.
    ///
    /// # Errors
    /// [`FrameError::Screen`].
    pub fn show(&mut self, screen: &[u8]) -> Result<Option<&[u8]>, FrameError> {
        if screen.len() != self.screen_bytes() {
            return Err(FrameError::Screen { given: screen.len(), expected: self.screen_bytes() });
        }
        let FrameSpec { skip, pool, .. } = self.spec;
        // A game's first screen is pooled with none before it.
        let (held, first_pooled) = self.held.map_or((skip, skip), |held| (held + 1, skip - pool + 1));
        if held >= first_pooled {
            let before = if held == first_pooled { Before::Forgotten } else { Before::Counts };
            self.pool(screen, before);
        }
        self.held = Some(held % skip);
        if held < skip {
            return Ok(None);
        }
        let planes = self.pooled.chunks_exact(self.size.0 * self.size.1);
        let frame = self.stack.advance().chunks_exact_mut(self.spec.height * self.spec.width);
        for ((resize, plane), image) in self.channels.iter_mut().zip(planes).zip(frame) {
            resize.resize(plane, image);
        }
        self.stack.write(&mut self.observation);
        Ok(Some(&self.observation))
    }

    /// Takes the maximum of the screen and those before it.
    fn pool(&mut self, screen: &[u8], before: Before) {
        if before == Before::Forgotten {
            self.pooled.fill(0);
        }
        let area = self.size.0 * self.size.1;
        match (self.pixels, self.spec.colour) {
            (Pixels::Grey, _) => {
                let planes = self.pooled.chunks_exact_mut(area);
                planes.for_each(|plane| raise(plane, screen.iter().copied()));
            }
            (Pixels::Rgba, colour) => pool_colours(&mut self.pooled, screen.as_chunks::<4>().0, colour),
            (Pixels::Rgb, colour) => pool_colours(&mut self.pooled, screen.as_chunks::<3>().0, colour),
        }
    }
}

/// Whether screens before the one at hand count in the maximum.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Forgotten,
    Counts,
}

fn pool_colours<const N: usize>(pooled: &mut [u8], screen: &[[u8; N]], colour: Colour) {
    match colour {
        Colour::Grey => raise(pooled, screen.iter().map(|pixel| luminance([pixel[0], pixel[1], pixel[2]]))),
        Colour::Rgb => {
            for (channel, plane) in pooled.chunks_exact_mut(screen.len()).enumerate() {
                raise(plane, screen.iter().map(|pixel| pixel[channel]));
            }
        }
    }
}

fn raise(plane: &mut [u8], values: impl Iterator<Item = u8>) {
    plane.iter_mut().zip(values).for_each(|(largest, value)| *largest = value.max(*largest));
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: FrameSpec = FrameSpec { height: 2, width: 2, colour: Colour::Grey, stack: 2, skip: 3, pool: 2 };

    /// Grey screens of 2x2, all pixels the same.
    fn screens() -> Screens {
        Screens::new(SPEC, Pixels::Grey, (2, 2)).expect("sound frames")
    }

    #[test]
    fn frames_are_maxima_of_the_last_screens_before_an_action_and_stack_up() {
        let mut screens = screens();
        let shown: Vec<Option<[u8; 2]>> = [9, 90, 7, 5, 80, 3, 4]
            .into_iter()
            .map(|grey| {
                let observation = screens.show(&[grey; 4]).expect("a whole screen")?;
                Some([observation[0], observation[4]])
            })
            .collect();
        assert_eq!(shown, [Some([0, 9]), None, None, Some([9, 7]), None, None, Some([7, 4])]);
        screens.reset();
        assert_eq!(screens.show(&[1; 4]).expect("a whole screen"), Some([0, 0, 0, 0, 1, 1, 1, 1].as_slice()));
    }

    #[test]
    fn colours_are_pooled_each_and_opacity_is_ignored() {
        let spec = FrameSpec { height: 1, width: 1, colour: Colour::Rgb, stack: 1, skip: 2, pool: 2 };
        let mut screens = Screens::new(spec, Pixels::Rgba, (1, 1)).expect("sound frames");
        screens.show(&[0; 4]).expect("a whole screen");
        screens.show(&[10, 200, 30, 255]).expect("a whole screen");
        assert_eq!(screens.show(&[20, 100, 40, 0]).expect("a whole screen"), Some([20, 200, 40].as_slice()));
        let grey = FrameSpec { colour: Colour::Grey, ..spec };
        let mut screens = Screens::new(grey, Pixels::Rgb, (1, 1)).expect("sound frames");
        // 0.2989 * 100 + 0.587 * 50 + 0.114 * 200 = 82.04
        assert_eq!(screens.show(&[100, 50, 200]).expect("a whole screen"), Some([82].as_slice()));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for spec in [
            FrameSpec { height: 0, ..SPEC },
            FrameSpec { stack: 0, ..SPEC },
            FrameSpec { skip: 0, ..SPEC },
            FrameSpec { pool: 4, ..SPEC },
            FrameSpec { pool: 0, ..SPEC },
            FrameSpec { stack: usize::MAX, ..SPEC },
        ] {
            assert_eq!(Screens::new(spec, Pixels::Rgb, (2, 2)).err(), Some(FrameError::Spec(spec)));
        }
        for size in [(0, 1), (1, 0), (usize::MAX, 1)] {
            assert_eq!(Screens::new(SPEC, Pixels::Rgb, size).err(), Some(FrameError::Size(size.0, size.1)));
        }
        let error = screens().show(&[0; 5]).expect_err("too many bytes");
        assert_eq!(error.to_string(), "a screen has 5 bytes, but 4 were announced");
    }
}
