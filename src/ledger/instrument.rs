//! What one meter shows of the power it sees: noise, then truncation, then the width of its register.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::types::{Duration, Seed, SimTime};

/// `[meter]`: a sampled meter beside the exact ledger. It changes no other figure.
///
/// It is read at the run's start, at `phase_s` and every `interval_s` after it; a counter also at the run's end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeterSpec {
    /// Time between two readings \[s\]. Default 1, as simulators poll their meters (LEAF) and as most management controllers of servers renew
    /// their reading.
    #[schemars(range(min = 0.0001, max = 315360000.0))]
    #[serde(default = "interval")]
    pub interval_s: f64,
    /// When the second reading is, if not one interval after the start \[s\]; below `interval_s`. Default 0.
    #[schemars(range(min = 0.0, max = 315360000.0))]
    #[serde(default)]
    pub phase_s: f64,
    /// What is read: `power` (default), the power at that instant, taken to hold until the next reading; or `counter`, energy since the start.
    #[serde(default)]
    pub kind: MeterKind,
    /// What is seen: `host` (default), what each host that is on draws, with a meter of its own; or `facility`, what a region draws, hosts
    /// that are off and overhead included, with one meter.
    #[serde(default)]
    pub scope: MeterScope,
    /// Standard deviation of a reading's relative error (of a counter: of what it gained since the last one); Gaussian, independent \[ratio\].
    /// Default 0. Assumed: it depends on the meter.
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default)]
    pub noise_sd: f64,
    /// Standard deviation of a reading's absolute error, on top of it \[W\]. Default 0. Assumed: it depends on the meter.
    #[schemars(range(min = 0.0, max = 1000000.0))]
    #[serde(default)]
    pub noise_w: f64,
    /// Readings of power are cut to whole multiples of this \[W\]. Only with `power`. Default: exact. Management controllers show whole watts.
    #[schemars(range(min = 0.000001, max = 1000000.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution_w: Option<f64>,
    /// Readings of energy are cut to whole multiples of this \[J\]. Only with `counter`. Default: exact. RAPL: 2^-16 to 2^-14 J.
    #[schemars(range(min = 0.000000001, max = 1000000000.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution_j: Option<f64>,
    /// The counter begins at 0 again when it reaches this \[J\], a whole multiple of `resolution_j`. Only with `counter`. Default: never. RAPL:
    /// 2^32 x `resolution_j`.
    #[schemars(range(min = 0.000001, max = 1e15))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrap_j: Option<f64>,
}

fn interval() -> f64 {
    1.0
}

/// What a meter reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MeterKind {
    /// Power at the instant of the reading.
    #[default]
    Power,
    /// Energy since the run's start.
    Counter,
}

/// What a meter sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MeterScope {
    /// Each host that is on, at its plug.
    #[default]
    Host,
    /// Each region, overhead and hosts that are off included.
    Facility,
}

impl MeterSpec {
    /// Keys that do not go together: each with what is wrong and what to do.
    pub fn conflicts(&self) -> Vec<(&'static str, String, &'static str)> {
        let mut found = Vec::new();
        let power = self.kind == MeterKind::Power;
        let mut only = |set: bool, key: &'static str, kind: &str, help: &'static str| {
            if set {
                found.push((key, format!("it has no meaning for a meter that reads {kind}"), help));
            }
        };
        only(
            self.resolution_w.is_some() && !power,
            "resolution_w",
            "a counter",
            "use resolution_j, or kind = \"power\"",
        );
        only(self.resolution_j.is_some() && power, "resolution_j", "power", "use resolution_w, or kind = \"counter\"");
        only(self.wrap_j.is_some() && power, "wrap_j", "power", "leave it out, or use kind = \"counter\"");
        if self.phase_s >= self.interval_s {
            let message = format!("{} s is not below interval_s = {} s", self.phase_s, self.interval_s);
            found.push(("phase_s", message, "choose a phase inside the first interval"));
        }
        if let (Some(wrap), Some(resolution)) = (self.wrap_j, self.resolution_j) {
            let steps = wrap / resolution;
            if (steps - steps.round()).abs() > 1e-9 * steps || steps < 0.5 {
                let message = format!("{wrap} J is not a whole multiple of resolution_j = {resolution} J");
                found.push(("wrap_j", message, "write resolution_j x the number of values of the register"));
            }
        }
        found
    }

