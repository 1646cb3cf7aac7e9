//! `temporal-shapley`: an hour in which all hold much costs more than one in which few do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::shapley::hierarchical;
use super::{GroupUse, RowsError, Rule};
use crate::types::Duration;

/// By resource-time held, at the price of the time at which it was held.
///
/// Formula: w_f = Σ over periods of held_f(t) x price(t), where price is that of the hierarchical peak game over blocks of `levels_s`
/// ([`hierarchical`]), with the peak of a period the mean of what all functions held in it.
/// Source: Han et al., *Fair-CO2*, ISCA 2025, with 3 days, 8 hours, 1 hour and 5 minutes. There the resource is cores; here it is the
/// share of a host that is held. When it misleads: it takes what was held for what was wanted, so a fleet that lacks room looks flat;
/// runs shorter than a level have one block of it, in which all times cost the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemporalShapley {
    /// Lengths of the time blocks, level by level, the longest first: each a whole multiple of the next, the last one of
    /// `output.account_step_s` \[s\]. Default 259200, 28800, 3600, 300, those of Fair-CO2.
    #[serde(default = "levels_s")]
    #[schemars(length(min = 1), inner(range(min = 0.001)))]
    pub levels_s: Vec<f64>,
}

/// Levels of Fair-CO2 \[s\].
pub(super) fn levels_s() -> Vec<f64> {
    vec![259_200.0, 28_800.0, 3600.0, 300.0]
}

impl TemporalShapley {
    /// Lengths of the blocks \[periods\].
    fn levels(&self, step: Duration) -> Vec<usize> {
        let periods = |s: &f64| Duration::from_secs_f64(*s).0 / step.0.max(1);
        self.levels_s.iter().map(|s| usize::try_from(periods(s)).unwrap_or(usize::MAX).max(1)).collect()
    }
}

impl Rule for TemporalShapley {
    fn name(&self) -> &'static str {
        "temporal-shapley"
    }

    fn needs_periods(&self) -> bool {
        true
    }

    fn problem(&self, account_step: Duration) -> Option<(String, String)> {
        let named = self.levels_s.iter().map(|s| (*s, Duration::from_secs_f64(*s)));
        let levels: Vec<(f64, Duration)> = named.chain([(account_step.as_secs_f64(), account_step)]).collect();
        let (pair, last) = levels
            .windows(2)
            .enumerate()
            .map(|(i, pair)| (pair, i + 2 == levels.len()))
            .find(|(pair, _)| !pair[0].1.0.is_multiple_of(pair[1].1.0.max(1)))?;
        let other = if last { "output.account_step_s = " } else { "the next level, " };
        Some((
            format!("levels_s: {} is not a whole multiple of {other}{}", pair[0].0, pair[1].0),
            "list the longest first, each a multiple of the next, the last a multiple of output.account_step_s"
                .to_owned(),
        ))
    }

    fn weights(&self, usage: &GroupUse<'_>) -> Result<Vec<f64>, RowsError> {
        let periods = usage.periods;
        let mut used = vec![0.0; periods.count()];
        periods.held(usage.group, &mut |period, _, held_s| used[period] += held_s)?;
        let peaks: Vec<f64> = used.iter().enumerate().map(|(t, u)| u / periods.length_s(t).max(1e-9)).collect();
        let prices = hierarchical(1.0, &peaks, &used, &self.levels(periods.step)).by_period;
        let mut weights = vec![0.0; usage.held_s.len()];
        periods.held(usage.group, &mut |period, function, held_s| weights[function] += held_s * prices[period])?;
        Ok(weights)
    }
}
