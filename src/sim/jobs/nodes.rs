//! The nodes of jobs: asked for, placed, grown, shrunk, given back.

use super::{Bought, Stage};
use crate::cluster::NONE;
use crate::scheduler::WorkToken;
use crate::scheduler::packing::InstanceRequest;
use crate::scheduler::shifting::Purchase;
use crate::sim::engine::Engine;
use crate::sim::event::Event;
use crate::sim::instances::{Resident, Stage as Lodger};
use crate::sim::setup::SimError;
use crate::types::{Duration, RegionId, SimTime};
use crate::workload::instances::NO_DEPLOYMENT;

impl Engine<'_> {
    /// A job should run on so many nodes from now on; 0 stands for its base nodes.
    pub(super) fn want_nodes(&mut self, slot: u32, nodes: u32) {
        let job = self.jobs.job(slot);
        let (region, cpu, base) = (job.region, job.cpu, job.nodes);
        let wanted = match (&self.jobs.kind(slot).scale, nodes) {
            (Some(scale), n) if n > 0 => n.min(scale.most()).min(self.most_nodes(slot)),
            _ => base,
        };
        match self.jobs.states[slot as usize].stage {
            Stage::Waiting => {
                let now = self.now;
                let s = self.jobs.state(slot);
                (s.wanted, s.since) = (wanted, now);
                let others_wait = self.jobs.limits && !self.jobs.capped[region.index()].is_empty();
                if others_wait || !self.is_below_ceiling(region, cpu * u64::from(wanted)) {
                    self.jobs.state(slot).stage = Stage::Capped;
                    self.jobs.capped[region.index()].push_back(slot);
                    return;
                }
                self.begin_placing(slot, now);
            }
            Stage::Capped => self.jobs.state(slot).wanted = wanted,
            Stage::Placing | Stage::Restarting | Stage::Computing => self.resize(slot, wanted),
            // When it has written down where it is, its plan is looked at again.
            Stage::Checkpointing | Stage::Evicted | Stage::Gone => {}
        }
    }

    /// A job asks for its nodes; it has wanted to run since `since`.
    pub(super) fn begin_placing(&mut self, slot: u32, since: SimTime) {
        let s = self.jobs.state(slot);
        (s.stage, s.since) = (Stage::Placing, since);
        for _ in 0..s.wanted {
            self.add_node(slot);
        }
    }

    /// A job that has asked for nodes, or has them, shall have another number of them.
    fn resize(&mut self, slot: u32, wanted: u32) {
        let s = &self.jobs.states[slot as usize];
        if wanted == s.wanted {
            // Its nodes may have become ready in the very instant in which the piece before ended.
            let suffice = s.ready == wanted || s.ready > 0 && self.jobs.kind(slot).scale.is_some();
            if s.stage == Stage::Placing && suffice {
                self.begin_running(slot);
            }
            return;
        }
        self.advance_job(slot);
        self.jobs.state(slot).wanted = wanted;
        let left = self.jobs.states[slot as usize].nodes.len();
        for _ in wanted as usize..left {
            // The last ones first: those that still wait for room are at the end.
            let node = self.jobs.state(slot).nodes.pop().expect("it has more nodes than it wants");
            self.drop_node(slot, node, true);
        }
        for _ in left..wanted as usize {
            self.add_node(slot);
        }
        let s = &self.jobs.states[slot as usize];
        match s.stage {
            Stage::Placing if s.ready == s.wanted => self.begin_running(slot),
            Stage::Computing | Stage::Restarting => {
                self.set_power(slot);
                self.plan_end(slot);
            }
            _ => {}
        }
    }

    /// Asks for one more node.
    fn add_node(&mut self, slot: u32) {
        let job = self.jobs.job(slot);
        let overhead = (self.rules.instances.memory_overhead_mb * 1e6).round() as u64;
        let account = self.jobs.accounts[job.account.index()];
        let number = self.tenancy.next_number();
        let request = InstanceRequest {
            instance: number,
            cpu: job.cpu,
            memory: job.memory.0 + overhead,
            trust_domain: self.profiles[account.index()].trust_domain,
            deployment: NO_DEPLOYMENT,
            class: self.rules.jobs.class,
            priority: 0,
        };
        let own_w = self.power_of_node(slot, 1);
        let node = self.tenancy.residents.insert(Resident {
            job: slot,
            own_w,
            limit: job.cpu,
            overhead,
            ..Resident::new(request, account, job.region, self.now)
        });
        self.loads[job.region.index()].jobs_cpu += job.cpu;
        self.jobs.state(slot).nodes.push(node);
        self.ask_for_room(node);
    }

    /// Gives a node back; where `serve`, what waits for room is tried at once, otherwise when this event is over.
    pub(super) fn drop_node(&mut self, slot: u32, node: u32, serve: bool) {
        let job = self.jobs.job(slot);
        let (region, cpu) = (job.region, job.cpu);
        self.loads[region.index()].jobs_cpu -= cpu;
        self.jobs.stirred = true;
        let r = &self.tenancy.residents[node];
        let (stage, host) = (r.stage, r.host);
        if stage == Lodger::Waiting {
            self.leave_line(node, region);
            self.tenancy.residents.remove(node);
            // It may have stood in the way of others.
            if serve {
                self.serve_instances(region);
            }
            return;
        }
        if stage == Lodger::Running {
            self.jobs.state(slot).ready -= 1;
        }
        let demand = self.tenancy.residents[node].demand;
        let computed = demand > 0;
        self.loads[region.index()].jobs_demand -= demand;
        self.move_out(node);
        self.count_node(node);
        let s = self.jobs.state(slot);
        s.dynamic_j += self.tenancy.residents[node].had.dynamic_j;
        self.tenancy.residents.remove(node);
        if computed {
            self.jobs.totals.hold(self.now, -(cpu as i64), 0);
        }
        self.settle(host);
        match serve {
            true => self.serve_waiting(host),
            false => self.queue.push(self.now, Event::Serve { host: host.0 }),
        }
    }

    /// A node of a job is on its host, and has started. Its host has been touched.
    pub(in crate::sim) fn node_ready(&mut self, node: u32) {
        let r = &self.tenancy.residents[node];
        let (slot, host, memory) = (r.job, r.host, r.request.memory);
        self.change_usage(node, host, 0, memory);
        let elastic = self.jobs.kind(slot).scale.is_some();
        self.advance_job(slot);
        let now = self.now;
        let s = self.jobs.state(slot);
        s.ready += 1;
        s.most = s.most.max(s.ready);
        match s.stage {
            // The piece of its plan ends this instant: it does not begin for no time at all.
            Stage::Placing if s.pieces.get(s.next).is_some_and(|p| p.until <= now) => {}
            Stage::Placing if s.ready == s.wanted || elastic => self.begin_running(slot),
            Stage::Computing | Stage::Restarting => {
                self.compute_on(slot, node);
                self.set_power(slot);
                self.plan_end(slot);
            }
            _ => {}
        }
        self.relieve(host);
    }

    /// A job has the nodes that it needs.
    fn begin_running(&mut self, slot: u32) {
        let now = self.now;
        let (restart, elastic) = {
            let kind = self.jobs.kind(slot);
            (kind.interruption.map_or(Duration::ZERO, |i| i.restart), kind.scale.is_some())
        };
        let since = self.jobs.states[slot as usize].since;
        self.count_queued(slot, since);
        let job = self.jobs.job(slot);
        let (wanted_at, cores) = (job.wanted, self.jobs.cores(slot));
        let totals = &mut self.jobs.totals;
        totals.starts += 1;
        totals.last_start_s = now.as_secs_f64();
        let s = self.jobs.state(slot);
        if s.started == SimTime::NEVER {
            s.started = now;
            let wait = i128::from(now.0) - i128::from(wanted_at.0);
            self.jobs.totals.started += 1;
            self.jobs.totals.start_wait_sum_ns += wait;
        }
        let free = self.reserved.free();
        let s = self.jobs.state(slot);
        s.bought = match (s.bought, s.purchase) {
            // Booked when it was let go.
            (Bought::Reserved, _) => Bought::Reserved,
            (_, Purchase::Spot) => Bought::Spot,
            // What changes its size is bought on demand.
            (_, Purchase::Cheapest) if !elastic && free >= cores => {
                self.reserved.in_use += cores;
                Bought::Reserved
            }
            _ => Bought::OnDemand,
        };
        let s = self.jobs.state(slot);
        s.stage = if s.starts > 0 && restart > Duration::ZERO { Stage::Restarting } else { Stage::Computing };
        s.starts += 1;
        (s.since, s.began) = (now, now);
        self.jobs.totals.hold(now, 0, 1);
        for at in 0..self.jobs.states[slot as usize].nodes.len() {
            let node = self.jobs.states[slot as usize].nodes[at];
            if self.tenancy.residents[node].stage == Lodger::Running {
                self.compute_on(slot, node);
            }
        }
        self.set_power(slot);
        self.plan_end(slot);
        self.jobs.stirred = true;
        if self.jobs.follows {
            self.shifting.started(WorkToken::Job(slot));
        }
    }

    /// A node that is ready computes from now on.
    fn compute_on(&mut self, slot: u32, node: u32) {
        let r = &self.tenancy.residents[node];
        let (host, cpu, memory) = (r.host, r.request.cpu, r.request.memory);
        let s = &self.jobs.states[slot as usize];
        let own_w = self.power_of_node(slot, s.ready);
        self.tenancy.residents[node].own_w = own_w;
        self.change_usage(node, host, cpu, memory);
        self.tenancy.residents[node].mark_got();
        self.jobs.totals.hold(self.now, cpu as i64, 0);
        let region = self.tenancy.residents[node].region;
        self.loads[region.index()].jobs_demand += cpu;
    }

    /// Dynamic power of one of so many nodes while it computes \[W\], where it is known.
    fn power_of_node(&self, slot: u32, nodes: u32) -> Option<f64> {
        let kind = self.jobs.kind(slot);
        match &kind.scale {
            Some(scale) if !scale.power_w.is_empty() => {
                let nodes = nodes.clamp(1, scale.most());
                Some(scale.power_w[(nodes - 1) as usize] / f64::from(nodes))
            }
            _ => kind.power_w,
        }
    }

    /// The power of a job's nodes follows their number.
    fn set_power(&mut self, slot: u32) {
        if self.jobs.kind(slot).scale.as_ref().is_none_or(|s| s.power_w.is_empty()) {
            return;
        }
        let own_w = self.power_of_node(slot, self.jobs.states[slot as usize].ready);
        for at in 0..self.jobs.states[slot as usize].nodes.len() {
            let node = self.jobs.states[slot as usize].nodes[at];
            let r = &self.tenancy.residents[node];
            if r.stage != Lodger::Running || r.own_w == own_w {
                continue;
            }
            let host = r.host;
            self.touch(host);
            let t = &mut self.tenancy;
            let (r, h) = (&mut t.residents[node], &mut self.hosts[host.index()]);
            r.credit(h, &t.lodgings[host.index()], self.now);
            h.forget_known(r.known(r.demand));
            r.own_w = own_w;
            h.add_known(r.known(r.demand));
            self.settle(host);
        }
    }

    /// How many nodes of a job its region's hosts can hold at most, if nothing else runs there.
    fn most_nodes(&self, slot: u32) -> u32 {
        let job = self.jobs.job(slot);
        self.jobs.fits[&(job.region, job.cpu, job.memory.0)]
    }

    /// How many nodes of this size a region's hosts can hold at most, if nothing else runs there.
    fn nodes_that_fit(&self, region: RegionId, cpu: u64, memory: u64) -> u32 {
        let memory = memory + (self.rules.instances.memory_overhead_mb * 1e6).round() as u64;
        let mut hosts = vec![0u64; self.groups.len()];
        self.hosts.iter().for_each(|h| hosts[h.group.index()] += 1);
        let own = self.groups.iter().zip(&self.tenancy.promises).zip(hosts).filter(|((g, _), _)| g.region == region);
        let fit = own.map(|((_, promise), hosts)| {
            let by = |there: u64, needed: u64| there.checked_div(needed).unwrap_or(u64::MAX);
            by(promise.cpu, cpu).min(by(promise.memory, memory)).saturating_mul(hosts)
        });
        u32::try_from(fit.fold(0, u64::saturating_add)).unwrap_or(u32::MAX)
    }

    /// Whether every job finds room in its region if nothing else runs there; else the run fails before it begins.
    pub(super) fn check_jobs(&mut self) {
        let mut known = std::mem::take(&mut self.jobs.fits);
        for job in &self.jobs.list.jobs[..self.jobs.taken] {
            let size = (job.region, job.cpu, job.memory.0);
            let fit = *known.entry(size).or_insert_with(|| self.nodes_that_fit(job.region, job.cpu, job.memory.0));
            let least = if self.jobs.list.kinds[job.kind as usize].scale.is_some() { 1 } else { job.nodes };
            // Where routing may send it elsewhere, that must be known of every region.
            for region in (0..self.regions.len()).filter(|_| !self.passive.routing).map(RegionId::from_index) {
                let size = (region, job.cpu, job.memory.0);
                known.entry(size).or_insert_with(|| self.nodes_that_fit(region, job.cpu, job.memory.0));
            }
            if fit < least {
                self.failure.get_or_insert(SimError::JobTooBig {
                    job: job.name.to_string(),
                    region: self.regions[job.region.index()].name.clone(),
                    nodes: job.nodes,
                    cores: job.cpu as f64 * 1e-6,
                    memory_mb: job.memory.0 as f64 * 1e-6,
                    fit,
                });
                break;
            }
        }
        self.jobs.fits = known;
    }

    /// A node of a job that must have all its nodes to compute.
    pub(in crate::sim) fn is_part_of_several(&self, node: u32) -> bool {
        let job = self.tenancy.residents[node].job;
        job != NONE && self.jobs.states[job as usize].wanted > 1 && self.jobs.kind(job).scale.is_none()
    }

    /// Its name, for messages.
    pub(in crate::sim) fn name_of_resident(&self, slot: u32) -> String {
        let r = &self.tenancy.residents[slot];
        if r.is_node() { self.jobs.job(r.job).name.to_string() } else { r.name.to_string() }
    }
}
