//! What migration is told of hosts, and the moves that it orders.

use super::Stage;
use crate::cluster::PowerState;
use crate::scheduler::migration::{Fleet, HostView, InstanceToken, ResidentView};
use crate::scheduler::overcommit::Capacity;
use crate::sim::engine::Engine;
use crate::sim::event::Event;
use crate::types::Duration;

impl Engine<'_> {
    /// Asks migration which instances move, and begins to move them.
    pub(in crate::sim) fn rebalance(&mut self) {
        let Some(mut migration) = self.tenancy.migration.take() else { return };
        let (mut hosts, mut residents) = (Vec::with_capacity(self.hosts.len()), Vec::new());
        for host in 0..self.hosts.len() {
            hosts.push(self.host_view(host, &mut residents));
        }
        let waiting: Vec<_> = self
            .tenancy
            .waiting
            .iter()
            .map(|queue| queue.first_key_value().map(|(_, &slot)| self.tenancy.residents[slot].request))
            .collect();
        let mut orders = Vec::new();
        let fleet = Fleet { now: self.now, hosts: &hosts, residents: &residents, waiting: &waiting };
        migration.moves(&fleet, &mut orders);
        for (InstanceToken(slot), to) in orders {
            self.begin_move(slot, to);
        }
        if let Some(period) = migration.period() {
            self.queue.push(self.now + period.max(Duration(1)), Event::Rebalance);
        }
        self.tenancy.migration = Some(migration);
    }

    /// What migration sees of a host; its instances that could be moved are appended.
    fn host_view(&mut self, host: usize, residents: &mut Vec<ResidentView>) -> HostView {
        let t = &mut self.tenancy;
        let h = &self.hosts[host];
        let group = &self.groups[h.group.index()];
        t.order.clear();
        t.order.extend_from_slice(&t.lodgings[host].residents);
        let slots = &t.residents;
        t.order.sort_unstable_by_key(|&slot| slots[slot].request.instance);
        let first = residents.len() as u32;
        for &slot in &t.order {
            let r = &t.residents[slot];
            if r.stage == Stage::Running && r.moving.is_none() {
                let token = InstanceToken(slot);
                residents.push(ResidentView { token, request: r.request, demand: r.demand, used: r.used });
            }
        }
        let movable = residents.len() as u32 - first;
        HostView {
            region: h.region,
            on: h.state == PowerState::On,
            physical: Capacity { cpu: group.cpu, memory: group.memory.0.saturating_sub(h.system) },
            promised: self.promised[host],
            reserved: Capacity { cpu: h.reserved_cpu, memory: h.reserved_memory },
            demand: h.demand(),
            used: h.memory_used(),
            others: h.sandboxes - movable,
            residents: (first, first + movable),
        }
    }
}
