//! What lies between regions: how long a message takes there and back, what moves with a call or a job, and where it may run.
//!
//! ```text
//!   home ── request, and data at home ──▶ region ──(data that live elsewhere come here)──▶ executes
//!     ◀────────────── response ───────────┘
//! ```
//!
//! `docs/space.md` is the model.

mod spec;
#[cfg(test)]
mod tests;

pub use spec::{DataOfSpec, DataSpec, NetworkProblem, NetworkSpec, Place, ResidencySpec, great_circle_km};

use crate::types::{Duration, FunctionId, RegionId};

/// No region at all, for views that need none.
pub static NOWHERE: Network = Network {
    regions: 0,
    rtt: Vec::new(),
    places: Vec::new(),
    wide: None,
    rules: Vec::new(),
    residency: Vec::new(),
    traffic: Vec::new(),
    allowed: Vec::new(),
};

/// The regions' distances, and what is sent over them.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    regions: usize,
    /// Round-trip times, row by row: from the region of the row to that of the column.
    rtt: Vec<Duration>,
    /// Where the regions lie; empty if not all say so.
    places: Vec<Place>,
    /// What sending costs; `None`: nothing is ever sent.
    wide: Option<Wide>,
    /// Who moves what, the first that fits; the last fits all.
    rules: Vec<(Who, Traffic)>,
    /// Who may run where, the first that fits; who fits none may run anywhere.
    residency: Vec<(Who, Vec<bool>)>,
    /// What a call of each function moves.
    traffic: Vec<Traffic>,
    /// Where each function may run, row by row; empty without any residency.
    allowed: Vec<bool>,
}

/// What sending between regions costs.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Wide {
    /// Energy of both ends together [J/MB].
    j_per_mb: f64,
    /// Time per MB of one flow [s/MB].
    s_per_mb: f64,
    /// Price [currency/MB].
    price_per_mb: f64,
}

/// Functions by their names or their tenants' names; both empty: all.
#[derive(Debug, Clone, PartialEq, Default)]
struct Who {
    functions: Vec<String>,
    tenants: Vec<String>,
}

impl Who {
    fn fits(&self, function: &str, tenant: &str) -> bool {
        let all = self.functions.is_empty() && self.tenants.is_empty();
        all || self.functions.iter().any(|f| f == function) || self.tenants.iter().any(|t| t == tenant)
    }
}

/// What one call or job moves if it runs away from where these things are.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Traffic {
    /// What goes from home to where it runs \[MB\].
    pub request_mb: f64,
    /// What comes back \[MB\].
    pub response_mb: f64,
    /// Data that it reads \[MB\].
    pub data_mb: f64,
    /// Where these data live; `None`: at its home.
    pub data_home: Option<RegionId>,
}

/// Something sent from one region to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flow {
    /// From where.
    pub from: RegionId,
    /// To where.
    pub to: RegionId,
    /// How much \[MB\]; 0 where nothing is sent.
    pub mb: f64,
}

impl Network {
    /// All regions next to each other: no message takes any time, and nothing that is sent costs anything.
    pub fn local(regions: usize) -> Self {
        Self::new(regions, vec![Duration::ZERO; regions * regions])
    }

    /// Regions with these round-trip times, row by row. Sending costs nothing but time.
    pub fn new(regions: usize, rtt: Vec<Duration>) -> Self {
        assert_eq!(rtt.len(), regions * regions, "a round-trip matrix has a row and a column for every region");
        Self { regions, rtt, ..NOWHERE.clone() }
    }

    /// Round-trip time between two regions.
    #[inline]
    pub fn rtt(&self, from: RegionId, to: RegionId) -> Duration {
        self.rtt[from.index() * self.regions + to.index()]
    }

    /// How many regions there are.
    pub fn regions(&self) -> usize {
        self.regions
    }

    /// Whether the scenario has a network: without one, work is anywhere at once.
    #[inline]
    pub fn is_wide(&self) -> bool {
        self.wide.is_some()
    }

    /// Whether some work may not run everywhere.
    #[inline]
    pub fn confines(&self) -> bool {
        !self.residency.is_empty()
    }

