//! The one style of every figure: sizes in CSS pixels, fonts, colours.

use std::fmt;

/// Red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Colour(pub(crate) u8, pub(crate) u8, pub(crate) u8);

impl fmt::Display for Colour {
    /// As SVG writes it, `#RRGGBB`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02X}{:02X}{:02X}", self.0, self.1, self.2)
    }
}

/// Colours that readers with any colour vision can tell apart (Okabe and Ito 2008), without their yellow, which is too
/// light for lines on white. Neighbours differ in lightness as well.
pub(crate) const PALETTE: [Colour; 7] = [
    Colour(0, 114, 178),
    Colour(213, 94, 0),
    Colour(0, 158, 115),
    Colour(204, 121, 167),
    Colour(230, 159, 0),
    Colour(86, 180, 233),
    Colour(0, 0, 0),
];
/// Bounds and other marks that are not data.
pub(crate) const REFERENCE: Colour = Colour(110, 110, 110);
/// Surfaces behind lines.
pub(crate) const PALE: Colour = Colour(205, 205, 205);
pub(crate) const GRID: Colour = Colour(229, 229, 229);
pub(crate) const SPINE: Colour = Colour(70, 70, 70);
pub(crate) const PAPER: Colour = Colour(255, 255, 255);

pub(crate) const MARGIN: f64 = 16.0;
/// Between panels side by side, and one above the other.
pub(crate) const GAP: f64 = 22.0;
pub(crate) const TICK_LENGTH: f64 = 4.0;
/// Height of a line of the legend.
pub(crate) const LEGEND_LINE: f64 = 20.0;
/// Width of the sample of a line or a colour in the legend.
pub(crate) const SWATCH: f64 = 24.0;
pub(crate) const DOT_RADIUS: f64 = 3.0;
/// Opacity of the spread around a mean.
pub(crate) const BAND_OPACITY: f64 = 0.2;

/// How heavy the strokes of a font are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    Normal,
    Bold,
}

/// What a text is for, which decides how it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Title,
    Subtitle,
    Panel,
    Axis,
    Tick,
    Legend,
    Caption,
}

impl Role {
    /// Height of the font.
    pub(crate) fn size(self) -> f64 {
        match self {
            Self::Title => 17.0,
            Self::Panel | Self::Axis => 13.0,
            Self::Subtitle | Self::Legend => 12.5,
            Self::Tick => 11.5,
            Self::Caption => 11.0,
        }
    }

    pub(crate) fn weight(self) -> Weight {
        match self {
            Self::Title | Self::Panel => Weight::Bold,
            _ => Weight::Normal,
        }
    }

    pub(crate) fn colour(self) -> Colour {
        match self {
            Self::Subtitle | Self::Caption => Colour(85, 85, 85),
            _ => Colour(30, 30, 30),
        }
    }

    /// An upper bound of `text`'s width in the usual sans-serif fonts: the viewer chooses one, so it cannot be known.
    /// DejaVu Sans, the widest of them, takes 0.58 of its height for a letter on average, Arial and Helvetica 0.5.
    pub(crate) fn width(self, text: &str) -> f64 {
        let letter = if matches!(self.weight(), Weight::Bold) { 0.66 } else { 0.6 };
        letter * self.size() * text.chars().count() as f64
    }
}

/// How a line is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dash {
    Solid,
    Dashed,
    Dotted,
}

/// What a line is drawn with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pen {
    pub(crate) colour: Colour,
    pub(crate) width: f64,
    pub(crate) dash: Dash,
}

/// What a surface is filled with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Fill {
    pub(crate) colour: Colour,
    pub(crate) opacity: f64,
}

impl Pen {
    /// Lines that can be told apart: colours first, then dashes.
    pub(crate) const COUNT: usize = 3 * PALETTE.len();

    /// The `index`-th of them, `index` below [`Pen::COUNT`].
    pub(crate) fn of(index: usize) -> Self {
        let dash = [Dash::Solid, Dash::Dashed, Dash::Dotted][index / PALETTE.len()];
        Self { colour: PALETTE[index % PALETTE.len()], width: 1.75, dash }
    }

    pub(crate) fn reference() -> Self {
        Self { colour: REFERENCE, width: 1.25, dash: Dash::Dashed }
    }

    pub(crate) fn thin(self) -> Self {
        Self { width: 0.75, ..self }
    }

    /// The colour of a spread around this line.
    pub(crate) fn band(self) -> Fill {
        Fill { colour: self.colour, opacity: BAND_OPACITY }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_pens_are_alike() {
        let pens: Vec<Pen> = (0..Pen::COUNT).map(Pen::of).collect();
        for (index, pen) in pens.iter().enumerate() {
            assert!(!pens[..index].contains(pen), "pen {index}");
        }
    }
}
