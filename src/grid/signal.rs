//! A carbon-intensity signal: a step function of simulated time with an explicit end, integrated through prefix sums.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{GridError, Step};
use crate::types::{Duration, GramsPerKwh, SimTime};

const NANOS_PER_SEC: f64 = 1e9;
const DAY_NS: i64 = 86_400_000_000_000;
/// A start must beat the best one by this share to count as lower: far above the rounding of prefix sums, far below any
/// difference that means something.
pub(in crate::grid) const TIE: f64 = 1e-9;

/// Which generators a value describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SignalKind {
    /// Grams per kilowatt-hour of the whole mix.
    Average,
    /// Grams per additional kilowatt-hour. Never mixed with averages in one signal.
    Marginal,
}

impl SignalKind {
    /// The kind's name, for tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Average => "average",
            Self::Marginal => "marginal",
        }
    }
}

/// What lies past the end of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PastEnd {
    /// Refuse to build a signal that is shorter than the run.
    #[default]
    Error,
    /// The last whole days of the data again and again, so that the hour of the day stays right (weekdays may shift);
    /// data shorter than a day repeats whole.
    Repeat,
    /// The last value for ever.
    Hold,
}

/// What a signal's numbers are and where they come from. Written into every result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignalInfo {
    /// The provider's code of the grid zone, or the scenario's label.
    pub zone: String,
    /// Who published the numbers, or how they were made.
    pub source: String,
    /// Under which terms they may be used.
    pub licence: String,
    /// Average or marginal.
    pub kind: SignalKind,
    /// Emission factors: direct or life cycle, and whose.
    pub factor_basis: String,
    /// Production or consumption mix (imports counted or not).
    pub boundary: String,
    /// Year, export or vintage of the data.
    pub dataset_version: String,
    /// Most common interval length \[s\]; set by [`Signal::new`].
    pub step_s: f64,
    /// Drawn or averaged rather than observed.
    pub synthetic: bool,
    /// Root seed of a synthetic signal, where it uses one.
    pub seed: Option<u64>,
    /// SHA-256 of the file behind the signal, in hexadecimal.
    pub sha256: Option<String>,
}

/// Carbon intensity [gCO2e/kWh] over simulated time: a step function on `[first start, end]`. Cheap to clone.
///
/// Formula: I(t) = value of the interval that holds t (closed on the left); C(t) = ∫ I from the run's start to t
/// [g/kWh · s], precomputed at every breakpoint. At the very end the last value holds, so that an event at the run's last
/// instant can be priced.
/// Errors: rounding only; after a year at 500 g/kWh one step of C is 2e-6 g/kWh · s, so differences of C over a millisecond
/// are right to 4e-6 of themselves, over an hour to 1e-12.
///
/// ```
/// use slackwater::grid::Signal;
/// use slackwater::types::{GramsPerKwh, SimTime};
/// let signal = Signal::constant("DE", 400.0).unwrap();
/// assert_eq!(signal.at(SimTime(7)), GramsPerKwh(400.0));
/// assert_eq!(signal.integral(SimTime::ZERO, SimTime::from_secs_f64(10.0)), 4000.0);
/// ```
#[derive(Debug, Clone)]
pub struct Signal {
    info: Arc<SignalInfo>,
    points: Arc<Points>,
    step_ns: u64,
    extended: Option<(PastEnd, SimTime)>,
}

/// The numbers of a signal, shared between its clones and cursors.
#[derive(Debug)]
pub(in crate::grid) struct Points {
    zone: String,
    /// Interval starts and, last, the end [ns from the run's start].
    bounds: Vec<i64>,
    /// One value per interval [g/kWh].
    values: Vec<f64>,
    /// C at every bound [g/kWh · s]: zero at the run's start, negative before.
    cumulative: Vec<f64>,
    /// Interval length where all are equal \[ns\], else 0.
    uniform_ns: i64,
}

/// Seconds of a span in nanoseconds.
#[inline]
pub(in crate::grid) fn secs(ns: i64) -> f64 {
    ns as f64 / NANOS_PER_SEC
}

/// Simulated time as a signed offset; later than the 292 years of `i64` becomes the latest.
#[inline]
pub(in crate::grid) fn offset(t: SimTime) -> i64 {
    i64::try_from(t.0).unwrap_or(i64::MAX)
}

