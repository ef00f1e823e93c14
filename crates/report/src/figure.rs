//! A figure as data: panels of marks on axes, with title, legend and caption.

use std::fmt;
use std::path::Path;

use prism_runs::{OutputError, OutputFile};

use crate::axis::Axis;
use crate::observations::Image;
use crate::style::{Fill, Pen};

/// A whole figure.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) title: String,
    /// Under the title.
    pub(crate) subtitle: String,
    pub(crate) legend: Vec<LegendEntry>,
    /// Row by row; the last row may be shorter.
    pub(crate) panels: Vec<Panel>,
    /// Panels in a row.
    pub(crate) columns: usize,
    /// Width and height of each panel between its axes.
    pub(crate) panel_size: (f64, f64),
    /// The image to the left of each row of panels; there may be fewer images than rows.
    pub(crate) row_images: Vec<Image>,
    /// How the figure is to be read.
    pub(crate) caption: String,
}

/// A name, with the line or the surface it names, or both.
#[derive(Clone, Debug)]
pub(crate) struct LegendEntry {
    pub(crate) name: String,
    pub(crate) pen: Option<Pen>,
    pub(crate) fill: Option<Fill>,
}

/// Two axes and what lies between them.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    /// Above it, empty for none.
    pub(crate) title: String,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    /// Drawn in this order.
    pub(crate) marks: Vec<Mark>,
}

/// Something in a panel, in data units.
#[derive(Clone, Debug)]
pub(crate) enum Mark {
    /// A line through points.
    Line { points: Vec<(f64, f64)>, pen: Pen },
    /// The surface between two lines.
    Band { lower: Vec<(f64, f64)>, upper: Vec<(f64, f64)>, fill: Fill },
    /// Round dots.
    Dots { points: Vec<(f64, f64)>, fill: Fill },
    /// Bars from zero.
    Bars { bars: Vec<Bar>, fill: Fill },
}

/// One bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bar {
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) height: f64,
}

/// A finished figure: the text of an SVG file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Svg(pub(crate) String);

impl Svg {
    /// The text, an `<svg>` element that can stand in a page of HTML as it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Writes it to `path`, over a figure that is there.
    ///
    /// # Errors
    /// Those of [`OutputFile::new`] for the extension `svg`, and of [`OutputFile::write`].
    pub fn write(&self, path: &Path) -> Result<(), OutputError> {
        OutputFile::new(path, "svg")?.write(self.0.as_bytes())
    }
}

impl fmt::Display for Svg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
