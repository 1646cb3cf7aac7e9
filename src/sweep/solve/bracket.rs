//! Where the sides change places between two numbers at which they are known.

use crate::stats::{Root, root};

/// The break-even between two numbers, to a share of itself; the ends are known and count for no evaluation.
pub(super) fn real(
    value: &mut dyn FnMut(f64) -> Result<f64, String>,
    a: f64,
    b: f64,
    tolerance: f64,
) -> Result<Root, String> {
    let near = tolerance * a.abs().max(b.abs());
    let first = root(&mut *value, a, b, near).map_err(|e| e.to_string())?;
    let evaluations = first.evaluations.saturating_sub(2);
    // As near as a share of the answer, not of its bracket: what was found is the next bracket.
    let closer = tolerance * first.at.abs();
    if closer >= near || closer == 0.0 || first.low >= first.high {
        return Ok(Root { evaluations, ..first });
    }
    let second = root(value, first.low, first.high, closer).map_err(|e| e.to_string())?;
    Ok(Root { evaluations: evaluations + second.evaluations.saturating_sub(2), ..second })
}

/// Of whole numbers the two neighbours between which the sides change places, and of them the one where they are nearer to each other.
pub(super) fn whole(value: &mut dyn FnMut(f64) -> Result<f64, String>, pair: &[(f64, f64)]) -> Result<Root, String> {
    let ((mut low, mut value_low), (mut high, mut value_high)) = (pair[0], pair[1]);
    let mut evaluations = 0;
    while high - low > 1.0 && value_low != 0.0 && value_high != 0.0 {
        let middle = f64::midpoint(low, high).floor();
        let there = value(middle)?;
        evaluations += 1;
        if there.is_nan() {
            return Err(format!("the difference is undefined at {middle}"));
        }
        if there != 0.0 && (there > 0.0) == (value_low > 0.0) {
            (low, value_low) = (middle, there);
        } else {
            (high, value_high) = (middle, there);
        }
    }
    let (at, exact) = if value_low.abs() <= value_high.abs() { (low, value_low) } else { (high, value_high) };
    if exact == 0.0 {
        (low, high) = (at, at);
    }
    Ok(Root { at, low, high, value_low, value_high, evaluations })
}