impl Points {
    /// Interval starts with, last, the end, and a value each. Bounds increase and the run's start lies inside; values are finite.
    pub(in crate::grid) fn new(zone: String, bounds: Vec<i64>, values: Vec<f64>) -> Self {
        let step_ns = bounds[1] - bounds[0];
        let uniform = bounds.windows(2).all(|w| w[1] - w[0] == step_ns);
        let cumulative = cumulate(&bounds, &values);
        Points { zone, bounds, values, cumulative, uniform_ns: if uniform { step_ns } else { 0 } }
    }

    /// Interval starts and, last, the end.
    pub(in crate::grid) fn bounds(&self) -> &[i64] {
        &self.bounds
    }

    /// One value per interval.
    pub(in crate::grid) fn values(&self) -> &[f64] {
        &self.values
    }

    /// Other values at the same times.
    pub(in crate::grid) fn with_values(&self, values: Vec<f64>) -> Self {
        Points::new(self.zone.clone(), self.bounds.clone(), values)
    }

    fn len(&self) -> usize {
        self.values.len()
    }

    pub(in crate::grid) fn end(&self) -> i64 {
        self.bounds[self.len()]
    }

    /// The interval that holds `t`; the last one for the end itself. Panics past the end.
    #[inline]
    pub(in crate::grid) fn index(&self, t: i64) -> usize {
        if t >= self.end() {
            assert!(
                t == self.end(),
                "carbon intensity of zone {} asked at {} s, past its end at {} s: build the signal for a longer horizon",
                self.zone,
                secs(t),
                secs(self.end())
            );
            return self.len() - 1;
        }
        if self.uniform_ns > 0 {
            ((t - self.bounds[0]) / self.uniform_ns) as usize
        } else {
            self.bounds.partition_point(|&b| b <= t) - 1
        }
    }

    /// Integral over `[from, to]` [g/kWh · s], `i` and `j` being the intervals of its ends.
    #[inline]
    pub(in crate::grid) fn window(&self, from: i64, i: usize, to: i64, j: usize) -> f64 {
        if i == j {
            return self.values[i] * secs(to - from);
        }
        // Whole intervals through the prefix sums, the ends by themselves: short windows lose no digits to cancellation.
        self.values[i] * secs(self.bounds[i + 1] - from)
            + (self.cumulative[j] - self.cumulative[i + 1])
            + self.values[j] * secs(to - self.bounds[j])
    }
}

impl Signal {
    /// A signal from interval starts [ns from the run's start, the first at or before 0], one value per interval
    /// [g/kWh] and the end of the last interval \[ns\].
    ///
    /// Errors: no or unequally many starts and values, starts that do not increase, values that are negative or not
    /// finite, a span without the run's start.
    pub fn new(mut info: SignalInfo, starts: Vec<i64>, values: Vec<f64>, end: i64) -> Result<Self, GridError> {
        let zone = info.zone.clone();
        if starts.len() != values.len() || values.is_empty() {
            return Err(GridError::Shape { zone, starts: starts.len(), values: values.len() });
        }
        let mut bounds = starts;
        bounds.push(end);
        if let Some(index) = bounds.windows(2).position(|w| w[0] >= w[1]) {
            return Err(GridError::NotIncreasing { zone, index });
        }
        if let Some(index) = values.iter().position(|v| !(v.is_finite() && *v >= 0.0)) {
            return Err(GridError::BadValue { zone, index, value: values[index] });
        }
        if bounds[0] > 0 || end <= 0 {
            let place = |ns| format!("{} s", secs(ns));
            return Err(GridError::StartNotCovered {
                zone,
                first: place(bounds[0]),
                end: place(end),
                run_start: place(0),
            });
        }
        if bounds[0].checked_add(i64::MAX).is_some_and(|furthest| end > furthest) {
            return Err(GridError::SpanTooLong { zone, what: "more than 292 years".into() });
        }
        let step_ns = most_common_step(&bounds);
        info.step_s = step_ns as f64 / NANOS_PER_SEC;
        let points = Points::new(zone, bounds, values);
        Ok(Signal { info: Arc::new(info), points: Arc::new(points), step_ns, extended: None })
    }

