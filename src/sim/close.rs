//! The end of a run: everything that is still there is credited with what it drew and held.

use super::calls::Stage;
use super::dispatch::DispatchTotals;
use super::engine::Engine;
use super::setup::{Outcome, SimError};
use super::statistics::PoolCounts;
use crate::cluster::{Phase, SandboxState};
use crate::ledger::Held;
use crate::types::{FunctionId, HostId, RegionId, SandboxId};

impl Engine<'_> {
    /// Closes the books.
    ///
    /// # Errors
    /// The last period's accounts cannot be written.
    pub(super) fn close(mut self) -> Result<Outcome, SimError> {
        self.close_periods(self.now);
        for host in 0..self.hosts.len() {
            self.touch(HostId::from_index(host));
            if self.hosts[host].state.is_changing() {
                self.hosts[host].count_way(self.now);
            }
        }
        for region in 0..self.regions.len() {
            self.series.advance(RegionId::from_index(region), self.now);
        }
        self.close_sandboxes();
        self.close_jobs();
        self.close_instances();
        self.close_last_period();
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        self.count_used_hosts(0);
        self.totals.exhaustions = self.hosts.iter().map(|h| h.exhaustions).sum();
        let mut pools = vec![PoolCounts::default(); self.pools.count()];
        for (f, stats) in self.functions.iter().enumerate() {
            let pool = &mut pools[self.pool_of(FunctionId::from_index(f)).index()];
            pool.executed += stats.executed;
            pool.cold += stats.cold;
        }
        let seen = self.hosts.iter().map(|h| (h.energy_j, h.on_s));
        let unfinished = self.unfinished();
        let metered = self.meter.map(|meter| meter.finish(self.now, seen));
        let watched = self.tenancy.reports();
        let instance_source = self.tenancy.take_source();
        let job_list = self.jobs.take_list();
        let workers = self.workers.map(|workers| workers.finish(self.now));
        let violations = self.routing.violations();
        Ok(Outcome {
            locality: self.packing.locality(),
            pushed: self.pushes.map(|pushes| pushes.totals),
            workers,
            instances: self.tenancy.totals,
            instance_source,
            dispatch: self.dispatch.on.then(|| {
                let services = self.dispatch.service_totals();
                DispatchTotals { services, ..self.dispatch.totals }
            }),
            jobs: self.jobs.totals,
            job_list,
            watched,
            site: self.site,
            metered,
            accounts: self.accounts,
            series: self.series,
            profiles: self.profiles,
            tenants: self.tenants,
            functions: self.functions,
            totals: self.totals,
            hosts: self.hosts,
            end: self.now,
            unfinished,
            events: self.events,
            most_in_flight: self.calls.most_in_flight(),
            pools,
            violations,
        })
    }

    /// Credits what the sandboxes that are left hold, and the idle time of the warm ones.
    fn close_sandboxes(&mut self) {
        let left: Vec<(SandboxId, SandboxState)> = self.sandboxes.iter().map(|(id, s)| (id, s.state)).collect();
        for (id, state) in left {
            match state {
                SandboxState::Starting if self.sandboxes[id].phase == Phase::Queued => {}
                SandboxState::Starting => {
                    self.credit_share(id, Held::Starting);
                    self.credit_start(id);
                }
                SandboxState::Busy if self.slots > 1 => self.credit_calls(id),
                SandboxState::Busy => {}
                SandboxState::Warm => {
                    self.count_idle(id);
                    self.credit_share(id, Held::Warm);
                }
                SandboxState::Gone => {}
            }
        }
        let running: Vec<(u32, SandboxId)> = self
            .calls
            .iter()
            .filter(|(_, c)| c.stage == Stage::Running)
            .map(|(slot, c)| (slot, SandboxId(c.sandbox)))
            .collect();
        for (slot, id) in running {
            self.credit_call(slot, id);
        }
    }
}
