//! Layout and drawing: from a figure as data to SVG.

use std::ops::Range;

use crate::figure::{Bar, Figure, LegendEntry, Mark, Panel, Svg};
use crate::observations::Image;
use crate::style::{
    DOT_RADIUS, Dash, Fill, GAP, GRID, LEGEND_LINE, MARGIN, PAPER, Pen, Role, SPINE, SWATCH, TICK_LENGTH,
};
use crate::svg::{Anchor, Document, Level, Point, Reading};
use crate::thin::thinned;

/// Between an axis, its numbers and its title.
const LABEL_GAP: f64 = 6.0;

/// Draws `figure`.
///
/// # Panics
/// Without panels.
pub(crate) fn draw(figure: &Figure) -> Svg {
    let layout = Layout::of(figure);
    let document = Document::new(layout.width, layout.height, &figure.title);
    let mut canvas = Canvas { document };
    let paper = Fill { colour: PAPER, opacity: 1.0 };
    canvas.document.rectangle((0.0, 0.0), (layout.width, layout.height), paper);
    canvas.heading(figure, &layout);
    for (image, place) in figure.row_images.iter().zip(layout.panels.iter().step_by(figure.columns)) {
        canvas.document.image((MARGIN, place.down.start), image_size(image, layout.panel_height), image.png());
    }
    for (panel, place) in figure.panels.iter().zip(&layout.panels) {
        canvas.panel(panel, place);
    }
    for (number, line) in layout.caption.iter().enumerate() {
        let y = layout.caption_top + number as f64 * line_height(Role::Caption);
        canvas.text(line, Role::Caption, (MARGIN, y), (Anchor::Start, Level::Top));
    }
    canvas.document.finish()
}

fn line_height(role: Role) -> f64 {
    (1.4 * role.size()).ceil()
}

/// Where everything lies, in pixels.
struct Layout {
    width: f64,
    panel_height: f64,
    height: f64,
    subtitle: Vec<String>,
    legend_top: f64,
    /// Left end and line of each entry of the legend.
    legend: Vec<(f64, usize)>,
    panels: Vec<Place>,
    caption_top: f64,
    caption: Vec<String>,
}

/// Where a panel lies.
#[derive(Clone, Debug)]
struct Place {
    /// Its inner rectangle.
    across: Range<f64>,
    down: Range<f64>,
    /// Left end of its column, where titles of ordinates stand one below the other.
    column: f64,
}

impl Layout {
    fn of(figure: &Figure) -> Self {
        assert!(!figure.panels.is_empty(), "a picture has panels");
        let (panel_width, panel_height) = figure.panel_size;
        let rows: Vec<&[Panel]> = figure.panels.chunks(figure.columns).collect();
        let columns = rows[0].len();

        let mut ranges = Vec::with_capacity(columns);
        let image_room =
            figure.row_images.iter().map(|image| image_size(image, panel_height).0 + GAP).fold(0.0, f64::max);
        let mut x = MARGIN + image_room;
        for column in 0..columns {
            let panels = rows.iter().filter_map(|row| row.get(column));
            let left = x + panels.map(left_room).fold(0.0, f64::max);
            ranges.push((x, left..left + panel_width));
            x = left + panel_width + GAP;
        }
        // Half of the last number of an axis stands beyond its end.
        let last = figure.panels.iter().filter_map(|panel| panel.x.ticks.last());
        let overhang = last.map(|(_, label)| 0.5 * Role::Tick.width(label)).fold(0.0, f64::max);
        let heading = Role::Title.width(&figure.title) + 2.0 * MARGIN;
        let width = (x - GAP + overhang.max(MARGIN)).max(heading).ceil();

        let subtitle = wrap(&figure.subtitle, Role::Subtitle, width - 2.0 * MARGIN);
        let mut y = MARGIN + line_height(Role::Title) + subtitle.len() as f64 * line_height(Role::Subtitle);
        let legend_top = y + 4.0;
        let legend = flow(&figure.legend, width);
        if let Some((_, line)) = legend.last() {
            y = legend_top + LEGEND_LINE * (line + 1) as f64;
        }
        y += 12.0;

        let mut panels = Vec::with_capacity(figure.panels.len());
        for row in rows {
            if row.iter().any(|panel| !panel.title.is_empty()) {
                y += line_height(Role::Panel);
            }
            let places = ranges.iter().zip(row).map(|((column, across), _)| Place {
                across: across.clone(),
                down: y..y + panel_height,
                column: *column,
            });
            panels.extend(places);
            y += panel_height + row.iter().map(bottom_room).fold(0.0, f64::max) + GAP;
        }
        let caption_top = y - GAP + 10.0;
        let caption = wrap(&figure.caption, Role::Caption, width - 2.0 * MARGIN);
        let height = (caption_top + caption.len() as f64 * line_height(Role::Caption) + MARGIN - 4.0).ceil();
        Self { width, panel_height, height, subtitle, legend_top, legend, panels, caption_top, caption }
    }
}

