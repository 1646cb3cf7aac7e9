//! Keep-alive: how long does an idle sandbox stay?

mod break_even;
mod by_trigger;
mod carbon_aware;
mod faascache_hist;
mod fixed;
mod greedy_dual;
mod hybrid_histogram;
mod hybrid_histogram_production;
mod lru_budget;
mod none;
mod oracle;

pub use break_even::BreakEven;
pub use by_trigger::ByTrigger;
pub use carbon_aware::CarbonAware;
pub use faascache_hist::FaascacheHist;
pub use fixed::Fixed;
pub use greedy_dual::GreedyDual;
pub use hybrid_histogram::{HybridHistogram, IdleForecast, WindowOrigin};
use hybrid_histogram::{Production, Windows};
pub use hybrid_histogram_production::HybridHistogramProduction;
pub use lru_budget::LruBudget;
pub use none::NoKeepAlive;
pub use oracle::Oracle;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CallView, Known, PoolView, View};
use crate::cluster::EvictionOrder;
use crate::types::{Duration, FunctionId, Memory, SimTime};
use crate::workload::FunctionProfile;

/// A sandbox that has just become idle.
#[derive(Debug, Clone, Copy)]
pub struct IdleView<'a> {
    /// The function whose call it executed last, or for which it was started.
    pub function: FunctionId,
    /// What is known of the function.
    pub profile: &'a FunctionProfile,
    /// Its pool in its region; this sandbox is not yet counted among the idle ones.
    pub pool: PoolView,
    /// Memory that it reserves, isolation overhead included.
    pub memory: Memory,
    /// How long its own start took, all phases included.
    pub start: Duration,
    /// CPU time that its start used [core·s].
    pub start_core_s: f64,
    /// Measured energy of a start above idle \[J\], where starts are booked by it and not by their CPU time.
    pub start_energy_j: Option<f64>,
    /// The present.
    pub now: SimTime,
}

/// What happens to a sandbox that has become idle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// How long it stays if nothing reuses it; zero removes it at once, [`Duration::FOREVER`] never.
    pub keep: Duration,
    /// Whether the pool is to be loaded again later.
    pub prewarm: Option<Prewarm>,
}

/// A sandbox that is started before anybody calls. Nothing happens if a call of the pool arrives in the region before it is
/// due, or if the pool has a sandbox there when it is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prewarm {
    /// How long after the sandbox became idle the start begins.
    pub after: Duration,
    /// How long the new sandbox stays, counted from the begin of its start.
    pub keep: Duration,
}

impl From<Duration> for Plan {
    #[inline]
    fn from(keep: Duration) -> Self {
        Self { keep, prewarm: None }
    }
}

/// A limit on the memory of idle sandboxes, and who goes first where it is exceeded or the host runs out of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdleBudget {
    /// Memory that idle sandboxes of one host may hold together.
    pub per_host: Memory,
    /// Who goes first.
    pub order: EvictionOrder,
}

/// Decides how long idle sandboxes stay, and whether they are started anew before they are called.
pub trait KeepAlive: Send {
    /// What happens to this sandbox, which has just become idle. Law: what it returns depends on nothing but what the policy
    /// was told, so that two runs are alike.
    fn keep(&mut self, sandbox: &IdleView<'_>, view: &View<'_>) -> Plan;

    /// What [`KeepAlive::keep`] always answers, if it is always the same: then the engine need not ask. Asked once, when the run
    /// starts.
    fn constant(&self) -> Option<Duration> {
        None
    }

    /// Whether [`KeepAlive::arrived`] wants to be told of arrivals.
    fn observes(&self) -> bool {
        false
    }

    /// A call has arrived, and is not yet counted in its pool: what histogram policies learn from.
    fn arrived(&mut self, _call: &CallView<'_>, _pool: &PoolView, _view: &View<'_>) {}

    /// Whether the window begins anew each time the sandbox becomes idle (the usual meaning of "n minutes idle"). If
    /// not, it is set once, at the first idle moment, and a sandbox that is busy at its end goes when it next is idle.
    /// Asked once, when the run starts.
    fn restarts(&self) -> bool {
        true
    }

    /// Whether the policy looks at [`IdleView::pool`], plans pre-warming, or wants to be told of arrivals. If not, the engine
    /// does not follow the pools, and their numbers are zero. Asked once, when the run starts.
    fn needs_pools(&self) -> bool {
        true
    }

    /// A limit on the memory of idle sandboxes, kept by the engine. Asked once, when the run starts.
    fn budget(&self) -> Option<IdleBudget> {
        None
    }
}

