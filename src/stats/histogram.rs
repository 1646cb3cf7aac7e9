//! A log-linear histogram: quantiles of billions of values in constant memory, with a bounded relative error.

/// Histogram of unsigned integers (nanoseconds, bytes) with `2^BITS` buckets per power of two.
///
/// Invariant: a value v and the value reported for its bucket differ by at most `v / 2^(BITS+1)`; values below
/// `2^(BITS+1)` are exact. Only the buckets between the smallest and the largest value exist, so an entity with few
/// magnitudes stays small. `BITS = 10` gives a relative error of at most 0.049 %, `BITS = 5` of 1.6 %.
#[derive(Debug, Clone, Default)]
pub struct LogHistogram<const BITS: u32> {
    /// Counts of the buckets from `first` on.
    counts: Vec<u32>,
    first: usize,
    count: u64,
    max: u64,
}

impl<const BITS: u32> LogHistogram<BITS> {
    /// The bucket of a value: buckets are numbered without gaps from value 0 on.
    #[inline]
    fn bucket(value: u64) -> usize {
        let bits = 64 - (value | 1).leading_zeros();
        let shift = bits.saturating_sub(BITS + 1);
        ((shift as usize) << BITS) + (value >> shift) as usize
    }

    /// The middle of a bucket.
    fn middle(bucket: usize) -> u64 {
        let shift = (bucket >> BITS).saturating_sub(1);
        let low = ((bucket - (shift << BITS)) as u64) << shift;
        low + (1u64 << shift) / 2
    }

    /// Counts one value.
    #[inline]
    pub fn record(&mut self, value: u64) {
        let bucket = Self::bucket(value);
        let at = bucket.wrapping_sub(self.first);
        match self.counts.get_mut(at) {
            Some(n) => *n += 1,
            None => self.reach(bucket, 1),
        }
        self.count += 1;
        self.max = self.max.max(value);
    }

    /// Makes buckets up to a new one, in steps of an octave, and adds to it.
    #[cold]
    fn reach(&mut self, bucket: usize, n: u32) {
        let octave = 1usize << BITS;
        let (low, high) = (bucket / octave * octave, (bucket / octave + 1) * octave);
        if self.counts.is_empty() {
            self.first = low;
        }
        if low < self.first {
            self.counts.splice(0..0, std::iter::repeat_n(0, self.first - low));
            self.first = low;
        }
        if high > self.first + self.counts.len() {
            self.counts.resize(high - self.first, 0);
        }
        self.counts[bucket - self.first] += n;
    }

    /// How many values were counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The largest value counted, exactly; 0 when empty.
    pub fn max(&self) -> u64 {
        self.max
    }

    /// The value at rank `floor((n - 1) p)` of the sorted values (0-based), to within the bucket's width; `None` when empty.
    ///
    /// The middle of the bucket is reported, never more than the largest value counted.
    pub fn quantile(&self, p: f64) -> Option<u64> {
        if self.count == 0 {
            return None;
        }
        let rank = ((self.count - 1) as f64 * p.clamp(0.0, 1.0)).floor() as u64;
        let mut seen = 0;
        let at = self.counts.iter().position(|&n| {
            seen += u64::from(n);
            seen > rank
        });
        at.map(|at| Self::middle(self.first + at).min(self.max))
    }

    /// The values at several shares, which grow, each as [`LogHistogram::quantile`] has it, in one pass; none when empty.
    pub fn quantiles(&self, shares: &[f64]) -> Vec<u64> {
        if self.count == 0 {
            return Vec::new();
        }
        let (mut at, mut seen) = (0, self.counts.first().map_or(0, |&n| u64::from(n)));
        let value = |p: &f64| {
            let rank = ((self.count - 1) as f64 * p.clamp(0.0, 1.0)).floor() as u64;
            while seen <= rank && at + 1 < self.counts.len() {
                at += 1;
                seen += u64::from(self.counts[at]);
            }
            Self::middle(self.first + at).min(self.max)
        };
        shares.iter().map(value).collect()
    }

    /// The share of counted values that lie at or below `value`, to within one bucket; `None` when empty.
    pub fn share_at_most(&self, value: u64) -> Option<f64> {
        if self.count == 0 {
            return None;
        }
        let end = (Self::bucket(value) + 1).saturating_sub(self.first).min(self.counts.len());
        let below: u64 = self.counts[..end].iter().map(|&n| u64::from(n)).sum();
        Some(below as f64 / self.count as f64)
    }

    /// Adds another histogram's counts.
    pub fn merge(&mut self, other: &Self) {
        for (at, &n) in other.counts.iter().enumerate().filter(|(_, n)| **n > 0) {
            self.reach(other.first + at, n);
        }
        self.count += other.count;
        self.max = self.max.max(other.max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Seed;

    #[test]
    fn quantiles_stay_within_the_promised_relative_error() {
        let mut h = LogHistogram::<10>::default();
        let mut s = Seed(5).stream("histogram", 0);
        let mut values: Vec<u64> = (0..50_000).map(|_| (s.lognormal(3e8, 1.5)) as u64).collect();
        values.iter().for_each(|&v| h.record(v));
        values.sort_unstable();
        for p in [0.0, 0.01, 0.5, 0.95, 0.99, 0.999, 1.0] {
            let exact = values[((values.len() - 1) as f64 * p).floor() as usize] as f64;
            let got = h.quantile(p).expect("not empty") as f64;
            assert!((got / exact - 1.0).abs() <= 1.0 / 2048.0, "p = {p}: {got} against {exact}");
        }
    }

    #[test]
    fn many_quantiles_are_the_same_as_one_by_one() {
        let mut h = LogHistogram::<5>::default();
        assert_eq!(h.quantiles(&[0.0, 1.0]), Vec::<u64>::new());
        (0..997u64).for_each(|i| h.record(i * i * 17 % 100_003));
        let shares: Vec<f64> = (0..=200).map(|i| f64::from(i) / 200.0).collect();
        let one_by_one: Vec<u64> = shares.iter().filter_map(|&p| h.quantile(p)).collect();
        assert_eq!(h.quantiles(&shares), one_by_one);
    }

    #[test]
    fn small_values_are_exact_and_an_empty_histogram_has_no_quantile() {
        let mut h = LogHistogram::<5>::default();
        assert_eq!(h.quantile(0.5), None);
        (0..10).for_each(|v| h.record(v));
        assert_eq!(h.quantile(0.5), Some(4));
        assert_eq!(h.quantile(1.0), Some(9));
        assert_eq!(h.share_at_most(4), Some(0.5));
    }

    #[test]
    fn merging_equals_recording_together() {
        let (mut a, mut b, mut both) =
            (LogHistogram::<5>::default(), LogHistogram::<5>::default(), LogHistogram::<5>::default());
        for v in (0..4000u64).map(|i| i * i * 31 + 7) {
            if v % 3 == 0 {
                a.record(v)
            } else {
                b.record(v)
            }
            both.record(v);
        }
        a.merge(&b);
        assert_eq!((a.count(), a.max()), (both.count(), both.max()));
        for i in 0..=100 {
            let p = f64::from(i) / 100.0;
            assert_eq!(a.quantile(p), both.quantile(p));
        }
    }
}
