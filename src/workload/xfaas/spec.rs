//! `[workload.xfaas]`: the keys of the synthetic XFaaS week, their defaults and their ranges.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::curve::BINS;
use crate::workload::WorkloadError;

/// `[workload.xfaas]`: a synthetic week of traffic like that of XFaaS, Meta's serverless platform (SOSP 2023).
///
/// Each key says whether its default is published, computed from published figures, or assumed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct XFaasSpec {
    /// Distinct functions. Published: 18377 in one month; the default 2000 is an open scale-down.
    #[schemars(range(min = 200, max = 1000000))]
    pub functions: u32,
    /// Expected calls in one week. An open scale-down (published: trillions per day); the notes give the factor.
    #[schemars(range(min = 1, max = 1000000000000_u64))]
    pub calls: u64,
    /// Weeks to generate; the rate repeats. Default 1.
    #[schemars(range(min = 1, max = 520))]
    pub weeks: u32,
    /// The 15-minute bin of the published week at which the run starts, 0 to 671. Default 0, the figure's left edge.
    #[schemars(range(min = 0, max = 671))]
    pub start_bin: u32,
    /// Share of the calls that are timers'. Published: below 0.01; assumed: 0.0002, at which timers' mean cost per call
    /// is about the mean over timer functions.
    #[schemars(range(min = 0.0, max = 0.01))]
    pub timer_call_share: f64,
    /// Share of the compute that is timers'. Published: below 0.01; assumed: the middle.
    #[schemars(range(min = 0.0, max = 0.01))]
    pub timer_compute_share: f64,
    /// Mean CPU of a call, over all calls [million instructions]. Assumed: 1000, near which event and
    /// timer functions' popularity and cost are unrelated; far below it no relation gives Table 1 (the error says
    /// where). Offered cores are proportional to it.
    #[schemars(range(min = 0.001))]
    pub mean_cpu_mi: f64,
    /// Zipf exponent of the popularity of functions within their class; 0 makes all alike. Assumed: 1.
    #[schemars(range(min = 0.0, max = 3.0))]
    pub popularity_exponent: f64,
    /// Correlation of CPU per call and execution time over functions, in normal scores. Assumed: 0.95; lower values
    /// give more functions whose CPU demand meets a bound.
    #[schemars(range(min = -1.0, max = 1.0))]
    pub cpu_time_rho: f64,
    /// Correlation of CPU per call and memory over functions, in normal scores. Assumed: 0.3.
    #[schemars(range(min = -1.0, max = 1.0))]
    pub cpu_memory_rho: f64,
    /// Speed of one core [million instructions per second]. Assumed: 3000; offered cores are inversely proportional
    /// to it.
    #[schemars(range(min = 1.0))]
    pub mips_per_core: f64,
    /// Most cores that one call uses at a time; a call that would need more runs longer instead. Assumed: 64.
    #[schemars(range(min = 0.001, max = 4000000.0))]
    pub max_cores_per_call: f64,
    /// Sigma of the logarithm of a call's execution time around its function's; 0 makes it constant. Assumed: 0.5.
    #[schemars(range(min = 0.0, max = 3.0))]
    pub call_sigma: f64,
    /// Share of the calls, in each class, that may wait. Not published; 0.6 is the least at which the published
    /// smoothing is possible (computed from published: the feasibility bound). The opportunistic share of CPU is
    /// about 0.11.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub deferrable_share: f64,
    /// Time by which a call that may wait has to be done [s after arrival]. Published: 24 h.
    #[schemars(range(min = 0.000000001))]
    pub deferrable_deadline_s: f64,
    /// Time by which every other call has to be done [s after arrival]. Default: no deadline.
    #[schemars(range(min = 0.000000001))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub urgent_deadline_s: Option<f64>,
    /// Weights with which a function is given criticality 0, 1 or 2. Not published; assumed: equal.
    pub criticality_weights: [f64; 3],
    /// Teams; sizes in functions follow Zipf's law with exponent 1 (assumed). Published: thousands; default 200.
    #[schemars(range(min = 1))]
    pub tenants: u32,
    /// Namespaces, each a trust domain; sizes as for teams. Published: more than 20.
    #[schemars(range(min = 1))]
    pub namespaces: u32,
    /// Weight of each region's demand, in the order of the regions. Default: the regions' capacities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub demand_by_region: Option<Vec<f64>>,
    /// Share of a function's calls that come from one home region, drawn by weight. Not published; default 0.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub home_share: f64,
    /// Quota of each function: this times its expected mean CPU use \[cores\], over all regions. Not published; default: no quota.
    #[schemars(range(min = 0.001))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota_headroom: Option<f64>,
    /// Share of the calls of queue functions that ask for a later start (published: callers set start times in the future; the share is
    /// not published). Their deadline counts from that start. Default 0.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub future_start_share: f64,
    /// How much later at most; the start is uniform from submission on \[s\]. Not published; required with `future_start_share`. Default 0.
    #[schemars(range(min = 0.0))]
    pub future_start_within_s: f64,
    /// One more function whose calls are all submitted within minutes. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submission_spike: Option<SubmissionSpike>,
}

