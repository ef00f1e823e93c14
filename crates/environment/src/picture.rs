//! What an environment looks like to a person.

/// A picture in red, green and blue.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// Pixels of a row.
    pub width: usize,
    /// Width of a pixel over its height: a console's pixels are wide.
    pub pixel_aspect: f64,
    /// Row by row from the upper left corner, red, green and blue of each.
    pub pixels: Vec<[u8; 3]>,
}