    /// When the meter is read.
    pub fn instants(&self) -> Instants {
        let interval = Duration::from_secs_f64(self.interval_s).0.max(1);
        let phase = Duration::from_secs_f64(self.phase_s).0;
        Instants { interval, second: if phase == 0 { interval } else { phase } }
    }
}

/// The instants at which a meter is read: 0, `second`, and every interval after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instants {
    interval: u64,
    second: u64,
}

impl Instants {
    /// The instant number `i`, from 0.
    #[inline]
    pub fn at(&self, i: u64) -> SimTime {
        let Some(after) = i.checked_sub(1) else { return SimTime::ZERO };
        SimTime(self.second.saturating_add(after.saturating_mul(self.interval)))
    }

    /// How many instants lie before `t`.
    pub fn before(&self, t: SimTime) -> u64 {
        if t.0 == 0 { 0 } else { 1 + t.0.saturating_sub(self.second).div_ceil(self.interval) }
    }

    /// The longest `(from, to)` around `t` such that no instant lies in [from, to).
    pub fn gap(&self, t: SimTime) -> (u64, u64) {
        let next = self.before(SimTime(t.0.saturating_add(1)));
        (self.at(next.saturating_sub(1)).0 + 1, self.at(next).0)
    }
}

/// How meters of one kind turn what they see into what they show.
#[derive(Debug, Clone, Copy)]
pub(super) struct Law {
    noise_sd: f64,
    noise_w: f64,
    resolution_w: f64,
    /// Steps of the counter \[J\], whether it is cut to them, and how many of them it counts.
    unit_j: f64,
    cut: bool,
    wrap: Option<f64>,
}

/// A counter's state between two readings.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Register {
    counted_j: f64,
    shown: f64,
    turns: f64,
    /// Turns that the reader noticed, and those that it did not.
    pub seen: u64,
    pub unseen: u64,
}

impl Law {
    pub fn new(spec: &MeterSpec) -> Self {
        let unit_j = spec.resolution_j.unwrap_or(1.0);
        let cut = spec.resolution_j.is_some();
        let wrap = spec.wrap_j.map(|w| w / unit_j).map(|w| if cut { w.round() } else { w });
        Self {
            noise_sd: spec.noise_sd,
            noise_w: spec.noise_w,
            resolution_w: spec.resolution_w.unwrap_or(0.0),
            unit_j,
            cut,
            wrap,
        }
    }

    /// Power with the noise of one reading \[W\]: P (1 + `noise_sd` z) + `noise_w` z', never below 0; z and z' are the first two draws of the
    /// stream of this meter and this reading, so that no order of reading moves them. Where nothing is drawn, nothing is shown.
    fn noisy(&self, meter: Seed, reading: u64, watts: f64) -> f64 {
        if (self.noise_sd == 0.0 && self.noise_w == 0.0) || watts == 0.0 {
            return watts;
        }
        let mut stream = meter.child(reading).into_stream();
        let (relative, absolute) = (stream.standard_normal(), stream.standard_normal());
        (watts * (1.0 + self.noise_sd * relative) + self.noise_w * absolute).max(0.0)
    }

    /// What a meter of power shows \[W\].
    pub fn power(&self, meter: Seed, reading: u64, watts: f64) -> f64 {
        let watts = self.noisy(meter, reading, watts);
        if self.resolution_w > 0.0 { (watts / self.resolution_w).floor() * self.resolution_w } else { watts }
    }

