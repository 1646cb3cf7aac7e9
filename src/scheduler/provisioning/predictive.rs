//! As many hosts as the present and the same time of earlier days need.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FleetView, Holds, IdleState, Provisioning, hold_s, min_hosts, period_s, whole};
use crate::scheduler::View;
use crate::types::{Duration, SimTime};

/// Expects of the near future the most that the same time of earlier days needed, and switches hosts on before it comes.
///
/// Formula, every `period_s` in each region, with L(t) the full hosts that running and waiting calls need at a question (as for
/// `threshold`), S = `season_s`, and the lead the longest way back of a host, rounded up to whole periods, plus one period:
///
/// ```text
/// expected = max over d = 1 … days, t' in [t, t + lead] of L(t' - d S)
/// desired  = ceil((1 + headroom) max(L(t), expected))
/// wanted   = the largest max(desired, min_hosts) of the last hold_s
/// ```
///
/// What waits for room is answered as by `threshold`. In the first season nothing is expected.
///
/// Source: Urgaonkar, Shenoy, Chandra, Goyal, Wood, "Agile Dynamic Provisioning of Multi-tier Internet Applications", TAAS 2008, predicts
/// from the demand at the same hour of the last days, by a high percentile (recalled, not read); the maximum is the most cautious of these.
/// Period and hold as for `threshold`; headroom and days are assumed. Example: 4 hosts were needed yesterday within the next 280 s and
/// 2.5 are now: 6 are wanted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Predictive {
    /// After how long demand repeats \[s\]; at least `period_s`. Default 86,400: a day.
    #[schemars(range(min = 0.001, max = 31_536_000.0))]
    #[serde(default = "day")]
    pub season_s: f64,
    /// Earlier seasons that count. Default 7 (assumed): a week of days.
    #[schemars(range(min = 1, max = 100))]
    #[serde(default = "days")]
    pub days: u32,
    /// Hosts beyond what is needed [share of it]. Default 0.5 (assumed), which is a load of two thirds.
    #[schemars(range(min = 0.0, max = 1000.0))]
    #[serde(default = "headroom")]
    pub headroom: f64,
    /// Hosts that stay up in each region whatever the load. Default 1 (assumed).
    #[serde(default = "min_hosts")]
    pub min_hosts: u32,
    /// How often the number is decided, and demand sampled \[s\]. Default 20 (AutoScale).
    #[schemars(range(min = 0.001))]
    #[serde(default = "period_s")]
    pub period_s: f64,
    /// How long fewer hosts must have been enough before any go \[s\]. Default 120 (AutoScale).
    #[schemars(range(min = 0.0))]
    #[serde(default = "hold_s")]
    pub hold_s: f64,
    /// Where hosts wait: off or sleep. Default `off`.
    #[serde(default)]
    pub idle_state: IdleState,
    /// Whether hosts may go that hold idle sandboxes and no call; these are evicted. Default false: keep-alive is kept.
    #[serde(default)]
    pub evict_idle: bool,
}

fn day() -> f64 {
    86_400.0
}
fn days() -> u32 {
    7
}
fn headroom() -> f64 {
    0.5
}

/// More samples than this are not kept (80 MB a region).
const MOST_SAMPLES: f64 = 1e7;

impl Predictive {
    /// Questions in a season.
    fn slots(&self) -> f64 {
        (self.season_s / self.period_s).round()
    }

    pub(super) fn conflicts(&self) -> Vec<(&'static str, String, &'static str)> {
        let (season, period) = (self.season_s, self.period_s);
        let mut found = Vec::new();
        if (season / period - self.slots()).abs() > 1e-6 || self.slots() < 1.0 {
            let message = format!("season_s = {season} is not a whole multiple of period_s = {period}");
            found.push((
                "predictive.season_s",
                message,
                "choose a multiple, so that seasons are sampled at the same times",
            ));
        }
        let samples = self.slots() * f64::from(self.days);
        if samples > MOST_SAMPLES {
            let message = format!("{samples:.0} samples would be kept of each region; at most {MOST_SAMPLES:.0} are");
            found.push(("predictive.period_s", message, "choose a longer period, a shorter season, or fewer days"));
        }
        found
    }
}

/// The policy with what was needed in the last seasons.
pub(super) struct Seasons {
    spec: Predictive,
    slots: usize,
    holds: Holds,
    /// By region, the full hosts needed at each question: the last `days` seasons, in turn.
    needed: Vec<Vec<f64>>,
}

impl Seasons {
    pub(super) fn new(spec: Predictive) -> Self {
        Self { slots: spec.slots().max(1.0) as usize, holds: Holds::new(spec.hold_s), needed: Vec::new(), spec }
    }

