//! What a call costs on its way to a region: by carbon or by round-trip time, and whether the way is too long.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::transport::Cost;
use crate::network::Network;
use crate::scheduler::View;
use crate::types::{Duration, RegionId};

/// How finely intensity is told apart [parts of 1 g/kWh].
const FINE: f64 = 1e6;

/// What is least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// The sum of the intensities where calls run; of equals, the sum of round-trip times.
    #[default]
    Carbon,
    /// The sum of round-trip times; of equals, the sum of intensities.
    Latency,
}

impl Objective {
    /// The cost of a call from each region to each, row by row.
    ///
    /// Formula: (round trip if it is longer than `most`, else 0; weight; round trip) for [`Self::Carbon`], with the last two in turn for
    /// [`Self::Latency`]; weights in millionths of a g/kWh, round trips in microseconds. The first entry is what makes a way that is too long the
    /// last resort, and the shortest of these ways the first of them.
    pub fn costs(self, weights: &[f64], network: &Network, most: Duration) -> Vec<Option<Cost>> {
        let regions = weights.len();
        let mut costs = Vec::with_capacity(regions * regions);
        for i in 0..regions {
            for (j, weight) in weights.iter().enumerate() {
                let rtt = network.rtt(RegionId::from_index(i), RegionId::from_index(j));
                let us = i64::try_from(rtt.0 / 1000).unwrap_or(i64::MAX >> 20);
                let late = if rtt > most { us.max(1) } else { 0 };
                let carbon = (weight * FINE).round() as i64;
                let (first, then) = match self {
                    Self::Carbon => (carbon, us),
                    Self::Latency => (us, carbon),
                };
                costs.push(Some(Cost([late, first, then])));
            }
        }
        costs
    }
}

/// What a kWh of calls emits in each region now: the present intensity times PUE [g/kWh].
pub fn weights(view: &View<'_>, pue: &[f64]) -> Vec<f64> {
    let at = |(observed, pue): (&crate::grid::Observed, &f64)| observed.at(view.now).0 * pue;
    view.observed.iter().zip(pue).map(at).collect()
}

/// Whole calls that fit into so much CPU time \[core-s\], each taking `core_s`; rounding errors do not cost one.
pub fn calls_in(cpu_s: f64, core_s: f64) -> u64 {
    (cpu_s / core_s * (1.0 + 1e-12)) as u64
}
