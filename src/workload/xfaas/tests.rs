//! The workload against the paper's figures.

use super::tables::{CLASSES, Tables};
use super::*;
use crate::workload::FunctionProfile;

const REGIONS: [f64; 4] = [4.0, 3.0, 2.0, 1.0];

fn made(spec: &XFaasSpec, seed: u64) -> XFaas {
    XFaas::new(spec, &REGIONS, Seed(seed)).expect("a right specification")
}

fn drained(source: &mut XFaas) -> (Vec<Arrival>, Vec<FunctionProfile>, Vec<Box<str>>) {
    let (mut calls, mut functions, mut tenants) = (Vec::new(), Vec::new(), Vec::new());
    let mut batch = Batch::default();
    loop {
        source.next_batch(&mut batch).expect("a generator does not fail");
        if batch.calls.is_empty() {
            return (calls, functions, tenants);
        }
        calls.append(&mut batch.calls);
        functions.append(&mut batch.functions);
        tenants.append(&mut batch.tenants);
    }
}

/// The value at a level: linear in the logarithm between the neighbours at (i + 1/2) / n (Hazen's estimator).
fn quantile(mut values: Vec<f64>, level: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = (level * values.len() as f64 - 0.5).clamp(0.0, values.len() as f64 - 1.0);
    let (low, high) = (values[at as usize], values[(at as usize + 1).min(values.len() - 1)]);
    low * (high / low).powf(at.fract())
}

/// Table 3's percentiles: (published, found, half a function lower, half a function higher, what).
fn percentiles(source: &XFaas) -> Vec<(f64, f64, f64, f64, String)> {
    let tables = Tables::embedded();
    let mut rows = Vec::new();
    for (class, trigger) in tables.classes().into_iter().zip(CLASSES) {
        let members: Vec<&Function> =
            source.population.functions.iter().filter(|f| f.profile.trigger == trigger).collect();
        let of = |value: fn(&Function) -> f64| -> Vec<f64> { members.iter().map(|f| value(f)).collect() };
        let half = 0.5 / members.len() as f64;
        for (name, published, values) in [
            ("cpu_mi", class.cpu_mi, of(|f| f.cpu_mi)),
            ("memory_mb", class.memory_mb, of(|f| f.profile.memory.as_mb())),
            ("exec_ms", class.exec_ms, of(|f| f.mean_time.as_secs_f64() * 1e3)),
        ] {
            for (level, wanted) in tables.levels.into_iter().zip(published) {
                let [low, high] = [level - half, level + half].map(|u| tables.quantile(&published, u));
                let what = format!("{} {name} P{:.0}", trigger.name(), level * 100.0);
                rows.push((wanted, quantile(values.clone(), level), low, high, what));
            }
        }
    }
    rows
}

#[test]
fn table_3_holds_over_functions_at_both_sizes() {
    // Within 5 % (P99: 10 %) of the published percentile; with 60 timers the position of a percentile is uncertain by
    // half a function, which matters where the quantile function has a corner (execution time at P95).
    for functions in [18_377, 2000] {
        for seed in 0..3 {
            let source = made(&XFaasSpec { functions, ..XFaasSpec::default() }, seed);
            for (wanted, found, low, high, what) in percentiles(&source) {
                // The least CPU demand, a thousandth of a core, lifts the work of a few of the cheapest timers.
                let part = if what.ends_with("P99") { 0.1 } else { 0.05 };
                let part = if what == "timer cpu_mi P10" { 0.15 } else { part };
                let right = (low * (1.0 - part)..=high * (1.0 + part)).contains(&found);
                assert!(right, "{functions} functions, seed {seed}, {what}: {found} for {wanted}");
                assert!(functions < 18_377 || (found / wanted - 1.0).abs() < part, "{what}: {found} for {wanted}");
            }
        }
    }
}

