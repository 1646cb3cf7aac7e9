//! Every shape against its closed form, and what the streams promise.

use super::*;
use crate::workload::Service;

const HOUR: f64 = 3600.0;

fn spec(tenants: u32, requests_per_hour: f64, hours: f64, shape: Shape) -> TenantsSpec {
    TenantsSpec {
        tenants,
        functions_per_tenant: 1,
        zipf_exponent: 1.0,
        requests_per_hour,
        rate_sigma: 0.0,
        begin_s: 0.0,
        duration_s: hours * HOUR,
        shape,
        service: Service::Exponential { mean_s: 0.5 },
        memory_mb: 128.0,
        memory_sigma: 0.0,
        cpu_cores: 1.0,
        deadline_s: None,
        trust_domains: None,
    }
}

fn drained(spec: &TenantsSpec, regions: usize, seed: u64) -> (Vec<Arrival>, Vec<FunctionProfile>, Vec<Box<str>>) {
    let mut source = Tenants::new(spec, regions, Seed(seed)).expect("a right specification");
    let (mut calls, mut functions, mut tenants) = (Vec::new(), Vec::new(), Vec::new());
    let mut batch = Batch::default();
    loop {
        source.next_batch(&mut batch).expect("a generator does not fail");
        calls.append(&mut batch.calls);
        functions.append(&mut batch.functions);
        tenants.append(&mut batch.tenants);
        if source.progress() == 1.0 {
            source.next_batch(&mut batch).expect("a generator does not fail");
            assert!(batch.calls.is_empty() && source.made == calls.len() as u64, "the end is an empty batch");
            return (calls, functions, tenants);
        }
    }
}

fn calls(spec: &TenantsSpec, seed: u64) -> Vec<Arrival> {
    drained(spec, 1, seed).0
}

fn diurnal(peak_to_trough: f64, phase_spread_h: f64) -> Shape {
    Shape::Diurnal { peak_to_trough, peak_hour_utc: 14.0, phase_spread_h, start_hour_utc: 6.0 }
}

const BURSTY: Shape = Shape::Bursty { on_share: 0.2, on_mean_s: 60.0 };

fn all_shapes() -> [Shape; 5] {
    [Shape::Steady {}, diurnal(5.0, 6.0), BURSTY, Shape::Timer { jitter_s: 0.0 }, Shape::Timer { jitter_s: 20.0 }]
}

/// Variance over mean of the number of calls of an interrupted Poisson process in a window.
///
/// With rate r while on, on share p and g = 1 / (on mean × (1 - p)), the rate's autocovariance is r² p (1 - p) exp(-g t);
/// twice its integral over the window, over the mean r p w, is what is added to Poisson's 1.
fn dispersion(mean_per_s: f64, on_share: f64, on_mean_s: f64, window_s: f64) -> f64 {
    let g = 1.0 / (on_mean_s * (1.0 - on_share));
    let decay = (1.0 - (1.0 - (-g * window_s).exp()) / (g * window_s)) / g;
    1.0 + 2.0 * mean_per_s / on_share * (1.0 - on_share) * decay
}

/// Variance over mean of the calls in each window of each tenant.
fn measured_dispersion(spec: &TenantsSpec, window_s: f64, seed: u64) -> f64 {
    let windows = (spec.duration_s / window_s) as usize;
    let mut counts = vec![0.0; windows * spec.tenants as usize];
    for call in calls(spec, seed) {
        counts[call.function.index() * windows + (call.time.as_secs_f64() / window_s) as usize] += 1.0;
    }
    let n = counts.len() as f64;
    let mean = counts.iter().sum::<f64>() / n;
    counts.iter().map(|c| (c - mean) * (c - mean)).sum::<f64>() / (n - 1.0) / mean
}

