//! The published curve of XFaaS through the utilization laws, and the bound that no law can beat.

use std::collections::VecDeque;
use std::path::Path;

use super::*;

const PERIOD_S: f64 = 900.0;
const DAY: usize = 96;
const WEEK: usize = 7 * DAY;
/// Calls in the peak bin: so many that rounding to whole calls is nothing.
const PEAK: f64 = 1e7;

/// Received calls per 15-minute bin of one week.
fn received() -> Vec<u64> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/xfaas/received_executed_15min.csv");
    let text = std::fs::read_to_string(path).expect("the published curve");
    let value = |line: &str| -> f64 { line.split(',').nth(1).expect("a column").parse().expect("a number") };
    let rows = text.lines().filter(|l| l.starts_with(|c: char| c.is_ascii_digit()));
    let week: Vec<u64> = rows.map(|l| (value(l) * PEAK).round() as u64).collect();
    assert_eq!(week.len(), WEEK);
    week
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Max over min, and max in units of the received peak.
fn shape(executed: &[f64]) -> (f64, f64) {
    let (low, high) = executed.iter().fold((f64::INFINITY, 0.0_f64), |(l, h), &x| (l.min(x), h.max(x)));
    (high / low, high / PEAK)
}

/// What became of one week.
struct Week {
    executed: Vec<f64>,
    /// Longest wait of a call that ended in it \[bins\].
    longest: usize,
}

/// Calls that wait, oldest first: when they came \[bin\], and how many.
#[derive(Default)]
struct Backlog {
    waiting: VecDeque<(usize, u64)>,
    calls: u64,
}

impl Backlog {
    fn add(&mut self, bin: usize, calls: u64) {
        self.waiting.push_back((bin, calls));
        self.calls += calls;
    }

    /// Takes so many, oldest first; the longest wait among them \[bins\].
    fn take(&mut self, now: usize, mut calls: u64) -> usize {
        let mut longest = 0;
        self.calls -= calls;
        while calls > 0 {
            let (bin, oldest) = self.waiting.front_mut().expect("no more is taken than waits");
            longest = longest.max(now - *bin);
            let part = calls.min(*oldest);
            (*oldest, calls) = (*oldest - part, calls - part);
            if *oldest == 0 {
                self.waiting.pop_front();
            }
        }
        longest
    }
}

/// The week four times under a law; the third of them. `capacity`: what a utilization of 1 is [calls per bin].
fn under(law: &str, deferrable: f64, capacity: f64) -> Week {
    let week = received();
    let quota = 12_345.6;
    let mut controller = Controller::new(toml::from_str(law).expect(law), PERIOD_S);
    let mut backlog = Backlog::default();
    let mut all = Vec::new();
    let mut longest = 0;
    let mut before = Seen::default();
    for bin in 0..4 * WEEK {
        let all_calls = week[bin % WEEK];
        let held = (all_calls as f64 * deferrable).round() as u64;
        backlog.add(bin, held);
        let urgent = all_calls - held;
        // What was started and used is known of the bin before; of this one, what was received.
        let seen = Seen { urgent, deferrable: held, backlog: backlog.calls, quota, ..before };
        let drained = ((controller.scale(&seen) * quota).round() as u64).min(backlog.calls);
        let waited = backlog.take(bin, drained);
        let started = urgent + drained;
        before = Seen { started, utilization: started as f64 / capacity, ..Seen::default() };
        if bin / WEEK == 2 {
            longest = longest.max(waited);
        }
        all.push(started as f64);
    }
    Week { executed: all[2 * WEEK..3 * WEEK].to_vec(), longest }
}

/// Mean of the week over the published utilization: the capacity of the fleet [calls per bin].
fn capacity() -> f64 {
    received().iter().sum::<u64>() as f64 / WEEK as f64 / 0.66
}

#[test]
fn the_input_is_the_published_curve() {
    let week: Vec<f64> = received().into_iter().map(|x| x as f64).collect();
    let (ratio, peak) = shape(&week);
    assert!((ratio - 4.409).abs() < 0.001 && peak == 1.0 && (mean(&week) / PEAK - 0.4546).abs() < 1e-4);
}

