//! What is drawn has the distribution that its keys say.

use super::*;

const SOURCE: &str = "source.synthetic = { arrivals = { rate_per_h = 1000.0 }, count = 20000";

fn made(rest: &str) -> JobList {
    open_at(Path::new("/"), rest, "2020-01-01T00:00:00Z", 11).unwrap_or_else(|e| panic!("{rest}: {e}"))
}

/// Largest distance between an empirical and a given distribution function, times the root of the count (Kolmogorov–Smirnov).
fn ks(mut values: Vec<f64>, f: impl Fn(f64) -> f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len() as f64;
    let at = |(i, x): (usize, &f64)| {
        let p = f(*x);
        (p - i as f64 / n).abs().max(((i + 1) as f64 / n - p).abs())
    };
    values.iter().enumerate().map(at).fold(0.0, f64::max) * n.sqrt()
}

/// 1.95 is exceeded by chance in 1 of 1,000 samples.
const KS_LIMIT: f64 = 1.95;

fn phi(z: f64) -> f64 {
    use statrs::distribution::ContinuousCDF;
    statrs::distribution::Normal::standard().cdf(z)
}

#[test]
fn arrivals_are_a_poisson_process_and_lengths_follow_their_law() {
    let list = made(&format!("{SOURCE}, length.exponential.mean_s = 600.0 }}"));
    assert_eq!(list.jobs.len(), 20_000);
    let gaps = list.jobs.windows(2).map(|w| (w[1].wanted - w[0].wanted).as_secs_f64()).collect();
    assert!(ks(gaps, |x| 1.0 - (-x / 3.6).exp()) < KS_LIMIT);
    let lengths = seconds(&list, |j| j.length.as_secs_f64());
    let mean = lengths.iter().sum::<f64>() / 20_000.0;
    assert!((mean - 600.0).abs() < 4.0 * 600.0 / 20_000f64.sqrt(), "{mean}");
    assert!(ks(lengths, |x| 1.0 - (-x / 600.0).exp()) < KS_LIMIT);
    let lengths = |law: &str| seconds(&made(&format!("{SOURCE}, length.{law} }}")), |j| j.length.as_secs_f64());
    assert!(ks(lengths("lognormal = { median_s = 300.0, sigma = 1.5 }"), |x| phi((x / 300.0).ln() / 1.5)) < KS_LIMIT);
    assert!(ks(lengths("uniform = { low_s = 10.0, high_s = 30.0 }"), |x| (x - 10.0) / 20.0) < KS_LIMIT);
    let mixture =
        "lognormal-mixture.parts = [{ median_s = 60.0, sigma = 0.5, weight = 3 }, { median_s = 6000.0, sigma = 1.0 }]";
    let cdf = |x: f64| 0.75 * phi((x / 60.0).ln() / 0.5) + 0.25 * phi((x / 6000.0).ln());
    assert!(ks(lengths(mixture), cdf) < KS_LIMIT);
    assert!(lengths("constant.length_s = 42.5").iter().all(|l| *l == 42.5));
}

#[test]
fn values_are_drawn_by_weight_and_one_of_weight_0_never() {
    let list = made(&format!(
        "{SOURCE}, length.list.values = [{{ length_s = 1, weight = 0 }}, {{ length_s = 2, weight = 3 }}, {{ length_s = 3 }}, \
         {{ length_s = 4, weight = 0 }}], cores = [{{ cores = 0.5 }}, {{ cores = 4 }}], node_counts = [{{ nodes = 8 }}], tenants = 3 }}"
    ));
    let share = |of: &dyn Fn(&Job) -> bool| list.jobs.iter().filter(|j| of(j)).count() as f64 / 20_000.0;
    let within = |p: f64, wanted: f64| (p - wanted).abs() < 4.0 * (wanted * (1.0 - wanted) / 20_000.0).sqrt();
    let length = |s: u64| share(&|j: &Job| j.length == Duration::from_secs(s));
    assert_eq!((length(1), length(4)), (0.0, 0.0));
    assert!(within(length(2), 0.75) && within(length(3), 0.25), "{} {}", length(2), length(3));
    assert!(within(share(&|j| j.cpu == 500_000), 0.5) && share(&|j| j.nodes == 8) == 1.0);
    // Size and length are independent: they have streams of their own.
    assert!(within(share(&|j| j.cpu == 500_000 && j.length == Duration::from_secs(2)), 0.375));
    assert_eq!(list.tenants, ["mine-0".into(), "mine-1".into(), "mine-2".into()]);
}

