use super::*;
use crate::types::{Memory, MilliCores, TenantId};

fn cut(from: u64, to: u64) -> Cut {
    Cut { bin_ns: 10, from_ns: from, to_ns: to }
}

#[test]
fn only_whole_windows_between_the_ends_are_summed() {
    let bins: Vec<f64> = (1..=8).map(f64::from).collect();
    // Windows of two bins: 3, 7, 11, 15.
    assert_eq!(cut(0, 80).windows(&bins, Duration(20)), [3.0, 7.0, 11.0, 15.0]);
    assert_eq!(cut(0, 79).windows(&bins, Duration(20)), [3.0, 7.0, 11.0], "the last one is partial");
    assert_eq!(cut(1, 80).windows(&bins, Duration(20)), [7.0, 11.0, 15.0], "the first one has begun before");
    assert_eq!(cut(20, 60).windows(&bins, Duration(20)), [7.0, 11.0]);
    assert!(cut(60, 20).windows(&bins, Duration(20)).is_empty(), "settling ends after the arrivals");
    assert_eq!(cut(0, 120).windows(&bins, Duration(20)), [3.0, 7.0, 11.0, 15.0, 0.0, 0.0], "nothing happened there");
    assert!(cut(0, 80).windows(&bins, Duration(25)).is_empty(), "no multiple of a bin");
}

#[test]
fn ratios_of_hand_made_series() {
    let steps = [4.0, 1.0, 3.0, 2.0];
    assert_eq!((max_min(&steps), peak_mean(&steps)), (4.0, 1.6));
    assert!(max_min(&[4.0, 0.0]).is_nan(), "over nothing it is undefined");
    assert!(max_min(&[]).is_nan() && peak_mean(&[]).is_nan() && mean(&[]).is_nan());
    assert!(quantile(&[], 0.5).is_nan());
    // 0.95 of five values is at position 3.8 of 0..4.
    assert!((quantile(&[5.0, 1.0, 2.0, 4.0, 3.0], 0.95) - 4.8).abs() < 1e-12);
}

#[test]
fn the_spread_between_regions_is_largest_less_smallest_hour_by_hour() {
    let regions = [vec![0.5, 0.6, 0.9], vec![0.7, 0.6, 0.1], vec![0.6, 0.5, 0.2]];
    let found = spread(&regions);
    for (x, wanted) in found.iter().zip([0.2, 0.1, 0.8]) {
        assert!((x - wanted).abs() < 1e-12, "{found:?}");
    }
    assert_eq!(spread(&[vec![0.5, 0.7]]), [0.0, 0.0], "one region differs from nobody");
    assert!(spread(&[]).is_empty());
}

#[test]
fn classes_that_complement_each_other_correlate_at_minus_one() {
    let reserved = [1.0, 2.0, 3.0, 2.0];
    let rest: Vec<f64> = reserved.iter().map(|x| 10.0 - 2.0 * x).collect();
    assert!((correlation(&reserved, &rest) + 1.0).abs() < 1e-12);
    assert!((correlation(&reserved, &reserved) - 1.0).abs() < 1e-12);
    // By hand: deviations -1, 0, 1 and -1, 2, -1 have the product sum 0.
    assert!(correlation(&[1.0, 2.0, 3.0], &[1.0, 4.0, 1.0]).abs() < 1e-12);
    assert!(correlation(&reserved, &[5.0; 4]).is_nan() && correlation(&[], &[]).is_nan());
}

fn function(
    trigger: Trigger,
    cores: f64,
    memory_mb: f64,
    executed: u64,
    work_s: f64,
) -> (FunctionProfile, FunctionStats) {
    let profile = FunctionProfile {
        name: "f".into(),
        tenant: TenantId(0),
        memory: Memory::from_mb(memory_mb),
        cpu: MilliCores::from_cores(cores),
        trigger,
        criticality: 0,
        quota: Quota::Reserved,
        trust_domain: 0,
        quota_cores: None,
        mean_call: None,
    };
    // Processor sharing stretches every call to twice its length.
    (profile, FunctionStats { executed, work_s, busy_s: 2.0 * work_s, ..FunctionStats::default() })
}

#[test]
fn shares_and_percentiles_by_trigger_by_hand() {
    let made = [
        function(Trigger::Queue, 0.5, 100.0, 10, 40.0),
        function(Trigger::Queue, 1.0, 300.0, 30, 60.0),
        function(Trigger::Event, 1.0, 50.0, 60, 120.0),
    ];
    let called: Vec<(&FunctionProfile, &FunctionStats)> = made.iter().map(|(p, f)| (p, f)).collect();
    let mut list = List::new();
    of_trigger(&mut list, &called, Trigger::Queue, Some(1000.0));
    let entries = list.into_entries();
    let figure = |key: &str| crate::report::number(&entries, &format!("triggers.queue.{key}")).expect(key);
    let near = |key: &str, wanted: f64| assert!((figure(key) - wanted).abs() < 1e-9, "{key}: {}", figure(key));
    near("functions_share", 2.0 / 3.0);
    near("calls_share", 0.4);
    near("compute_share", 80.0 / 200.0); // 0.5 x 40 + 1 x 60 of those and 120
    // 20 core-s over 10 calls and 60 over 30: 2 each; time 2 x 4 and 2 x 2.
    near("cpu_core_s_p50", 2.0);
    near("cpu_mi_p99", 2000.0);
    // Two functions stand at 1/4 and 3/4: what lies beyond is theirs, and half is half of the way in logarithms.
    near("memory_mb_p10", 100.0);
    near("memory_mb_p90", 300.0);
    near("exec_s_p50", 32_f64.sqrt());
    assert_eq!(entries.len(), 33);
}

#[test]
fn all_figures_by_trigger_are_known_beforehand_and_undefined() {
    let all = trigger_figures();
    assert_eq!(all.len(), 7 * 33);
    assert!(all.iter().all(|e| matches!(e.value, Value::Number(x) if x.is_nan())));
    assert!(all.iter().any(|e| e.key == "triggers.timer.exec_s_p95" && e.unit == "s"));
}