/// Width and height of an image beside panels of `height`.
fn image_size(image: &Image, height: f64) -> (f64, f64) {
    let (pixels_across, pixels_down) = image.size();
    (height * f64::from(pixels_across) / f64::from(pixels_down), height)
}

/// Room left of a panel for numbers and title.
fn left_room(panel: &Panel) -> f64 {
    let numbers = panel.y.ticks.iter().map(|(_, label)| Role::Tick.width(label)).fold(0.0, f64::max);
    let numbers = if numbers > 0.0 { numbers + LABEL_GAP } else { 0.0 };
    let title = if panel.y.title.is_empty() { 0.0 } else { line_height(Role::Axis) + LABEL_GAP };
    TICK_LENGTH + numbers + title
}

/// Room below a panel for numbers and title.
fn bottom_room(panel: &Panel) -> f64 {
    let numbers = if panel.x.ticks.iter().all(|(_, label)| label.is_empty()) { 0.0 } else { line_height(Role::Tick) };
    let title = if panel.x.title.is_empty() { 0.0 } else { line_height(Role::Axis) };
    TICK_LENGTH + numbers + title
}

/// Puts the entries of a legend one after the other in lines of at most `width`.
fn flow(legend: &[LegendEntry], width: f64) -> Vec<(f64, usize)> {
    let (mut x, mut line) = (MARGIN, 0);
    legend
        .iter()
        .map(|entry| {
            let own = SWATCH + LABEL_GAP + Role::Legend.width(&entry.name);
            if x > MARGIN && x + own > width - MARGIN {
                (x, line) = (MARGIN, line + 1);
            }
            let place = (x, line);
            x += own + LABEL_GAP;
            place
        })
        .collect()
}