#[test]
fn the_paced_law_gives_the_published_figure_for_every_share_from_sixty_percent_on() {
    // Gain; executed max/min and peak; longest wait [h].
    let table = [
        (0.0, (1.13, 1.13), (0.481, 0.481), (5.5, 8.2)),
        (0.5, (1.21, 1.22), (0.481, 0.481), (7.8, 8.0)),
        (1.0, (1.33, 1.34), (0.497, 0.497), (7.5, 7.8)),
        (2.0, (1.61, 1.64), (0.537, 0.538), (7.2, 7.2)),
    ];
    let prior = capacity() * 0.66 / PERIOD_S;
    for (gain, ratio, peak, wait) in table {
        for deferrable in [0.6, 1.0] {
            let law = format!("paced = {{ gain = {gain:?}, prior_rate_per_s = {prior:?} }}");
            let week = under(&law, deferrable, capacity());
            let (got, got_peak) = shape(&week.executed);
            let hours = week.longest as f64 / 4.0;
            println!("k = {gain}, f = {deferrable}: {got:.4}, peak {got_peak:.4}, {hours} h");
            let within = |x: f64, (low, high): (f64, f64), half: f64| x >= low - half && x <= high + half;
            assert!(within(got, ratio, 0.005), "k = {gain}, f = {deferrable}: max/min {got}");
            assert!(within(got_peak, peak, 0.0005), "k = {gain}, f = {deferrable}: peak {got_peak}");
            assert!(within(hours, wait, 0.26), "k = {gain}, f = {deferrable}: longest wait {hours} h");
            assert!(week.longest < DAY, "a call missed its 24 h");
        }
    }
}

#[test]
fn the_published_figures_come_out_at_a_gain_of_one() {
    let week = under("[paced]", 0.6, capacity());
    let (ratio, peak) = shape(&week.executed);
    assert!((1.2..1.5).contains(&ratio) && (1.0 / peak - 1.988).abs() < 0.15, "{ratio} {peak}");
}

#[test]
fn a_fixed_target_is_a_knife_edge() {
    for deferrable in [0.6, 1.0] {
        let ratio = |target: f64| {
            let law = format!("fixed-target = {{ target = {target:?} }}");
            shape(&under(&law, deferrable, capacity()).executed).0
        };
        let (exact, above) = (ratio(0.66), ratio(0.68));
        println!("f = {deferrable}: at the mean {exact:.4}, two points above {above:.4}");
        assert!((exact - 1.0).abs() < 0.01, "{exact}");
        assert!((2.0..2.35).contains(&above), "{above}");
    }
}

#[test]
fn eleven_percent_that_may_wait_do_not_flatten_the_curve_under_any_law() {
    for law in ["[paced]", "[fixed-target]", "[integral]"] {
        let (ratio, peak) = shape(&under(law, 0.11, capacity()).executed);
        println!("{law}: {ratio:.3}, peak {peak:.3}");
        assert!((3.7..4.41).contains(&ratio) && peak >= 0.87, "{law}: {ratio} {peak}");
    }
}

/// Earliest deadline first with perfect filling, all deadlines 24 h: the week three times at a capacity [calls per bin]; the middle one,
/// unless a call misses.
fn filled(deferrable: f64, capacity: u64) -> Option<Week> {
    let week = received();
    let mut backlog = Backlog::default();
    let (mut all, mut longest) = (Vec::new(), 0);
    for bin in 0..3 * WEEK {
        let held = (week[bin % WEEK] as f64 * deferrable).round() as u64;
        backlog.add(bin, held);
        let urgent = week[bin % WEEK] - held;
        let drained = capacity.checked_sub(urgent)?.min(backlog.calls);
        let waited = backlog.take(bin, drained);
        if waited > DAY || backlog.waiting.front().is_some_and(|&(oldest, _)| bin - oldest > DAY) {
            return None;
        }
        if bin / WEEK == 1 {
            longest = longest.max(waited);
        }
        all.push((urgent + drained) as f64);
    }
    Some(Week { executed: all[WEEK..2 * WEEK].to_vec(), longest })
}

#[test]
fn no_schedule_does_better_than_the_bound_of_earliest_deadline_first() {
    // Deferrable share; least capacity over the received peak; executed max/min; utilization; longest wait [h].
    for (deferrable, capacity, ratio, utilization, wait) in [
        (0.11, 0.890, 3.92, 0.51, 1.0),
        (0.25, 0.750, 3.31, 0.61, 1.8),
        (0.40, 0.600, 2.65, 0.76, 4.2),
        (0.50, 0.500, 2.20, 0.91, 6.8),
        (0.60, 0.4546, 1.00, 1.00, 15.2),
        (1.00, 0.4546, 1.00, 1.00, 10.2),
    ] {
        let (mut low, mut high) = (0, PEAK as u64);
        while high - low > 1 {
            let middle = low.midpoint(high);
            match filled(deferrable, middle) {
                Some(_) => high = middle,
                None => low = middle,
            }
        }
        let week = filled(deferrable, high).expect("this capacity suffices");
        let (got, _) = shape(&week.executed);
        let (least, hours) = (high as f64 / PEAK, week.longest as f64 / 4.0);
        let used = mean(&week.executed) / high as f64;
        println!("f = {deferrable}: capacity {least:.4}, max/min {got:.3}, utilization {used:.3}, longest {hours} h");
        assert!((least - capacity).abs() < 0.006, "f = {deferrable}: capacity {least}");
        assert!((got - ratio).abs() < 0.02, "f = {deferrable}: max/min {got}");
        assert!((used - utilization).abs() < 0.006, "f = {deferrable}: utilization {used}");
        assert!((hours - wait).abs() < 0.5, "f = {deferrable}: longest wait {hours}");
    }
}
