//! Made instances: laws, first draws, distributions, and the published figures that like-borg is fitted to.

use crate::types::{Duration, Memory, Seed, SimTime};
use crate::workload::instances::tests::{Drained, Lab, drain, laws, open_at};
use crate::workload::instances::{Announced, Class};

use super::{Processes, UsageSpec};

fn spec(keys: &str) -> String {
    format!(r#"{{"synthetic":{{{keys}}}}}"#)
}

fn made(keys: &str) -> Vec<Drained> {
    drain(&mut *Lab::new().open(&spec(keys)).expect("opens")).expect("made")
}

const BORG: &str = r#""usage":{"like-borg":{}}"#;
const HALF: &str = r#""usage":{"constant":{"share":0.5}}"#;

#[test]
fn every_usage_keeps_the_laws() {
    for usage in [BORG, HALF, r#""usage":{"iid":{"distribution":{"weibull":{"shape":2}}}}"#] {
        for more in [
            r#""count":20,"duration_s":7000"#,
            r#""arrivals":{"rate_per_h":20,"peak_to_trough":3},"duration_s":7000,"lifetime":{"lognormal":{"median_s":900,"sigma":1}}"#,
            r#""count":5,"arrivals":{"rate_per_h":9},"duration_s":7000,"lifetime":{"fixed":{"life_s":1000}},"account_by":"instance","memory_share":0.5"#,
        ] {
            let json = spec(&format!("{more},{usage}"));
            let folder = std::path::Path::new(".");
            laws(&|| open_at(folder, &json).expect("opens"));
        }
    }
}

#[test]
fn first_draws_never_change() {
    let all = made(&format!(r#""count":2,"arrivals":{{"rate_per_h":4}},"duration_s":3600,{BORG}"#));
    let text: Vec<String> = all
        .iter()
        .map(|(i, p)| {
            format!("{} {} {} {:?}", i.time.0, i.cpu, i.memory.0, p[..2].iter().map(|p| p.cpu).collect::<Vec<_>>())
        })
        .collect();
    assert_eq!(text.join("; "), GOLDEN);
}
const GOLDEN: &str = "0 4000000 8522825728 [1360295, 1412764]; 0 1000000 261154816 [209049, 230807]; 156172513595 8000000 \
                      34221326336 [1065018, 1020241]; 1403804229119 1000000 261154816 [886904, 1000000]";

#[test]
fn tenants_domains_deployments_and_regions_are_dealt_in_turn() {
    let keys = r#""count":12,"duration_s":600,"tenants":4,"trust_domains":2,"deployment_size":2,"limit_to_request":2,"memory_share":0.25"#;
    let lab = Lab::new();
    let mut source = lab.open(&spec(&format!("{keys},{HALF}"))).expect("opens");
    let (mut announced, mut all) = (Announced::default(), Vec::new());
    while let Some(i) = source.next(&mut announced).expect("made") {
        all.push(i);
    }
    assert_eq!(
        announced.accounts.iter().map(|a| (&*a.name, a.trust_domain)).collect::<Vec<_>>(),
        [("t0", 0), ("t1", 1), ("t2", 0), ("t3", 1)]
    );
    assert_eq!(all.iter().map(|i| i.deployment).collect::<Vec<_>>(), [0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(all.iter().map(|i| i.region.0).collect::<Vec<_>>(), [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
    assert!(all.iter().all(|i| i.cpu_limit == 2 * i.cpu && i.lifetime == Some(Duration::from_secs(600))));
    let piece = source.usage(3).expect("made").expect("a piece");
    assert_eq!((piece.cpu, piece.memory), (all[3].cpu / 2, Some(Memory(all[3].memory.0 / 4))));
    assert_eq!(piece.duration, Duration::from_secs(600));
}

#[test]
fn the_usage_of_one_instance_does_not_depend_on_the_others() {
    let few = made(&format!(r#""count":3,"duration_s":6000,{BORG}"#));
    let many = made(&format!(r#""count":50,"tenants":7,"batch_share":0.5,"duration_s":6000,{BORG}"#));
    assert!(few.iter().zip(&many).all(|(a, b)| a.1 == b.1 && a.0.cpu == b.0.cpu));
}

#[test]
fn poisson_arrivals_have_their_rate_and_their_day() {
    let keys =
        format!(r#""arrivals":{{"rate_per_h":500,"peak_to_trough":4}},"duration_s":864000,"batch_share":0.3,{HALF}"#);
    let mut source = Lab::new().open(&spec(&keys)).expect("opens");
    let (mut announced, mut by_hour, mut batch, mut count) = (Announced::default(), [0.0; 24], 0.0, 0.0);
    while let Some(i) = source.next(&mut announced).expect("made") {
        assert!(i.time < SimTime::from_secs_f64(864_000.0));
        by_hour[(i.time.as_secs_f64() / 3600.0) as usize % 24] += 1.0;
        batch += f64::from(u8::from(i.class == Class::Batch));
        count += 1.0;
        source.release(count as u32 - 1);
    }
    // Five standard deviations of a Poisson count, of a binomial share, and of the ratio of two hours.
    let wanted = 120_000.0_f64;
    assert!((count - wanted).abs() < 5.0 * wanted.sqrt(), "{count}");
    assert!((batch / count - 0.3).abs() < 5.0 * (0.21 / count).sqrt(), "{batch}");
    let ratio: f64 = (by_hour[13] + by_hour[14]) / (by_hour[1] + by_hour[2]);
    assert!((ratio / 4.0 - 1.0).abs() < 0.09, "{ratio}");
}

#[test]
fn a_standing_population_is_in_equilibrium() {
    // Little: rate x mean life live at any time, at the start and at the end alike.
    let (median, sigma, rate) = (3600.0, 0.8, 400.0);
    let mean = median * f64::exp(0.5 * sigma * sigma);
    let count = (rate * mean / 3600.0).round();
    let all = made(&format!(
        r#""count":{count},"arrivals":{{"rate_per_h":{rate}}},"duration_s":36000,"lifetime":{{"lognormal":{{"median_s":{median},"sigma":{sigma}}}}},{HALF}"#
    ));
    for hour in [1.0, 3.0, 9.0] {
        let at = SimTime::from_secs_f64(hour * 3600.0);
        let alive = all.iter().filter(|(i, _)| i.time <= at && i.time + i.lifetime.expect("known") > at).count() as f64;
        assert!((alive - count).abs() < 5.0 * count.sqrt(), "{alive} of {count} at {hour} h");
    }
}

#[test]
fn sizes_follow_their_list_and_their_tail() {
    let all = made(&format!(r#""count":20000,"duration_s":1,{HALF}"#));
    let share = |cores: u64| all.iter().filter(|(i, _)| i.cpu == cores * 1_000_000).count() as f64 / 20_000.0;
    for (cores, weight) in [(1, 18.0), (2, 8.0), (4, 14.0), (8, 9.0), (32, 1.0)] {
        let p: f64 = weight / 50.0;
        assert!((share(cores) - p).abs() < 5.0 * (p * (1.0 - p) / 20_000.0).sqrt(), "{cores}");
    }
    let pareto = r#""sizes":{"bounded-pareto":{"least_cores":0.1,"most_cores":64,"least_memory_mb":100,"most_memory_mb":256000}}"#;
    let all = made(&format!(r#""count":20000,"duration_s":1,{pareto},{HALF}"#));
    // P(X > x) = ((L/x)^a - (L/H)^a) / (1 - (L/H)^a).
    let tail = |x: f64| {
        let end = (0.1f64 / 64.0).powf(0.69);
        ((0.1 / x).powf(0.69) - end) / (1.0 - end)
    };
    for x in [0.2, 1.0, 10.0] {
        let p = tail(x);
        let found = all.iter().filter(|(i, _)| i.cpu as f64 > x * 1e6).count() as f64 / 20_000.0;
        assert!((found - p).abs() < 5.0 * (p * (1.0 - p) / 20_000.0).sqrt(), "{x}: {found} {p}");
    }
    assert!(all.iter().all(|(i, _)| (100_000..=64_000_000).contains(&i.cpu) && i.memory.0 <= 256_000_000_000));
}

/// mean / 99th percentile of the sum of N independent draws.
fn utilisation(tenants: usize, distribution: &str) -> f64 {
    let steps = 10_000;
    let keys = format!(
        r#""count":{tenants},"duration_s":{},"step_s":1,"limit_to_request":1000,"usage":{{"iid":{{"distribution":{{{distribution}}}}}}}"#,
        steps
    );
    let mut sums = vec![0.0; steps];
    for (_, pieces) in made(&keys) {
        sums.iter_mut().zip(&pieces).for_each(|(sum, p)| *sum += p.cpu as f64 / 1e6);
    }
    let mean = sums.iter().sum::<f64>() / steps as f64;
    sums.sort_by(f64::total_cmp);
    mean / sums[steps * 99 / 100]
}

#[test]
fn independent_draws_give_the_published_economics_of_multitenancy() {
    // Brooker: exact for the exponential, published simulations of 10,000 draws for Weibull; 1 to 2 % of sampling error each.
    for (tenants, wanted) in [(1, 0.2171), (4, 0.3982), (16, 0.5983), (100, 0.8018)] {
        let got = utilisation(tenants, r#""exponential":{}"#);
        assert!((got / wanted - 1.0).abs() < 0.04, "{tenants}: {got} instead of {wanted}");
    }
    for (tenants, shape, wanted) in [(1, 2, 0.412), (9, 3, 0.780), (25, 4, 0.888), (100, 2, 0.892)] {
        let got = utilisation(tenants, &format!(r#""weibull":{{"shape":{shape}}}"#));
        assert!((got / wanted - 1.0).abs() < 0.04, "{tenants}, shape {shape}: {got} instead of {wanted}");
    }
}

/// usage / limit of `n` instances over some days of 288 steps, step by step.
fn shares(n: u32, days: usize, seed: u64) -> Vec<Vec<f64>> {
    let json = r#"{"like-borg":{}}"#;
    let spec: UsageSpec = serde_json::from_str(json).expect("valid");
    let mut processes = Processes::new(&spec, Duration::from_secs(300), Seed(seed), 0.0);
    let length = Duration::from_secs(86_400 * days as u64);
    let mut all = vec![Vec::with_capacity(n as usize); 288 * days];
    for i in 0..n {
        let mut process = processes.begin(i, SimTime(0), length, (1_000_000, 1_000_000), None);
        for step in &mut all {
            step.push(processes.next(&mut process).expect("it lives").cpu as f64 / 1e6);
        }
        assert_eq!(processes.next(&mut process), None);
    }
    all
}

#[test]
fn like_borg_holds_the_published_figures_of_tasks_and_machines() {
    let (n, days, on_machine) = (1500, 2, 25);
    let all = shares(n, days, 3);
    let mut flat: Vec<f64> = all.iter().flatten().copied().collect();
    let mean = flat.iter().sum::<f64>() / flat.len() as f64;
    assert!((mean - 0.31).abs() < 0.02, "mean share {mean}");
    flat.sort_by(f64::total_cmp);
    let p95 = flat[flat.len() * 95 / 100];
    assert!(p95 < 0.9 && p95 > 0.5, "95th percentile {p95}");
    let mut ratios = Vec::new();
    for day in all.chunks(288) {
        for machine in 0..n as usize / on_machine {
            let tasks = machine * on_machine..(machine + 1) * on_machine;
            let peaks: f64 = tasks.clone().map(|t| day.iter().map(|s| s[t]).fold(0.0, f64::max)).sum();
            let peak = day.iter().map(|s| s[tasks.clone()].iter().sum::<f64>()).fold(0.0, f64::max);
            ratios.push(peaks / peak);
        }
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ratios.len() / 2];
    assert!((median / 1.5 - 1.0).abs() < 0.05, "sum of peaks / peak {median}");
}

#[test]
fn like_borg_has_the_day_of_a_cell() {
    let days = 120;
    let all = shares(40, days, 5);
    let hours: Vec<f64> = all.chunks(12).map(|h| h.iter().flatten().sum::<f64>()).collect();
    let mut ratios: Vec<f64> = hours
        .chunks(24)
        .map(|d| d.iter().copied().fold(0.0, f64::max) / d.iter().copied().fold(f64::MAX, f64::min))
        .collect();
    ratios.sort_by(f64::total_cmp);
    let median = ratios[days / 2];
    assert!((median / 1.52 - 1.0).abs() < 0.07, "daily peak / trough {median}");
    let mean = hours.iter().sum::<f64>() / hours.len() as f64;
    let product = |lag: usize| -> f64 {
        (0..hours.len() - lag).map(|i| (hours[i] - mean) * (hours[i + lag] - mean)).sum::<f64>()
            / (hours.len() - lag) as f64
    };
    let correlation = product(24) / product(0);
    assert!((correlation - 0.32).abs() < 0.08, "lag-one-day autocorrelation {correlation}");
}

#[test]
fn keys_out_of_range_are_named() {
    let lab = Lab::new();
    for (keys, message) in [
        (
            format!(r#""duration_s":60,{HALF}"#),
            "synthetic: there is neither count nor arrivals\n  help: set count for a population at the start, or arrivals for one that comes",
        ),
        (
            format!(r#""count":1,"duration_s":0,{HALF}"#),
            "synthetic: duration_s = 0\n  help: write a finite number from 0.001 to 3153600000",
        ),
        (
            format!(r#""count":1,"duration_s":9,"tenants":0,{HALF}"#),
            "synthetic: tenants = 0\n  help: write a finite number from 1 to 1000000",
        ),
        (
            r#""count":1,"duration_s":9,"usage":{"like-borg":{"mean_share":0.95}}"#.to_owned(),
            "synthetic: usage.like-borg.mean_share = 0.95\n  help: write a finite number from 0.01 to 0.9",
        ),
        (
            format!(r#""count":1,"duration_s":9,"sizes":{{"list":{{"sizes":[]}}}},{HALF}"#),
            "synthetic: sizes.list.sizes has no weight\n  help: give a list of sizes, one of them with a weight above 0",
        ),
        (
            format!(r#""count":1,"duration_s":9,"lifetime":{{"fixed":{{"life_s":0}}}},{HALF}"#),
            "synthetic: lifetime.fixed.life_s = 0\n  help: times are from 0.001 s to a century, sigma is from 0 to 5",
        ),
        (
            format!(r#""count":1,"duration_s":9,"region":"east",{HALF}"#),
            "synthetic.region = \"east\" is not a region of this scenario\n  help: name one of: north, south",
        ),
    ] {
        assert_eq!(lab.fails(&spec(&keys)), message);
    }
}
