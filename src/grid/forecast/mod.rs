//! Forecasts: the only way a policy sees the future of the grid, so that an oracle is declared and never an accident.

mod ar1_noise;
mod bias;
mod climatology;
mod fixed;
mod freeze;
mod horizon_noise;
mod iid_noise;
mod lagged;
mod observed;
mod perfect;
mod persistence;
mod pieces;
mod replay;
mod score;
mod spec;
mod spread;
mod uniform_noise;
mod vintages;

pub use self::ar1_noise::Ar1Noise;
pub use self::bias::Bias;
pub use self::climatology::Climatology;
pub use self::fixed::Present;
pub use self::freeze::freeze;
pub use self::horizon_noise::HorizonNoise;
pub use self::iid_noise::IidNoise;
pub use self::observed::Observed;
pub use self::perfect::{Perfect, PerfectForecast};
pub use self::persistence::Persistence;
pub use self::replay::Replay;
pub use self::score::{HORIZONS_H, HorizonScore, Issues, score};
pub use self::spec::{BuiltForecast, ForecastContext, ForecastSpec};
pub use self::uniform_noise::UniformNoise;

use crate::types::{Duration, GramsPerKwh, SimTime};

/// What is believed at `now` about carbon intensity at later times.
///
/// A policy holds a `&dyn Forecast` and cannot tell a perfect one from a noisy or replayed one. The belief may depend on
/// `now` (new vintages, observations made so far), never on anything after `now` unless the forecast says so in its name.
/// Equal arguments give equal answers within a run: implementations key their noise by (`now`'s vintage, time), they do not
/// draw in order of the calls.
pub trait Forecast: std::fmt::Debug + Send + Sync {
    /// The last instant about which anything is believed at `now`.
    fn known_until(&self, now: SimTime) -> SimTime;

    /// The intensity believed for `t` [g/kWh], or `None` past [`Forecast::known_until`].
    fn at(&self, now: SimTime, t: SimTime) -> Option<GramsPerKwh>;

    /// The mean believed for `[from, to]` [g/kWh], or `None` when a part lies past [`Forecast::known_until`] or `to` is
    /// before `from`.
    fn mean(&self, now: SimTime, from: SimTime, to: SimTime) -> Option<GramsPerKwh>;

    /// The start in `[earliest, latest]` whose window of `length` is believed to have the lowest mean, the first of equals.
    /// Windows that pass [`Forecast::known_until`] are not considered; when that leaves none, the answer is `earliest`.
    fn lowest_start(&self, now: SimTime, earliest: SimTime, latest: SimTime, length: Duration) -> SimTime;

    /// Appends the steps believed for `[from, to)`, in order and without gaps: the first begins at `from`, the last ends at `to`
    /// or, where less is known, at [`Forecast::known_until`]. Neighbours may have the same value.
    fn steps(&self, now: SimTime, from: SimTime, to: SimTime, steps: &mut Vec<Step>);
}

/// A value that holds for a while.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// From when on.
    pub from: SimTime,
    /// Until when.
    pub to: SimTime,
    /// Carbon intensity [g/kWh]. A forecast may be wrong enough to be negative.
    pub g_per_kwh: f64,
}

#[cfg(test)]
mod tests;
