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
        (0.60, 0.4546, 1.00, 1.00, f64::NAN),
        (1.00, 0.4546, 1.00, 1.00, f64::NAN),
    ] {
        // In steps of a hundredth of the peak, and not below the mean: less would last the three weeks, but not for ever.
        let steps = |hundredths: u64| hundredths * (PEAK / 100.0) as u64;
        let high = (1..=100).map(steps).find(|&c| filled(deferrable, c).is_some()).expect("the peak suffices");
        let high = high.max(received().iter().sum::<u64>().div_ceil(WEEK as u64));
        let week = filled(deferrable, high).expect("this capacity suffices");
        let (got, _) = shape(&week.executed);
        let (least, hours) = (high as f64 / PEAK, week.longest as f64 / 4.0);
        let used = mean(&week.executed) / high as f64;
        println!("f = {deferrable}: capacity {least:.4}, max/min {got:.3}, utilization {used:.3}, longest {hours} h");
        assert!((least - capacity).abs() < 1e-4, "f = {deferrable}: capacity {least}");
        assert!((got - ratio).abs() < 0.02, "f = {deferrable}: max/min {got}");
        assert!((used - utilization).abs() < 0.006, "f = {deferrable}: utilization {used}");
        assert!(wait.is_nan() && hours < 24.0 || (hours - wait).abs() < 0.26, "f = {deferrable}: longest wait {hours}");
    }
}

#[test]
fn contradictions_are_found_at_their_keys() {
    let conflicts = |text: &str| {
        let queues: DurableQueues = toml::from_str(text).expect(text);
        DispatchSpec::DurableQueues(Box::new(queues)).conflicts()
    };
    for (text, key, part) in [
        ("controllers_down = [{ from_s = 9.0, until_s = 3.0 }]", "controllers_down[0].until_s", "ends at 3 s"),
        ("delivery.longest_delay_s = 5.0", "delivery.longest_delay_s", "below retry_delay_s = 10"),
        ("concurrency.of = { f = 0 }", "concurrency.of.f", "no call of f ever run"),
        ("[carbon]", "carbon", "there is none"),
    ] {
        let found = conflicts(text);
        assert!(found.len() == 1 && found[0].1.contains(part), "{text}: {found:?}");
        assert_eq!(found[0].0, format!("durable-queues.{key}"));
    }
    assert_eq!(conflicts("[carbon]\n[utilization.paced]\n[delivery]\n[concurrency]"), []);
    assert_eq!(DispatchSpec::default().conflicts(), []);
}

/// The commented alternative of scenarios/reference.toml as it would be read.
fn reference() -> toml::Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/reference.toml");
    let text = std::fs::read_to_string(path).expect("the reference scenario");
    let table = text.lines().skip_while(|l| !l.starts_with("# [scheduler.dispatch.durable-queues]")).skip(1);
    let lines: Vec<&str> = table.take_while(|l| !l.is_empty()).map(|l| &l[2..]).collect();
    toml::from_str(&lines.join("\n")).expect("the alternative can be read without its comment signs")
}