#[test]
fn a_daily_rhythm_peaks_at_its_hour_and_keeps_the_mean() {
    let list = made(
        "source.synthetic = { arrivals = { rate_per_h = 1000, peak_to_trough = 3, peak_hour_utc = 15 }, duration_s = 864000, length.constant.length_s = 1 }",
    );
    let n = list.jobs.len() as f64;
    assert!((n - 240_000.0).abs() < 4.0 * 240_000f64.sqrt(), "{n}");
    let at = |hour: f64| {
        seconds(&list, |j| j.wanted.as_secs_f64() / 3600.0 % 24.0).iter().filter(|h| (**h - hour).abs() < 0.5).count()
    };
    // Ten hours at 1.5 x 1000 and at 0.5 x 1000 jobs per hour.
    assert!(
        (at(15.0) as f64 - 15_000.0).abs() < 600.0 && (at(3.0) as f64 - 5_000.0).abs() < 350.0,
        "{} {}",
        at(15.0),
        at(3.0)
    );
}

#[test]
fn noisy_estimates_are_unbiased_with_the_spread_asked_for() {
    for sd in [0.0, 0.2, 1.0] {
        let list = made(&format!(
            "{SOURCE}, length.uniform = {{ low_s = 100, high_s = 10000 }} }}\nestimate.noisy.relative_sd = {sd:?}"
        ));
        let ratios = seconds(&list, |j| j.estimate.expect("known").as_secs_f64() / j.length.as_secs_f64());
        let mean = ratios.iter().sum::<f64>() / 20_000.0;
        assert!((mean - 1.0).abs() <= 4.0 * sd / 20_000f64.sqrt() + 1e-9, "sd {sd}: mean {mean}");
        let s = (1.0 + sd * sd).ln().sqrt();
        if sd > 0.0 {
            assert!(ks(ratios, |x| phi((x.ln() + s * s / 2.0) / s)) < KS_LIMIT, "sd {sd}");
        }
    }
}

#[test]
fn what_is_left_out_moves_no_other_jobs_estimate() {
    let rows = "arrival_s,length_s\n0,100\n5,200\n9,300\n";
    let spec = "source.csv.path = 'j.csv'\nestimate.noisy.relative_sd = 0.5";
    let all = Lab::new().file("j.csv", rows).jobs(spec);
    let later = Lab::new().file("j.csv", &rows.replace("0,100", "0,0")).jobs(spec);
    assert_eq!(later.jobs[0].estimate, all.jobs[1].estimate);
    assert_eq!(later.jobs[1].estimate, all.jobs[2].estimate);
    assert_ne!(all.jobs[1].estimate, Some(all.jobs[1].length));
    assert_eq!(Lab::new().file("j.csv", rows).jobs(spec).jobs, all.jobs);
}

#[test]
fn first_draws_of_every_stream_never_change() {
    let list = made(
        "source.synthetic = { arrivals.rate_per_h = 10.0, count = 2, length.lognormal = { median_s = 100.0, sigma = 1.0 }, \
         cores = [{ cores = 1 }, { cores = 2 }], node_counts = [{ nodes = 1 }, { nodes = 2 }] }\nestimate.noisy.relative_sd = 0.5",
    );
    let shown: Vec<_> =
        list.jobs.iter().map(|j| (j.wanted.0, j.length.0, j.estimate.map(|e| e.0), j.cpu, j.nodes)).collect();
    assert_eq!(format!("{shown:?}"), FIRST);
}
const FIRST: &str = "[(691339552662, 251573249963, Some(222729134481), 2000000, 1), \
                     (765046331574, 437100578530, Some(218539010723), 2000000, 1)]";
