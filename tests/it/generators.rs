//! The samplers against independent distribution functions: Kolmogorov–Smirnov at the 0.1 % level, fixed seeds.

use slackwater::types::{Seed, Stream};
use statrs::distribution::{ContinuousCDF, DiscreteCDF, Exp, LogNormal, Normal, Poisson, Uniform};

const N: usize = 50_000;

/// Largest distance between the empirical and the given distribution function, in units of its 0.1 % critical value.
fn distance(name: &str, draw: impl Fn(&mut Stream) -> f64, cdf: impl Fn(f64) -> f64) -> f64 {
    let mut stream = Seed(2026).stream(name, 0);
    let mut values: Vec<f64> = (0..N).map(|_| draw(&mut stream)).collect();
    values.sort_by(f64::total_cmp);
    let n = N as f64;
    let largest = values
        .iter()
        .enumerate()
        .map(|(i, &x)| (cdf(x) - i as f64 / n).abs().max(((i + 1) as f64 / n - cdf(x)).abs()))
        .fold(0.0, f64::max);
    largest / (1.9495 / n.sqrt())
}

#[test]
fn continuous_variates_follow_their_distributions() {
    let uniform = Uniform::new(0.0, 1.0).expect("a right interval");
    let exponential = Exp::new(1.0 / 3.0).expect("a right rate");
    let normal = Normal::standard();
    let lognormal = LogNormal::new(0.3f64.ln(), 1.2).expect("right parameters");
    let cases = [
        ("uniform", distance("uniform", Stream::uniform, |x| uniform.cdf(x))),
        ("exponential", distance("exponential", |s| s.exponential(3.0), |x| exponential.cdf(x))),
        ("normal", distance("normal", Stream::standard_normal, |x| normal.cdf(x))),
        ("lognormal", distance("lognormal", |s| s.lognormal(0.3, 1.2), |x| lognormal.cdf(x))),
    ];
    for (name, d) in cases {
        assert!(d < 1.0, "{name}: {d:.2} of the critical distance");
    }
}

#[test]
fn poisson_counts_follow_their_distribution() {
    for mean in [0.7, 25.0, 140.0] {
        let poisson = Poisson::new(mean).expect("a right mean");
        let mut stream = Seed(2026).stream("poisson", mean as u64);
        let mut counts = vec![0usize; 400];
        (0..N).for_each(|_| counts[stream.poisson(mean) as usize] += 1);
        let mut below = 0;
        for (k, n) in counts.iter().enumerate() {
            below += n;
            let d = (below as f64 / N as f64 - poisson.cdf(k as u64)).abs();
            // Conservative for a discrete distribution.
            assert!(d < 1.9495 / (N as f64).sqrt(), "mean {mean}, k = {k}: {d}");
        }
    }
}