/// One more queue function, `queue-spike`, all of whose calls are submitted in a short time, beside the calls of the week.
///
/// Published: a function with almost 20 million calls submitted within 15 minutes and an SLO of 24 h. Its cost is not: it is that of
/// the median queue function (Table 3's P50).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmissionSpike {
    /// Its expected calls over the week's. Published: 20 million calls; over the week's of at least a trillion a day they are at most 0.0000029
    /// (computed). No default: it is the scale of the scenario.
    #[schemars(range(min = 0.000000001, max = 0.5))]
    pub share: f64,
    /// When it begins \[s\], from the run's start. Not published.
    #[schemars(range(min = 0.0))]
    pub at_s: f64,
    /// How long it lasts \[s\]. Default 900 (published).
    #[schemars(range(min = 0.001))]
    #[serde(default = "quarter_of_an_hour")]
    pub length_s: f64,
    /// Time after submission by which a call has to be done \[s\]. Default 86400 (published: 24 h).
    #[schemars(range(min = 0.000000001))]
    #[serde(default = "day")]
    pub deadline_s: f64,
}

fn quarter_of_an_hour() -> f64 {
    900.0
}

fn day() -> f64 {
    86_400.0
}

impl Default for XFaasSpec {
    fn default() -> Self {
        Self {
            functions: 2000,
            calls: 12_000_000,
            weeks: 1,
            start_bin: 0,
            timer_call_share: 0.0002,
            timer_compute_share: 0.005,
            mean_cpu_mi: 1000.0,
            popularity_exponent: 1.0,
            cpu_time_rho: 0.95,
            cpu_memory_rho: 0.3,
            mips_per_core: 3000.0,
            max_cores_per_call: 64.0,
            call_sigma: 0.5,
            deferrable_share: 0.6,
            deferrable_deadline_s: 86_400.0,
            urgent_deadline_s: None,
            criticality_weights: [1.0; 3],
            tenants: 200,
            namespaces: 20,
            demand_by_region: None,
            home_share: 0.0,
            quota_headroom: None,
            future_start_share: 0.0,
            future_start_within_s: 0.0,
            submission_spike: None,
        }
    }
}

/// An error of the parameters.
pub(super) fn wrong(what: String, help: impl Into<String>) -> WorkloadError {
    WorkloadError::Spec { what: format!("workload.xfaas: {what}"), help: help.into() }
}

