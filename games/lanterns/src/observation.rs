//! What a captain sees of the lake: numbers, from either boat in the same way.

use crate::rules::{BOAT, Boat, GAME_TICKS, GOLD_TICKS, LAKE, LANTERNS, Lake, Lantern, Point, Steer, TOP_SPEED};

/// Numbers in an observation: own place and speed, the other boat's place and speed, what is left of the game, the lead, and
/// of each lantern its place, whether it is golden, what is left of it and which boat is nearer.
pub const OBSERVATION: usize = 4 + 4 + 2 + 5 * LANTERNS;

/// Ticks between two decisions of a captain: ten decisions a second.
pub const DECISION_TICKS: u32 = 6;

/// What the captain of boat 0 or 1 sees, all numbers about -1 to 1. The right boat sees the lake turned by half a circle, so
/// that a captain who has learned one boat can steer the other: [`as_seen`] turns directions back. Places are relative to the
/// own boat, and the nearest lantern comes first.
pub fn observe(lake: &Lake, boat: usize) -> [f32; OBSERVATION] {
    let side = if boat == 0 { 1.0 } else { -1.0 };
    let (own, other) = (lake.boats()[boat], lake.boats()[1 - boat]);
    let mut seen = [0.0; OBSERVATION];
    let mut places = seen.iter_mut();
    let mut put = |value: f32| *places.next().expect("the length is counted above") = value;
    let mut put_way = |way: Point, unit: f32| {
        put(side * way.x / unit);
        put(side * way.y / unit);
    };
    put_way(own.at - LAKE * 0.5, 0.5 * LAKE.x);
    put_way(own.speed, TOP_SPEED);
    put_way(other.at - own.at, 0.5 * LAKE.x);
    put_way(other.speed - own.speed, TOP_SPEED);
    put(lake.ticks_left() as f32 / GAME_TICKS as f32);
    put(((own.light as f32 - other.light as f32) * 0.1).clamp(-1.0, 1.0));
    let mut lanterns = *lake.lanterns();
    lanterns.sort_by(|one, other| distance(&own, one).total_cmp(&distance(&own, other)));
    for lantern in lanterns {
        let way = lantern.at - own.at;
        put(side * way.x / (0.5 * LAKE.x));
        put(side * way.y / (0.5 * LAKE.x));
        put(if lantern.gold.is_some() { 1.0 } else { 0.0 });
        put(lantern.gold.map_or(1.0, |left| left as f32 / GOLD_TICKS as f32));
        put(((distance(&other, &lantern) - distance(&own, &lantern)) / (8.0 * BOAT)).clamp(-1.0, 1.0));
    }
    seen
}

fn distance(boat: &Boat, lantern: &Lantern) -> f32 {
    (lantern.at - boat.at).length()
}

/// The direction that a captain of boat 0 or 1 means by one of [`Steer::ALL`].
pub fn as_seen(steer: Steer, boat: usize) -> Steer {
    if boat == 0 { steer } else { Steer::towards(-(steer.direction() * 2.0)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_captains_see_the_same_lake_at_the_start_and_numbers_stay_small() {
        let mut lake = Lake::new(3);
        let (left, right) = (observe(&lake, 0), observe(&lake, 1));
        assert_eq!(left[..10], right[..10]);
        assert!(left[0] < 0.0 && left[4] > 0.0, "the own boat is left, the other to its right");
        for tick in 0..GAME_TICKS as usize {
            lake.tick([Steer::ALL[tick / 50 % 9], Steer::ALL[tick / 70 % 9]]);
            for boat in 0..2 {
                assert!(observe(&lake, boat).iter().all(|value| value.abs() <= 2.0));
            }
        }
        assert_eq!(observe(&lake, 0)[8], 0.0, "the game is over");
    }

    #[test]
    fn the_nearest_lantern_comes_first_from_each_boat() {
        let lake = Lake::new(9);
        for boat in 0..2 {
            let seen = observe(&lake, boat);
            let lengths: Vec<f32> = seen[10..].chunks(5).map(|lantern| lantern[0].hypot(lantern[1])).collect();
            assert!(lengths.is_sorted(), "{lengths:?}");
            let nearest = lake.lanterns().iter().map(|lantern| distance(&lake.boats()[boat], lantern));
            let nearest = nearest.fold(f32::MAX, f32::min) / (0.5 * LAKE.x);
            assert!((lengths[0] - nearest).abs() < 1e-5);
        }
    }

    #[test]
    fn the_right_captain_means_the_opposite_direction() {
        assert_eq!(as_seen(Steer::Up, 0), Steer::Up);
        assert_eq!(as_seen(Steer::Up, 1), Steer::Down);
        assert_eq!(as_seen(Steer::UpRight, 1), Steer::DownLeft);
        assert_eq!(as_seen(Steer::Drift, 1), Steer::Drift);
    }
}
