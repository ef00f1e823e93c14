//! The SVG elements of figures. Coordinates are pixels; y points downwards.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::figure::Svg;
use crate::style::{Dash, Fill, Pen, Role, Weight};

/// Which part of a text lies at its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// Which height of a text lies at its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Top,
    Centre,
    Bottom,
}

/// Which way a text reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    Across,
    /// Turned by a quarter against the clock.
    Upwards,
}

/// A position in pixels.
pub(crate) type Point = (f64, f64);

/// A figure that is being written.
#[derive(Debug)]
pub(crate) struct Document {
    text: String,
}

impl Document {
    /// An empty figure; readers that cannot see it are told `description`.
    pub(crate) fn new(width: f64, height: f64, description: &str) -> Self {
        let description = escaped(description);
        // Round joins, because sharp ones turn noise into spikes.
        let text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{description}\" \
             font-family=\"sans-serif\" stroke-linejoin=\"round\">\n"
        );
        Self { text }
    }

    pub(crate) fn rectangle(&mut self, (left, top): Point, (right, bottom): Point, fill: Fill) {
        let (x, y) = (short(left), short(top));
        let (width, height) = (short(right - left), short(bottom - top));
        self.element(&format!("<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"{}/>", surface(fill)));
    }

    pub(crate) fn line(&mut self, points: &[Point], pen: Pen) {
        let Pen { colour, width, dash } = pen;
        let dashes = match dash {
            Dash::Solid => "",
            Dash::Dashed => " stroke-dasharray=\"6 3.5\"",
            Dash::Dotted => " stroke-dasharray=\"1.5 2.5\"",
        };
        let points = listed(points.iter());
        self.element(&format!(
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\"{dashes}/>"
        ));
    }

    pub(crate) fn polygon<'a>(&mut self, corners: impl Iterator<Item = &'a Point>, fill: Fill) {
        self.element(&format!("<polygon points=\"{}\"{}/>", listed(corners), surface(fill)));
    }

    pub(crate) fn circle(&mut self, (x, y): Point, radius: f64, fill: Fill) {
        self.element(&format!("<circle cx=\"{}\" cy=\"{}\" r=\"{radius}\"{}/>", short(x), short(y), surface(fill)));
    }

    /// Writes nothing for an empty `text`.
    pub(crate) fn text(&mut self, text: &str, role: Role, at: Point, place: (Anchor, Level), reading: Reading) {
        if text.is_empty() {
            return;
        }
        let (anchor, level) = place;
        let size = role.size();
        // Parts of the size that letters of the usual fonts take above their baseline; not every viewer knows the
        // attribute that would say it.
        let down = size
            * match level {
                Level::Top => 0.8,
                Level::Centre => 0.36,
                Level::Bottom => 0.0,
            };
        let (x, y, turn) = match reading {
            Reading::Across => (short(at.0), short(at.1 + down), String::new()),
            Reading::Upwards => {
                let (x, y) = (short(at.0 + down), short(at.1));
                let turn = format!(" transform=\"rotate(-90 {x} {y})\"");
                (x, y, turn)
            }
        };
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let weight = match role.weight() {
            Weight::Normal => "",
            Weight::Bold => " font-weight=\"bold\"",
        };
        let (colour, text) = (role.colour(), escaped(text));
        self.element(&format!(
            "<text x=\"{x}\" y=\"{y}\"{anchor} font-size=\"{size}\"{weight} fill=\"{colour}\"{turn}>{text}</text>"
        ));
    }

    /// An image whose pixels stay squares however large it is shown.
    pub(crate) fn image(&mut self, (x, y): Point, (width, height): Point, png: &[u8]) {
        let (x, y, width, height) = (short(x), short(y), short(width), short(height));
        self.element(&format!(
            "<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" image-rendering=\"pixelated\" \
             href=\"data:image/png;base64,{}\"/>",
            STANDARD.encode(png)
        ));
    }

    /// The whole figure.
    pub(crate) fn finish(mut self) -> Svg {
        self.text.push_str("</svg>\n");
        Svg(self.text)
    }

    /// One element a line, so that two versions of a figure can be compared.
    fn element(&mut self, element: &str) {
        self.text.push_str(element);
        self.text.push('\n');
    }
}

fn surface(Fill { colour, opacity }: Fill) -> String {
    if opacity == 1.0 {
        format!(" fill=\"{colour}\"")
    } else {
        format!(" fill=\"{colour}\" fill-opacity=\"{opacity}\"")
    }
}

