//! The points that no other point beats in every respect.

/// Which way a figure is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// Less is better.
    Minimize,
    /// More is better.
    Maximize,
}

/// Whether each point is on the frontier: no other is at least as good in all figures and better in one.
///
/// Formula: point p is dominated by q if q_i <= p_i for all i and q_i < p_i for one (minimised; maximised figures change their sign).
///
/// Source: Kung, Luccio and Preparata, Journal of the ACM 22 (1975): sorted by the first figure, a point of two figures is on the
/// frontier if its second is below all before. O(n log n) for one or two figures, O(n · frontier · k) for more.
///
/// Edge cases: equal points are all on it or all off it; a point with a value that is not a number never is, and beats none. No point has
/// more figures than there are aims, none fewer; surplus figures are ignored.
///
/// Example: of (1, 3), (2, 2), (3, 1) and (3, 3), both minimised, the first three are.
pub fn frontier<P: AsRef<[f64]>>(points: &[P], aims: &[Aim]) -> Vec<bool> {
    // Minimised, with one zero instead of two.
    let oriented = |p: &P| -> Vec<f64> {
        let sign = |(x, aim): (&f64, &Aim)| if *aim == Aim::Minimize { x + 0.0 } else { 0.0 - x };
        p.as_ref().iter().zip(aims).map(sign).collect()
    };
    let mut sorted: Vec<(Vec<f64>, usize)> = points.iter().map(oriented).zip(0..).collect();
    sorted.retain(|(p, _)| p.len() == aims.len() && p.iter().all(|x| !x.is_nan()));
    // In this order a point can only be dominated by one before it.
    let order = |a: &[f64], b: &[f64]| {
        a.iter().zip(b).map(|(x, y)| x.total_cmp(y)).find(|o| o.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    };
    sorted.sort_by(|a, b| order(&a.0, &b.0));
    let mut on = vec![false; points.len()];
    // The frontier so far; with two figures its last point is the one to beat.
    let mut kept: Vec<&[f64]> = Vec::new();
    for (point, at) in &sorted {
        let among = if aims.len() <= 2 { kept.len().saturating_sub(1) } else { 0 };
        let beaten = kept[among..].iter().any(|k| *k != point && k.iter().zip(point).all(|(x, y)| x <= y));
        if !beaten {
            on[*at] = true;
            if kept.last() != Some(&point.as_slice()) {
                kept.push(point);
            }
        }
    }
    on
}

#[cfg(test)]
mod tests {
    use super::Aim::{Maximize, Minimize};
    use super::*;
    use crate::types::Seed;

    #[test]
    fn the_example_of_the_formula_holds() {
        let points = [[1.0, 3.0], [2.0, 2.0], [3.0, 1.0], [3.0, 3.0]];
        assert_eq!(frontier(&points, &[Minimize, Minimize]), [true, true, true, false]);
        assert_eq!(frontier(&points, &[Maximize, Maximize]), [false, false, false, true]);
        assert_eq!(frontier(&points, &[Minimize, Maximize]), [true, false, false, false]);
        assert_eq!(frontier(&points.map(|p| [p[0]]), &[Maximize]), [false, false, true, true]);
    }

    #[test]
    fn equal_points_stay_together_and_what_is_no_number_never_stays() {
        let nan = f64::NAN;
        let points = [[1.0, 1.0], [nan, 0.0], [1.0, 1.0], [1.0, 2.0], [0.0, nan], [2.0, 1.0]];
        assert_eq!(frontier(&points, &[Minimize; 2]), [true, false, true, false, false, false]);
        assert_eq!(frontier(&[[0.0, 1.0], [-0.0, 1.0]], &[Minimize; 2]), [true, true]);
        assert_eq!(frontier(&[[0.0, 1.0], [-0.0, 1.0]], &[Maximize; 2]), [true, true]);
        assert_eq!(frontier(&[[1.0, f64::INFINITY], [2.0, 5.0]], &[Minimize; 2]), [true, true]);
        assert!(frontier::<[f64; 2]>(&[], &[Minimize; 2]).is_empty());
    }

    #[test]
    fn the_frontier_is_that_of_brute_force() {
        let mut random = Seed(12).stream("pareto", 0);
        for case in 0..600 {
            let (n, k) = (random.below(40) as usize, 1 + case % 4);
            // Few values, so that ties and equal points are common; some are not numbers.
            let levels = 2 + random.below(12);
            let aims: Vec<Aim> = (0..k).map(|_| if random.below(2) == 0 { Minimize } else { Maximize }).collect();
            let value = |random: &mut crate::types::Stream| match random.below(30) {
                0 => f64::NAN,
                _ => random.below(levels) as f64 - 3.0,
            };
            let points: Vec<Vec<f64>> = (0..n).map(|_| (0..k).map(|_| value(&mut random)).collect()).collect();
            let better = |a: f64, b: f64, aim: Aim| if aim == Minimize { a < b } else { a > b };
            let beats = |a: &[f64], b: &[f64]| {
                a.iter().all(|x| !x.is_nan())
                    && (0..k).all(|i| !better(b[i], a[i], aims[i]))
                    && (0..k).any(|i| better(a[i], b[i], aims[i]))
            };
            let wanted: Vec<bool> =
                points.iter().map(|p| p.iter().all(|x| !x.is_nan()) && !points.iter().any(|q| beats(q, p))).collect();
            assert_eq!(frontier(&points, &aims), wanted, "case {case}: {points:?} {aims:?}");
        }
    }
}
