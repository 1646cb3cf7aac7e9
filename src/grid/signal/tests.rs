use proptest::prelude::*;

use super::*;

const HOUR: i64 = 3_600_000_000_000;

fn info() -> SignalInfo {
    SignalInfo { zone: "TEST".into(), ..Signal::constant("TEST", 0.0).unwrap().info().clone() }
}

/// Hourly values from the run's start on.
fn hourly(values: &[f64]) -> Signal {
    let starts = (0..values.len() as i64).map(|i| i * HOUR).collect();
    Signal::new(info(), starts, values.to_vec(), values.len() as i64 * HOUR).unwrap()
}

fn at_s(seconds: u64) -> SimTime {
    SimTime::ZERO + Duration::from_secs(seconds)
}

/// Random signals: up to 40 intervals of 1 to 60 units, starting up to 5 intervals before the run, in units of 1 s.
fn signals() -> impl Strategy<Value = Signal> {
    (prop::collection::vec((1i64..60, 0u32..900), 1..40), 0usize..5).prop_map(|(steps, before)| {
        let before = before.min(steps.len() - 1);
        let lead: i64 = steps[..before].iter().map(|s| s.0).sum::<i64>() + steps[before].0 / 2;
        let mut t = -lead * 1_000_000_000;
        let mut starts = Vec::new();
        for (length, _) in &steps {
            starts.push(t);
            t += length * 1_000_000_000;
        }
        Signal::new(info(), starts, steps.iter().map(|s| f64::from(s.1)).collect(), t).unwrap()
    })
}

/// Sum over whole seconds, which is exact because all breakpoints but the run's start lie on half or whole seconds.
fn brute_integral(signal: &Signal, from_s: u64, to_s: u64) -> f64 {
    (from_s..to_s).map(|s| signal.at(at_s(s)).0).sum()
}

proptest! {
    #[test]
    fn integral_and_mean_equal_brute_force(signal in signals(), a in 0.0..1.0f64, b in 0.0..1.0f64) {
        let end = signal.end().0 / 1_000_000_000;
        let (a, b) = ((a * end as f64) as u64, (b * end as f64) as u64);
        let (from, to) = (a.min(b), a.max(b));
        let expected = brute_integral(&signal, from, to);
        prop_assert!((signal.integral(at_s(from), at_s(to)) - expected).abs() <= 1e-9 * expected.max(1.0));
        if to > from {
            let mean = expected / (to - from) as f64;
            prop_assert!((signal.mean(at_s(from), at_s(to)).0 - mean).abs() <= 1e-9 * mean.max(1.0));
        }
    }

    #[test]
    fn cursor_equals_the_integral_from_the_start(signal in signals(), steps in prop::collection::vec(0.0..1.0f64, 1..50)) {
        let mut times: Vec<u64> = steps.iter().map(|f| (f * signal.end().0 as f64) as u64).collect();
        times.push(signal.end().0);
        times.sort_unstable();
        let mut cursor = signal.cursor();
        let mut before = 0.0;
        for t in times {
            let c = cursor.cumulative(SimTime(t));
            let expected = signal.integral(SimTime::ZERO, SimTime(t));
            prop_assert!((c - expected).abs() <= 1e-12 * expected.max(1.0), "{c} against {expected}");
            prop_assert!(c >= before);
            before = c;
        }
    }

    #[test]
    fn lowest_start_is_as_low_as_a_fine_grid_and_the_first_of_equals(
        signal in signals(), earliest in 0.0..1.0f64, span in 0.0..1.0f64, length in 0.0..1.0f64,
    ) {
        let end = (signal.end().0 / 1_000_000_000) as f64;
        let (length, earliest) = ((length * end) as u64, (earliest * end) as u64);
        let latest = earliest + (span * end) as u64;
        let found = signal.lowest_start(at_s(earliest), at_s(latest), Duration::from_secs(length));
        let known = (earliest..=latest).filter(|s| (s + length) as f64 <= end);
        let cost = |s: u64| {
            if length == 0 { signal.at(at_s(s)).0 } else { brute_integral(&signal, s, s + length) }
        };
        let mut best: Option<(f64, u64)> = None;
        for s in known {
            let c = cost(s);
            if best.is_none_or(|(lowest, _)| c < lowest - 1e-9) {
                best = Some((c, s));
            }
        }
        // Without any known window the answer is the earliest start.
        prop_assert_eq!(found, at_s(best.map_or(earliest, |b| b.1)));
    }

    #[test]
    fn constant_intensity_never_moves_work(length in 1u64..200_000, latest in 0u64..500_000) {
        let signal = hourly(&[123.456; 168]);
        prop_assert_eq!(signal.lowest_start(at_s(7), at_s(latest), Duration::from_secs(length)), at_s(7));
    }
}

#[test]
fn value_holds_from_its_stamp_to_the_next_and_the_last_at_the_very_end() {
    let signal = hourly(&[100.0, 200.0]);
    assert_eq!(signal.at(SimTime(HOUR as u64 - 1)), GramsPerKwh(100.0));
    assert_eq!(signal.at(SimTime(HOUR as u64)), GramsPerKwh(200.0));
    assert_eq!(signal.at(signal.end()), GramsPerKwh(200.0));
    assert_eq!(signal.mean(SimTime::ZERO, signal.end()), GramsPerKwh(150.0));
    assert_eq!(signal.integral(SimTime::ZERO, signal.end()), 1_080_000.0);
}