#[test]
fn every_shape_has_the_same_mean() {
    // Whole days, so that the day's wave cancels.
    let (tenants, rate, hours) = (200, 30.0, 48.0);
    let mean = 200.0 * rate * hours;
    for shape in all_shapes() {
        let variance = match shape {
            Shape::Bursty { on_share, on_mean_s } => mean * dispersion(rate / HOUR, on_share, on_mean_s, hours * HOUR),
            // Whole periods: without jitter always the same count; jitter moves calls over the two ends of the run, each
            // by at most a call per tenant.
            Shape::Timer { jitter_s: 0.0 } => 0.0,
            Shape::Timer { .. } => 2.0 * f64::from(tenants) * 0.25,
            _ => mean,
        };
        for seed in [1, 2, 3] {
            let made = calls(&spec(tenants, rate, hours, shape.clone()), seed).len() as f64;
            assert!((made - mean).abs() <= 3.0 * variance.sqrt(), "{shape:?}: {made} for {mean} ± {}", variance.sqrt());
        }
    }
}

#[test]
fn bursts_are_dispersed_as_their_closed_form_and_steady_traffic_is_not() {
    // Rate 60/h: 1/12 per second while on. Windows of 5 s, of about an on period, and of many.
    for window in [5.0, 60.0, 3600.0] {
        let wanted = dispersion(1.0 / 60.0, 0.2, 60.0, window);
        let found = measured_dispersion(&spec(200, 60.0, 48.0, BURSTY), window, 4);
        let steady = measured_dispersion(&spec(200, 60.0, 48.0, Shape::Steady {}), window, 4);
        assert!((found / wanted - 1.0).abs() < 0.06, "{window} s: {found} for {wanted}");
        assert!((steady - 1.0).abs() < 0.06, "{window} s: {steady} for 1");
    }
    // The limit of long windows: 1 + 2 × 60/h / 0.2 × 0.8 × 48 s.
    assert!((dispersion(1.0 / 60.0, 0.2, 60.0, 1e9) - 7.4).abs() < 1e-4);
    let timer = measured_dispersion(&spec(200, 60.0, 48.0, Shape::Timer { jitter_s: 0.0 }), 3600.0, 4);
    assert_eq!(timer, 0.0);
}

#[test]
fn bursts_begin_in_their_stationary_state() {
    let spec = spec(100_000, 60.0, 1.0 / 60.0, BURSTY);
    let mut minute = [0.0; 6];
    calls(&spec, 7).iter().for_each(|c| minute[(c.time.as_secs_f64() / 10.0) as usize] += 1.0);
    // 1/6 call per tenant in 10 s.
    let (mean, factor) = (100_000.0 / 6.0, dispersion(1.0 / 60.0, 0.2, 60.0, 10.0));
    for count in minute {
        let z: f64 = (count - mean) / (mean * factor).sqrt();
        assert!(z.abs() < 3.5, "{minute:?} for {mean}");
    }
}

#[test]
fn the_day_has_its_wave() {
    // Ten days of 600 tenants. The rate is averaged over each hour: cos(x) times sin(w)/w with w = pi / 24.
    let days = 10.0;
    let spec = spec(600, 20.0, 24.0 * days, diurnal(5.0, 0.0));
    let mut hours = [0.0; 24];
    calls(&spec, 8).iter().for_each(|c| hours[(c.time.as_secs_f64() / HOUR + 6.0) as usize % 24] += 1.0);
    let w = std::f64::consts::PI / 24.0;
    let wave = |hour: f64| 1.0 + 2.0 / 3.0 * (2.0 * w * (hour - 14.0)).cos() * w.sin() / w;
    for (hour, count) in hours.into_iter().enumerate() {
        let mean = 600.0 * 20.0 * days * wave(hour as f64 + 0.5);
        let z: f64 = (count - mean) / f64::sqrt(mean);
        assert!(z.abs() < 3.5, "hour {hour}: {count} for {mean}");
    }
    let ratio = (hours[13] + hours[14]) / (hours[1] + hours[2]);
    let wanted = wave(13.5) / wave(1.5);
    assert!((ratio / wanted - 1.0).abs() < 0.02, "{ratio} for {wanted}, near 5");
}

