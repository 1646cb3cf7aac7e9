//! The utilization controller: by how much the rates of opportunistic functions are scaled.

use std::collections::VecDeque;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the scale S of r = r0 S follows from what is observed.
///
/// Source: XFaaS (SOSP 2023) publishes what S does, not its law; ours are fitted or assumed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum UtilizationLaw {
    /// Executions are paced to the mean rate of the last day, with a correction that holds the backlog near a set point. Fitted: it gives the
    /// published curve.
    Paced(Paced),
    /// Opportunistic calls fill what urgent ones leave of a fixed utilization. A control that must fail: a target above the mean load runs the
    /// backlog empty every night, one below it never works it off.
    FixedTarget(FixedTarget),
    /// S rises while utilization is below a target and falls, down to 0, while it is above: the nearest law to the paper's words.
    Integral(Integral),
}

/// Paces executions to the mean of the last day.
///
/// ```text
///   m      = mean of calls received per period over the trailing window
///   B      = deferrable calls that wait;   f = deferrable share of the window's calls
///   target = min(m + gain (B - set_point n m f) / n, ceiling m)          n = periods in the window
///   room   = max(0, target - urgent calls of this period)
///   S      = room / sum of r0 over the opportunistic functions with calls that wait, per period
///            x min(max(1 + utilization_gain (mean of u over the window - u), 0), 4)               u = CPU utilization now
/// ```
///
/// The last factor is what makes it a controller of utilization: calls differ in cost, so that even executions are not even load. The law of `scheduler.shifting.paced-backlog`, there by name of the calls, here by rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Paced {
    /// Window of the mean \[s\]. Default 86400: one day, the traffic's cycle.
    #[schemars(range(min = 1.0))]
    #[serde(default = "window")]
    pub window_s: f64,
    /// Gain of the backlog's deviation from its set point, per window. Default 1 (fitted).
    #[schemars(range(min = 0.0))]
    #[serde(default = "gain")]
    pub gain: f64,
    /// Set point of the backlog, in windows of deferrable calls. Default 0.25 (fitted).
    #[schemars(range(min = 0.0))]
    #[serde(default = "set_point")]
    pub set_point: f64,
    /// Largest target over the mean. Default 1.515 = 1/0.66: the fleet's capacity at the published utilization of 66 %.
    #[schemars(range(min = 0.0))]
    #[serde(default = "ceiling")]
    pub ceiling: f64,
    /// By how much S falls per unit of utilization above the window's mean. Default 0 (not published).
    #[schemars(range(min = 0.0))]
    #[serde(default)]
    pub utilization_gain: f64,
    /// Calls per second that the mean starts from, until the first window has passed. Default: the mean so far.
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prior_rate_per_s: Option<f64>,
}

/// Fills a fixed utilization.
///
/// ```text
///   a    = sum of utilization over the trailing window / sum of calls started in it       utilization that one call per period makes
///   room = max(0, target / a - urgent calls of this period)
///   S    = room / sum of r0 over the opportunistic functions with calls that wait, per period;   1 before anything was started
/// ```
///
/// Source: ours, a negative control. On the published curve, with a target that is exactly the mean load, executions are flat; with two points more
/// their max/min is 2.0–2.3.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FixedTarget {
    /// The utilization that is filled \[share\]. Default 0.66: the published daily mean.
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default = "target")]
    pub target: f64,
    /// Window over which a call's utilization is taken \[s\]. Default 86400 (assumed).
    #[schemars(range(min = 1.0))]
    #[serde(default = "window")]
    pub window_s: f64,
}

/// Integrates the deviation from a target utilization.
///
/// ```text
///   S <- min(max(S + gain (target - utilization) dt, 0), largest)        S = 1 at first; dt: one period, in hours
/// ```
///
/// Where utilization = d + b S, S - (target - d)/b shrinks by 1 - gain b dt per period: oscillates for gain b dt above 1, diverges above 2.
///
/// Source: assumed, after the words of XFaaS (SOSP 2023). `largest` keeps S from winding up while nothing waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Integral {
    /// The utilization that S works towards \[share\]. Default 0.66: the published daily mean.
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default = "target")]
    pub target: f64,
    /// By how much S moves in an hour, per unit of deviation [1/h]. Default 10 (not published; assumed: 10 points of deviation move S by 1 in an
    /// hour).
    #[schemars(range(min = 0.0))]
    #[serde(default = "gain_per_h")]
    pub gain_per_h: f64,
    /// Largest S. Default 10 (not published).
    #[schemars(range(min = 0.0))]
    #[serde(default = "largest")]
    pub largest: f64,
}

