//! A scale of one axis: linear or logarithmic, with the places of its ticks.

use plotters::coord::combinators::{BindKeyPoints as _, WithKeyPoints};
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged};
use plotters::coord::types::RangedCoordf64;

use super::text::{number, power, short};

/// Numbers that span more than this factor get a logarithmic axis.
const DECADES: f64 = 20.0;

/// So do the numbers of an axis, at least three, each of which is at least this many times the one before: they were chosen by
/// factors.
const STEP: f64 = 2.0;

/// A scale of one axis.
#[derive(Debug, Clone)]
pub struct Scale {
    pub logarithmic: bool,
    /// Its ends, as places.
    pub from: f64,
    pub to: f64,
    /// Places of its ticks.
    pub ticks: Vec<f64>,
    /// Where 0 stands on a logarithmic scale that has a place of its own for it, behind a break.
    pub zero: Option<f64>,
}

impl Scale {
    /// Of the numbers on an axis: ticks at the numbers themselves, as far as they do not crowd.
    pub fn of_axis(numbers: &[f64], most: usize) -> Self {
        let mut sorted: Vec<f64> = numbers.iter().copied().filter(|x| x.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        sorted.dedup();
        // A logarithm has no 0: among numbers chosen by factors it gets a place of its own.
        if sorted.first() == Some(&0.0) && sorted.len() > 3 {
            let above = Self::of_axis(&sorted[1..], most);
            if above.logarithmic {
                return above.with_zero(most);
            }
        }
        let (low, high) = ends(sorted.iter().copied());
        let by_factors = sorted.len() > 2 && sorted.windows(2).all(|pair| pair[1] >= STEP * pair[0]);
        let logarithmic = low > 0.0 && (by_factors || high / low > DECADES);
        let place = |x: f64| if logarithmic { libm::log10(x) } else { x };
        let (from, to) = (place(low), place(high));
        let pad = if to > from { (to - from) * 0.03 } else { 0.5 };
        let mut ticks: Vec<f64> = Vec::new();
        for x in sorted.into_iter().map(place) {
            if ticks.last().is_none_or(|last| x - last >= (to - from) / most as f64) {
                ticks.push(x);
            }
        }
        Self { logarithmic, from: from - pad, to: to + pad, ticks, zero: None }
    }

    /// The same with a place for 0 before its first number, as far from it as two ticks have to be, at least a tenth of the scale.
    fn with_zero(self, most: usize) -> Self {
        let Some(&first) = self.ticks.first() else { return self };
        let pad = first - self.from;
        let zero = first - (self.to - self.from) * (1.0 / most.max(1) as f64).max(0.1);
        let ticks = [zero].into_iter().chain(self.ticks).collect();
        Self { from: zero - pad, ticks, zero: Some(zero), ..self }
    }

    /// Of figures: from 0, or logarithmic if they span much.
    pub fn of_figures(figures: &[f64]) -> Self {
        let (low, high) = ends(figures.iter().copied());
        if low > 0.0 && high / low > DECADES {
            return Self::of_decades(low, high);
        }
        let (from, to) = (low.min(0.0), high.max(0.0));
        let to = if to > from { to } else { from + 1.0 };
        Self::linear(from, to + (to - from) * 0.05, 6)
    }

    /// A logarithmic scale of numbers above 0.
    pub fn of_decades(low: f64, high: f64) -> Self {
        let (from, to) = (libm::log10(low), libm::log10(high));
        let pad = if to > from { (to - from) * 0.06 } else { 0.5 };
        let decades = (from - pad).ceil() as i32..=(to + pad).floor() as i32;
        let mut ticks: Vec<f64> = decades.map(f64::from).collect();
        if ticks.len() < 3 {
            let halves = |d: &f64| [*d - 0.522_878_745, *d, *d + 0.477_121_255];
            ticks = ticks.iter().flat_map(halves).filter(|t| *t >= from - pad && *t <= to + pad).collect();
            ticks.sort_by(f64::total_cmp);
            ticks.dedup_by(|a, b| (*a - *b).abs() < 1e-6);
        }
        Self { logarithmic: true, from: from - pad, to: to + pad, ticks, zero: None }
    }

    /// A linear scale with these ends and about so many ticks.
    pub fn linear(from: f64, to: f64, ticks: usize) -> Self {
        // Sums of steps miss 0 by a rounding.
        let exact = |x: f64| if x.abs() < 1e-9 * (to - from) { 0.0 } else { x };
        let ticks = RangedCoordf64::from(from..to).key_points(ticks).into_iter().map(exact).collect();
        Self { logarithmic: false, from, to, ticks, zero: None }
    }

    /// The same with room below what is negative, so that marks there are whole.
    pub fn with_foot(self) -> Self {
        if self.logarithmic || self.from >= 0.0 {
            return self;
        }
        Self::linear(self.from - 0.05 * (self.to - self.from), self.to, 6)
    }

    /// Of figures that are compared with each other: tight around what there is, or logarithmic if they span much.
    pub fn around(figures: &[f64]) -> Self {
        let (low, high) = ends(figures.iter().copied());
        if !(low.is_finite() && high.is_finite()) {
            return Self::linear(0.0, 1.0, 6);
        }
        if low > 0.0 && high / low > DECADES {
            return Self::of_decades(low, high);
        }
        let pad = if high > low { (high - low) * 0.06 } else { (low.abs() * 0.05).max(f64::MIN_POSITIVE * 1e20) };
        Self::linear(low - pad, high + pad, 6)
    }

    /// Of times in hours or days from 0: ticks at whole multiples that people count in.
    pub fn of_time(end: f64, most: f64) -> Self {
        const STEPS: [f64; 16] =
            [0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 6.0, 12.0, 24.0, 7.0, 14.0, 28.0, 56.0, 112.0, 224.0, 448.0];
        let mut steps = STEPS.to_vec();
        steps.sort_by(f64::total_cmp);
        let step = steps.into_iter().find(|s| end / s <= most).unwrap_or_else(|| {
            let rough = end / most;
            libm::pow(10.0, libm::ceil(libm::log10(rough.max(f64::MIN_POSITIVE))))
        });
        let ticks = (0..).map(|i| f64::from(i) * step).take_while(|t| *t <= end * (1.0 + 1e-9)).collect();
        Self { logarithmic: false, from: 0.0, to: if end > 0.0 { end } else { 1.0 }, ticks, zero: None }
    }

    pub fn place(&self, x: f64) -> f64 {
        match self.zero {
            Some(zero) if x == 0.0 => zero,
            _ if self.logarithmic => libm::log10(x),
            _ => x,
        }
    }

    pub fn text(&self, place: f64) -> String {
        short(if self.zero == Some(place) {
            0.0
        } else if self.logarithmic {
            libm::pow(10.0, place)
        } else {
            place
        })
    }

    /// How far along a number is, from 0 to 1; outside of the scale and undefined where it is.
    pub fn share(&self, x: f64) -> f64 {
        (self.place(x) - self.from) / (self.to - self.from)
    }

    /// The ticks' texts, and the power of ten that all are to be multiplied with.
    pub fn texts(&self) -> (Vec<String>, i32) {
        if self.logarithmic {
            let whole = |t: &f64| (t - t.round()).abs() < 1e-6;
            let above = |t: &&f64| self.zero != Some(**t);
            let plain = self.ticks.iter().filter(above).all(|t| (-2.01..4.0).contains(t));
            let text = |t: &f64| {
                if !above(&t) {
                    return "0".to_owned();
                }
                let x = libm::pow(10.0, *t);
                if !plain && whole(t) { power(t.round() as i32) } else { number(x) }
            };
            return (self.ticks.iter().map(text).collect(), 0);
        }
        let largest = self.ticks.iter().map(|t| t.abs()).fold(0.0, f64::max);
        let magnitude = if largest > 0.0 { libm::floor(libm::log10(largest)) as i32 } else { 0 };
        let exponent = if (-2..5).contains(&magnitude) { 0 } else { magnitude.div_euclid(3) * 3 };
        // As many digits as tell neighbours apart.
        let scaled: Vec<f64> = self.ticks.iter().map(|t| t / libm::pow(10.0, f64::from(exponent))).collect();
        let gap = scaled.windows(2).map(|w| w[1] - w[0]).filter(|g| *g > 0.0).fold(f64::INFINITY, f64::min);
        let gap = if gap.is_finite() { gap } else { 1.0 };
        let decimals = (0..9).find(|d| {
            let unit = libm::pow(10.0, f64::from(*d));
            scaled.iter().all(|x| (x * unit - (x * unit).round()).abs() < 1e-3 * gap * unit)
        });
        let decimals = decimals.unwrap_or_else(|| (1 - libm::floor(libm::log10(gap)) as i32).clamp(0, 9)) as usize;
        let text = |x: f64| {
            let text = format!("{x:.decimals$}");
            if text.trim_matches(['-', '0', '.']).is_empty() { "0".to_owned() } else { text.replace('-', "−") }
        };
        (scaled.into_iter().map(text).collect(), exponent)
    }

    pub fn coordinates(&self) -> Ticked {
        Ticked((self.from..self.to).with_key_points(self.ticks.clone()))
    }
}

/// A range whose ticks are given.
pub struct Ticked(WithKeyPoints<RangedCoordf64>);

impl Ranged for Ticked {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        self.0.map(value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.0.key_points(hint) }
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.0.range()
    }
}

