//! Shifting: when does work run?
//!
//! Calls with a deadline and batch jobs pass through the same seam. A policy looks at [`Work`] and answers a [`Plan`]: of a call, and of a
//! job that cannot be suspended, only the first start counts; of an interruptible or elastic job, all pieces do.

mod all_wait_threshold;
mod books;
mod carbon_percentile;
mod carbon_scaler;
mod carbon_threshold;
mod carbon_time;
mod compat;
mod ecovisor;
mod greedy_capacity;
mod held;
mod k_min;
#[cfg(test)]
pub(in crate::scheduler) mod lab;
#[cfg(test)]
pub(super) mod lab_scaling;
mod low;
mod lowest_slot;
mod lowest_window;
mod one_min;
mod online;
mod paced_backlog;
mod pause_and_resume;
mod reserved_first;
mod restarts;
mod run_now;
mod spot_first;
mod spot_reserved;
mod start_at;
mod terms;
mod thresholds;
mod wait_awhile;
mod work;

pub use all_wait_threshold::AllWaitThreshold;
pub use carbon_percentile::{CarbonPercentile, LookAhead, LookBack, PercentileWindow};
pub use carbon_scaler::CarbonScaler;
pub use carbon_threshold::CarbonThreshold;
pub use carbon_time::CarbonTime;
pub use compat::Compat;
pub use ecovisor::Ecovisor;
pub use greedy_capacity::GreedyCapacity;
pub use k_min::KMin;
pub use lowest_slot::LowestSlot;
pub use lowest_window::LowestWindow;
pub use one_min::OneMin;
pub use online::PriceBounds;
pub use paced_backlog::PacedBacklog;
pub use pause_and_resume::PauseAndResume;
pub use reserved_first::ReservedFirst;
pub use run_now::RunNow;
pub use spot_first::SpotFirst;
pub use spot_reserved::SpotReserved;
pub use start_at::StartAt;
pub use wait_awhile::WaitAwhile;
pub use work::{Piece, Plan, Purchase, Work};

use books::Books;
use held::Held;
use low::{run_while_low, sampled_quantile, share_of_time};
use online::{Online, Rule};
use restarts::with_restarts;
use thresholds::Thresholds;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{View, WorkToken};
use crate::types::{Duration, Seed};

/// Decides when admitted work runs.
pub trait Shifting: Send {
    /// Plans work that has arrived, whose plan has ended before it was done, or that was to be asked about again. The plan is empty.
    ///
    /// Laws: it plans a piece, or holds the work, or wants to be asked again later. Work does not start after [`Work::latest_start`] unless
    /// the present already is, and has no patience left when that is used up, as far as its length is known. Only a policy with a period or
    /// one that follows jobs holds work.
    fn plan(&mut self, work: &Work<'_>, view: &View<'_>, plan: &mut Plan);

    /// How often the policy's tick comes; `None` for never.
    fn period(&self) -> Option<Duration> {
        None
    }