fn window() -> f64 {
    86_400.0
}
fn gain() -> f64 {
    1.0
}
fn set_point() -> f64 {
    0.25
}
fn ceiling() -> f64 {
    1.0 / 0.66
}
fn target() -> f64 {
    0.66
}
fn gain_per_h() -> f64 {
    10.0
}
fn largest() -> f64 {
    10.0
}

/// What the controller sees of one period of polling.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Seen {
    /// Calls of reserved functions that were received \[calls\].
    pub urgent: u64,
    /// Calls of opportunistic functions that were received \[calls\].
    pub deferrable: u64,
    /// Opportunistic calls that wait now, those of this period included \[calls\].
    pub backlog: u64,
    /// Sum of r0 over the opportunistic functions that have calls waiting, times the period \[calls\].
    pub quota: f64,
    /// CPU in use over CPU capacity, mean over the period and over all regions.
    pub utilization: f64,
    /// Calls that were handed to workers, urgent and opportunistic \[calls\]: for `fixed-target`.
    pub started: u64,
}

/// A sum over the last periods.
struct Trailing<T> {
    periods: usize,
    past: VecDeque<T>,
}

impl<T> Trailing<T> {
    fn new(window_s: f64, period_s: f64) -> Self {
        Self { periods: (window_s / period_s).round().max(1.0) as usize, past: VecDeque::new() }
    }

    /// Adds the latest; what falls out of the window.
    fn push(&mut self, latest: T) -> Option<T> {
        self.past.push_back(latest);
        if self.past.len() > self.periods { self.past.pop_front() } else { None }
    }
}

/// A law with what it remembers.
enum State {
    Paced { spec: Paced, window: Trailing<(u64, u64)>, sum: (u64, u64), used: (Trailing<(u64, u64)>, (u64, u64)) },
    FixedTarget { spec: FixedTarget, window: Trailing<(u64, u64)>, sum: (u64, u64) },
    Integral { spec: Integral, scale: f64 },
}

/// The controller with what it remembers.
pub struct Controller {
    state: State,
    period_s: f64,
}

/// Utilization is summed in whole millionths, so that what is taken out of a sum is what went in.
const MILLIONTHS: f64 = 1e6;

impl Controller {
    /// A controller that is asked every `period_s`.
    pub fn new(law: UtilizationLaw, period_s: f64) -> Self {
        let state = match law {
            UtilizationLaw::Paced(spec) => {
                let window = || Trailing::new(spec.window_s, period_s);
                State::Paced { window: window(), sum: (0, 0), used: (window(), (0, 0)), spec }
            }
            UtilizationLaw::FixedTarget(spec) => {
                State::FixedTarget { window: Trailing::new(spec.window_s, period_s), spec, sum: (0, 0) }
            }
            UtilizationLaw::Integral(spec) => State::Integral { scale: 1.0_f64.min(spec.largest), spec },
        };
        Self { state, period_s }
    }

    /// A period is over: the scale S for the next. 0 where no opportunistic call waits, but for `integral`, which does not look at the queues.
    pub fn scale(&mut self, seen: &Seen) -> f64 {
        let mut factor = 1.0;
        let target = match &mut self.state {
            State::Paced { spec, window, sum, used } => {
                if spec.utilization_gain > 0.0 {
                    add(&mut used.0, &mut used.1, ((seen.utilization * MILLIONTHS).round() as u64, 1));
                    let mean = used.1.0 as f64 / used.1.1 as f64 / MILLIONTHS;
                    factor = (1.0 + spec.utilization_gain * (mean - seen.utilization)).clamp(0.0, 4.0);
                }
                add(window, sum, (seen.urgent, seen.deferrable));
                let (n, known) = (window.periods as f64, window.past.len() as f64);
                let received = (sum.0 + sum.1) as f64;
                let mean = match spec.prior_rate_per_s {
                    Some(prior) => (received + (n - known) * prior * self.period_s) / n,
                    None => received / known,
                };
                let share = if received > 0.0 { sum.1 as f64 / received } else { 0.0 };
                let paced = mean + spec.gain * (seen.backlog as f64 - spec.set_point * n * mean * share) / n;
                paced.min(spec.ceiling * mean)
            }
            State::FixedTarget { spec, window, sum } => {
                add(window, sum, ((seen.utilization * MILLIONTHS).round() as u64, seen.started));
                if sum.0 == 0 || sum.1 == 0 {
                    return 1.0;
                }
                spec.target * MILLIONTHS * (sum.1 as f64 / sum.0 as f64)
            }
            State::Integral { spec, scale } => {
                let hours = self.period_s / 3600.0;
                *scale =
                    (*scale + spec.gain_per_h * (spec.target - seen.utilization) * hours).min(spec.largest).max(0.0);
                return *scale;
            }
        };
        let room = (target - seen.urgent as f64).max(0.0);
        if seen.quota > 0.0 { factor * room / seen.quota } else { 0.0 }
    }
}

