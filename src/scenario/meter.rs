//! What a schema cannot say of `[meter]`: keys that do not go together, more readings than can be kept, more power than can be summed.

use super::build::Problem;
use crate::cluster::Group;
use crate::ledger::MeterSpec;
use crate::sci::GroupFacts;
use crate::types::{Duration, SimTime};

/// More readings than this (320 MB) are refused.
const MOST_READINGS: u64 = 20_000_000;
/// Sums of power are kept as whole nanowatts in 64 bits, 18 GW; half of it is left to noise \[W\].
const MOST_W: f64 = 9e9;

pub(super) fn check(
    spec: &MeterSpec,
    horizon: Duration,
    (groups, facts): (&[Group], &[GroupFacts]),
    regions: usize,
    problems: &mut Vec<Problem>,
) {
    for (key, message, help) in spec.conflicts() {
        problems.push(Problem::new(format!("meter.{key}"), message, help));
    }
    let readings = spec.instants().before(SimTime::ZERO + horizon).saturating_mul(regions as u64);
    if readings > MOST_READINGS {
        let message = format!(
            "the run could last {} s, {readings} readings in all regions; at most {MOST_READINGS} are kept",
            horizon.as_secs_f64()
        );
        problems.push(Problem::new(
            "meter.interval_s",
            message,
            "choose a longer interval or a smaller time.drain_limit_s",
        ));
    }
    let full = |(group, facts): (&Group, &GroupFacts)| {
        let it_w = group.power.watts(1.0).max(group.off.most_w()).max(group.sleep.most_w()) + group.memory_in_use_w;
        f64::from(facts.hosts) * (it_w * group.pue + group.fixed_overhead_w)
    };
    let most: f64 = groups.iter().zip(facts).map(full).sum();
    if most > MOST_W {
        let message = format!("all hosts together draw up to {most:e} W; a meter can follow {MOST_W:e} W");
        problems.push(Problem::new("meter", message, "check the power of the servers, which is in watts"));
    }
}