/// Breaks `text` between words into lines of at most `width`.
fn wrap(text: &str, role: Role, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if role.width(line) + role.width(word) + role.width(" ") <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

struct Canvas {
    document: Document,
}

impl Canvas {
    fn heading(&mut self, figure: &Figure, layout: &Layout) {
        self.text(&figure.title, Role::Title, (MARGIN, MARGIN), (Anchor::Start, Level::Top));
        for (number, line) in layout.subtitle.iter().enumerate() {
            let y = MARGIN + line_height(Role::Title) + number as f64 * line_height(Role::Subtitle);
            self.text(line, Role::Subtitle, (MARGIN, y), (Anchor::Start, Level::Top));
        }
        for (entry, &(x, line)) in figure.legend.iter().zip(&layout.legend) {
            let y = layout.legend_top + LEGEND_LINE * (line as f64 + 0.5);
            if let Some(fill) = entry.fill {
                self.document.rectangle((x, y - 5.0), (x + SWATCH, y + 5.0), fill);
            }
            if let Some(pen) = entry.pen {
                self.document.line(&[(x, y), (x + SWATCH, y)], pen);
            }
            self.text(&entry.name, Role::Legend, (x + SWATCH + LABEL_GAP, y), (Anchor::Start, Level::Centre));
        }
    }

    fn panel(&mut self, panel: &Panel, place: &Place) {
        let Place { across, down, .. } = place;
        self.axes(panel, place);
        for mark in &panel.marks {
            self.mark(mark, &Plane { panel, place });
        }
        let spine = Pen { colour: SPINE, width: 1.0, dash: Dash::Solid };
        self.document.line(&[(across.start, down.start), (across.start, down.end), (across.end, down.end)], spine);
        let middle = f64::midpoint(across.start, across.end);
        self.text(&panel.title, Role::Panel, (middle, down.start - 6.0), (Anchor::Middle, Level::Bottom));
    }

    /// Grid, ticks, numbers and titles.
    fn axes(&mut self, panel: &Panel, place: &Place) {
        let Place { across, down, column } = place;
        let plane = Plane { panel, place };
        let grid = Pen { colour: GRID, width: 0.75, dash: Dash::Solid };
        let tick = Pen { colour: SPINE, width: 1.0, dash: Dash::Solid };
        for (value, label) in &panel.x.ticks {
            let (x, _) = plane.place((*value, panel.y.start));
            self.document.line(&[(x, down.start), (x, down.end)], grid);
            self.document.line(&[(x, down.end), (x, down.end + TICK_LENGTH)], tick);
            self.text(label, Role::Tick, (x, down.end + TICK_LENGTH + 4.0), (Anchor::Middle, Level::Top));
        }
        for (value, label) in &panel.y.ticks {
            let (_, y) = plane.place((panel.x.start, *value));
            self.document.line(&[(across.start, y), (across.end, y)], grid);
            self.document.line(&[(across.start - TICK_LENGTH, y), (across.start, y)], tick);
            self.text(label, Role::Tick, (across.start - LABEL_GAP, y), (Anchor::End, Level::Centre));
        }
        let middle = f64::midpoint(across.start, across.end);
        let below = down.end + bottom_room(panel) - line_height(Role::Axis) + 4.0;
        self.text(&panel.x.title, Role::Axis, (middle, below), (Anchor::Middle, Level::Top));
        let middle = f64::midpoint(down.start, down.end);
        let place = (Anchor::Middle, Level::Top);
        self.document.text(&panel.y.title, Role::Axis, (*column, middle), place, Reading::Upwards);
    }

    fn mark(&mut self, mark: &Mark, plane: &Plane<'_>) {
        match mark {
            Mark::Line { points, pen } => self.document.line(&thinned(&plane.places(points)), *pen),
            Mark::Band { lower, upper, fill } => {
                let (lower, upper) = (thinned(&plane.places(lower)), thinned(&plane.places(upper)));
                self.document.polygon(lower.iter().chain(upper.iter().rev()), *fill);
            }
            Mark::Dots { points, fill } => {
                for place in plane.places(points) {
                    self.document.circle(place, DOT_RADIUS, *fill);
                }
            }
            Mark::Bars { bars, fill } => {
                for &Bar { left, right, height } in bars.iter().filter(|bar| bar.height > 0.0) {
                    self.document.rectangle(plane.place((left, height)), plane.place((right, 0.0)), *fill);
                }
            }
        }
    }

    fn text(&mut self, text: &str, role: Role, at: Point, place: (Anchor, Level)) {
        self.document.text(text, role, at, place, Reading::Across);
    }
}

/// A panel's inner rectangle with the data units of its axes.
struct Plane<'a> {
    panel: &'a Panel,
    place: &'a Place,
}

impl Plane<'_> {
    /// Where a point in data units lies.
    fn place(&self, (x, y): (f64, f64)) -> Point {
        let Place { across, down, .. } = self.place;
        (self.panel.x.position(x, across.start, across.end), self.panel.y.position(y, down.end, down.start))
    }

    fn places(&self, points: &[(f64, f64)]) -> Vec<Point> {
        points.iter().map(|&point| self.place(point)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::axis::Axis;

    fn layout(subtitle: &str) -> Layout {
        let axis = || Axis { title: "x".to_owned(), start: 0.0, end: 1.0, ticks: Vec::new() };
        Layout::of(&Figure {
            title: "Title".to_owned(),
            subtitle: subtitle.to_owned(),
            legend: Vec::new(),
            panels: vec![Panel { title: String::new(), x: axis(), y: axis(), marks: Vec::new() }],
            columns: 1,
            panel_size: (400.0, 100.0),
            row_images: Vec::new(),
            caption: String::new(),
        })
    }

    #[test]
    fn a_long_subtitle_takes_more_lines_and_no_more_width() {
        let (short, long) = (layout("protocol cleanrl"), layout(&"protocol of many words ".repeat(10)));
        assert_eq!(short.width, long.width);
        assert!(long.subtitle.len() > 1 && long.height > short.height, "{:?}", long.subtitle);
        assert!(long.subtitle.iter().all(|line| Role::Subtitle.width(line) <= long.width - 2.0 * MARGIN));
    }
}
