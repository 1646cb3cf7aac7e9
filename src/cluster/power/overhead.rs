//! PUE that depends on load: losses that are there at any load, and losses in proportion.

/// PUE of every further watt, and the overhead \[W\] that a host causes at any load, from (PUE, IT power \[W\] of a host) at
/// no and at full load.
///
/// Formula: overhead(P) = F + k P with F + k P_0 = (PUE_0 - 1) P_0 and F + k P_1 = (PUE_1 - 1) P_1; returned are 1 + k and F.
/// Added up over N hosts that draw P together: PUE = 1 + k + N F / P. No host needs to know what others draw.
/// Source: electrical losses and fans of a facility have a constant and a linear part; their square is left out (assumed).
///
/// Example: PUE 1.5 at 100 W and 1.2 at 200 W: overhead 50 and 40 W fall with load, refused. PUE 1.5 and 1.3: 50 and 60 W,
/// k = 0.1, F = 40 W.
///
/// # Errors
/// PUE that rises with load, overhead that falls with it, or power that does not depend on load.
pub fn overhead((pue_0, idle_w): (f64, f64), (pue_1, full_w): (f64, f64)) -> Result<(f64, f64), String> {
    if pue_0 == pue_1 {
        return Ok((pue_1, 0.0));
    }
    if pue_0 < pue_1 {
        return Err(format!("pue_idle = {pue_0} is below pue = {pue_1}, which is that at full load"));
    }
    let (least, most) = ((pue_0 - 1.0) * idle_w, (pue_1 - 1.0) * full_w);
    if full_w <= idle_w {
        return Err(format!("the hosts draw {idle_w} W at any load, so PUE cannot depend on it"));
    }
    if most < least {
        return Err(format!(
            "overhead would fall with load, from {least:.1} W for an idle host to {most:.1} W for a busy one"
        ));
    }
    let k = (most - least) / (full_w - idle_w);
    Ok((1.0 + k, least - k * idle_w))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_holds() {
        let (pue, fixed_w) = overhead((1.5, 100.0), (1.3, 200.0)).expect("a right pair");
        assert!((pue - 1.1).abs() < 1e-12 && (fixed_w - 40.0).abs() < 1e-9, "{pue} {fixed_w}");
        assert!(overhead((1.5, 100.0), (1.2, 200.0)).is_err_and(|e| e.contains("would fall")));
        assert!(overhead((1.1, 100.0), (1.2, 200.0)).is_err_and(|e| e.contains("below pue")));
        assert!(overhead((1.2, 100.0), (1.1, 100.0)).is_err_and(|e| e.contains("at any load")));
        assert_eq!(overhead((1.2, 100.0), (1.2, 100.0)), Ok((1.2, 0.0)));
    }
}
