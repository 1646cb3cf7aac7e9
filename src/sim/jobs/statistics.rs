//! What is counted of jobs.

use crate::stats::LogHistogram;
use crate::types::{FunctionId, RegionId, SimTime};

/// What is counted over all jobs.
#[derive(Debug, Clone, Default)]
pub struct JobTotals {
    /// Jobs that arrived.
    pub arrived: u64,
    /// Jobs that are done.
    pub finished: u64,
    /// Jobs that are not, when the run ended.
    pub unfinished: u64,
    /// Jobs that ended after their slack was used up, those included that are not done and whose deadline is past.
    pub missed: u64,
    /// Starts and resumptions.
    pub starts: u64,
    /// Suspensions that were planned.
    pub suspensions: u64,
    /// Jobs evicted because memory in use did not fit their host.
    pub evicted: u64,
    /// How much later than without shifting jobs ended \[ns\], those included that ended earlier, as nothing; to within 0.05 %.
    pub delays: LogHistogram<10>,
    /// Sum of these delays \[ns\]; what ended earlier counts negative.
    pub delay_sum_ns: i128,
    /// Sum of how much later than without shifting jobs first started \[ns\]; what started earlier counts negative.
    pub start_wait_sum_ns: i128,
    /// Jobs that started.
    pub started: u64,
    /// Time that jobs wanted to run by their plan and found no room, or admission did not let them \[ns\].
    pub queued_ns: u128,
    /// Jobs that met that.
    pub queued: u64,
    /// Longest such time of one job \[ns\].
    pub queued_max_ns: u64,
    /// Sum over the finished jobs of the most nodes that each had at a time.
    pub most_nodes: u64,
    /// Core time of nodes while they computed, restarts and checkpoints included [core·s].
    pub core_s: f64,
    /// The same on base nodes without a break: what the finished jobs are.
    pub work_core_s: f64,
    /// Core time of restarts and checkpoints [core·s].
    pub overhead_core_s: f64,
    /// Core time that evictions undid [core·s].
    pub lost_core_s: f64,
    /// Core time by terms: reserved, on demand, spot [core·s].
    pub bought_core_s: [f64; 3],
    /// When the last job started \[s\].
    pub last_start_s: f64,
    /// CPU that jobs hold now [millionths of a core], since when, and the most that they ever held for some time.
    pub cpu: u64,
    /// Since when.
    pub cpu_since: SimTime,
    /// The most.
    pub most_cpu: u64,
    /// Jobs on hosts now, and the most for some time.
    pub running: u64,
    /// The most.
    pub most_running: u64,
}

impl JobTotals {
    /// Jobs hold more or less from now on. What holds for no time is no peak.
    pub fn hold(&mut self, now: SimTime, cpu: i64, jobs: i64) {
        if now > self.cpu_since {
            self.most_cpu = self.most_cpu.max(self.cpu);
            self.most_running = self.most_running.max(self.running);
            self.cpu_since = now;
        }
        self.cpu = self.cpu.checked_add_signed(cpu).expect("jobs give back no more than they hold");
        self.running = self.running.checked_add_signed(jobs).expect("no more jobs stop than run");
    }
}

/// How a job's story ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobEnding {
    /// It is done.
    Finished,
    /// The run ended while it had nodes.
    Running,
    /// The run ended while it waited.
    Waiting,
}

impl JobEnding {
    /// The name used in tables.
    pub fn name(self) -> &'static str {
        match self {
            JobEnding::Finished => "finished",
            JobEnding::Running => "running",
            JobEnding::Waiting => "waiting",
        }
    }
}

/// One job whose story is over, for a log.
#[derive(Debug, Clone, Copy)]
pub struct JobEnd<'a> {
    /// Its name.
    pub name: &'a str,
    /// Who is charged.
    pub account: FunctionId,
    /// Its region.
    pub region: RegionId,
    /// Its queue class.
    pub class: &'a str,
    /// When it arrived, wanted to start, first started (`None` if never), and ended.
    pub arrival: SimTime,
    /// When it wanted to start.
    pub wanted: SimTime,
    /// When it first started.
    pub started: Option<SimTime>,
    /// When it was over.
    pub ended: SimTime,
    /// By when it should have ended.
    pub deadline: SimTime,
    /// How it ended.
    pub ending: JobEnding,
    /// Its length on base nodes \[s\].
    pub length_s: f64,
    /// What was believed of it \[s\]; `None` if nothing was.
    pub estimate_s: Option<f64>,
    /// CPU of all its base nodes \[cores\].
    pub cores: f64,
    /// Times it was started or resumed, and evicted, and the most nodes that it had at a time.
    pub counts: [u32; 3],
    /// Time that it waited for room or for admission against its plan \[s\].
    pub queued_s: f64,
    /// Time that it used its nodes \[s\].
    pub ran_s: f64,
    /// Core time of its nodes [core·s].
    pub core_s: f64,
    /// Dynamic energy of its execution \[J\].
    pub dynamic_j: f64,
}

/// A consumer of jobs whose story is over.
pub type JobLog<'a> = &'a mut dyn FnMut(&JobEnd<'_>) -> Result<(), String>;