    /// Where a region lies, if all regions say so.
    pub fn place(&self, region: RegionId) -> Option<Place> {
        self.places.get(region.index()).copied()
    }

    /// Learns of the next function.
    pub fn announce(&mut self, function: &str, tenant: &str) {
        let rule = self.rules.iter().find(|(who, _)| who.fits(function, tenant));
        self.traffic.push(rule.map_or_else(Traffic::default, |(_, traffic)| *traffic));
        if self.confines() {
            match self.residency.iter().find(|(who, _)| who.fits(function, tenant)) {
                Some((_, regions)) => self.allowed.extend_from_slice(regions),
                None => self.allowed.extend((0..self.regions).map(|_| true)),
            }
        }
    }

    /// What a call of a function moves.
    #[inline]
    pub fn traffic(&self, function: FunctionId) -> Traffic {
        self.traffic.get(function.index()).copied().unwrap_or_default()
    }

    /// Whether a function's work may run in a region.
    #[inline]
    pub fn allows(&self, function: FunctionId, region: RegionId) -> bool {
        self.allowed.get(function.index() * self.regions + region.index()).copied().unwrap_or(true)
    }

    /// What is sent before work can run in a region: the request, and the data.
    #[inline]
    pub fn flows_there(&self, traffic: &Traffic, home: RegionId, region: RegionId) -> [Flow; 2] {
        let data_home = traffic.data_home.unwrap_or(home);
        let flow = |from: RegionId, mb: f64| Flow { from, to: region, mb: if from == region { 0.0 } else { mb } };
        [flow(home, traffic.request_mb), flow(data_home, traffic.data_mb)]
    }

    /// What is sent when it has run.
    #[inline]
    pub fn flow_back(&self, traffic: &Traffic, home: RegionId, region: RegionId) -> Flow {
        Flow { from: region, to: home, mb: if home == region { 0.0 } else { traffic.response_mb } }
    }

    /// Time from when work is sent to a region until it can run there.
    ///
    /// Formula: RTT(home, region) / 2 + request / bandwidth, + data / bandwidth where the data come from home with the request, or
    /// + RTT(region, data home) + data / bandwidth where they are asked for elsewhere. Example: 100 ms and 10 MB at 100 MB/s are 150 ms.
    pub fn way_there(&self, traffic: &Traffic, home: RegionId, region: RegionId) -> Duration {
        let Some(wide) = self.wide else { return Duration(self.rtt(home, region).0 / 2) };
        let [request, data] = self.flows_there(traffic, home, region);
        let asks = if data.mb > 0.0 && data.from != home { self.rtt(region, data.from) } else { Duration::ZERO };
        let sends = Duration::from_secs_f64((request.mb + data.mb) * wide.s_per_mb);
        Duration(self.rtt(home, region).0 / 2) + asks + sends
    }

    /// Time from the end of the work until its answer is back home: the other half of the round trip, + response / bandwidth.
    pub fn way_back(&self, traffic: &Traffic, home: RegionId, region: RegionId) -> Duration {
        let rtt = self.rtt(home, region).0;
        let s_per_mb = self.wide.map_or(0.0, |w| w.s_per_mb);
        let sends = Duration::from_secs_f64(self.flow_back(traffic, home, region).mb * s_per_mb);
        Duration(rtt - rtt / 2) + sends
    }

    /// All that is sent for work that runs in a region.
    #[inline]
    pub fn flows(&self, traffic: &Traffic, home: RegionId, region: RegionId) -> [Flow; 3] {
        let [request, data] = self.flows_there(traffic, home, region);
        [request, data, self.flow_back(traffic, home, region)]
    }

    /// Energy of a flow, both ends together \[J\].
    #[inline]
    pub fn joules(&self, flow: &Flow) -> f64 {
        self.wide.map_or(0.0, |w| w.j_per_mb) * flow.mb
    }

    /// Price of so much \[currency\].
    #[inline]
    pub fn price(&self, mb: f64) -> f64 {
        self.wide.map_or(0.0, |w| w.price_per_mb) * mb
    }
}