/// Adds a period to a sum over a window.
fn add(window: &mut Trailing<(u64, u64)>, sum: &mut (u64, u64), latest: (u64, u64)) {
    *sum = (sum.0 + latest.0, sum.1 + latest.1);
    if let Some(old) = window.push(latest) {
        *sum = (sum.0 - old.0, sum.1 - old.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn controller(text: &str, period_s: f64) -> Controller {
        Controller::new(toml::from_str(text).expect("right keys"), period_s)
    }

    #[test]
    fn the_paced_law_by_hand() {
        // Four periods in the window.
        let mut c = controller("paced = { window_s = 40.0, set_point = 0.5, gain = 2.0, ceiling = 3.0 }", 10.0);
        let seen = |urgent, deferrable, backlog| Seen { urgent, deferrable, backlog, quota: 8.0, ..Seen::default() };
        // m = 8, f = 3/4: 8 + 2 (12 - 0.5 x 4 x 8 x 3/4)/4 = 8, less 2 urgent calls, over 8.
        assert_eq!(c.scale(&seen(2, 6, 12)), 0.75);
        // m = (8 + 4)/2 = 6, f = 1/2: 6 + 2 (14 - 0.5 x 4 x 6 x 1/2)/4 = 10, less 4.
        assert_eq!(c.scale(&seen(4, 0, 14)), 0.75);
        // m = 4, f = 1/2: 4 + 2 (100 - 4)/4 = 52 is above 3 m = 12.
        assert_eq!(c.scale(&seen(0, 0, 100)), 1.5);
        // An empty backlog: 3 + 2 (0 - 0.5 x 4 x 3 x 1/2)/4 = 1.5; more urgent calls than that leave nothing.
        assert_eq!(c.scale(&seen(0, 0, 0)), 1.5 / 8.0);
        // The first period has left the window: 14 calls of 4 periods, m = 3.5, f = 0.
        assert_eq!(c.scale(&seen(10, 0, 0)), 0.0);
        assert_eq!(c.scale(&Seen { quota: 0.0, ..seen(0, 0, 50) }), 0.0, "nothing waits that has a rate");
        // With a prior of 1 per second, a window is full of it before the first period.
        let mut c = controller("paced = { window_s = 40.0, gain = 0.0, prior_rate_per_s = 1.0 }", 10.0);
        assert_eq!(c.scale(&seen(2, 0, 1)), (8.0 - 2.0) / 8.0);
    }

    #[test]
    fn a_fixed_target_leaves_to_the_opportunistic_what_the_urgent_do_not_fill() {
        let mut c = controller("fixed-target = { target = 0.6, window_s = 30.0 }", 10.0);
        let seen = |started, utilization, urgent| Seen { started, utilization, urgent, quota: 5.0, ..Seen::default() };
        assert_eq!(c.scale(&seen(0, 0.0, 3)), 1.0, "nothing is known of a call yet");
        // 20 calls make 0.4: 30 make 0.6, of which 10 are urgent.
        assert_eq!(c.scale(&seen(20, 0.4, 10)), 4.0);
        assert_eq!(c.scale(&seen(20, 0.4, 50)), 0.0);
        // Calls have become twice as long: 60 in three periods make 1.6, so that 22.5 make 0.6.
        assert!((c.scale(&seen(20, 0.8, 10)) - 2.5).abs() < 1e-12);
    }

    #[test]
    fn the_integral_law_nears_its_target_by_the_closed_form_and_stops_at_its_bounds() {
        // utilization = 0.2 + 0.1 S: S* = 4.6; per minute 1 - 10 x 0.1 / 60 = 59/60 of the deviation is left.
        let mut c = controller("[integral]", 60.0);
        let mut s = 1.0;
        for n in 1..=500 {
            s = c.scale(&Seen { utilization: 0.2 + 0.1 * s, ..Seen::default() });
            let wanted = 4.6 + (1.0 - 4.6) * f64::powi(59.0 / 60.0, n);
            assert!((s - wanted).abs() < 1e-12, "{n}: {s} {wanted}");
        }
        // Twenty points above: down by 2 an hour, to 0 and no further.
        let mut c = controller("[integral]", 3600.0);
        let above = Seen { utilization: 0.86, ..Seen::default() };
        assert_eq!([c.scale(&above), c.scale(&above)], [0.0, 0.0]);
        // Idle: up by 6.6 an hour, to 10.
        assert!((c.scale(&Seen::default()) - 6.6).abs() < 1e-12);
        assert_eq!(c.scale(&Seen::default()), 10.0);
        assert_eq!(
            controller("integral.largest = 0.5", 1.0).scale(&Seen { utilization: 0.66, ..Seen::default() }),
            0.5
        );
    }
}