    /// The same intensity [g/kWh] for 292 years.
    ///
    /// Errors: a value that is negative or not finite.
    pub fn constant(zone: &str, g_per_kwh: f64) -> Result<Self, GridError> {
        let info = SignalInfo {
            zone: zone.into(),
            source: "constant".into(),
            licence: "none needed".into(),
            kind: SignalKind::Average,
            factor_basis: "not stated".into(),
            boundary: "not stated".into(),
            dataset_version: "none".into(),
            step_s: 0.0,
            synthetic: true,
            seed: None,
            sha256: None,
        };
        Signal::new(info, vec![0], vec![g_per_kwh], i64::MAX)
    }

    /// The same numbers, said to be something else.
    #[must_use]
    pub fn with_info(mut self, change: impl FnOnce(&mut SignalInfo)) -> Self {
        change(Arc::make_mut(&mut self.info));
        self
    }

    /// What the numbers are.
    pub fn info(&self) -> &SignalInfo {
        &self.info
    }

    /// How and from when on the data were continued by [`Signal::extend_to`], if they were.
    pub fn extended(&self) -> Option<(PastEnd, SimTime)> {
        self.extended
    }

    /// The last covered instant.
    pub fn end(&self) -> SimTime {
        SimTime(self.points.end() as u64)
    }

    /// Whether the signal reaches `to`.
    pub fn covers(&self, to: SimTime) -> bool {
        to <= self.end()
    }

    /// The most common interval length \[ns\], the shortest among equals.
    pub fn step_ns(&self) -> u64 {
        self.step_ns
    }

    /// The numbers alone.
    pub(in crate::grid) fn points(&self) -> &Arc<Points> {
        &self.points
    }

    /// The time-weighted mean of all that the signal covers, before the run's start too [g/kWh].
    pub fn overall_mean(&self) -> f64 {
        let p = &self.points;
        (p.cumulative[p.len()] - p.cumulative[0]) / secs(p.end() - p.bounds[0])
    }