#[test]
fn table_1_holds_in_expectation_for_every_seed_and_size() {
    for functions in [200, 500, 2000, 18_377] {
        for seed in 0..8 {
            let source = made(&XFaasSpec { functions, ..XFaasSpec::default() }, seed);
            let [queue, event, timer] = source.classes() else { panic!("three classes") };
            for (class, share, calls, compute) in
                [(queue, 0.89, 0.15, 0.86), (event, 0.08, 0.85, 0.14), (timer, 0.03, 0.0002, 0.005)]
            {
                assert!((class.functions as f64 / f64::from(functions) - share).abs() < 0.01, "{class:?}");
                assert!((class.call_share - calls).abs() < 0.01, "{class:?}");
                assert!((class.compute_share - compute).abs() < 0.01, "{class:?}");
            }
            assert!(queue.rho < -0.2, "popular queue functions are cheap: {}", queue.rho);
            let all: f64 = source.population.functions.iter().map(|f| f.call_share).sum();
            assert!((all - 1.0).abs() < 1e-9);
        }
    }
}

#[test]
fn offered_cores_follow_the_mean_cost_of_a_call() {
    // 12e6 calls in 604,800 s, 1,000 million instructions each, 3,000 million per core and second: 6.614 cores.
    for seed in 0..4 {
        let source = made(&XFaasSpec { home_share: 0.3, ..XFaasSpec::default() }, seed);
        assert!((source.offered_cores() / 6.6138 - 1.0).abs() < 1e-3, "{}", source.offered_cores());
        let regions: f64 = source.offered_cores_by_region().iter().sum();
        assert!((regions / source.offered_cores() - 1.0).abs() < 1e-9);
    }
}

#[test]
fn a_realised_week_keeps_the_shares_the_rate_and_the_work() {
    let spec = XFaasSpec { calls: 3_000_000, ..XFaasSpec::default() };
    let mut source = made(&spec, 7);
    let (calls, functions, tenants) = drained(&mut source);
    let n = calls.len() as f64;
    assert!((n - 3e6).abs() < 5.0 * 3e6_f64.sqrt(), "{n} calls");
    assert_eq!((functions.len(), tenants.len()), (2000, 200));
    let (mut number, mut work, mut waiting) = ([0.0; 3], [0.0; 3], 0.0);
    let (mut regions, mut bins) = ([0.0; 4], vec![0.0; BINS]);
    for call in &calls {
        let profile = &functions[call.function.index()];
        let class = CLASSES.iter().position(|&c| c == profile.trigger).expect("one of three");
        number[class] += 1.0;
        work[class] += call.work.as_secs_f64() * profile.cpu.as_cores();
        waiting += f64::from(u8::from(call.deadline == call.time + Duration::from_secs(86_400)));
        assert_eq!(call.deadline == SimTime::NEVER, profile.quota == Quota::Reserved);
        regions[call.region.index()] += 1.0;
        bins[(call.time.as_secs_f64() / 900.0) as usize] += 1.0;
    }
    let total: f64 = work.iter().sum();
    for (class, (calls, compute)) in [(0.15, 0.86), (0.85, 0.14), (0.0002, 0.005)].into_iter().enumerate() {
        assert!((number[class] / n - calls).abs() < 0.01, "calls {number:?}");
        assert!((work[class] / total - compute).abs() < 0.01, "compute {work:?}");
    }
    assert!((total / SECONDS_PER_WEEK / source.offered_cores() - 1.0).abs() < 0.05, "{total} core-seconds");
    assert!((waiting / n - 0.6).abs() < 0.005, "{waiting} calls may wait");
    for (count, share) in regions.iter().zip(REGIONS) {
        assert!((count / n - share / 10.0).abs() < 0.002, "{regions:?}");
    }
    let (least, most) = bins.iter().fold((f64::MAX, 0.0_f64), |(l, m), &b| (l.min(b), m.max(b)));
    assert!((most / least - 4.409).abs() < 0.45, "a sample, not the expectation: {}", most / least);
    assert!(calls.is_sorted_by_key(|c| (c.time, c.function)));
    assert_eq!(source.progress(), 1.0);
}

