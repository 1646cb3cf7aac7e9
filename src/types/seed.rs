//! Named random streams: every purpose and entity draws from a generator of its own, so that a draw added in one place
//! moves nothing elsewhere, and two policies compared under one seed see the same traffic (common random numbers).

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// The root of all randomness of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub u64);

/// One independent random stream (xoshiro256++, seeded by a 64-bit hash of root, purpose and entity).
///
/// Every variate is made from exactly one uniform by inversion, with logarithms and exponentials from `libm`:
/// the same bytes on every platform, and monotone in the uniform, which keeps paired comparisons tight.
#[derive(Debug, Clone)]
pub struct Stream(Xoshiro256PlusPlus);

/// SplitMix64's finaliser (Steele, Lea and Flood, OOPSLA 2014): a bijection whose output bits all depend on all input bits.
#[inline]
const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Absorbs one word into a hash state.
#[inline]
const fn absorb(state: u64, word: u64) -> u64 {
    mix(state.wrapping_add(0x9e37_79b9_7f4a_7c15) ^ mix(word.wrapping_add(0x9e37_79b9_7f4a_7c15)))
}

/// A stable 64-bit hash of a text (FNV-1a, then mixed).
#[inline]
const fn hash_text(text: &[u8]) -> u64 {
    let mut h = 0xcbf2_9ce4_8422_2325_u64;
    let mut i = 0;
    while i < text.len() {
        h = (h ^ text[i] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        i += 1;
    }
    mix(h)
}

impl Seed {
    /// The stream of one purpose and one entity, for example `seed.stream("cold-start", function.0.into())`.
    pub fn stream(self, purpose: &str, entity: u64) -> Stream {
        self.derive(purpose).child(entity).into_stream()
    }

    /// A sub-seed named by a text: use it to hand a part of the program randomness of its own.
    pub fn derive(self, purpose: &str) -> Seed {
        Seed(absorb(absorb(0, self.0), hash_text(purpose.as_bytes())))
    }

    /// A sub-seed numbered by an integer (an entity, a day, a minute). Chain it for composite keys.
    #[inline]
    pub fn child(self, entity: u64) -> Seed {
        Seed(absorb(self.0, entity))
    }

    /// The generator that this very seed starts.
    #[inline]
    pub fn into_stream(self) -> Stream {
        Stream(Xoshiro256PlusPlus::seed_from_u64(self.0))
    }
}

impl Stream {
    /// The next 64 random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform on the open interval (0, 1): 53 bits, offset by half a step so that neither end is reached.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        ((self.next_u64() >> 11) as f64 + 0.5) * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform integer in `0..n` (Lemire's multiply-shift; bias below n / 2^64). Returns 0 for n = 0.
    #[inline]
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(n)) >> 64) as u64
    }

    /// Exponential with the given mean, by inversion.
    #[inline]
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * libm::log(self.uniform())
    }

    /// Standard normal, by inversion.
    #[inline]
    pub fn standard_normal(&mut self) -> f64 {
        super::normal_quantile(self.uniform())
    }

    /// Log-normal with the given median and sigma of the logarithm.
    #[inline]
    pub fn lognormal(&mut self, median: f64, sigma: f64) -> f64 {
        median * libm::exp(sigma * self.standard_normal())
    }

    /// Poisson count with the given mean: inversion by sequential search below 30, and above it the sum of
    /// independent parts, so that the result is exact and uses only `libm`. Cost grows with the mean.
    pub fn poisson(&mut self, mean: f64) -> u64 {
        const PART: f64 = 30.0;
        let mut left = mean;
        let mut total = 0;
        while left > 0.0 {
            let part = left.min(PART);
            left -= part;
            let u = self.uniform();
            let mut k = 0u64;
            let mut p = libm::exp(-part);
            let mut cumulative = p;
            while u > cumulative && k < 400 {
                k += 1;
                p *= part / k as f64;
                cumulative += p;
            }
            total += k;
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_draws_of_named_streams_never_change() {
        let seed = Seed(42);
        let mut s = seed.stream("golden", 7);
        let draws: Vec<u64> = (0..3).map(|_| s.next_u64()).collect();
        let mut t = seed.stream("golden", 8);
        let text = format!(
            "{draws:?} {:.17} {:.17} {:.17} {}",
            t.uniform(),
            t.exponential(2.0),
            t.lognormal(0.3, 1.0),
            t.poisson(75.0)
        );
        assert_eq!(text, GOLDEN);
    }
    const GOLDEN: &str = "[13486139170104478511, 8793242020535862931, 15675330898817861257] \
                          0.69300793575840003 0.75110802526666220 0.10588822245511130 78";

    #[test]
    fn streams_of_different_names_or_entities_differ() {
        let seed = Seed(1);
        let a = seed.stream("a", 0).next_u64();
        assert_ne!(a, seed.stream("b", 0).next_u64());
        assert_ne!(a, seed.stream("a", 1).next_u64());
        assert_ne!(a, Seed(2).stream("a", 0).next_u64());
        assert_eq!(a, Seed(1).stream("a", 0).next_u64());
    }

    #[test]
    fn poisson_has_its_mean_and_variance() {
        let mut s = Seed(3).stream("poisson", 0);
        for mean in [0.3, 12.0, 95.5] {
            let n = 20_000;
            let draws: Vec<f64> = (0..n).map(|_| s.poisson(mean) as f64).collect();
            let m = draws.iter().sum::<f64>() / f64::from(n);
            let v = draws.iter().map(|x| (x - m) * (x - m)).sum::<f64>() / f64::from(n - 1);
            let se = (mean / f64::from(n)).sqrt();
            assert!((m - mean).abs() < 4.0 * se, "mean {m} of Poisson({mean})");
            assert!((v / mean - 1.0).abs() < 0.06, "variance {v} of Poisson({mean})");
        }
    }
}
