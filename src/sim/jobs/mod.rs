//! Batch jobs in the machine.

use super::engine::Engine;

impl Engine<'_> {
    pub(super) fn job_arrives(&mut self) {}
    pub(super) fn job_step(&mut self, _job: u32) {}
    pub(super) fn job_due(&mut self, _job: u32) {}
    pub(super) fn ceiling_moved(&mut self, _region: u32) {}
    pub(super) fn let_job_go(&mut self, _job: u32) {}
}