#[test]
fn peaks_spread_over_the_whole_day_cancel() {
    let spec = spec(5000, 5.0, 24.0, diurnal(1e6, 24.0));
    let mut hours = [0.0; 24];
    calls(&spec, 9).iter().for_each(|c| hours[(c.time.as_secs_f64() / HOUR) as usize] += 1.0);
    // Poisson, and the tenants' own rates: variance 5000 × 5² × 1/2.
    let error = f64::sqrt(25_000.0 + 62_500.0);
    assert!(hours.iter().all(|h: &f64| (h - 25_000.0).abs() < 3.5 * error), "{hours:?}");
}

#[test]
fn a_flat_day_is_steady_traffic_call_by_call() {
    let steady = calls(&spec(7, 40.0, 30.0, Shape::Steady {}), 10);
    assert_eq!(steady, calls(&spec(7, 40.0, 30.0, diurnal(1.0, 5.0)), 10));
}

#[test]
fn a_timer_calls_once_in_each_of_its_periods() {
    for jitter_s in [0.0, 45.0, 120.0] {
        let made = calls(&spec(50, 30.0, 20.0, Shape::Timer { jitter_s }), 11);
        let mut phases = Vec::new();
        for tenant in 0..50 {
            let times: Vec<f64> =
                made.iter().filter(|c| c.function.0 == tenant).map(|c| c.time.as_secs_f64()).collect();
            for pair in times.windows(2) {
                let gap = pair[1] - pair[0];
                assert!((gap - 120.0).abs() <= jitter_s + 1e-6, "a gap of {gap} s");
            }
            phases.push(times[0]);
        }
        phases.sort_by(f64::total_cmp);
        assert!(phases[5] < 50.0 && phases[44] > 70.0, "{phases:?}");
    }
}

#[test]
fn spread_rates_keep_their_mean() {
    let n = 20_000;
    let sigma: f64 = 1.2;
    let spread = TenantsSpec { rate_sigma: sigma, ..spec(n, 1.0, 24.0, Shape::Steady {}) };
    let source = Tenants::new(&spread, 1, Seed(12)).expect("a right specification");
    let (rate, wanted) = (source.rate_per_s(), f64::from(n) / HOUR);
    let error = (((sigma * sigma).exp() - 1.0) / f64::from(n)).sqrt();
    assert!((rate / wanted - 1.0).abs() < 3.0 * error, "{rate} for {wanted} ± {error}");
    let made = calls(&spread, 12).len() as f64;
    let mean = rate * 24.0 * HOUR;
    assert!((made - mean).abs() < 3.0 * mean.sqrt(), "{made} for {mean}");
    // The median tenant has exp(-sigma²/2) of the mean.
    let mut counts = vec![0u32; n as usize];
    let busier = TenantsSpec { requests_per_hour: 20.0, ..spread };
    calls(&busier, 12).iter().for_each(|c| counts[c.function.index()] += 1);
    counts.sort_unstable();
    let (median, wanted) = (f64::from(counts[n as usize / 2]), 480.0 * (-sigma * sigma / 2.0).exp());
    assert!((median / wanted - 1.0).abs() < 0.05, "median {median} for {wanted}");
}

#[test]
fn calls_are_in_order_and_inside_the_run() {
    for shape in all_shapes() {
        let spec = TenantsSpec { rate_sigma: 1.0, ..spec(60, 50.0, 30.0, shape.clone()) };
        let made = calls(&spec, 13);
        assert!(made.len() > 2 * BATCH_CALLS, "{shape:?}: several batches");
        assert!(made.is_sorted_by_key(|c| c.time), "{shape:?}");
        assert!(made.iter().all(|c| c.time < SimTime::from_secs_f64(spec.duration_s) && c.count == 1), "{shape:?}");
        assert_eq!(made, calls(&spec, 13), "{shape:?}");
        assert_ne!(made, calls(&spec, 14), "{shape:?}");
    }
}