    /// What the reader of a counter takes to be the energy since its last reading \[J\], if `joules` were drawn in `length_s`. A counter that
    /// shows less than before has begun again once, as far as the reader can know.
    pub fn counter(&self, register: &mut Register, meter: Seed, reading: u64, joules: f64, length_s: f64) -> f64 {
        let watts = joules / length_s;
        let noisy = self.noisy(meter, reading, watts);
        register.counted_j += if noisy == watts { joules } else { noisy * length_s };
        let value = register.counted_j / self.unit_j;
        let value = if self.cut { value.floor() } else { value };
        let Some(wrap) = self.wrap else {
            let gained = value - register.shown;
            register.shown = value;
            return gained * self.unit_j;
        };
        let turns = (value / wrap).floor();
        let shown = value - turns * wrap;
        let mut gained = shown - register.shown;
        let seen = gained < 0.0;
        if seen {
            gained += wrap;
        }
        register.seen += u64::from(seen);
        register.unseen += ((turns - register.turns) as u64).saturating_sub(u64::from(seen));
        (register.shown, register.turns) = (shown, turns);
        gained * self.unit_j
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(toml: &str) -> MeterSpec {
        toml::from_str(toml).expect("a meter")
    }

    #[test]
    fn instants_are_the_start_the_phase_and_every_interval_after_it() {
        let at = |toml: &str| {
            let instants = spec(toml).instants();
            [0, 1, 2, 3].map(|i| instants.at(i).as_secs_f64())
        };
        assert_eq!(at("interval_s = 10"), [0.0, 10.0, 20.0, 30.0]);
        assert_eq!(at("interval_s = 10\nphase_s = 4"), [0.0, 4.0, 14.0, 24.0]);
        let instants = spec("interval_s = 10\nphase_s = 4").instants();
        for (t, before) in [(0, 0), (1, 1), (4, 1), (5, 2), (14, 2), (15, 3)] {
            assert_eq!(instants.before(SimTime::from_secs_f64(f64::from(t))), before, "before {t} s");
        }
        let (from, to) = instants.gap(SimTime::from_secs_f64(4.0));
        assert_eq!((from, to), (4_000_000_001, 14_000_000_000));
        assert_eq!(instants.gap(SimTime(4_000_000_001)), (from, to));
        assert_eq!(instants.gap(SimTime(3_999_999_999)), (1, 4_000_000_000));
    }

    #[test]
    fn a_counter_that_wraps_is_put_together_again_unless_it_wraps_twice() {
        // 65536 steps of 0.5 J: it turns every 32768 J.
        let law = Law::new(&spec("kind = 'counter'\nresolution_j = 0.5\nwrap_j = 32768"));
        let mut r = Register::default();
        let shown: Vec<f64> =
            [30_000.3, 10_000.0, 40_000.0].iter().map(|&j| law.counter(&mut r, Seed(1), 1, j, 1.0)).collect();
        // 30000.3 is cut to 30000; 40000.3 to 40000, past one turn; then 40000 J are seen as 40000 - 32768.
        assert_eq!(shown, [30_000.0, 10_000.0, 7_232.0]);
        assert_eq!((r.seen, r.unseen), (1, 1));
    }

    #[test]
    fn noise_has_its_mean_and_its_spread_and_a_draw_per_reading() {
        let law = Law::new(&spec("noise_sd = 0.02\nnoise_w = 3.0"));
        let n = 20_000;
        let draws: Vec<f64> = (0..n).map(|i| law.power(Seed(7), i, 200.0)).collect();
        let mean = draws.iter().sum::<f64>() / n as f64;
        let sd = (draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1) as f64).sqrt();
        // sd = sqrt(4^2 + 3^2) = 5 W; four standard errors.
        assert!((mean - 200.0).abs() < 4.0 * 5.0 / (n as f64).sqrt(), "mean {mean}");
        assert!((sd / 5.0 - 1.0).abs() < 4.0 / (2.0 * n as f64).sqrt(), "sd {sd}");
        assert_eq!(law.power(Seed(7), 5, 200.0), draws[5]);
        assert_ne!(law.power(Seed(8), 5, 200.0), draws[5]);
    }

    #[test]
    fn keys_that_do_not_go_together_are_named() {
        let keys = |toml: &str| spec(toml).conflicts().iter().map(|c| c.0).collect::<Vec<_>>();
        assert_eq!(keys("resolution_w = 1"), [""; 0]);
        assert_eq!(keys("resolution_j = 1\nwrap_j = 5"), ["resolution_j", "wrap_j"]);
        assert_eq!(keys("kind = 'counter'\nresolution_w = 1"), ["resolution_w"]);
        assert_eq!(keys("kind = 'counter'\nresolution_j = 2\nwrap_j = 5"), ["wrap_j"]);
        assert_eq!(keys("kind = 'counter'\nresolution_j = 6.103515625e-5\nwrap_j = 262144"), [""; 0]);
        assert_eq!(keys("phase_s = 1.0"), ["phase_s"]);
    }
}