#[test]
fn the_reference_shows_every_key_of_every_part_with_its_default() {
    let shown = reference();
    let queues: DurableQueues = shown.clone().try_into().expect("only keys that there are");
    // Without the keys that have no default, each part is its own default.
    let mut bare = shown;
    let mut drop =
        |part: &str, key: &str| bare[part].as_table_mut().expect("a table").remove(key).expect("it is shown");
    drop("delivery", "attempts");
    let paced = |law: UtilizationLaw| match law {
        UtilizationLaw::Paced(p) => p,
        _ => panic!("the reference shows paced"),
    };
    let empty = "period_s = 10.0\norder = \"criticality-then-deadline\"\n[delivery]\n[quota]\n[utilization.paced]\n[carbon]\n\
                 [slow_start]\n[back_pressure]\n[conductor]";
    let defaults: DurableQueues = toml::from_str(empty).expect("no key is needed");
    let got: DurableQueues = bare.try_into().expect("only keys that there are");
    assert_eq!((got.delivery, got.quota, got.carbon), (defaults.delivery, defaults.quota, defaults.carbon));
    assert_eq!((got.slow_start, got.back_pressure), (defaults.slow_start, defaults.back_pressure));
    assert_eq!((got.conductor, got.order, got.period_s), (defaults.conductor, defaults.order, defaults.period_s));
    assert_eq!(got.reserve_s, defaults.reserve_s);
    let (a, b) = (paced(got.utilization.expect("shown")), paced(defaults.utilization.expect("given")));
    assert!((a.ceiling - b.ceiling).abs() < 1e-3);
    assert_eq!(Paced { ceiling: b.ceiling, prior_rate_per_s: None, ..a }, b);
    // Every key of every part is shown: nothing is added by filling in defaults.
    let all = toml::Table::try_from(&queues).expect("it can be written");
    for (part, keys) in reference() {
        let (Some(shown), Some(written)) = (keys.as_table(), all[&part].as_table()) else { continue };
        let sorted = |table: &toml::Table| table.keys().cloned().collect::<std::collections::BTreeSet<_>>();
        assert_eq!(sorted(shown), sorted(written), "{part}");
    }
    let sorted = |table: &toml::Table| table.keys().cloned().collect::<std::collections::BTreeSet<_>>();
    assert_eq!(sorted(&reference()), sorted(&all));
}

#[test]
fn the_paced_law_is_that_of_the_paced_backlog() {
    use crate::scheduler::WorkToken;
    use crate::scheduler::shifting::{Plan, ShiftingSpec, Work, lab};
    use crate::types::{Duration, Seed, SimTime};
    let keys = "window_s = 7200.0, gain = 1.5, set_point = 0.2, ceiling = 1.4";
    let text = format!("paced-backlog = {{ {keys}, period_s = 60.0, reserve_s = 0.0 }}");
    let shifting: ShiftingSpec = toml::from_str(&text).expect("right keys");
    let mut shifting = shifting.build(Seed(1), Duration::ZERO);
    let mut controller = Controller::new(toml::from_str(&format!("paced = {{ {keys} }}")).expect("right keys"), 60.0);
    let mut random = Seed(3).stream("paced", 0);
    let profile = lab::profile();
    let (mut token, mut waiting, mut carry, mut gone, mut most) = (0, 0_u64, 0.0, 0, 0);
    for period in 0..600_u64 {
        let now = SimTime::ZERO + Duration::from_secs(60 * period);
        let level = if (period / 60) % 2 == 0 { 40.0 } else { 5.0 };
        let (urgent, held) = (random.poisson(0.3 * level), random.poisson(0.7 * level));
        for i in 0..urgent + held {
            let slack = if i < urgent { Duration::ZERO } else { Duration::from_secs(10_000_000) };
            let work = Work { token: WorkToken::Call(token), slack, ..lab::work(&profile, now) };
            let mut plan = Plan::default();
            shifting.plan(&work, &lab::view(now, &[]), &mut plan);
            assert_eq!(plan.held, i >= urgent);
            token += 1;
        }
        let mut let_go = Vec::new();
        shifting.tick(&lab::view(now, &[]), &mut let_go);
        waiting += held;
        most = most.max(waiting);
        let quota = 1024.0;
        let seen = Seen { urgent, deferrable: held, backlog: waiting, quota, ..Seen::default() };
        // A bucket carries what is less than a call.
        let room = controller.scale(&seen) * quota + carry;
        let may = (room as u64).min(waiting);
        carry = if waiting > may { room - may as f64 } else { 0.0 };
        waiting -= may;
        gone += may;
        assert_eq!(let_go.len() as u64, may, "period {period}");
    }
    assert!(gone > 8000 && most > 500, "{gone} went, at most {most} waited");
}