    /// The most that earlier seasons needed at the times of the questions `n` to `n + ahead`.
    fn expected(&self, region: usize, n: usize, ahead: usize) -> f64 {
        let past = &self.needed[region];
        let seasons = 1..=self.spec.days as usize;
        let times = seasons.flat_map(|d| (n..=n + ahead).map(move |k| (d, k)));
        let at = |(d, k): (usize, usize)| {
            k.checked_sub(d * self.slots).filter(|&k| k < n).and_then(|k| {
                let kept = n - k <= past.len();
                kept.then(|| past[k % self.ring()])
            })
        };
        times.filter_map(at).fold(0.0, f64::max)
    }

    fn ring(&self) -> usize {
        self.slots * self.spec.days as usize
    }

    /// The number of the question that is asked now; questions come in a fixed rhythm from the run's start.
    fn number(&self, now: SimTime) -> usize {
        (now.0 / Duration::from_secs_f64(self.spec.period_s).0.max(1)) as usize
    }
}

impl Provisioning for Seasons {
    fn period(&self) -> Option<Duration> {
        Some(Duration::from_secs_f64(self.spec.period_s))
    }

    fn wanted(&mut self, fleet: &FleetView, view: &View<'_>) -> u32 {
        let (r, n) = (fleet.region.index(), self.number(view.now));
        if self.needed.len() <= r {
            self.needed.resize_with(r + 1, Vec::new);
        }
        let ahead = (fleet.way_back.as_secs_f64() / self.spec.period_s).ceil() as usize + 1;
        let now = fleet.needed();
        let most = now.max(self.expected(r, n, ahead));
        let ring = self.ring();
        let past = &mut self.needed[r];
        if past.len() < ring {
            past.push(now);
        } else {
            past[n % ring] = now;
        }
        let desired = whole((1.0 + self.spec.headroom) * most).max(self.spec.min_hosts).min(fleet.hosts);
        self.holds.at(fleet, view.now, desired).max(fleet.least()).min(fleet.hosts)
    }

    fn idle_state(&self) -> IdleState {
        self.spec.idle_state
    }

    fn evicts_idle(&self) -> bool {
        self.spec.evict_idle
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::provisioning::tests::{ask, fleet};

    fn seasons(keys: &str) -> Seasons {
        Seasons::new(toml::from_str(keys).expect("right keys"))
    }

    #[test]
    fn hosts_come_before_the_time_at_which_they_were_needed() {
        // Seasons of 10 questions, 10 s apart; hosts take 25 s, hence 3 questions and one more. Of hosts of 10 cores, 40 cores are
        // demanded at the questions 6 and 7 of the first season, 10 before and after.
        let mut p = seasons("season_s = 100\nperiod_s = 10\nhold_s = 0\nheadroom = 0.5\ndays = 2");
        let mut wanted = Vec::new();
        for n in 0..20 {
            let cores = if n == 6 || n == 7 { 40.0 } else { 10.0 };
            let mut f = fleet(2, cores, 0.0);
            f.way_back = Duration::from_secs(25);
            wanted.push(ask(&mut p, &f, f64::from(n) * 10.0));
        }
        assert_eq!(wanted[..10], [2, 2, 2, 2, 2, 2, 6, 6, 2, 2], "nothing is expected on the first day");
        assert_eq!(wanted[10..], [2, 2, 6, 6, 6, 6, 6, 6, 2, 2]);
    }

    #[test]
    fn what_is_older_than_the_days_that_count_is_forgotten() {
        let mut p = seasons("season_s = 20\nperiod_s = 10\nhold_s = 0\nheadroom = 0\ndays = 2");
        let mut at = |n: u32, cores: f64| ask(&mut p, &fleet(1, cores, 0.0), f64::from(n) * 10.0);
        // A way back of nothing looks one question ahead.
        let wanted: Vec<u32> = (0..8).map(|n| at(n, if n == 1 { 50.0 } else { 10.0 })).collect();
        assert_eq!(wanted, [1, 5, 5, 5, 5, 5, 1, 1]);
    }

    #[test]
    fn seasons_that_are_no_whole_number_of_questions_are_refused() {
        let spec: Predictive = toml::from_str("season_s = 100\nperiod_s = 30").expect("right keys");
        assert_eq!(spec.conflicts().len(), 1);
        let fine: Predictive = toml::from_str("season_s = 1e6\nperiod_s = 0.001").expect("right keys");
        assert_eq!(fine.conflicts().len(), 1, "too many samples");
        assert!(toml::from_str::<Predictive>("").expect("right keys").conflicts().is_empty());
    }
}