impl plotters::coord::ranged1d::ValueFormatter<f64> for Ticked {
    fn format(value: &f64) -> String {
        short(*value)
    }
}

/// The smallest and the largest of numbers; what is not finite does not count.
pub fn ends(numbers: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite = numbers.filter(|x| x.is_finite());
    finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_begin_at_zero_and_wide_ones_are_logarithmic() {
        let s = Scale::of_figures(&[2.0, 10.0]);
        assert!(!s.logarithmic && s.from == 0.0 && s.to > 10.0);
        let s = Scale::of_figures(&[0.01, 100.0]);
        assert!(s.logarithmic && s.ticks.contains(&0.0), "{s:?}");
        assert!(!Scale::of_figures(&[-1.0, 100.0]).logarithmic);
        assert_eq!(Scale::of_axis(&[1.0, 2.0, 4.0, 8.0], 10).ticks.len(), 4);
    }

    #[test]
    fn zero_among_numbers_chosen_by_factors_has_a_place_of_its_own() {
        let s = Scale::of_axis(&[600.0, 0.0, 10.0, 60.0, 1800.0, 3600.0], 10);
        let zero = s.zero.expect("a place for 0");
        assert!(s.logarithmic && s.from < zero && zero < s.place(10.0) - 0.1, "{s:?}");
        assert_eq!((s.place(0.0), s.place(10.0)), (zero, 1.0));
        assert_eq!(s.texts().0[..3], ["0", "10", "60"]);
        assert_eq!(s.text(zero), "0");
        // No two of its numbers crowd: on a linear axis 0 and 10 were a 360th of it apart.
        let places: Vec<f64> = [0.0, 10.0, 60.0, 600.0, 1800.0, 3600.0].map(|x| s.share(x)).to_vec();
        assert!(places.windows(2).all(|p| p[1] - p[0] > 0.05), "{places:?}");
        // Numbers at equal distances stay linear, and what is below 0 has no logarithm.
        for linear in [&[0.0, 1.0, 2.0, 3.0, 4.0][..], &[-10.0, 0.0, 10.0, 100.0, 1000.0], &[0.0, 5.0]] {
            let s = Scale::of_axis(linear, 10);
            assert!(!s.logarithmic && s.zero.is_none(), "{linear:?}");
        }
    }

    #[test]
    fn two_figures_against_each_other_have_tight_scales() {
        let s = Scale::around(&[1.0, 3.0]);
        assert!(!s.logarithmic && s.from > 0.8 && s.to < 3.2, "{s:?}");
        assert!(Scale::around(&[1.0, 30.0]).logarithmic);
    }

    #[test]
    fn ticks_say_their_numbers_with_the_digits_that_differ() {
        let texts = |from, to| Scale::linear(from, to, 6).texts();
        assert_eq!(texts(0.0, 1.0).0[..2], ["0", "0.2"]);
        let (large, exponent) = texts(0.0, 5e6);
        assert_eq!((large[1].as_str(), exponent), ("1", 6));
        let (small, exponent) = texts(-4e-5, 4e-5);
        assert!(exponent == -6 && small.iter().any(|t| t == "−20"), "{small:?} {exponent}");
        let (close, _) = texts(100.001, 100.005);
        let mut unique = close.clone();
        unique.dedup();
        assert_eq!(close, unique);
        assert_eq!(Scale::of_decades(1e-6, 1e2).texts().0[0], "10⁻⁶");
    }

    #[test]
    fn nothing_and_one_number_make_a_scale_too() {
        for figures in [&[][..], &[f64::NAN], &[3.0], &[0.0], &[-2.0]] {
            for s in [Scale::of_figures(figures), Scale::around(figures)] {
                assert!(s.from < s.to && s.from.is_finite() && s.to.is_finite(), "{figures:?}: {s:?}");
            }
        }
    }

    #[test]
    fn time_is_counted_in_hours_and_days_that_people_use() {
        assert_eq!(Scale::of_time(24.0, 8.0).ticks, [0.0, 3.0, 6.0, 9.0, 12.0, 15.0, 18.0, 21.0, 24.0]);
        assert_eq!(Scale::of_time(365.0, 8.0).ticks[1], 56.0);
        assert!(Scale::of_time(0.0, 8.0).to > 0.0);
    }
}
