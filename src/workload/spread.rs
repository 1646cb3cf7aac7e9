//! Spreading: turns the number of calls in a minute into their times within that minute.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::types::Stream;

/// The length of the interval that a count describes in ns.
pub const MINUTE_NS: u64 = 60_000_000_000;
/// Seconds in a minute: the cells over which [`Spread::Clustered`] distributes calls.
const SECONDS: u64 = 60;
/// Variance-to-mean ratio of per-second counts when n calls fall independently on 60 seconds: 1 - 1/60.
const MULTINOMIAL_IOD: f64 = 59.0 / 60.0;

/// How the calls of one minute and one function are placed within that minute.
///
/// Minute counts say nothing about what happens inside a minute, so this is an assumption whose effect should be
/// reported by running several modes. Every mode keeps the count exactly, except `poisson`, which draws it anew.
///
/// Source: the modes of the vHive "invitro" loader without its artificial burst at second 0, and a clustered mode,
/// because every memoryless mode understates bursts (measured on the Azure LLM 2023 code trace: index of dispersion
/// 13.2 in reality, 3.7 after uniform spreading).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Spread {
    /// Each call at an independent uniform time: a Poisson process given its count. The default.
    Uniform {},
    /// The count n is drawn anew from a Poisson distribution with mean n, then placed as in `uniform`.
    /// Does NOT keep the counts of the trace; minutes without calls stay empty.
    Poisson {},
    /// Equal gaps of 60/n seconds with a random phase in each minute: the smoothest traffic.
    Equidistant {},
    /// Every call at second 0 of its minute: the burstiest traffic, and all functions in step.
    Start {},
    /// Calls crowd into few seconds until the per-second counts have the given index of dispersion.
    ///
    /// Formula: the per-second counts of a minute with n calls are Dirichlet-multinomial (negative binomial given
    /// their sum) over 60 seconds with total concentration A, hence their variance-to-mean ratio is
    /// (59/60) (n + A) / (1 + A). Solved for the wanted ratio D: A = (59/60 n - D) / (D - 59/60).
    /// Sampled exactly by a Pólya urn: call i (from 0) opens a uniform new second with probability A / (A + i) and
    /// otherwise joins the second of a uniformly chosen earlier call; inside its second a call's time is uniform.
    ///
    /// Limits: n calls can reach at most (59/60) n, all in one second; a larger D gives just that (A = 0), so minutes
    /// with few calls stay below D. D is that of each function by itself: a sum of independent functions has the mean
    /// of their D weighted by rate. Crowded seconds are scattered, not adjacent.
    Clustered {
        /// Wanted variance/mean of the per-second counts of one function within a minute. [at least 1]
        #[schemars(range(min = 1.0))]
        iod: f64,
    },
}

impl Default for Spread {
    fn default() -> Self {
        Spread::Uniform {}
    }
}

impl Spread {
    /// The name used in scenarios and notes.
    pub fn name(&self) -> &'static str {
        match self {
            Spread::Uniform {} => "uniform",
            Spread::Poisson {} => "poisson",
            Spread::Equidistant {} => "equidistant",
            Spread::Start {} => "start",
            Spread::Clustered { .. } => "clustered",
        }
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// What is wrong and what to do about it, when `iod` is below 1 or not finite.
    pub fn check(&self) -> Result<(), (String, String)> {
        match self {
            Spread::Clustered { iod } if !(iod.is_finite() && *iod >= 1.0) => Err((
                format!("spread.clustered.iod is {iod}, but must be a finite number of at least 1"),
                "1 is as random as a Poisson process; for more regular traffic use spread.equidistant".into(),
            )),
            _ => Ok(()),
        }
    }

    /// Replaces the content of `offsets` by the times of the calls of a minute that the trace counts as `n` calls
    /// [ns since the minute's start], ascending, each below [`MINUTE_NS`].
    pub fn place(&self, n: u32, stream: &mut Stream, offsets: &mut Vec<u64>) {
        offsets.clear();
        if n == 0 {
            return;
        }
        match self {
            Spread::Uniform {} => uniform(u64::from(n), stream, offsets),
            Spread::Poisson {} => {
                let redrawn = stream.poisson(f64::from(n));
                uniform(redrawn, stream, offsets);
            }
            Spread::Equidistant {} => regular(n, stream.uniform() / f64::from(n), offsets),
            Spread::Start {} => offsets.resize(n as usize, 0),
            Spread::Clustered { iod } => clustered(n, *iod, stream, offsets),
        }
        offsets.sort_unstable();
    }
}

