//! Where two lines over a numeric axis swap order.

/// One point of both lines, at one number of the axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The number of the axis.
    pub over: f64,
    /// The first line's figure.
    pub a: f64,
    /// The second line's figure.
    pub b: f64,
}

/// A place where the lines swap order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crossing {
    /// Interpolated position on the axis.
    pub at: f64,
    /// The last point before it.
    pub below: Point,
    /// The first point after it.
    pub above: Point,
}

/// What the order of two lines is.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    /// They swap order, once or several times.
    Crosses(Vec<Crossing>),
    /// The first is lower throughout.
    FirstLower,
    /// The second is lower throughout.
    SecondLower,
    /// They are equal throughout.
    Equal,
    /// Fewer than two points are defined for both.
    Unknown,
}

/// The order of two lines. Points at which a line is undefined are left out; the others are sorted.
///
/// Formula: between two points where a - b has opposite signs, the position is where log(a / b), interpolated linearly
/// over log(axis), is 0. Where a figure is not above 0, a - b takes the place of log(a / b); where a number of the axis
/// is not, the axis itself that of its logarithm. A point at which both lines are equal and around which they swap is the
/// position itself. Points where they only touch are no crossing.
///
/// Example: at 1, a = 1 and b = 10; at 100, a = 10 and b = 1. log(a / b) goes from -1 to 1 over two decades, so they cross at
/// 10.
pub fn order(points: &[Point]) -> Order {
    let mut points: Vec<Point> =
        points.iter().copied().filter(|p| p.over.is_finite() && p.a.is_finite() && p.b.is_finite()).collect();
    points.sort_by(|p, q| p.over.total_cmp(&q.over));
    if points.len() < 2 {
        return Order::Unknown;
    }
    let logarithmic = points.iter().all(|p| p.over > 0.0);
    let mut crossings = Vec::new();
    let mut last: Option<usize> = None;
    for (i, point) in points.iter().enumerate().filter(|(_, p)| p.a != p.b) {
        if let Some(j) = last
            && (points[j].a < points[j].b) != (point.a < point.b)
        {
            let (below, above) = (points[j], *point);
            let at = if i > j + 1 { points[j + 1].over } else { interpolate(below, above, logarithmic) };
            crossings.push(Crossing { at, below, above });
        }
        last = Some(i);
    }
    match (crossings.is_empty(), last) {
        (false, _) => Order::Crosses(crossings),
        (true, None) => Order::Equal,
        (true, Some(i)) if points[i].a < points[i].b => Order::FirstLower,
        (true, Some(_)) => Order::SecondLower,
    }
}

fn interpolate(below: Point, above: Point, logarithmic: bool) -> f64 {
    let positive = [below.a, below.b, above.a, above.b].iter().all(|x| *x > 0.0);
    let gap = |p: Point| if positive { libm::log(p.a / p.b) } else { p.a - p.b };
    let share = gap(below) / (gap(below) - gap(above));
    if logarithmic {
        let (from, to) = (libm::log(below.over), libm::log(above.over));
        libm::exp(from + share * (to - from))
    } else {
        below.over + share * (above.over - below.over)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(rows: &[(f64, f64, f64)]) -> Vec<Point> {
        rows.iter().map(|&(over, a, b)| Point { over, a, b }).collect()
    }

    fn crossings(rows: &[(f64, f64, f64)]) -> Vec<f64> {
        match order(&points(rows)) {
            Order::Crosses(found) => found.iter().map(|c| c.at).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_example_of_the_documentation_crosses_at_ten() {
        let at = crossings(&[(100.0, 10.0, 1.0), (1.0, 1.0, 10.0)]);
        assert!((at[0] - 10.0).abs() < 1e-12, "{at:?}");
    }

    #[test]
    fn power_laws_cross_exactly_whatever_the_grid() {
        // a = 100 / x, b = x: they cross at 10.
        let grid = [0.3, 2.0, 7.0, 40.0, 900.0].map(|x: f64| (x, 100.0 / x, x));
        assert!((crossings(&grid)[0] - 10.0).abs() < 1e-9);
    }

    #[test]
    fn without_logarithms_the_gap_is_linear() {
        assert_eq!(crossings(&[(0.0, 1.0, 2.0), (10.0, 4.0, 3.0)]).len(), 1);
        let at = crossings(&[(-1.0, 0.0, 3.0), (1.0, 1.0, 0.0)]);
        assert!((at[0] - 0.5).abs() < 1e-12, "{at:?}");
    }

    #[test]
    fn equal_points_are_a_crossing_only_if_the_lines_swap() {
        assert_eq!(crossings(&[(1.0, 1.0, 2.0), (2.0, 3.0, 3.0), (3.0, 5.0, 4.0)]), [2.0]);
        assert_eq!(order(&points(&[(1.0, 1.0, 2.0), (2.0, 3.0, 3.0), (3.0, 4.0, 5.0)])), Order::FirstLower);
        assert_eq!(order(&points(&[(1.0, 2.0, 2.0), (2.0, 3.0, 3.0)])), Order::Equal);
    }

    #[test]
    fn lines_may_swap_twice_and_undefined_points_are_left_out() {
        let twice = [(1.0, 1.0, 2.0), (2.0, f64::NAN, 1.0), (3.0, 2.0, 1.0), (4.0, 1.0, 2.0)];
        assert_eq!(crossings(&twice).len(), 2);
        assert_eq!(order(&points(&[(1.0, 2.0, 1.0), (2.0, 2.0, 1.0)])), Order::SecondLower);
        assert_eq!(order(&points(&[(1.0, 2.0, 1.0), (2.0, f64::NAN, 1.0)])), Order::Unknown);
    }
}
