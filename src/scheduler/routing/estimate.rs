//! What a call or a job would draw, emit and cost in a region, as routing estimates it.

use super::super::{SiteFacts, View};
use super::Ask;
use crate::grid::Steps;
use crate::types::{JOULES_PER_KWH, RegionId, SimTime};

/// Where the intensity of a call's emissions is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Look {
    /// The present value.
    #[default]
    Present,
    /// The mean that is forecast for the time in which it is expected to run, from now on.
    Forecast,
}

/// The present intensity of every region, looked up once per step of its signal.
#[derive(Debug, Clone, Default)]
pub struct Present(Vec<(SimTime, f64)>);

impl Present {
    /// The present intensity of a region [g/kWh].
    #[inline]
    pub fn of(&mut self, region: RegionId, view: &View<'_>) -> f64 {
        let at = region.index();
        if self.0.len() <= at {
            self.0.resize(view.observed.len(), (SimTime::ZERO, 0.0));
        }
        if view.now >= self.0[at].0 {
            let step = view.observed[at].step(view.now);
            self.0[at] = (step.to, step.g_per_kwh);
        }
        self.0[at].1
    }
}

/// Intensity that a region is believed to have while this runs [g/kWh]: of jobs always the mean of the forecast, as far as it reaches.
#[inline]
pub fn intensity(present: &mut Present, look: Look, ask: &Ask, region: RegionId, view: &View<'_>) -> f64 {
    if look == Look::Present && !ask.is_job {
        return present.of(region, view);
    }
    let forecast = &view.forecasts[region.index()];
    let until = (view.now + ask.work).min(forecast.known_until(view.now));
    let mean = if until > view.now { forecast.mean(view.now, view.now, until) } else { None };
    mean.map_or_else(|| present.of(region, view), |g| g.0)
}

/// Energy that running this adds to a region's facility \[J\].
///
/// Formula: dynamic power per core x cores x expected work x PUE. Hosts that are on anyway are not counted: routing switches none.
#[inline]
pub fn joules(ask: &Ask, site: &SiteFacts) -> f64 {
    site.dynamic_w_per_core * (ask.cpu as f64 * 1e-6) * ask.work.as_secs_f64() * site.pue
}

/// Emissions of running this in a region, with half of what is sent on either end's grid \[gCO2e\].
#[inline]
pub fn grams(
    ask: &Ask,
    region: RegionId,
    view: &View<'_>,
    sites: &[SiteFacts],
    mut intensity: impl FnMut(RegionId) -> f64,
) -> f64 {
    let mut joules_g = joules(ask, &sites[region.index()]) * intensity(region);
    for flow in view.network.flows(&ask.traffic, ask.home, region) {
        if flow.mb > 0.0 {
            joules_g += 0.5 * view.network.joules(&flow) * (intensity(flow.from) + intensity(flow.to));
        }
    }
    joules_g / JOULES_PER_KWH
}

/// Price of running this in a region: electricity at the present price, and what is sent \[currency\].
#[inline]
pub fn price(ask: &Ask, region: RegionId, view: &View<'_>, sites: &[SiteFacts], prices: &[Option<Steps>]) -> f64 {
    let per_mwh = prices[region.index()].as_ref().map_or(0.0, |p| p.mean(view.now, view.now));
    let sent_mb: f64 = view.network.flows(&ask.traffic, ask.home, region).iter().map(|f| f.mb).sum();
    joules(ask, &sites[region.index()]) / JOULES_PER_KWH / 1000.0 * per_mwh + view.network.price(sent_mb)
}