    /// The intervals in order: start and end [ns from the run's start] and value [g/kWh].
    pub fn intervals(&self) -> impl Iterator<Item = (i64, i64, GramsPerKwh)> + '_ {
        let p = &self.points;
        (0..p.len()).map(|i| (p.bounds[i], p.bounds[i + 1], GramsPerKwh(p.values[i])))
    }

    /// The intervals that touch `[from, to]` [ns from the run's start], as [`Signal::intervals`] gives them.
    pub fn intervals_between(&self, from: i64, to: i64) -> impl Iterator<Item = (i64, i64, GramsPerKwh)> + '_ {
        let p = &self.points;
        let first = p.bounds.partition_point(|&b| b <= from).saturating_sub(1).min(p.len() - 1);
        let after = p.bounds.partition_point(|&b| b <= to).clamp(first + 1, p.len());
        (first..after).map(|i| (p.bounds[i], p.bounds[i + 1], GramsPerKwh(p.values[i])))
    }

    /// The interval that holds `t`, cut off at the run's start. Panics past the end.
    pub fn step_at(&self, t: SimTime) -> Step {
        let p = &self.points;
        let i = p.index(offset(t));
        let at = |ns: i64| SimTime(ns.max(0) as u64);
        Step { from: at(p.bounds[i]), to: at(p.bounds[i + 1]), g_per_kwh: p.values[i] }
    }

    /// Appends the intervals of `[from, to)`, cut off at both ends. Panics past the end.
    pub fn steps(&self, from: SimTime, to: SimTime, steps: &mut Vec<Step>) {
        if from >= to {
            return;
        }
        let p = &self.points;
        for i in p.index(offset(from))..p.len() {
            let begins = from.max(SimTime(p.bounds[i].max(0) as u64));
            let ends = to.min(SimTime(p.bounds[i + 1].max(0) as u64));
            if begins >= to {
                return;
            }
            steps.push(Step { from: begins, to: ends, g_per_kwh: p.values[i] });
        }
    }

    /// The first change after the run's start that is not at the edge of a bin of `step`; then means over bins are not exact.
    pub fn change_inside(&self, step: Duration) -> Option<SimTime> {
        let mut starts = self.intervals().map(|(from, _, _)| from).filter(|&from| from > 0);
        starts.find(|&from| !(from as u64).is_multiple_of(step.0)).map(|from| SimTime(from as u64))
    }

    /// The intensity at `t` [g/kWh]. Panics past the end.
    #[inline]
    pub fn at(&self, t: SimTime) -> GramsPerKwh {
        GramsPerKwh(self.points.values[self.points.index(offset(t))])
    }

    /// The integral over `[from, to]` [g/kWh · s]. Panics past the end, and when `to` is before `from`.
    pub fn integral(&self, from: SimTime, to: SimTime) -> f64 {
        assert!(from <= to, "integral runs backwards: {} s to {} s", from.as_secs_f64(), to.as_secs_f64());
        let (from, to) = (offset(from), offset(to));
        self.points.window(from, self.points.index(from), to, self.points.index(to))
    }

    /// The time-weighted mean over `[from, to]` [g/kWh]; the intensity at `from` when both are equal.
    /// Panics past the end, and when `to` is before `from`.
    pub fn mean(&self, from: SimTime, to: SimTime) -> GramsPerKwh {
        let (i, j) = (self.points.index(offset(from)), self.points.index(offset(to)));
        if i == j && from <= to {
            return GramsPerKwh(self.points.values[i]);
        }
        GramsPerKwh(self.integral(from, to) / (to - from).as_secs_f64())
    }

    /// A cursor at the run's start.
    pub fn cursor(&self) -> Cursor {
        let index = self.points.index(0);
        Cursor {
            start_ns: 0,
            end_ns: self.points.bounds[index + 1] as u64,
            cumulative_at_start: 0.0,
            value: self.points.values[index],
            index,
            points: Arc::clone(&self.points),
        }
    }

    /// The signal continued to `horizon` by `policy`; unchanged when it reaches that far already.
    ///
    /// Errors: under [`PastEnd::Error`], a signal that ends before `horizon`; a horizon past 292 years.
    pub fn extend_to(self, horizon: SimTime, policy: PastEnd) -> Result<Self, GridError> {
        if self.covers(horizon) {
            return Ok(self);
        }
        let zone = || self.info.zone.clone();
        let p = &self.points;
        let too_long = || GridError::SpanTooLong { zone: zone(), what: "more than 292 years".into() };
        let needed = i64::try_from(horizon.0).map_err(|_| too_long())?;
        let (first, end) = (p.bounds[0], p.end());
        let last_length = end - p.bounds[p.len() - 1];
        let length = end - first;
        let period = match policy {
            PastEnd::Error => {
                return Err(GridError::EndsEarly { zone: zone(), signal_end: self.end(), run_end: horizon });
            }
            PastEnd::Hold => last_length,
            PastEnd::Repeat if length >= DAY_NS => length / DAY_NS * DAY_NS,
            PastEnd::Repeat => length,
        };
        let mut starts = p.bounds[..p.len()].to_vec();
        let mut values = p.values.clone();
        // The stretch that is repeated begins inside interval `from`.
        let from = p.index(end - period);
        let mut shift: i64 = 0;
        while end.checked_add(shift).ok_or_else(too_long)? < needed {
            shift = shift.checked_add(period).ok_or_else(too_long)?;
            for i in from..p.len() {
                starts.push(p.bounds[i].max(end - period).checked_add(shift).ok_or_else(too_long)?);
                values.push(p.values[i]);
            }
        }
        let new_end = end.checked_add(shift).ok_or_else(too_long)?;
        let mut longer = Signal::new(SignalInfo::clone(&self.info), starts, values, new_end)?;
        longer.extended = Some((policy, self.end()));
        Ok(longer)
    }

    /// The start in `[earliest, latest]` with the lowest mean intensity over the `length` that follows.
    ///
    /// Formula: f(s) = ∫ I over [s, s + length] is piecewise linear in s and bends only where s or s + length is a
    /// breakpoint, so its minimum lies at `earliest`, at `latest`, at a breakpoint b or at b - length: exactly these are
    /// tried, in order of time, in constant time each and without allocation. The first minimum wins; a later start must be
    /// lower by more than 1e-9 of the mean, so that rounding never moves work. A `length` of zero compares the intensities
    /// at the starts themselves.
    /// Starts whose window passes the signal's end are not considered; when that leaves none (or `latest` is before
    /// `earliest`), the answer is `earliest`.
    pub fn lowest_start(&self, earliest: SimTime, latest: SimTime, length: Duration) -> SimTime {
        let p = &*self.points;
        let length = i64::try_from(length.0).unwrap_or(i64::MAX);
        let mut s = offset(earliest);
        let latest = offset(latest).min(p.end() - length);
        if latest <= s {
            return earliest;
        }
        let mut i = p.index(s);
        let mut j = p.index(s + length);
        let last = p.len() - 1;
        let cost = |s: i64, i: usize, j: usize| if length == 0 { p.values[i] } else { p.window(s, i, s + length, j) };
        let mut best = s;
        let mut lowest = cost(s, i, j);
        while s < latest {
            let bend_at_end = if j < last { p.bounds[j + 1] - length } else { i64::MAX };
            s = p.bounds[i + 1].min(bend_at_end).min(latest);
            i += usize::from(p.bounds[i + 1] == s && i < last);
            j += usize::from(bend_at_end == s && j < last);
            let c = cost(s, i, j);
            if c < lowest - TIE * lowest {
                lowest = c;
                best = s;
            }
        }
        SimTime(best as u64)
    }
}