    /// Names the held work that is let go now, in order.
    fn tick(&mut self, _view: &View<'_>, _let_go: &mut Vec<WorkToken>) {}

    /// Whether the policy wants to be told of the starts and ends of jobs, and asked whom it lets go after each.
    fn follows_jobs(&self) -> bool {
        false
    }

    /// A job has started or resumed: it is not held any more.
    fn started(&mut self, _token: WorkToken) {}

    /// A job is done.
    fn ended(&mut self, _token: WorkToken) {}

    /// Names the held jobs that are let go now, one at a time: asked again, after each has started, until there is none. Asked after every
    /// arrival, start, suspension and end of a job.
    fn next_to_go(&mut self, _view: &View<'_>) -> Option<WorkToken> {
        None
    }

    /// Whether everything starts at once, so that the engine need not ask about calls.
    fn is_passive(&self) -> bool {
        false
    }
}

/// The shifting policies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ShiftingSpec {
    /// Everything starts when it wants to. Knows nothing. The baseline that every saving is measured against.
    RunNow(RunNow),
    /// Starts at the next of given hours of the day, or a fixed while later. Knows the clock. Loses when the low hours
    /// are others than those given, and when all that waited starts at once. The time switch that carbon-aware policies
    /// must beat.
    StartAt(StartAt),
    /// Runs while the present intensity is at or below a ceiling; suspends if it can. Knows the present intensity; needs
    /// no length. Loses when the ceiling does not suit the zone or the season: then it waits for nothing, or never waits.
    CarbonThreshold(CarbonThreshold),
    /// Runs while the present intensity is in the lowest share of a moving window, forecast or observed; suspends if it
    /// can. Knows the present intensity and that window; needs no length. Loses when patience ends before the low hours
    /// come, and when suspending costs much.
    CarbonPercentile(CarbonPercentile),
    /// Starts in the slot of lowest forecast intensity before the latest start. Knows the forecast over the slack; needs
    /// no length. Loses when runs are longer than the low slot. Source: Lowest-Slot of Hanafy et al., GAIA, ASPLOS 2024.
    LowestSlot(LowestSlot),
    /// Starts when its own run has the lowest mean carbon intensity before the deadline. Knows the forecast up to the
    /// deadline and the expected length. Loses when much work chooses the same hour and the hosts are finite: the peak
    /// moves and queues form. Source: Wiesner et al., Let's Wait Awhile, Middleware 2021 (the non-interrupting strategy);
    /// Lowest-Window of Hanafy et al., GAIA, ASPLOS 2024.
    LowestWindow(LowestWindow),
    /// Starts where waiting saves most carbon per time until the end. Knows the forecast up to the deadline and the
    /// expected length. Loses against lowest-window in carbon, and gains in waiting. Source: Carbon-Time of Hanafy et al.,
    /// GAIA, ASPLOS 2024.
    CarbonTime(CarbonTime),
    /// Runs in the time of lowest forecast intensity before the deadline, suspended in between if it can be. Knows the
    /// forecast up to the deadline and the length. Loses when suspending costs much, when the length is misjudged, and by
    /// the highest peak of all. Source: Wiesner et al., Let's Wait Awhile, Middleware 2021 (the interrupting strategy).
    WaitAwhile(WaitAwhile),
    /// Runs while intensity is below a percentile of the day after its arrival; suspends if it can. Knows the forecast of
    /// that day and the present intensity; needs no length. Loses when later days are higher than the first. Source: Souza
    /// et al., Ecovisor, ASPLOS 2023, as released with GAIA.
    Ecovisor(Ecovisor),
    /// Jobs wait for free reserved cores, at most for their slack. Knows how many are free, nothing of carbon. Loses carbon
    /// whenever cores become free in high hours. Source: AllWait-Threshold of Hanafy et al., GAIA, ASPLOS 2024.
    AllWaitThreshold(AllWaitThreshold),
    /// Another policy says when jobs start, but they start early whenever enough reserved cores are free. Knows what the
    /// other knows, and how many are free. Loses carbon for money. Source: Reserved-First of Hanafy et al., GAIA, ASPLOS
    /// 2024.
    ReservedFirst(ReservedFirst),
    /// Another policy says when jobs start; short ones run on spot capacity. Knows what the other knows, and lengths. Loses
    /// when spot capacity is evicted: what was done is lost. Source: Spot-First of Hanafy et al., GAIA, ASPLOS 2024.
    SpotFirst(SpotFirst),
    /// Another policy says when jobs start; short ones run on spot capacity, the others start early on free reserved cores.
    /// Knows what the other knows, lengths, and how many are free. Source: Spot-Reserved of Hanafy et al., GAIA, ASPLOS
    /// 2024.
    SpotReserved(SpotReserved),
    /// Calls with a deadline wait in one backlog, drained oldest first so that all executions together follow the mean
    /// rate of the last day. Knows the calls received so far. Loses when urgent calls alone exceed the mean. The control
    /// law is fitted: it reproduces XFaaS' published Executed curve, whose own law is not published.
    PacedBacklog(PacedBacklog),
    /// An elastic job runs on more nodes while electricity is clean: work is bought node by node and hour by hour where the
    /// next node does most work per gram; other jobs are suspended and resumed in their cheapest hours. Knows the forecast
    /// up to the deadline, the job's length, and its throughput and power on every number of nodes. Loses when the forecast
    /// ranks hours wrongly, when nodes are not there when they are wanted, and on restarts, for which it leaves time but whose emissions it does not price. Source:
    /// Hanafy et al., CarbonScaler, SIGMETRICS 2024.
    CarbonScaler(CarbonScaler),
    /// A job runs whenever intensity is at most the geometric mean of its bounds, and to its end when it must. Knows the
    /// present intensity and bounds of it, no forecast. Loses when intensity hardly moves, or has left its bounds, and on
    /// restarts, as it may start and stop at every step. Source: the baseline 1-min of Lechowicz et al., The Online Pause
    /// and Resume Problem, POMACS 7(3), 2023.
    OneMin(OneMin),
    /// A job runs its i-th step at the first intensity below the i-th threshold of k-min search, and to its end when it
    /// must. Knows the present intensity, bounds of it and the job's length, no forecast. Loses against a good forecast, and
    /// on restarts. Source: Lorenz et al., Algorithmica 55, 2009; Lechowicz et al., POMACS 7(3), 2023.
    KMin(KMin),
    /// k-min search with two thresholds, which a job that runs passes less readily than one that waits: a start and a stop
    /// have a price. Knows what k-min knows. Loses where the price is set too high: it then runs at once. Source: Lechowicz
    /// et al., The Online Pause and Resume Problem, POMACS 7(3), 2023.
    PauseAndResume(PauseAndResume),
    /// Jobs and calls are booked in order of arrival into the cleanest time before their deadlines in which the region still
    /// has cores free; what finds none is forced to its latest start. Knows the forecast up to the deadline, the length, the
    /// capacity and its own bookings. Loses against a plan of all jobs together: early jobs take hours that later ones
    /// need more. Source: the greedy of Carbon Explorer, Acun et al., ASPLOS 2023, by job.
    GreedyCapacity(GreedyCapacity),
}