#[test]
fn two_instances_give_the_same_calls_and_another_seed_does_not() {
    let spec = XFaasSpec { calls: 50_000, functions: 300, ..XFaasSpec::default() };
    let [a, b, c] = [3, 3, 4].map(|seed| drained(&mut made(&spec, seed)));
    assert_eq!(a, b);
    assert_ne!(a.0, c.0);
}

#[test]
fn changing_durations_or_regions_does_not_move_arrivals() {
    let spec = XFaasSpec { calls: 50_000, functions: 300, ..XFaasSpec::default() };
    let other = XFaasSpec { call_sigma: 0.0, home_share: 0.5, urgent_deadline_s: Some(60.0), ..spec.clone() };
    let [a, b] = [&spec, &other].map(|spec| drained(&mut made(spec, 3)).0);
    let arrivals = |calls: &[Arrival]| calls.iter().map(|c| (c.time, c.function)).collect::<Vec<_>>();
    assert_eq!(arrivals(&a), arrivals(&b));
    assert!(a.iter().zip(&b).any(|(a, b)| a.work != b.work) && a.iter().zip(&b).any(|(a, b)| a.region != b.region));
}

#[test]
fn a_week_repeats_and_memory_stays_small() {
    let spec = XFaasSpec { calls: 40_000_000, weeks: 2, start_bin: 17, functions: 300, ..XFaasSpec::default() };
    let mut source = made(&spec, 3);
    let mut batch = Batch::default();
    for _ in 0..20 {
        source.next_batch(&mut batch).expect("a generator does not fail");
        assert!((BATCH_CALLS..3 * BATCH_CALLS).contains(&batch.calls.len()), "{}", batch.calls.len());
    }
    assert_eq!(source.duration(), Duration::from_secs(2 * 604_800));
    let few = XFaasSpec { calls: 40_000, weeks: 2, ..spec };
    let (calls, ..) = drained(&mut made(&few, 3));
    let first = calls.iter().filter(|c| c.time < SimTime::from_secs_f64(SECONDS_PER_WEEK)).count();
    assert!((first as f64 / 40_000.0 - 1.0).abs() < 0.03 && (calls.len() as f64 / 80_000.0 - 1.0).abs() < 0.02);
}

#[test]
fn home_regions_take_their_share_of_a_functions_calls() {
    let spec = XFaasSpec { calls: 200_000, home_share: 0.8, ..XFaasSpec::default() };
    let mut source = made(&spec, 3);
    let (calls, ..) = drained(&mut source);
    let busiest = FunctionId(source.classes()[0].functions as u32);
    assert_eq!((source.class_of(busiest), source.class_of(FunctionId(2000))), (Some(Trigger::Event), None));
    let home = source.called[busiest.index()].home;
    let of_it: Vec<&Arrival> = calls.iter().filter(|c| c.function == busiest).collect();
    let at_home = of_it.iter().filter(|c| c.region == home).count() as f64 / of_it.len() as f64;
    assert!((at_home - (0.8 + 0.2 * REGIONS[home.index()] / 10.0)).abs() < 0.01, "{at_home}");
}

#[test]
fn whole_functions_meet_every_deferrable_share() {
    for deferrable_share in [0.0, 0.11, 0.25, 0.5, 0.6, 0.9, 1.0] {
        for seed in 0..3 {
            let source = made(&XFaasSpec { deferrable_share, ..XFaasSpec::default() }, seed);
            let found = source.population.mean(|f| f.profile.quota == Quota::Opportunistic, |_| 1.0);
            assert!((found - deferrable_share).abs() < 1e-3, "{found} for {deferrable_share}");
        }
    }
}