impl XFaasSpec {
    /// Checks every key.
    ///
    /// # Errors
    /// A value is not finite or out of its range; the message names the key, the value and the range.
    pub(super) fn check(&self) -> Result<(), WorkloadError> {
        let whole = |key: &str, value: u64, low: u64, high: u64, why: &str| {
            let help = || format!("write a whole number from {low} to {high}: {why}");
            (low..=high).contains(&value).then_some(()).ok_or_else(|| wrong(format!("{key} = {value}"), help()))
        };
        let functions = u64::from(self.functions);
        whole("functions", functions, 200, 1_000_000, "fewer cannot show the shares of three classes")?;
        whole("calls", self.calls, 1, 1_000_000_000_000, "the expected calls of one week")?;
        whole("weeks", self.weeks.into(), 1, 520, "the week repeats")?;
        whole("start_bin", self.start_bin.into(), 0, BINS as u64 - 1, "a quarter of an hour of the published week")?;
        whole("tenants", self.tenants.into(), 1, functions, "each tenant owns at least one of the functions")?;
        whole(
            "namespaces",
            self.namespaces.into(),
            1,
            functions,
            "each namespace holds at least one of the functions",
        )?;

        // Comparisons are false for NaN, so a value that is not a number is out of every range.
        let range = |key: &str, value: f64, low: f64, high: f64, why: &str| {
            let help = || format!("write a finite number from {low} to {high}: {why}");
            (value >= low && value <= high).then_some(()).ok_or_else(|| wrong(format!("{key} = {value}"), help()))
        };
        const TINY: f64 = 1e-9;
        range("timer_call_share", self.timer_call_share, TINY, 0.01, "published as below 1 %")?;
        range("timer_compute_share", self.timer_compute_share, TINY, 0.01, "published as below 1 %")?;
        range("mean_cpu_mi", self.mean_cpu_mi, 1e-3, 1e9, "million instructions of a mean call")?;
        range("popularity_exponent", self.popularity_exponent, 0.0, 3.0, "Zipf's exponent within a class")?;
        range("cpu_time_rho", self.cpu_time_rho, -1.0, 1.0, "a correlation")?;
        range("cpu_memory_rho", self.cpu_memory_rho, -1.0, 1.0, "a correlation")?;
        range("mips_per_core", self.mips_per_core, 1.0, 1e9, "million instructions per second")?;
        range("max_cores_per_call", self.max_cores_per_call, 1e-3, 4e6, "cores")?;
        range("call_sigma", self.call_sigma, 0.0, 3.0, "the spread of the logarithm of the execution time")?;
        range("deferrable_share", self.deferrable_share, 0.0, 1.0, "the share of calls that may wait")?;
        range("deferrable_deadline_s", self.deferrable_deadline_s, TINY, 1e9, "seconds after arrival")?;
        if let Some(seconds) = self.urgent_deadline_s {
            range("urgent_deadline_s", seconds, TINY, 1e9, "seconds after arrival; leave it out for no deadline")?;
        }
        range("home_share", self.home_share, 0.0, 1.0, "the share of a function's calls from its home region")?;
        if let Some(headroom) = self.quota_headroom {
            range("quota_headroom", headroom, 1e-3, 1e9, "a factor on the function's mean CPU use")?;
        }
        range("future_start_share", self.future_start_share, 0.0, 1.0, "the share of queue functions' calls")?;
        range("future_start_within_s", self.future_start_within_s, 0.0, 1e9, "seconds after submission")?;
        if self.future_start_share > 0.0 && self.future_start_within_s == 0.0 {
            let what = format!("future_start_share = {} without future_start_within_s", self.future_start_share);
            return Err(wrong(what, "say within how many seconds those calls want to start"));
        }
        if let Some(spike) = &self.submission_spike {
            range("submission_spike.share", spike.share, TINY, 0.5, "its calls over those of the week")?;
            range("submission_spike.at_s", spike.at_s, 0.0, 604_800.0 * f64::from(self.weeks), "within the weeks")?;
            range("submission_spike.length_s", spike.length_s, 1e-3, 604_800.0, "seconds")?;
            range("submission_spike.deadline_s", spike.deadline_s, TINY, 1e9, "seconds after submission")?;
            let end_s = spike.at_s + spike.length_s;
            range(
                "submission_spike.at_s + length_s",
                end_s,
                0.0,
                604_800.0 * f64::from(self.weeks),
                "within the weeks",
            )?;
        }
        check_weights("criticality_weights", &self.criticality_weights)
    }

    /// The share of the demand of each region.
    ///
    /// # Errors
    /// The weights are not finite, are negative or all zero, or are not one per region.
    pub(super) fn region_shares(&self, capacities: &[f64]) -> Result<Vec<f64>, WorkloadError> {
        let weights = self.demand_by_region.as_deref().unwrap_or(capacities);
        if weights.len() != capacities.len() {
            let what = format!("demand_by_region has {} weights for {} regions", weights.len(), capacities.len());
            return Err(wrong(what, "write one weight per region, in the order of the regions"));
        }
        let name = if self.demand_by_region.is_some() { "demand_by_region" } else { "the regions' capacities" };
        check_weights(name, weights)?;
        let sum: f64 = weights.iter().sum();
        Ok(weights.iter().map(|w| w / sum).collect())
    }
}

fn check_weights(name: &str, weights: &[f64]) -> Result<(), WorkloadError> {
    let sum: f64 = weights.iter().sum();
    if weights.iter().any(|w| !w.is_finite() || *w < 0.0) || !(sum > 0.0 && sum.is_finite()) {
        let what = format!("{name} = {weights:?}");
        return Err(wrong(what, "write finite weights at or above 0, at least one of them above 0"));
    }
    Ok(())
}