/// Replaces the content of `offsets` by `n` times with gaps of 60/n seconds, one of them at `phase` (a share of the
/// minute in 0..1) [ns since the minute's start], ascending.
pub fn place_regularly(n: u32, phase: f64, offsets: &mut Vec<u64>) {
    offsets.clear();
    regular(n, phase, offsets);
    offsets.sort_unstable();
}

/// A share of a minute in nanoseconds, always inside the minute.
fn nanos(share: f64) -> u64 {
    ((share * MINUTE_NS as f64) as u64).min(MINUTE_NS - 1)
}

fn uniform(n: u64, stream: &mut Stream, offsets: &mut Vec<u64>) {
    offsets.extend((0..n).map(|_| nanos(stream.uniform())));
}

fn regular(n: u32, phase: f64, offsets: &mut Vec<u64>) {
    offsets.extend((0..n).map(|i| {
        let share = phase + f64::from(i) / f64::from(n);
        nanos(if share < 1.0 { share } else { share - 1.0 })
    }));
}

/// The total concentration of the Dirichlet-multinomial that gives `n` calls the index of dispersion `iod`:
/// 0 (all calls in one second) if `n` is too small for it.
fn concentration(n: u32, iod: f64) -> f64 {
    ((MULTINOMIAL_IOD * f64::from(n) - iod) / (iod - MULTINOMIAL_IOD)).max(0.0)
}

