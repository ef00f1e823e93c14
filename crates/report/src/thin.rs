//! Lines with no more points than a figure can show.

use crate::svg::Point;

/// How far, in pixels, a line may lie from where its points were.
const TOLERANCE: f64 = 0.5;

/// `points` without those that lie within half a pixel of the line through the points that stay (Ramer 1972; Douglas and
/// Peucker 1973). The first and the last stay.
pub(crate) fn thinned(points: &[Point]) -> Vec<Point> {
    let Some(last) = points.len().checked_sub(1) else { return Vec::new() };
    let mut kept = vec![false; points.len()];
    (kept[0], kept[last]) = (true, true);
    // A list of parts instead of recursion: a line of many points would need a deep stack.
    let mut parts = vec![(0, last)];
    while let Some((start, end)) = parts.pop() {
        let between = (start + 1..end).map(|index| (index, distance(points[index], points[start], points[end])));
        let farthest = between.max_by(|left, right| left.1.total_cmp(&right.1));
        if let Some((index, distance)) = farthest
            && distance > TOLERANCE
        {
            kept[index] = true;
            parts.extend([(start, index), (index, end)]);
        }
    }
    points.iter().zip(kept).filter(|(_, kept)| *kept).map(|(point, _)| *point).collect()
}

/// How far `point` is from the nearest point of the line that begins at `start` and ends at `end`.
fn distance(point: Point, start: Point, end: Point) -> f64 {
    let (across, down) = (end.0 - start.0, end.1 - start.1);
    let (x, y) = (point.0 - start.0, point.1 - start.1);
    let squared = across * across + down * down;
    let along = if squared > 0.0 { ((x * across + y * down) / squared).clamp(0.0, 1.0) } else { 0.0 };
    (x - along * across).hypot(y - along * down)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_half_a_pixel_hides_is_left_out_and_what_it_does_not_stays() {
        let points = [(0.0, 0.0), (10.0, 0.4), (20.0, 0.0), (30.0, 0.6), (40.0, 0.0)];
        assert_eq!(thinned(&points), [(0.0, 0.0), (30.0, 0.6), (40.0, 0.0)]);
        let corner = [(0.0, 0.0), (1.0, 0.0), (2.0, 0.0), (2.0, 5.0), (2.0, 9.0)];
        assert_eq!(thinned(&corner), [(0.0, 0.0), (2.0, 0.0), (2.0, 9.0)]);
    }

    #[test]
    fn no_point_is_farther_than_half_a_pixel_from_what_is_drawn() {
        let wave: Vec<Point> = (0..2_000).map(|x| (f64::from(x) * 0.3, 50.0 * (f64::from(x) * 0.05).sin())).collect();
        let thin = thinned(&wave);
        assert!(thin.len() < wave.len() / 4, "{} points", thin.len());
        for &point in &wave {
            let nearest = thin.windows(2).map(|ends| distance(point, ends[0], ends[1])).fold(f64::INFINITY, f64::min);
            assert!(nearest <= TOLERANCE, "{point:?} is {nearest} away");
        }
    }

    #[test]
    fn ends_stay_where_they_are() {
        assert_eq!(thinned(&[]), []);
        assert_eq!(thinned(&[(1.0, 2.0)]), [(1.0, 2.0)]);
        assert_eq!(thinned(&[(1.0, 2.0), (1.0, 2.0)]), [(1.0, 2.0), (1.0, 2.0)]);
        // A line that comes back to where it began.
        assert_eq!(thinned(&[(0.0, 0.0), (5.0, 0.0), (0.0, 0.0)]), [(0.0, 0.0), (5.0, 0.0), (0.0, 0.0)]);
    }
}