#[test]
fn a_deferrable_share_that_no_functions_add_up_to_is_refused() {
    let spec = XFaasSpec { deferrable_share: 0.5, ..XFaasSpec::default() };
    let mut population = made(&spec, 1).population;
    population.functions.iter_mut().for_each(|f| f.call_share = 0.0);
    population.functions[0].call_share = 1.0;
    let error = population.assign_deferrable(&spec, Seed(1)).expect_err("one function has all calls").to_string();
    assert!(
        error.contains("deferrable_share = 0.5 cannot be met with whole functions: 0.0000 is the nearest"),
        "{error}"
    );
}

#[test]
fn a_mean_call_takes_the_time_of_its_function_for_every_sigma() {
    for call_sigma in [0.0, 0.5, 1.0] {
        let spec = XFaasSpec { calls: 400_000, call_sigma, ..XFaasSpec::default() };
        let mut source = made(&spec, 11);
        let (calls, ..) = drained(&mut source);
        let of = |f: FunctionId| source.population.functions[f.index()].mean_time.as_secs_f64();
        let ratio: f64 = calls.iter().map(|c| c.work.as_secs_f64() / of(c.function)).sum::<f64>() / calls.len() as f64;
        assert!((ratio - 1.0).abs() < 0.01, "{ratio} at sigma {call_sigma}");
        let within = calls.iter().filter(|c| c.work <= Duration::from_secs(1)).count() as f64 / calls.len() as f64;
        assert!((within - source.calls_within(1.0)).abs() < 0.01, "{within} at sigma {call_sigma}");
    }
}

#[test]
fn the_published_times_fit_shares_of_functions_better_than_shares_of_calls() {
    let source = made(&XFaasSpec::default(), 1);
    let checks = source.checks();
    let find = |name: &str| checks.iter().find(|c| c.0 == name).copied().expect("a check of this name");
    let (_, published, calls, functions) = find("calls_within_1_s");
    assert!((functions - published).abs() < 0.06 && calls > 0.6, "{calls} of calls, {functions} of functions");
    let (_, published, _, functions) = find("calls_within_60_s");
    assert!((functions - published).abs() < 0.01, "{functions}");
    let (_, published, _, functions) = find("calls_beyond_300_s");
    assert!((functions - published).abs() < 0.01, "{functions}");
    let notes = source.notes();
    assert!(notes.iter().any(|(key, text)| key == "class_queue" && text.contains("fitted rho -0.")), "{notes:?}");
}

#[test]
fn wrong_keys_are_named_with_their_value_and_remedy() {
    for (text, message) in [
        ("functions = 10", "functions = 10\n  help: write a whole number from 200 to 1000000"),
        ("calls = 0", "calls = 0\n  help: write a whole number from 1"),
        ("weeks = 0", "weeks = 0"),
        ("start_bin = 672", "start_bin = 672\n  help: write a whole number from 0 to 671"),
        ("tenants = 2001", "tenants = 2001\n  help: write a whole number from 1 to 2000"),
        ("namespaces = 0", "namespaces = 0"),
        ("timer_call_share = 0.02", "timer_call_share = 0.02\n  help: write a finite number from 0.000000001 to 0.01"),
        ("call_sigma = nan", "call_sigma = NaN"),
        ("mips_per_core = inf", "mips_per_core = inf"),
        ("home_share = -0.1", "home_share = -0.1"),
        ("deferrable_share = 1.5", "deferrable_share = 1.5"),
        ("urgent_deadline_s = 0.0", "urgent_deadline_s = 0\n"),
        ("cpu_time_rho = 2.0", "cpu_time_rho = 2"),
        (
            "criticality_weights = [0.0, 0.0, 0.0]",
            "criticality_weights = [0.0, 0.0, 0.0]\n  help: write finite weights",
        ),
        ("demand_by_region = [1.0]", "demand_by_region has 1 weights for 4 regions"),
        ("demand_by_region = [1.0, -1.0, 1.0, 1.0]", "demand_by_region = [1.0, -1.0, 1.0, 1.0]"),
        ("mean_cpu_mi = 300.0", "gives queue functions their share of compute"),
        ("mean_cpu_mi = 300.0", "help: set mean_cpu_mi between 6"),
        ("timer_call_share = 0.01", "or change timer_call_share or timer_compute_share"),
    ] {
        let spec: XFaasSpec = toml::from_str(text).expect(text);
        let error = XFaas::new(&spec, &REGIONS, Seed(1)).err().expect(text).to_string();
        assert!(error.starts_with("workload.xfaas: ") && error.contains(message), "{error}\n-- lacks --\n{message}");
    }
    for weights in [&[][..], &[f64::NAN], &[0.0]] {
        let error = XFaas::new(&XFaasSpec::default(), weights, Seed(1)).err().expect("wrong weights").to_string();
        assert!(error.contains("the regions' capacities = ["), "{error}");
    }
}

