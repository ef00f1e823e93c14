//! From a picture as data to SVG: where everything lies, and how it is drawn.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::element::DashedPathElement;
use plotters::prelude::{
    Cartesian2d, Circle, Color, DrawingArea, FontDesc, FontFamily, FontTransform, IntoDrawingArea, PathElement,
    Polygon, Rectangle, SVGBackend, ShapeStyle, TextStyle, WHITE,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::figure::{Bar, Figure, LegendEntry, Mark, Panel, Svg};
use super::style::{DOT_RADIUS, Dash, Fill, GAP, GRID, LEGEND_LINE, MARGIN, Pen, Role, SPINE, SWATCH, TICK_LENGTH};

/// The drawing library rounds to whole units; a quarter of a pixel keeps lines smooth.
const UNITS_PER_PIXEL: f64 = 4.0;
/// The drawing library divides font sizes by this.
const FONT_FACTOR: f64 = 1.24;
/// Between an axis, its numbers and its title.
const LABEL_GAP: f64 = 6.0;

const EXPECT_MEMORY: &str = "a picture in memory can always be drawn";

/// Draws `figure`.
///
/// # Panics
/// Without panels.
pub(super) fn draw(figure: &Figure) -> Svg {
    let layout = Layout::of(figure);
    let (width, height) = (units(layout.width), units(layout.height));
    let mut text = String::new();
    let area = SVGBackend::with_string(&mut text, (width as u32, height as u32)).into_drawing_area();
    area.fill(&WHITE).expect(EXPECT_MEMORY);
    let canvas = Canvas { area };
    canvas.heading(figure, &layout);
    for (panel, place) in figure.panels.iter().zip(&layout.panels) {
        canvas.panel(panel, place);
    }
    for (number, line) in layout.caption.iter().enumerate() {
        let y = layout.caption_top + number as f64 * line_height(Role::Caption);
        canvas.text(line, Role::Caption, (MARGIN, y), (HPos::Left, VPos::Top));
    }
    canvas.area.present().expect(EXPECT_MEMORY);
    drop(canvas);
    // Shown at its size in pixels, drawn in finer units; sharp joints would turn noise into spikes.
    let drawn = format!("width=\"{width}\" height=\"{height}\"");
    let shown = format!("width=\"{}\" height=\"{}\" stroke-linejoin=\"round\"", layout.width, layout.height);
    Svg(text.replacen(&drawn, &shown, 1))
}

fn units(pixels: f64) -> i32 {
    (pixels * UNITS_PER_PIXEL).round() as i32
}

fn line_height(role: Role) -> f64 {
    (1.4 * role.size()).ceil()
}

/// Where everything lies, in pixels.
struct Layout {
    width: f64,
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
        let mut x = MARGIN;
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
        Self { width, height, subtitle, legend_top, legend, panels, caption_top, caption }
    }
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

struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

/// A panel's inner rectangle in data units.
type Plane<'a> = DrawingArea<SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

impl<'a> Canvas<'a> {
    fn heading(&self, figure: &Figure, layout: &Layout) {
        self.text(&figure.title, Role::Title, (MARGIN, MARGIN), (HPos::Left, VPos::Top));
        for (number, line) in layout.subtitle.iter().enumerate() {
            let y = MARGIN + line_height(Role::Title) + number as f64 * line_height(Role::Subtitle);
            self.text(line, Role::Subtitle, (MARGIN, y), (HPos::Left, VPos::Top));
        }
        for (entry, &(x, line)) in figure.legend.iter().zip(&layout.legend) {
            let y = layout.legend_top + LEGEND_LINE * (line as f64 + 0.5);
            if let Some(fill) = entry.fill {
                let corners = [(units(x), units(y - 5.0)), (units(x + SWATCH), units(y + 5.0))];
                self.area.draw(&Rectangle::new(corners, surface(fill))).expect(EXPECT_MEMORY);
            }
            if let Some(pen) = entry.pen {
                self.line(&[(x, y), (x + SWATCH, y)], pen);
            }
            self.text(&entry.name, Role::Legend, (x + SWATCH + LABEL_GAP, y), (HPos::Left, VPos::Center));
        }
    }

    fn panel(&self, panel: &Panel, place: &Place) {
        let Place { across, down, .. } = place;
        let plane = self.area.clone().apply_coord_spec(Cartesian2d::new(
            panel.x.start..panel.x.end,
            panel.y.start..panel.y.end,
            (units(across.start)..units(across.end), units(down.end)..units(down.start)),
        ));
        self.axes(panel, place);
        for mark in &panel.marks {
            draw_mark(&plane, mark);
        }
        let spine = Pen { colour: SPINE, width: 1.0, dash: Dash::Solid };
        self.line(&[(across.start, down.start), (across.start, down.end), (across.end, down.end)], spine);
        let middle = f64::midpoint(across.start, across.end);
        self.text(&panel.title, Role::Panel, (middle, down.start - 4.0), (HPos::Center, VPos::Bottom));
    }

    /// Grid, ticks, numbers and titles.
    fn axes(&self, panel: &Panel, Place { across, down, column }: &Place) {
        let grid = Pen { colour: GRID, width: 0.75, dash: Dash::Solid };
        let tick = Pen { colour: SPINE, width: 1.0, dash: Dash::Solid };
        for (value, label) in &panel.x.ticks {
            let x =
                across.start + (value - panel.x.start) / (panel.x.end - panel.x.start) * (across.end - across.start);
            self.line(&[(x, down.start), (x, down.end)], grid);
            self.line(&[(x, down.end), (x, down.end + TICK_LENGTH)], tick);
            self.text(label, Role::Tick, (x, down.end + TICK_LENGTH + 2.0), (HPos::Center, VPos::Top));
        }
        for (value, label) in &panel.y.ticks {
            let y = down.end - (value - panel.y.start) / (panel.y.end - panel.y.start) * (down.end - down.start);
            self.line(&[(across.start, y), (across.end, y)], grid);
            self.line(&[(across.start - TICK_LENGTH, y), (across.start, y)], tick);
            self.text(label, Role::Tick, (across.start - LABEL_GAP, y), (HPos::Right, VPos::Center));
        }
        let middle = f64::midpoint(across.start, across.end);
        let below = down.end + bottom_room(panel) - line_height(Role::Axis) + 2.0;
        self.text(&panel.x.title, Role::Axis, (middle, below), (HPos::Center, VPos::Top));
        let middle = f64::midpoint(down.start, down.end);
        self.turned_text(&panel.y.title, Role::Axis, (*column, middle));
    }

    fn line(&self, points: &[(f64, f64)], pen: Pen) {
        let points: Vec<(i32, i32)> = points.iter().map(|&(x, y)| (units(x), units(y))).collect();
        match dashes(pen) {
            None => self.area.draw(&PathElement::new(points, stroke(pen))),
            Some((dash, gap)) => self.area.draw(&DashedPathElement::new(points, dash, gap, stroke(pen))),
        }
        .expect(EXPECT_MEMORY);
    }

    fn text(&self, text: &str, role: Role, at: (f64, f64), (horizontal, vertical): (HPos, VPos)) {
        self.styled_text(text, &text_style(role).pos(Pos::new(horizontal, vertical)), at);
    }

    /// Text that reads upwards, its top at `at`.
    fn turned_text(&self, text: &str, role: Role, at: (f64, f64)) {
        let style = text_style(role).transform(FontTransform::Rotate270).pos(Pos::new(HPos::Center, VPos::Top));
        self.styled_text(text, &style, at);
    }

    fn styled_text(&self, text: &str, style: &TextStyle<'_>, (x, y): (f64, f64)) {
        if !text.is_empty() {
            self.area.draw_text(text, style, (units(x), units(y))).expect(EXPECT_MEMORY);
        }
    }
}

fn draw_mark(plane: &Plane<'_>, mark: &Mark) {
    match mark {
        Mark::Line { points, pen } => match dashes(*pen) {
            None => plane.draw(&PathElement::new(points.clone(), stroke(*pen))),
            Some((dash, gap)) => plane.draw(&DashedPathElement::new(points.clone(), dash, gap, stroke(*pen))),
        },
        Mark::Band { lower, upper, fill } => {
            let outline: Vec<(f64, f64)> = lower.iter().chain(upper.iter().rev()).copied().collect();
            plane.draw(&Polygon::new(outline, surface(*fill)))
        }
        Mark::Dots { points, fill } => {
            points.iter().try_for_each(|&point| plane.draw(&Circle::new(point, units(DOT_RADIUS), surface(*fill))))
        }
        Mark::Bars { bars, fill } => {
            bars.iter().filter(|bar| bar.height > 0.0).try_for_each(|&Bar { left, right, height }| {
                plane.draw(&Rectangle::new([(left, 0.0), (right, height)], surface(*fill)))
            })
        }
    }
    .expect(EXPECT_MEMORY);
}

/// Lengths of dash and gap in drawing units.
fn dashes(pen: Pen) -> Option<(i32, i32)> {
    match pen.dash {
        Dash::Solid => None,
        Dash::Dashed => Some((units(6.0), units(3.5))),
        Dash::Dotted => Some((units(1.5), units(2.5))),
    }
}

fn stroke(pen: Pen) -> ShapeStyle {
    ShapeStyle { color: pen.colour.to_rgba(), filled: false, stroke_width: units(pen.width) as u32 }
}

fn surface(fill: Fill) -> ShapeStyle {
    ShapeStyle { color: fill.colour.mix(fill.opacity), filled: true, stroke_width: 0 }
}

fn text_style(role: Role) -> TextStyle<'static> {
    let size = role.size() * UNITS_PER_PIXEL * FONT_FACTOR;
    TextStyle::from(FontDesc::new(FontFamily::SansSerif, size, role.weight())).color(role.colour())
}

#[cfg(test)]
mod tests {
    use super::super::axis::Axis;
    use super::*;

    fn layout(subtitle: &str) -> Layout {
        let axis = || Axis { title: "x".to_owned(), start: 0.0, end: 1.0, ticks: Vec::new() };
        Layout::of(&Figure {
            title: "Title".to_owned(),
            subtitle: subtitle.to_owned(),
            legend: Vec::new(),
            panels: vec![Panel { title: String::new(), x: axis(), y: axis(), marks: Vec::new() }],
            columns: 1,
            panel_size: (400.0, 100.0),
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