/// The keep-alive policies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum KeepAliveSpec {
    /// An idle sandbox stays for a fixed time. Knows nothing of the traffic. Loses memory on rare functions and warmth
    /// on functions that are rarer still. Source: the default of public platforms (10 min in OpenWhisk and AWS as cited
    /// by XFaaS; 5–7 min measured on AWS Lambda in 2021).
    Fixed(Fixed),
    /// A sandbox goes as soon as it is idle: every call is a cold start. The bound of per-request isolation.
    None(NoKeepAlive),
    /// A fixed time per class of trigger. Knows why a function is called. Loses as `fixed` does within a class. Source: assumed;
    /// no platform is known to publish times by trigger.
    ByTrigger(ByTrigger),
    /// Each pool's histogram of idle times decides when its sandbox is unloaded, loaded again, and kept until; a forecast
    /// where idle times are too long for it. Knows the pool's past. Loses on changes of habit, and memory on pools without a
    /// pattern, which are kept for 4 h. Source: Shahrad et al., Serverless in the Wild, USENIX ATC 2020, as simulated there.
    HybridHistogram(HybridHistogram),
    /// The same rules with daily histograms over two weeks, loading 90 s before the head, without a forecast. Knows the pool's
    /// last two weeks. Loses up to 90 s of memory per idle time. Source: the same paper on production, partly assumed.
    HybridHistogramProduction(HybridHistogramProduction),
    /// A time to live from the times between arrivals where these vary little, else 2 h. Knows the pool's past. Loses on
    /// bursts, which it takes for unpredictable. Not the policy of the ATC paper. Source: "HIST" in FaasCache, ASPLOS 2021.
    FaascacheHist(FaascacheHist),
    /// Everything stays until memory is short; then the lowest clock + uses x start time / memory goes. Knows uses, start time
    /// and memory. Loses the memory that nobody asks for, and large or rare functions first. Source: FaasCache, ASPLOS 2021.
    GreedyDual(GreedyDual),
    /// Idle sandboxes within a budget of memory per host; the longest idle goes first. Knows when each was used. Loses costly
    /// sandboxes as easily as cheap ones. Source: least recently used, the baseline of FaasCache.
    LruBudget(LruBudget),
    /// Kept until keeping has cost as much energy as a start. Knows the power of machines and the start's CPU time. Loses at
    /// most as much again as the best energy of memory and starts, and warmth: starts cost little energy. Source: HotCarbon 2022 (Sharma).
    BreakEven(BreakEven),
    /// The time of the lowest weighted score of expected service time and expected carbon. Knows the pool's past, the power of
    /// machines and the intensity believed for now. Loses when idle times change, and counts sunk carbon unless told not to.
    /// Source: EcoLife, SC 2024, with one hardware generation and an exact search.
    CarbonAware(CarbonAware),
    /// Kept exactly until the next arrival that is left for the sandbox, or not at all. Knows every arrival: a bound, not a
    /// policy that anybody can run. Loses where busy sandboxes become free in time, or calls are moved in time or space.
    /// Source: the oracle baselines of EcoLife, SC 2024.
    Oracle(Oracle),
}

impl Default for KeepAliveSpec {
    fn default() -> Self {
        Self::Fixed(Fixed::default())
    }
}

impl KeepAliveSpec {
    /// Whether the policy is an oracle that must be given every future arrival.
    pub fn needs_future(&self) -> bool {
        matches!(self, Self::Oracle(_))
    }

    /// Builds the policy.
    pub fn build(&self, known: &Known) -> Box<dyn KeepAlive> {
        match self {
            Self::Fixed(p) => Box::new(fixed::Window::new(p)),
            Self::None(p) => Box::new(p.clone()),
            Self::ByTrigger(p) => Box::new(p.clone()),
            Self::HybridHistogram(p) => Box::new(Windows::new(p.clone(), None, known)),
            Self::HybridHistogramProduction(p) => Box::new(p.windows(known)),
            Self::FaascacheHist(p) => Box::new(faascache_hist::Hist::new(p.clone(), known)),
            Self::GreedyDual(p) => Box::new(p.clone()),
            Self::LruBudget(p) => Box::new(p.clone()),
            Self::BreakEven(p) => Box::new(break_even::Balance::new(p, known)),
            Self::CarbonAware(p) => Box::new(carbon_aware::Score::new(p.clone(), known)),
            Self::Oracle(p) => Box::new(oracle::Knowing::new(p, known)),
        }
    }
}

#[cfg(test)]
mod tests;