fn listed<'a>(points: impl Iterator<Item = &'a Point>) -> String {
    let mut list = String::new();
    for (x, y) in points {
        let gap = if list.is_empty() { "" } else { " " };
        write!(list, "{gap}{},{}", short(*x), short(*y)).expect("text in memory can always be written");
    }
    list
}

/// A length to a tenth of a pixel, without trailing zeros.
fn short(length: f64) -> String {
    // Adding zero makes -0 a 0.
    ((length * 10.0).round() / 10.0 + 0.0).to_string()
}

/// `text` with XML's special characters escaped and without characters that XML forbids.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => escaped.push(' '),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style::{GRID, PALETTE};

    /// What `draw` writes, without the lines around it.
    fn written(draw: impl FnOnce(&mut Document)) -> String {
        let mut document = Document::new(10.0, 20.0, "a & b");
        draw(&mut document);
        let svg = document.finish();
        let lines: Vec<&str> = svg.as_str().lines().collect();
        lines[1..lines.len() - 1].join("\n")
    }

    #[test]
    fn a_picture_begins_with_its_size_and_a_description() {
        let svg = Document::new(10.5, 20.0, "a & \"b\"").finish();
        assert_eq!(
            svg.as_str(),
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"10.5\" height=\"20\" viewBox=\"0 0 10.5 20\" \
             role=\"img\" aria-label=\"a &amp; &quot;b&quot;\" font-family=\"sans-serif\" \
             stroke-linejoin=\"round\">\n</svg>\n"
        );
    }

    #[test]
    fn lengths_are_rounded_to_tenths_and_as_short_as_they_can_be() {
        assert_eq!([0.0, -0.04, 12.0, 0.25, 100.06, -3.16].map(short), ["0", "0", "12", "0.3", "100.1", "-3.2"]);
    }

    #[test]
    fn surfaces_and_lines_carry_their_colours() {
        let fill = Fill { colour: PALETTE[0], opacity: 0.2 };
        let rectangle = written(|document| document.rectangle((1.0, 2.0), (4.0, 8.04), fill));
        assert_eq!(rectangle, "<rect x=\"1\" y=\"2\" width=\"3\" height=\"6\" fill=\"#0072B2\" fill-opacity=\"0.2\"/>");
        let pen = Pen { colour: GRID, width: 1.25, dash: Dash::Dashed };
        let line = written(|document| document.line(&[(0.0, 1.0), (2.5, 3.0)], pen));
        assert_eq!(
            line,
            "<polyline points=\"0,1 2.5,3\" fill=\"none\" stroke=\"#E5E5E5\" stroke-width=\"1.25\" \
             stroke-dasharray=\"6 3.5\"/>"
        );
        let solid = Fill { opacity: 1.0, ..fill };
        let polygon = written(|document| document.polygon([(0.0, 0.0), (1.0, 0.0)].iter(), solid));
        assert_eq!(polygon, "<polygon points=\"0,0 1,0\" fill=\"#0072B2\"/>");
        let circle = written(|document| document.circle((1.0, 2.0), 3.0, solid));
        assert_eq!(circle, "<circle cx=\"1\" cy=\"2\" r=\"3\" fill=\"#0072B2\"/>");
    }

    #[test]
    fn a_text_is_escaped_and_stands_where_it_is_anchored() {
        let place = (Anchor::Middle, Level::Top);
        let text =
            |text: &str| written(|document| document.text(text, Role::Caption, (10.0, 20.0), place, Reading::Across));
        assert_eq!(
            text("<a> & \"b\"\n\u{7}"),
            "<text x=\"10\" y=\"28.8\" text-anchor=\"middle\" font-size=\"11\" fill=\"#555555\">\
             &lt;a&gt; &amp; &quot;b&quot; \u{fffd}</text>"
        );
        assert_eq!(text(""), "");
        let place = (Anchor::End, Level::Bottom);
        let upwards = written(|document| document.text("y", Role::Title, (10.0, 20.0), place, Reading::Upwards));
        assert_eq!(
            upwards,
            "<text x=\"10\" y=\"20\" text-anchor=\"end\" font-size=\"17\" font-weight=\"bold\" fill=\"#1E1E1E\" \
             transform=\"rotate(-90 10 20)\">y</text>"
        );
    }

    #[test]
    fn an_image_is_part_of_the_file() {
        let image = written(|document| document.image((0.0, 0.0), (84.0, 84.0), b"\x89PNG"));
        assert!(image.ends_with("href=\"data:image/png;base64,iVBORw==\"/>"), "{image}");
    }
}
