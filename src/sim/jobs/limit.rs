//! How much CPU jobs may hold: the ceiling that admission puts over a region.

use super::Stage;
use crate::scheduler::admission::Ceiling;
use crate::sim::engine::Engine;
use crate::sim::event::Event;
use crate::sim::view::view;
use crate::types::{Duration, RegionId, SimTime};

impl Engine<'_> {
    /// Whether the jobs of a region may hold this much more CPU. Without a limit, always; and so where none holds any, or a job larger than
    /// every ceiling would wait for ever, and all others behind it.
    pub(super) fn is_below_ceiling(&mut self, region: RegionId, cpu: u64) -> bool {
        if !self.jobs.limits {
            return true;
        }
        let now = self.now;
        if self.jobs.ceilings.is_empty() {
            self.jobs.ceilings = vec![Ceiling { cpu: 0, until: SimTime::ZERO }; self.regions.len()];
            (0..self.regions.len()).for_each(|r| self.ask_ceiling(r));
        } else if self.jobs.ceilings[region.index()].until <= now {
            self.ask_ceiling(region.index());
        }
        let held = self.loads[region.index()].jobs_cpu;
        held == 0 || held.saturating_add(cpu) <= self.jobs.ceilings[region.index()].cpu
    }

    fn ask_ceiling(&mut self, region: usize) {
        let view = view!(self);
        let ceiling = self.admission.ceiling(RegionId::from_index(region), &view);
        let until =
            if ceiling.until == SimTime::NEVER { ceiling.until } else { ceiling.until.max(self.now + Duration(1)) };
        self.jobs.ceilings[region] = Ceiling { until, ..ceiling };
        if until != SimTime::NEVER {
            self.queue.push(until, Event::Ceiling { region: region as u32 });
        }
    }

    /// The ceiling over a region may have moved.
    pub(in crate::sim) fn ceiling_moved(&mut self, region: u32) {
        if self.jobs.ceilings[region as usize].until <= self.now {
            self.ask_ceiling(region as usize);
        }
        self.serve_capped(region as usize);
    }

    /// Lets jobs run that admission held back, in the order in which they came to it, as far as there is room below the ceiling.
    pub(super) fn serve_capped(&mut self, region: usize) {
        while let Some(&slot) = self.jobs.capped[region].front() {
            debug_assert_eq!(self.jobs.states[slot as usize].stage, Stage::Capped);
            let needed = self.jobs.job(slot).cpu * u64::from(self.jobs.states[slot as usize].wanted);
            if !self.is_below_ceiling(RegionId::from_index(region), needed) {
                return;
            }
            self.jobs.capped[region].pop_front();
            let since = self.jobs.states[slot as usize].since;
            self.begin_placing(slot, since);
        }
    }

    /// A job waits for admission no more.
    pub(super) fn leave_capped(&mut self, slot: u32) {
        let region = self.jobs.job(slot).region.index();
        self.jobs.capped[region].retain(|&waiting| waiting != slot);
    }
}