#[test]
fn an_empty_table_means_the_defaults_and_stray_keys_are_refused() {
    assert_eq!(toml::from_str::<XFaasSpec>("").expect("all keys have defaults"), XFaasSpec::default());
    let error = toml::from_str::<XFaasSpec>("function = 3").expect_err("a stray key").to_string();
    assert!(error.contains("unknown field `function`"), "{error}");
}

#[test]
fn demand_by_region_overrides_the_capacities() {
    let spec = XFaasSpec { calls: 100_000, demand_by_region: Some(vec![0.0, 1.0, 0.0, 3.0]), ..XFaasSpec::default() };
    let (calls, ..) = drained(&mut made(&spec, 2));
    let last = calls.iter().filter(|c| c.region == RegionId(3)).count() as f64 / calls.len() as f64;
    assert!((last - 0.75).abs() < 0.01 && calls.iter().all(|c| c.region.0 % 2 == 1), "{last}");
}

#[test]
fn quotas_are_the_mean_use_times_the_headroom_and_move_nothing() {
    let spec = XFaasSpec { calls: 50_000, functions: 300, ..XFaasSpec::default() };
    let with = XFaasSpec { quota_headroom: Some(2.0), ..spec.clone() };
    let [a, b] = [&spec, &with].map(|spec| drained(&mut made(spec, 3)));
    assert_eq!(a.0, b.0);
    assert!(a.1.iter().all(|f| f.quota_cores.is_none()));
    // Over all functions it is twice the offered cores: 50,000 calls x 1000 MI / (604,800 s x 3000 MI/s) = 0.02756.
    let sum: f64 = b.1.iter().map(|f| f.quota_cores.expect("a quota")).sum();
    assert!((sum / (2.0 * 0.027_557) - 1.0).abs() < 1e-3, "{sum}");
    let source = made(&with, 3);
    let busiest = &source.population.functions[0];
    let wanted = 2.0 * 50_000.0 * busiest.call_share * busiest.cpu_mi / 604_800.0 / 3000.0;
    assert!((busiest.profile.quota_cores.expect("a quota") / wanted - 1.0).abs() < 1e-12);
}

#[test]
fn future_starts_are_uniform_and_deadlines_count_from_them() {
    let spec = XFaasSpec { calls: 400_000, functions: 300, ..XFaasSpec::default() };
    let with = XFaasSpec { future_start_share: 0.3, future_start_within_s: 3600.0, ..spec.clone() };
    let [(a, ..), (b, functions, _)] = [&spec, &with].map(|spec| drained(&mut made(spec, 3)));
    let (mut queued, mut later, mut sum) = (0.0, 0.0, 0.0);
    for (old, new) in a.iter().zip(&b) {
        assert_eq!(old.start, old.time);
        // Nothing else has moved.
        let still = Arrival { start: old.start, deadline: old.deadline, ..*new };
        assert_eq!(still, *old);
        let profile = &functions[new.function.index()];
        let delay = (new.start - new.time).as_secs_f64();
        assert!((0.0..=3600.0).contains(&delay) && (delay == 0.0 || profile.trigger == Trigger::Queue));
        match profile.quota {
            Quota::Opportunistic => assert_eq!(new.deadline, new.start + Duration::from_secs(86_400)),
            Quota::Reserved => assert_eq!(new.deadline, SimTime::NEVER),
        }
        queued += f64::from(u8::from(profile.trigger == Trigger::Queue));
        later += f64::from(u8::from(delay > 0.0));
        sum += delay;
    }
    assert_eq!(a.len(), b.len());
    // 60,000 queue calls: one standard deviation of the share is 0.0019, of the mean 3600 / sqrt(12 x 18,000) = 7.7 s.
    assert!((later / queued - 0.3).abs() < 0.008, "{later} of {queued}");
    assert!((sum / later - 1800.0).abs() < 35.0, "{}", sum / later);
}

