//! The accounts: what each function's calls and sandboxes drew and held, per host group.

use crate::types::{FunctionId, GroupId};

/// What a sandbox is doing while it holds a share of its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Held {
    /// Executing at least one call.
    Busy = 0,
    /// Being started.
    Starting = 1,
    /// Idle and ready.
    Warm = 2,
}

/// One function's account with one host group.
///
/// `weight` fields are the same quantities weighted by the cumulative clock of the region (for example carbon
/// intensity): sum of quantity rate x d(clock).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[repr(align(16))]
pub struct Account {
    /// Share of a host held x time, by [`Held`] state [host·s]. The sum over all functions never exceeds hosts x time.
    pub share_s: [f64; 3],
    /// `share_s` weighted by the clock [host·s·weight].
    pub share_weight: [f64; 3],
    /// Dynamic energy of calls and of starts \[J\].
    pub dynamic_j: [f64; 2],
    /// `dynamic_j` weighted by the clock [J·weight].
    pub dynamic_weight: [f64; 2],
    /// Energy of what was sent between regions for it, the part of this region's grid: kept with the region's first group \[J\].
    pub network_j: f64,
    /// `network_j` weighted by the clock's rate at that instant [J·weight].
    pub network_weight: f64,
}

/// All accounts, a dense table of functions by host groups.
#[derive(Debug, Clone, Default)]
pub struct Accounts {
    groups: usize,
    table: Vec<Account>,
}

impl Accounts {
    /// Accounts for `groups` host groups and no function yet.
    pub fn new(groups: usize) -> Self {
        Self { groups, table: Vec::new() }
    }

    /// Opens accounts so that functions `0..functions` have them.
    pub fn grow(&mut self, functions: usize) {
        let rows = functions * self.groups;
        if rows > self.table.len() {
            self.table.resize(rows, Account::default());
        }
    }

    /// How many functions have accounts.
    pub fn functions(&self) -> usize {
        self.table.len().checked_div(self.groups).unwrap_or(0)
    }

    /// One account.
    #[inline]
    pub fn of(&self, function: FunctionId, group: GroupId) -> &Account {
        &self.table[function.index() * self.groups + group.index()]
    }

    /// One account, to write to.
    #[inline]
    pub fn of_mut(&mut self, function: FunctionId, group: GroupId) -> &mut Account {
        &mut self.table[function.index() * self.groups + group.index()]
    }

    /// A function's accounts, by host group.
    pub fn row(&self, function: FunctionId) -> &[Account] {
        &self.table[function.index() * self.groups..][..self.groups]
    }
}
