//! The figures of what was sent between regions.

use super::Finished;
use super::summary::{List, share, units};
use crate::sci;

/// Adds them, where there is a network.
pub(super) fn figures(list: &mut List, run: &Finished<'_>) {
    if run.scenario.network.is_none() {
        return;
    }
    let (t, executed) = (&run.outcome.totals.network, executed(run));
    list.count("network.calls_away", t.calls_away, "executed calls that ran in another region than where they arrived");
    list.number("network.calls_away_share", share(t.calls_away as f64, executed), "1", "the same over executed calls");
    list.count("network.jobs_away", t.jobs_away, "jobs that were sent to another region when they arrived");
    list.number("network.sent_gb", t.sent_mb / 1000.0, "GB", "what was sent between regions");
    list.number(
        "network.on_the_way_mean_s",
        share(t.on_the_way_ns as f64 / 1e9, executed),
        "s",
        "time that an executed call waited for messages and data between regions, mean over all; part of its latency",
    );
}

fn executed(run: &Finished<'_>) -> f64 {
    run.outcome.functions.iter().map(|f| f.executed).sum::<u64>() as f64
}

/// What sending cost \[currency\]; `None` where it has no price.
pub(super) fn cost(run: &Finished<'_>) -> Option<f64> {
    let price_per_gb = run.scenario.network.as_ref()?.price_per_gb?;
    Some(run.outcome.totals.network.sent_mb / 1000.0 * price_per_gb)
}

/// Adds the totals of all that is priced.
pub(super) fn total_cost(list: &mut List, run: &Finished<'_>, without: f64) {
    let sending = cost(run);
    if let Some(sending) = sending {
        list.number("cost.network", sending, "currency", "what was sent between regions; in no region's cost");
    }
    let total = without + sending.unwrap_or(0.0);
    list.number("cost.total", total, "currency", "all that is priced");
    let per_unit = sci::intensity(total, units(run)).unwrap_or(f64::NAN);
    list.number("cost.per_unit", per_unit, "currency/R", "total over R");
}
