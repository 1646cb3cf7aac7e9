//! Calls for which a program finds no way that is short enough, or no room.

use super::transport::{Cost, Dealt};

/// What programs planned, and what they could not keep. Counts of planned calls, not of those that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Violations {
    /// Programs that were solved.
    pub programs: u64,
    /// Calls that they planned.
    pub calls: u64,
    /// Of these, calls sent further than the longest round trip allows, as nothing nearer had room.
    pub late: u64,
    /// Of these, calls for which no region had room.
    pub unplaced: u64,
}

impl Violations {
    /// Counts one program's deal.
    pub fn count(&mut self, dealt: &Dealt, cost: &[Option<Cost>]) {
        let is_late = |cost: &Option<Cost>| cost.is_some_and(|c| c.0[0] > 0);
        let unplaced: u64 = dealt.unplaced.iter().sum();
        self.programs += 1;
        self.calls += dealt.sent.iter().sum::<u64>() + unplaced;
        self.late += dealt.sent.iter().zip(cost).filter(|(_, cost)| is_late(cost)).map(|(sent, _)| sent).sum::<u64>();
        self.unplaced += unplaced;
    }
}