#[test]
#[should_panic(expected = "zone TEST asked at 7201 s, past its end at 7200 s")]
fn asking_past_the_end_panics_with_both_times() {
    hourly(&[100.0, 200.0]).at(at_s(7201));
}

#[test]
#[should_panic(expected = "past its end")]
fn cursor_past_the_end_panics() {
    hourly(&[100.0, 200.0]).cursor().cumulative(at_s(7201));
}

#[test]
fn constant_signal_integrates_to_value_times_seconds() {
    let signal = Signal::constant("X", 400.0).unwrap();
    let mut cursor = signal.cursor();
    assert_eq!(cursor.cumulative(at_s(3600)), 1_440_000.0);
    assert_eq!(cursor.value(), GramsPerKwh(400.0));
    assert_eq!(signal.mean(at_s(5), at_s(100_000)), GramsPerKwh(400.0));
    assert_eq!(signal.lowest_start(at_s(9), SimTime::NEVER, Duration::ZERO), at_s(9));
    assert_eq!(signal.lowest_start(at_s(9), SimTime::NEVER, Duration::FOREVER), at_s(9));
}

#[test]
fn extension_by_error_names_zone_both_ends_and_the_options() {
    let error = hourly(&[100.0, 200.0]).extend_to(at_s(10_000), PastEnd::Error).unwrap_err().to_string();
    for part in ["TEST", "7200 s", "10000 s", "\"error\"", "\"repeat\"", "\"hold\""] {
        assert!(error.contains(part), "{part} is missing in: {error}");
    }
}

#[test]
fn signal_that_reaches_the_horizon_is_left_as_it_is() {
    let signal = hourly(&[100.0, 200.0]).extend_to(at_s(7200), PastEnd::Error).unwrap();
    assert_eq!(signal.end(), at_s(7200));
    assert_eq!(signal.extended(), None);
}

#[test]
fn extension_by_hold_keeps_the_last_value_and_the_step() {
    let signal = hourly(&[100.0, 200.0]).extend_to(at_s(20_000), PastEnd::Hold).unwrap();
    assert_eq!(signal.at(at_s(20_000)), GramsPerKwh(200.0));
    assert_eq!((signal.end(), signal.step_ns()), (at_s(6 * 3600), HOUR as u64));
    assert_eq!(signal.extended(), Some((PastEnd::Hold, at_s(7200))));
}

#[test]
fn extension_by_repeat_keeps_the_hour_of_the_day() {
    // 30 hours of which the last 24 are repeated: hour h of day d is 100 d + h.
    let values: Vec<f64> = (0..30).map(|i| f64::from(i / 24 * 100 + i % 24)).collect();
    let signal = hourly(&values).extend_to(at_s(100 * 3600), PastEnd::Repeat).unwrap();
    assert!(signal.covers(at_s(100 * 3600)));
    for hour in 30..100 {
        let expected = signal.at(at_s((hour - 24) * 3600));
        assert_eq!(signal.at(at_s(hour * 3600)), expected, "hour {hour}");
        assert_eq!(expected.0 as u64 % 100, hour % 24);
    }
}

#[test]
fn extension_by_repeat_of_less_than_a_day_repeats_the_whole() {
    let signal = hourly(&[100.0, 200.0]).extend_to(at_s(5 * 3600), PastEnd::Repeat).unwrap();
    let values: Vec<f64> = signal.intervals().map(|(_, _, v)| v.0).collect();
    assert_eq!(values, [100.0, 200.0, 100.0, 200.0, 100.0, 200.0]);
}

#[test]
fn extension_by_repeat_splits_an_interval_that_the_repeated_day_begins_in() {
    let signal = Signal::new(info(), vec![-HOUR, 20 * HOUR], vec![1.0, 2.0], 30 * HOUR).unwrap();
    let signal = signal.extend_to(at_s(40 * 3600), PastEnd::Repeat).unwrap();
    let intervals: Vec<_> = signal.intervals().map(|(a, b, v)| (a / HOUR, b / HOUR, v.0)).collect();
    assert_eq!(intervals, [(-1, 20, 1.0), (20, 30, 2.0), (30, 44, 1.0), (44, 54, 2.0)]);
}

#[test]
fn wrong_shapes_are_refused() {
    let refused = |starts: Vec<i64>, values: Vec<f64>, end| Signal::new(info(), starts, values, end).is_err();
    assert!(refused(vec![], vec![], 5));
    assert!(refused(vec![0, 1], vec![1.0], 5));
    assert!(refused(vec![0, 0], vec![1.0, 1.0], 5));
    assert!(refused(vec![0, 5], vec![1.0, 1.0], 5));
    assert!(refused(vec![1], vec![1.0], 5), "starts after the run");
    assert!(refused(vec![-5], vec![1.0], 0), "ends before the run");
    assert!(refused(vec![0], vec![f64::NAN], 5));
    assert!(refused(vec![0], vec![-1.0], 5));
    assert!(refused(vec![i64::MIN], vec![1.0], 5));
}