impl Default for ShiftingSpec {
    fn default() -> Self {
        Self::RunNow(RunNow {})
    }
}

impl ShiftingSpec {
    /// Builds the policy; `seed` is its own, `since_midnight` the time of day (UTC) at which the run starts.
    pub fn build(&self, seed: Seed, since_midnight: Duration) -> Box<dyn Shifting> {
        let inner = |spec: &Self| spec.build(seed.derive("inner"), since_midnight);
        match self {
            Self::RunNow(p) => Box::new(p.clone()),
            Self::StartAt(p) => Box::new(start_at::Clock::new(p, since_midnight)),
            Self::CarbonThreshold(p) => Box::new(p.clone()),
            Self::CarbonPercentile(p) => Box::new(p.clone()),
            Self::LowestSlot(p) => Box::new(p.clone()),
            Self::LowestWindow(p) => Box::new(p.clone()),
            Self::CarbonTime(p) => Box::new(p.clone()),
            Self::WaitAwhile(p) => Box::new(p.clone()),
            Self::Ecovisor(p) => Box::new(p.clone()),
            Self::AllWaitThreshold(_) => Box::new(all_wait_threshold::Waiting::default()),
            Self::ReservedFirst(p) => Box::new(terms::Terms::new(inner(&p.inner), None, true)),
            Self::SpotFirst(p) => Box::new(terms::Terms::new(inner(&p.inner), Some(p.spot_up_to_s), false)),
            Self::SpotReserved(p) => Box::new(terms::Terms::new(inner(&p.inner), Some(p.spot_up_to_s), true)),
            Self::PacedBacklog(p) => Box::new(paced_backlog::Backlog::new(p.clone())),
            Self::CarbonScaler(p) => Box::new(p.clone()),
            Self::OneMin(p) => p.build(),
            Self::KMin(p) => p.build(),
            Self::PauseAndResume(p) => p.build(),
            Self::GreedyCapacity(p) => Box::new(greedy_capacity::Greedy::new(p.clone())),
        }
    }
}

#[cfg(test)]
mod tests;