#[test]
fn a_submission_spike_comes_on_top_and_moves_no_other_call() {
    let spec = XFaasSpec { calls: 100_000, functions: 300, ..XFaasSpec::default() };
    let spike = SubmissionSpike { share: 0.2, at_s: 10_000.0, length_s: 900.0, deadline_s: 86_400.0 };
    let with = XFaasSpec { submission_spike: Some(spike), ..spec.clone() };
    let [(a, functions, _), (b, more, _)] = [&spec, &with].map(|spec| drained(&mut made(spec, 3)));
    let own = FunctionId::from_index(300);
    let rest: Vec<Arrival> = b.iter().copied().filter(|c| c.function != own).collect();
    assert_eq!((a, &functions[..]), (rest, &more[..300]));
    assert!(b.is_sorted_by_key(|c| (c.time, c.function)));
    let of_it: Vec<&Arrival> = b.iter().filter(|c| c.function == own).collect();
    // 20,000 expected, standard deviation 141.
    assert!((of_it.len() as f64 - 20_000.0).abs() < 600.0, "{}", of_it.len());
    let (first, last) = (of_it[0].time.as_secs_f64(), of_it[of_it.len() - 1].time.as_secs_f64());
    assert!((10_000.0..10_001.0).contains(&first) && last < 10_900.0 && last > 10_899.0, "{first} {last}");
    assert!(of_it.iter().all(|c| c.deadline == c.time + Duration::from_secs(86_400) && c.start == c.time));
    // The median queue function: 221.80 MI in 2.652 s.
    let profile = &more[300];
    assert!((profile.cpu.as_cores() - 221.8 / 2.652 / 3000.0).abs() < 6e-4 && &*profile.name == "queue-spike");
    let mean: f64 = of_it.iter().map(|c| c.work.as_secs_f64()).sum::<f64>() / of_it.len() as f64;
    assert!((mean / 2.652 - 1.0).abs() < 0.02, "{mean}");
    let home = of_it.iter().filter(|c| c.region == RegionId(0)).count() as f64 / of_it.len() as f64;
    assert!((home - 0.4).abs() < 0.015, "{home} of the calls in the region with 4 of 10 cores");
}

#[test]
fn wrong_future_starts_and_spikes_are_refused() {
    for (text, message) in [
        ("future_start_share = 0.1", "future_start_share = 0.1 without future_start_within_s"),
        ("future_start_share = 1.1\nfuture_start_within_s = 1.0", "future_start_share = 1.1"),
        ("quota_headroom = 0.0", "quota_headroom = 0\n"),
        ("submission_spike = { share = 0.0, at_s = 0.0 }", "submission_spike.share = 0\n"),
        ("submission_spike = { share = 0.1, at_s = 604_000.0 }", "submission_spike.at_s + length_s = 604900"),
    ] {
        let spec: XFaasSpec = toml::from_str(text).expect(text);
        let error = XFaas::new(&spec, &REGIONS, Seed(1)).err().expect(text).to_string();
        assert!(error.starts_with("workload.xfaas: ") && error.contains(message), "{error}\n-- lacks --\n{message}");
    }
}
