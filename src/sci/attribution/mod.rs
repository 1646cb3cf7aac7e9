//! Who pays for capacity that nobody uses: rules that spread what no function held over the functions.
//!
//! ```text
//!   pool of a group = what it drew, or has embodied, less what functions held      (by cause; idle host, boot, off, overhead)
//!   part of a function = pool x weight / sum of weights                            the rule names the weight
//! ```
//!
//! Every rule conserves: functions + unattributed = total, cause by cause, for joules, grams and M. Where nobody has any weight, nobody
//! can be asked, and the pool stays unattributed. docs/attribution.md has a worked example, and when each rule misleads.

mod allocation;
mod peak;
mod pool;
mod spread;
mod temporal_shapley;
#[cfg(test)]
mod tests;
mod unattributed;
mod usage;

pub use allocation::Allocation;
pub use peak::Peak;
pub use pool::{Pool, pools};
pub use spread::{attribute, portions};
pub use temporal_shapley::TemporalShapley;
pub use unattributed::Unattributed;
pub use usage::Usage;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ledger::PeriodAccount;
use crate::types::{Duration, GroupId, SimTime};

/// `[sci.attribution]`: who pays for capacity that nobody uses.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttributionSpec {
    /// Who pays for the energy, and its operational emissions, of hosts that idle, boot or are off, and for their part of the
    /// facility's overhead. Default `unattributed`.
    #[serde(default)]
    pub idle: IdleRule,
    /// Who pays for embodied emissions. Default `unattributed`.
    #[serde(default)]
    pub embodied: EmbodiedRule,
}

/// The rules for what hosts draw while nobody uses them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum IdleRule {
    /// Nobody: it is a line of its own. What SCI's share by reservation leaves over. Hides nothing, and charges nobody.
    Unattributed(Unattributed),
    /// By resource-time held, busy, starting or warm, per host group. Misleads where some hold at the peak and others off-peak.
    Allocation(Allocation),
    /// By dynamic energy, thus by CPU use, per host group. Misleads where capacity is bought for memory: idle sandboxes pay nothing.
    Usage(Usage),
    /// By the largest mean holding of a period, per host group. Misleads where the peaks of functions fall at different times.
    Peak(Peak),
    /// By resource-time held, dearer when all hold much: the peak game over time blocks. Source: Fair-CO2 (ISCA 2025).
    TemporalShapley(TemporalShapley),
}

impl Default for IdleRule {
    fn default() -> Self {
        Self::Unattributed(Unattributed {})
    }
}

/// The rules for embodied emissions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum EmbodiedRule {
    /// Functions pay for what they held; the rest is a line of its own. SCI's TS x RS by reservation.
    Unattributed(Unattributed),
    /// By resource-time held, busy, starting or warm, per host group.
    Allocation(Spreading),
    /// By dynamic energy, thus by CPU use, per host group.
    Usage(Spreading),
    /// By the largest mean holding of a period, per host group.
    Peak(Spreading),
    /// By resource-time held, dearer when all hold much: the peak game over time blocks. Source: Fair-CO2 (ISCA 2025).
    TemporalShapley(ShapleySpreading),
}

impl Default for EmbodiedRule {
    fn default() -> Self {
        Self::Unattributed(Unattributed {})
    }
}

/// Which part of M a rule spreads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Spread {
    /// What no function held; functions keep what they held.
    Pool,
    /// All of it; what functions held does not matter beyond the rule.
    All,
}

impl Spread {
    fn pool() -> Self {
        Self::Pool
    }

    fn all() -> Self {
        Self::All
    }

    fn name(self) -> &'static str {
        match self {
            Self::Pool => "pool",
            Self::All => "all",
        }
    }
}

/// A rule for M.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spreading {
    /// Which part of M the rule spreads. Default `pool`.
    #[serde(default = "Spread::pool")]
    pub spread: Spread,
}

/// The rule of the peak game for M.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShapleySpreading {
    /// Lengths of the time blocks, level by level, the longest first: each a whole multiple of the next, the last one of
    /// `output.account_step_s` \[s\]. Default 259200, 28800, 3600, 300, those of Fair-CO2.
    #[serde(default = "temporal_shapley::levels_s")]
    #[schemars(length(min = 1), inner(range(min = 0.001)))]
    pub levels_s: Vec<f64>,
    /// Which part of M the rule spreads. Default `all`, as published.
    #[serde(default = "Spread::all")]
    pub spread: Spread,
}

impl IdleRule {
    /// Name in scenarios and summaries.
    pub fn name(&self) -> &'static str {
        self.rule().name()
    }

    /// The rule itself.
    pub fn rule(&self) -> &dyn Rule {
        match self {
            Self::Unattributed(rule) => rule,
            Self::Allocation(rule) => rule,
            Self::Usage(rule) => rule,
            Self::Peak(rule) => rule,
            Self::TemporalShapley(rule) => rule,
        }
    }
}