fn clustered(n: u32, iod: f64, stream: &mut Stream, offsets: &mut Vec<u64>) {
    const SECOND_NS: u64 = MINUTE_NS / SECONDS;
    let a = concentration(n, iod);
    for i in 0..n {
        let opens_second = i == 0 || stream.uniform() * (a + f64::from(i)) < a;
        let second =
            if opens_second { stream.below(SECONDS) } else { offsets[stream.below(u64::from(i)) as usize] / SECOND_NS };
        offsets.push(second * SECOND_NS + stream.below(SECOND_NS));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Seed;

    fn place(spread: &Spread, n: u32, entity: u64) -> Vec<u64> {
        let mut offsets = vec![7];
        spread.place(n, &mut Seed(11).stream("spread", entity), &mut offsets);
        offsets
    }

    const COUNTING: [Spread; 5] = [
        Spread::Uniform {},
        Spread::Equidistant {},
        Spread::Start {},
        Spread::Clustered { iod: 1.0 },
        Spread::Clustered { iod: 20.0 },
    ];

    #[test]
    fn every_mode_but_poisson_keeps_the_count_and_stays_in_the_minute_in_order() {
        for spread in COUNTING {
            for n in [0, 1, 2, 59, 60, 61, 1000] {
                let offsets = place(&spread, n, u64::from(n));
                assert_eq!(offsets.len(), n as usize, "{spread:?}");
                assert!(offsets.iter().all(|t| *t < MINUTE_NS), "{spread:?}");
                assert!(offsets.is_sorted(), "{spread:?}");
            }
        }
    }

    #[test]
    fn poisson_redraws_the_count_around_its_mean_and_leaves_empty_minutes_empty() {
        let runs = 20_000_u32;
        let counts: Vec<f64> = (0..runs).map(|i| place(&Spread::Poisson {}, 9, i.into()).len() as f64).collect();
        let mean = counts.iter().sum::<f64>() / f64::from(runs);
        let variance = counts.iter().map(|c| (c - mean) * (c - mean)).sum::<f64>() / f64::from(runs);
        assert!((mean - 9.0).abs() < 4.0 * (9.0 / f64::from(runs)).sqrt(), "mean {mean}");
        assert!((variance / 9.0 - 1.0).abs() < 0.05, "variance {variance}");
        assert!(place(&Spread::Poisson {}, 0, 1).is_empty());
    }

    #[test]
    fn uniform_times_pass_a_kolmogorov_smirnov_test() {
        let n = 100_000;
        let offsets = place(&Spread::Uniform {}, n, 1);
        let d = offsets.iter().enumerate().fold(0.0_f64, |d, (i, t)| {
            let u = *t as f64 / MINUTE_NS as f64;
            d.max((u - i as f64 / f64::from(n)).abs()).max((u - (i + 1) as f64 / f64::from(n)).abs())
        });
        assert!(d < 1.63 / f64::from(n).sqrt(), "KS distance {d}, critical value at 1 % exceeded");
    }

    #[test]
    fn equidistant_gaps_are_equal_and_the_phase_is_random() {
        let offsets = place(&Spread::Equidistant {}, 8, 1);
        assert!(offsets.windows(2).all(|w| (w[1] - w[0]).abs_diff(MINUTE_NS / 8) <= 1));
        assert!(offsets[0] < MINUTE_NS / 8);
        assert_ne!(offsets[0], place(&Spread::Equidistant {}, 8, 2)[0]);
    }

    #[test]
    fn start_puts_every_call_on_second_zero() {
        assert_eq!(place(&Spread::Start {}, 3, 1), [0, 0, 0]);
    }

    #[test]
    fn a_regular_phase_is_kept_and_wraps_around_the_minute() {
        let mut offsets = Vec::new();
        place_regularly(1, 0.25, &mut offsets);
        assert_eq!(offsets, [MINUTE_NS / 4]);
        place_regularly(2, 0.75, &mut offsets);
        assert_eq!(offsets, [MINUTE_NS / 4, MINUTE_NS * 3 / 4]);
    }

    /// Mean and standard error, over minutes of `n` calls, of the index of dispersion of the 60 per-second counts.
    fn realised_iod(n: u32, iod: f64, minutes: u32) -> (f64, f64) {
        let mean = f64::from(n) / 60.0;
        let per_minute: Vec<f64> = (0..minutes)
            .map(|m| {
                let mut seconds = [0.0; 60];
                for t in place(&Spread::Clustered { iod }, n, u64::from(m)) {
                    seconds[(t / (MINUTE_NS / 60)) as usize] += 1.0;
                }
                seconds.iter().map(|c| (c - mean) * (c - mean)).sum::<f64>() / 60.0 / mean
            })
            .collect();
        let average = per_minute.iter().sum::<f64>() / f64::from(minutes);
        let variance = per_minute.iter().map(|x| (x - average) * (x - average)).sum::<f64>() / f64::from(minutes - 1);
        (average, (variance / f64::from(minutes)).sqrt())
    }

    #[test]
    fn clustered_calls_have_the_wanted_index_of_dispersion() {
        for (n, iod) in [(600, 1.0), (600, 3.7), (600, 13.2), (60, 5.0), (12, 2.0), (5000, 50.0)] {
            let (realised, error) = realised_iod(n, iod, 2000);
            assert!((realised - iod).abs() < 4.0 * error, "n {n}, iod {iod}: {realised} +- {error}");
            assert!(error < 0.02 * iod, "n {n}, iod {iod}: error {error} is too large to tell");
        }
    }

    #[test]
    fn a_minute_too_small_for_the_wanted_dispersion_puts_all_calls_in_one_random_second() {
        let seconds = |entity| -> Vec<u64> {
            let offsets = place(&Spread::Clustered { iod: 10.0 }, 4, entity);
            offsets.iter().map(|t| t / (MINUTE_NS / 60)).collect()
        };
        assert!((0..50).all(|e| seconds(e).iter().all(|s| *s == seconds(e)[0])));
        assert!((0..50).any(|e| seconds(e)[0] != seconds(0)[0]));
    }

    #[test]
    fn first_offsets_of_every_mode_never_change() {
        let firsts: Vec<u64> =
            COUNTING.iter().chain(&[Spread::Poisson {}]).map(|spread| place(spread, 5, 3)[2]).collect();
        assert_eq!(firsts, GOLDEN);
    }
    const GOLDEN: [u64; 6] = [36_441_175_867, 27_591_517_735, 0, 27_066_458_193, 17_570_091_733, 37_651_402_638];

    #[derive(Debug, Deserialize)]
    struct Holder {
        spread: Spread,
    }

    #[test]
    fn a_spread_is_a_table_named_by_its_mode_and_rejects_stray_keys() {
        let parse = |text: &str| toml::from_str::<Holder>(text).map(|h| h.spread);
        assert_eq!(parse("[spread.uniform]"), Ok(Spread::Uniform {}));
        assert_eq!(parse("[spread.clustered]\niod = 4.0"), Ok(Spread::Clustered { iod: 4.0 }));
        assert!(parse("[spread.uniform]\niod = 4.0").is_err());
        assert!(parse("[spread.clustered]").is_err());
        assert!(parse("[spread.Uniform]").is_err());
    }

    #[test]
    fn an_index_of_dispersion_below_one_is_refused_with_a_remedy() {
        for iod in [0.5, -1.0, f64::NAN, f64::INFINITY] {
            let (what, help) = Spread::Clustered { iod }.check().expect_err("iod is out of range");
            assert!(what.contains("iod") && help.contains("equidistant"), "{what} {help}");
        }
        assert!(Spread::Clustered { iod: 1.0 }.check().is_ok());
    }
}