#[test]
fn calls_before_the_beginning_are_left_out_and_nothing_else_changes() {
    for shape in all_shapes() {
        let whole = spec(60, 50.0, 30.0, shape.clone());
        let begin = SimTime::from_secs_f64(12.5 * HOUR);
        let late = calls(&TenantsSpec { begin_s: 12.5 * HOUR, ..whole.clone() }, 8);
        let all: Vec<SimTime> = calls(&whole, 8).iter().map(|c| c.time).filter(|&time| time >= begin).collect();
        assert!(all.len() > 10_000, "{shape:?}");
        assert_eq!(late.iter().map(|c| c.time).collect::<Vec<_>>(), all, "{shape:?}");
    }
}

#[test]
fn a_tenant_does_not_notice_other_tenants() {
    for shape in all_shapes() {
        let many = TenantsSpec { functions_per_tenant: 3, rate_sigma: 0.7, ..spec(40, 20.0, 30.0, shape.clone()) };
        let few = TenantsSpec { tenants: 4, ..many.clone() };
        let mut own = calls(&many, 15);
        own.retain(|c| c.function.0 < 12);
        assert_eq!(own, calls(&few, 15), "{shape:?}");
    }
}

#[test]
fn tenants_functions_regions_and_trust_domains_are_dealt_in_turn() {
    let dealt = TenantsSpec {
        functions_per_tenant: 3,
        trust_domains: Some(2),
        deadline_s: Some(9.0),
        memory_sigma: 0.8,
        ..spec(5, 2000.0, 4.0, Shape::Steady {})
    };
    let (made, functions, tenants) = drained(&dealt, 2, 16);
    assert_eq!(tenants.iter().map(|t| &**t).collect::<Vec<_>>(), ["t0", "t1", "t2", "t3", "t4"]);
    let seen = |f: &FunctionProfile| (f.name.to_string(), f.tenant.0, f.trust_domain, f.trigger);
    assert_eq!(seen(&functions[0]), ("t0/f0".into(), 0, 0, Trigger::Http));
    assert_eq!(seen(&functions[14]), ("t4/f2".into(), 4, 0, Trigger::Http));
    assert_eq!(seen(&functions[5]), ("t1/f2".into(), 1, 1, Trigger::Http));
    assert!(made.iter().all(|c| c.region.0 == functions[c.function.index()].tenant.0 % 2));
    assert!(made.iter().all(|c| c.deadline == c.time + Duration::from_secs(9)));
    // Zipf's law with exponent 1 over three functions: 6/11, 3/11, 2/11.
    for (f, share) in [(0, 6.0 / 11.0), (1, 3.0 / 11.0), (2, 2.0 / 11.0)] {
        let found = made.iter().filter(|c| c.function.0 % 3 == f).count() as f64 / made.len() as f64;
        assert!((found - share).abs() < 4.0 * (0.25 / made.len() as f64).sqrt(), "{found} for {share}");
    }
    let own: Vec<u32> =
        drained(&TenantsSpec { trust_domains: None, ..dealt }, 2, 16).1.iter().map(|f| f.trust_domain).collect();
    assert_eq!(own, [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]);
    let timer = drained(&spec(1, 60.0, 1.0, Shape::Timer { jitter_s: 0.0 }), 1, 16).1;
    assert_eq!(timer[0].trigger, Trigger::Timer);
}

#[test]
fn memory_is_spread_around_its_median() {
    let one = spec(4000, 0.001, 0.1, Shape::Steady {});
    let of = |spec: &TenantsSpec| {
        let mut mb: Vec<f64> = drained(spec, 1, 17).1.iter().map(|f| f.memory.as_mb()).collect();
        mb.sort_by(f64::total_cmp);
        mb
    };
    assert!(of(&one).iter().all(|&mb| mb == 128.0));
    let spread = of(&TenantsSpec { memory_sigma: 0.5, ..one });
    assert!((spread[2000] / 128.0 - 1.0).abs() < 0.04, "median {}", spread[2000]);
    // One sigma above the median lies the share 0.8413.
    assert!((spread[3365] / spread[2000] - 0.5f64.exp()).abs() < 0.08, "{}", spread[3365] / spread[2000]);
}

