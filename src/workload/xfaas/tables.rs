//! The published tables, embedded from `data/xfaas/tables.toml`, and the quantile functions drawn through them.

use serde::Deserialize;

use crate::workload::Trigger;

/// The three trigger classes, in the order in which their functions are numbered.
pub(super) const CLASSES: [Trigger; 3] = [Trigger::Queue, Trigger::Event, Trigger::Timer];

/// Tables 1 and 3 of the paper.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tables {
    /// Levels of the five percentiles.
    pub levels: [f64; 5],
    queue: Class,
    event: Class,
    timer: Class,
}

/// One trigger class.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Class {
    /// Share of the functions.
    pub function_share: f64,
    /// Share of the calls, where the paper gives a figure.
    pub call_share: Option<f64>,
    /// Share of the compute, where the paper gives a figure.
    pub compute_share: Option<f64>,
    /// Percentiles of CPU per call \[million instructions\].
    pub cpu_mi: [f64; 5],
    /// Percentiles of memory \[MB\].
    pub memory_mb: [f64; 5],
    /// Percentiles of execution time \[ms\].
    pub exec_ms: [f64; 5],
}

impl Tables {
    /// The embedded tables.
    pub fn embedded() -> Self {
        toml::from_str(include_str!("../../../data/xfaas/tables.toml"))
            .expect("the embedded tables parse: every test of the module reads them")
    }

    /// The classes in the order of [`CLASSES`].
    pub fn classes(&self) -> [&Class; 3] {
        [&self.queue, &self.event, &self.timer]
    }

    /// Value at level `u` in (0, 1) of the quantile function through the five points `q` \[unit of `q`\].
    ///
    /// Formula: ln Q is linear in u between the levels; below P10 and above P99 the nearest slope goes on, so that the
    /// smallest value is P10 (P10/P50)^(1/4) and the largest, the cap, P99 (P99/P95)^(1/4).
    /// Source: points from Table 3; the form and both ends are assumed. The ends hold 1 % and 10 % of the functions; a
    /// heavier upper end would raise the largest CPU cost above 2.6 million MI (Table 2 names one workload of 1.5–27
    /// million) and push the fitted rho of the queue class down.
    pub fn quantile(&self, q: &[f64; 5], u: f64) -> f64 {
        let i = (1..4).filter(|&i| u > self.levels[i]).count();
        let slope = libm::log(q[i + 1] / q[i]) / (self.levels[i + 1] - self.levels[i]);
        q[i] * libm::exp(slope * (u - self.levels[i]))
    }

    /// Shares of calls (or of compute) per class, when the timers have `timer` of them: the others keep their ratio.
    pub fn shares(&self, timer: f64, of: impl Fn(&Class) -> Option<f64>) -> [f64; 3] {
        let [queue, event] = [&self.queue, &self.event].map(|c| of(c).unwrap_or_default());
        let scale = (1.0 - timer) / (queue + event);
        [queue * scale, event * scale, timer]
    }

    /// Functions per class: Table 1's shares of `functions`, rounded, the queue class taking what is left.
    pub fn counts(&self, functions: usize) -> [usize; 3] {
        let [event, timer] =
            [&self.event, &self.timer].map(|c| ((functions as f64 * c.function_share).round() as usize).max(1));
        [functions - event - timer, event, timer]
    }
}