/// A forward-only reader of a signal's running integral, for the simulator's hot path. Owns what it reads; cheap to clone.
#[derive(Debug, Clone)]
pub struct Cursor {
    start_ns: u64,
    end_ns: u64,
    cumulative_at_start: f64,
    value: f64,
    index: usize,
    points: Arc<Points>,
}

impl Cursor {
    /// The integral from the run's start to `now` [g/kWh · s], in constant amortised time for `now` that never decreases.
    ///
    /// Formula: C(interval start) + value × (now - interval start); one comparison while `now` stays in its interval.
    /// Continuous and never decreasing in `now`, also in rounding. Panics past the signal's end; an earlier `now` than the
    /// current interval's start is a caller's error (checked in debug builds).
    #[inline]
    pub fn cumulative(&mut self, now: SimTime) -> f64 {
        if now.0 > self.end_ns {
            self.advance(now);
        }
        debug_assert!(now.0 >= self.start_ns, "cursor runs backwards to {} s", now.as_secs_f64());
        self.cumulative_at_start + self.value * (now.0.wrapping_sub(self.start_ns) as f64 / NANOS_PER_SEC)
    }

    /// The intensity that [`Cursor::cumulative`] used last [g/kWh].
    #[inline]
    pub fn value(&self) -> GramsPerKwh {
        GramsPerKwh(self.value)
    }

    /// Moves to the interval of `now`, one interval after the other.
    #[cold]
    fn advance(&mut self, now: SimTime) {
        let p = &self.points;
        let now = offset(now);
        if now > p.end() {
            p.index(now); // Panics and says why.
        }
        while p.bounds[self.index + 1] < now {
            self.index += 1;
        }
        self.start_ns = p.bounds[self.index] as u64;
        self.end_ns = p.bounds[self.index + 1] as u64;
        self.cumulative_at_start = p.cumulative[self.index];
        self.value = p.values[self.index];
    }
}

/// The running integral at every bound, zero at time 0, summed outwards from there.
fn cumulate(bounds: &[i64], values: &[f64]) -> Vec<f64> {
    let mut cumulative = vec![0.0; bounds.len()];
    // The interval that holds time 0: bounds[0] <= 0 < bounds[last].
    let origin = bounds.partition_point(|&b| b <= 0) - 1;
    cumulative[origin] = values[origin] * secs(bounds[origin]);
    cumulative[origin + 1] = values[origin] * secs(bounds[origin + 1]);
    for i in origin + 1..values.len() {
        cumulative[i + 1] = cumulative[i] + values[i] * secs(bounds[i + 1] - bounds[i]);
    }
    for i in (0..origin).rev() {
        cumulative[i] = cumulative[i + 1] - values[i] * secs(bounds[i + 1] - bounds[i]);
    }
    cumulative
}

/// The most common length of the intervals between `bounds` \[ns\], the shortest among equals.
fn most_common_step(bounds: &[i64]) -> u64 {
    let mut steps: Vec<u64> = bounds.windows(2).map(|w| w[1].abs_diff(w[0])).collect();
    steps.sort_unstable();
    let mut best = (0, 0);
    for run in steps.chunk_by(|a, b| a == b) {
        if run.len() > best.0 {
            best = (run.len(), run[0]);
        }
    }
    best.1
}

#[cfg(test)]
mod tests;