#[test]
fn first_calls_never_change() {
    let mut text = String::new();
    for shape in all_shapes() {
        let pinned = TenantsSpec { functions_per_tenant: 4, rate_sigma: 0.5, ..spec(10, 30.0, 2.0, shape) };
        for call in calls(&pinned, 42).iter().take(2) {
            text += &format!("{} {} {};", call.time.0, call.work.0, call.function.0);
        }
    }
    assert_eq!(text, PINNED);
}
const PINNED: &str = "13385485807 818496022 20;20464844009 127391569 22;8031291484 818496022 20;12278906405 127391569 22;\
                      2677097161 818496022 20;4092968802 127391569 22;11142050401 368448190 16;14639906146 550595009 38;\
                      3731713527 510120492 35;14805618704 368448190 16;";

#[test]
fn keys_have_defaults_and_unknown_keys_are_refused() {
    let text = "tenants = 3\nrequests_per_hour = 6.0\nduration_s = 7200.0\nservice.constant = { length_s = 0.2 }\n";
    let parsed = |shape: &str| toml::from_str::<TenantsSpec>(&format!("{text}shape{shape}"));
    let wanted = TenantsSpec { service: Service::Constant { length_s: 0.2 }, ..spec(3, 6.0, 2.0, Shape::Steady {}) };
    assert_eq!(parsed(".steady = {}").unwrap(), wanted);
    let day = Shape::Diurnal { peak_to_trough: 4.0, peak_hour_utc: 14.0, phase_spread_h: 0.0, start_hour_utc: 0.0 };
    assert_eq!(parsed(".diurnal.peak_to_trough = 4.0").unwrap().shape, day);
    assert_eq!(parsed(".timer = {}").unwrap().shape, Shape::Timer { jitter_s: 0.0 });
    for (shape, part) in [
        (".steady.rate = 1.0", "rate"),
        (".bursty.on_share = 0.5", "on_mean_s"),
        (".sparse = {}", "sparse"),
        (".steady = {}\nmix = []", "mix"),
    ] {
        let error = parsed(shape).unwrap_err().to_string();
        assert!(error.contains(part), "{shape}: {error}");
    }
}

#[test]
fn wrong_keys_are_named() {
    let right = spec(10, 60.0, 1.0, Shape::Steady {});
    let cases = [
        (TenantsSpec { requests_per_hour: 0.0, ..right.clone() }, "requests_per_hour = 0"),
        (TenantsSpec { duration_s: f64::NAN, ..right.clone() }, "duration_s = NaN"),
        (TenantsSpec { begin_s: right.duration_s, ..right.clone() }, "leaves no time for calls"),
        (TenantsSpec { tenants: 0, ..right.clone() }, "tenants = 0"),
        (TenantsSpec { trust_domains: Some(0), ..right.clone() }, "trust_domains = 0"),
        (TenantsSpec { tenants: 1_000_000, functions_per_tenant: 11, ..right.clone() }, "11000000 functions"),
        (TenantsSpec { shape: Shape::Timer { jitter_s: 61.0 }, ..right.clone() }, "longer than the period of 60 s"),
        (TenantsSpec { shape: Shape::Bursty { on_share: 0.0, on_mean_s: 1.0 }, ..right.clone() }, "on_share = 0"),
        (TenantsSpec { shape: diurnal(0.5, 0.0), ..right }, "peak_to_trough = 0.5"),
    ];
    for (spec, part) in cases {
        let error = Tenants::new(&spec, 1, Seed(1)).err().expect("a wrong specification").to_string();
        assert!(error.starts_with("workload.tenants: ") && error.contains(part), "{error}");
    }
}