impl EmbodiedRule {
    /// The rule itself, and which part it spreads.
    pub fn rule(&self) -> (Box<dyn Rule>, Spread) {
        match self {
            Self::Unattributed(_) => (Box::new(Unattributed {}), Spread::Pool),
            Self::Allocation(s) => (Box::new(Allocation {}), s.spread),
            Self::Usage(s) => (Box::new(Usage {}), s.spread),
            Self::Peak(s) => (Box::new(Peak {}), s.spread),
            Self::TemporalShapley(s) => (Box::new(TemporalShapley { levels_s: s.levels_s.clone() }), s.spread),
        }
    }

    /// Name in summaries: the rule, and which part it spreads.
    pub fn name(&self) -> String {
        match (self, self.rule()) {
            (Self::Unattributed(_), (rule, _)) => rule.name().to_owned(),
            (_, (rule, spread)) => format!("{} ({})", rule.name(), spread.name()),
        }
    }
}

impl AttributionSpec {
    /// What is wrong with the rules where the accounts have periods of this length: key below `sci.attribution`, message, help.
    pub fn problems(&self, account_step: Option<Duration>) -> Vec<(String, String, String)> {
        let embodied = self.embodied.rule().0;
        let rules = [("idle", self.idle.rule()), ("embodied", &*embodied)];
        rules
            .into_iter()
            .filter_map(|(key, rule)| {
                let (message, help) = match account_step {
                    None if rule.needs_periods() => (
                        "it looks at time, and the accounts are kept for the whole run alone".to_owned(),
                        "set output.account_step_s, for example to 300".to_owned(),
                    ),
                    Some(step) => rule.problem(step)?,
                    None => return None,
                };
                Some((format!("{key}.{}", rule.name()), message, help))
            })
            .collect()
    }

    /// Whether a rule looks at the accounts by period.
    pub fn needs_periods(&self) -> bool {
        self.idle.rule().needs_periods() || self.embodied.rule().0.needs_periods()
    }
}

/// Says who pays: a weight per function, from how the functions used a host group.
///
/// Laws: weights are finite and not below 0; a function that held and used nothing has 0; functions that did the same have the same.
pub trait Rule {
    /// Name in scenarios and summaries.
    fn name(&self) -> &'static str;

    /// The weight of every function. All zero: nobody pays.
    ///
    /// # Errors
    /// The accounts by period cannot be read.
    fn weights(&self, usage: &GroupUse<'_>) -> Result<Vec<f64>, RowsError>;

    /// Whether it looks at the accounts by period.
    fn needs_periods(&self) -> bool {
        false
    }

    /// What is wrong with its parameters where the accounts have periods of this length: message and help.
    fn problem(&self, _account_step: Duration) -> Option<(String, String)> {
        None
    }
}

/// How functions used one host group.
#[derive(Clone, Copy)]
pub struct GroupUse<'a> {
    /// Which group.
    pub group: GroupId,
    /// Share of a host held x time, in any state, by function [host·s].
    pub held_s: &'a [f64],
    /// Dynamic energy by function \[J\].
    pub dynamic_j: &'a [f64],
    /// The accounts by period.
    pub periods: Periods<'a>,
}

/// The accounts by period of a whole run.
#[derive(Clone, Copy)]
pub struct Periods<'a> {
    /// Length of a period; the last one may be cut off by the run's end.
    pub step: Duration,
    /// When the run ended.
    pub end: SimTime,
    /// Their rows.
    pub rows: &'a dyn Rows,
}

/// The accounts by period cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot read the accounts by period: {0}")]
pub struct RowsError(pub String);

/// Rows of accounts by period that can be gone through as often as is needed, without all being in memory.
pub trait Rows {
    /// Hands over every row.
    ///
    /// # Errors
    /// They cannot be read.
    fn each(&self, row: &mut dyn FnMut(&PeriodAccount)) -> Result<(), RowsError>;
}

impl Rows for Vec<PeriodAccount> {
    fn each(&self, row: &mut dyn FnMut(&PeriodAccount)) -> Result<(), RowsError> {
        self.iter().for_each(row);
        Ok(())
    }
}

impl Periods<'_> {
    /// How many periods there are.
    fn count(&self) -> usize {
        usize::try_from(self.end.0.div_ceil(self.step.0.max(1))).unwrap_or(usize::MAX)
    }

    /// The length of a period \[s\].
    fn length_s(&self, period: usize) -> f64 {
        let from = (period as u64).saturating_mul(self.step.0);
        Duration(self.step.0.min(self.end.0.saturating_sub(from))).as_secs_f64()
    }

    /// Hands over who held how much of a group in which period: period, function, share of a host x time [host·s].
    fn held(&self, group: GroupId, each: &mut dyn FnMut(usize, usize, f64)) -> Result<(), RowsError> {
        self.rows.each(&mut |row| {
            if row.group == group {
                each((row.start.0 / self.step.0.max(1)) as usize, row.function.index(), row.held_s());
            }
        })
    }
}
