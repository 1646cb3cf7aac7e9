//! Between regions: calls and jobs that are sent away with what they need, and answers on their way home.

use super::engine::Engine;
use super::event::Event;
use crate::ledger::Column;
use crate::network::Flow;
use crate::types::{Duration, FunctionId, GroupId, RegionId};

impl Engine<'_> {
    /// Sends a call to the region where it is to run; whether that takes time. Without any, it is there at once, and nothing is scheduled.
    pub(super) fn send_call(&mut self, slot: u32) -> bool {
        let call = &self.calls[slot];
        let (function, home, region) = (call.function, call.home, call.region);
        let traffic = self.network.traffic(function);
        if home == region && traffic.data_home.is_none_or(|data| data == home) {
            return false;
        }
        for flow in self.network.flows_there(&traffic, home, region) {
            self.send(function, &flow);
        }
        let way = self.network.way_there(&traffic, home, region);
        if way > Duration::ZERO {
            self.queue.push(self.now + way, Event::Reached { call: slot });
        }
        way > Duration::ZERO
    }

    /// A call has ended: its answer goes home. How long it is on its way.
    pub(super) fn answer(&mut self, slot: u32) -> Duration {
        let call = &self.calls[slot];
        let (function, home, region) = (call.function, call.home, call.region);
        let traffic = self.network.traffic(function);
        let there = self.network.way_there(&traffic, home, region);
        let back = self.network.way_back(&traffic, home, region);
        let totals = &mut self.totals.network;
        totals.on_the_way_ns += u128::from(there.0) + u128::from(back.0);
        totals.calls_away += u64::from(home != region);
        let flow = self.network.flow_back(&traffic, home, region);
        self.send(function, &flow);
        back
    }

    /// Books what is sent: half of its energy is drawn from either end's grid, now. A function's account of it is with the region's first
    /// host group.
    pub(super) fn send(&mut self, function: FunctionId, flow: &Flow) {
        if flow.mb <= 0.0 {
            return;
        }
        self.totals.network.sent_mb += flow.mb;
        let joules = 0.5 * self.network.joules(flow);
        for end in [flow.from, flow.to] {
            self.site.book(end, self.now, Column::Network, joules);
            let clock = &mut self.clocks[end.index()];
            clock.cumulative(self.now);
            let intensity = clock.value().0;
            let account = self.accounts.of_mut(function, self.first_group(end));
            account.network_j += joules;
            account.network_weight += joules * intensity;
        }
    }

    fn first_group(&self, region: RegionId) -> GroupId {
        self.hosts[self.regions[region.index()].first_host as usize].group
    }
}
