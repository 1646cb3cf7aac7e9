//! Rules of XFaaS that the paper states exactly: slow start, and additive increase with multiplicative decrease.

use super::super::world::{Context, Fault, Found, Row, failed};
use super::only;
use crate::scheduler::dispatch::{BackPressure, Pressed, SlowStart, Started};
use crate::types::SimTime;

/// Calls that start in each of twelve minutes under a demand without end, by the published constants; a whole number of calls may be one
/// fewer than 1.2 times the minute before.
pub fn slow_start(_: &Context, _: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let rule: SlowStart = toml::from_str("").map_err(failed)?;
    let mut state = Started::default();
    let mut started = Vec::new();
    for minute in 0..12 {
        let now = SimTime::from_secs_f64(60.0 * f64::from(minute) + 30.0);
        let room = rule.room(&mut state, now);
        (0..room).for_each(|_| rule.count(&mut state, now));
        started.push(f64::from(room));
    }
    let mut before = None;
    let row = |(minute, &ours): (usize, &f64)| {
        let wanted = before.map_or(100.0, |b: f64| (b * 12.0 / 10.0).floor());
        before = Some(ours);
        Row::new(format!("minute {}", minute + 1), wanted, ours)
    };
    Ok(only(Found::Rows(started.iter().enumerate().map(row).collect())))
}

/// A function's rate, period by period, under exceptions above the threshold (r M) and none (r + I), until it is free.
pub fn aimd(_: &Context, _: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let rule: BackPressure = toml::from_str("").map_err(failed)?;
    let mut state = Pressed::default();
    // 6,000 calls a minute are 100 a second; three minutes of too many exceptions, one of some, 40 of none.
    let exceptions = [vec![9_000_u64; 3], vec![4_000], vec![0; 40]].concat();
    let (mut rows, mut wanted) = (Vec::new(), 100.0);
    for (minute, exceptions) in exceptions.into_iter().enumerate() {
        rule.period_over(&mut state, 6_000, exceptions, 5_000);
        match exceptions {
            0 => wanted += 1.0,
            5_001.. => wanted /= 2.0,
            _ => {}
        }
        rows.push(Row::new(format!("minute {}", minute + 1), wanted, state.rate));
    }
    Ok(only(Found::Rows(rows)))
}
