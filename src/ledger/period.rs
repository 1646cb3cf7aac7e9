//! The accounts of one period: what was added to them between two instants.

use super::{Account, Accounts};
use crate::types::{FunctionId, GroupId, SimTime};

/// What one function drew and held of one host group in one period. The sum over all periods is its [`Account`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PeriodAccount {
    /// When the period began.
    pub start: SimTime,
    /// Whose account it is.
    pub function: FunctionId,
    /// With which host group.
    pub group: GroupId,
    /// Share of a host held x time, by [`Held`](super::Held) state [host·s].
    pub share_s: [f64; 3],
    /// Dynamic energy of calls and of starts \[J\].
    pub dynamic_j: [f64; 2],
    /// Energy of what was sent between regions, the part of this region's grid \[J\].
    pub network_j: f64,
}

impl PeriodAccount {
    /// Share of a host held x time, in any state [host·s].
    pub fn held_s(&self) -> f64 {
        self.share_s.iter().sum()
    }
}

/// Balances of all accounts at the last edge between two periods, from which the next period's rows are taken.
///
/// Rounding: a balance that is a hair lower than before, because what is still open was estimated at the edge, is carried over
/// to the next period, so that no row is negative and the rows still sum to the account.
#[derive(Debug, Clone, Default)]
pub struct Balances {
    groups: usize,
    booked: Vec<Balance>,
    present: Vec<Balance>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Balance {
    share_s: [f64; 3],
    dynamic_j: [f64; 2],
    network_j: [f64; 1],
}

impl Balances {
    /// No balances yet.
    pub fn new(groups: usize) -> Self {
        Self { groups, ..Self::default() }
    }

    /// Begins to close a period: the balances are those of the accounts; what is not booked there yet can be [added](Self::add).
    pub fn read(&mut self, accounts: &Accounts) {
        self.present.clear();
        let rows = (0..accounts.functions()).flat_map(|f| accounts.row(FunctionId::from_index(f)));
        let balance = |&Account { share_s, dynamic_j, network_j, .. }: &Account| Balance {
            share_s,
            dynamic_j,
            network_j: [network_j],
        };
        self.present.extend(rows.map(balance));
        self.booked.resize(self.present.len(), Balance::default());
    }

    /// Adds what a function's account does not have yet.
    pub fn add(&mut self, (function, group): (FunctionId, GroupId), share_s: [f64; 3], dynamic_j: [f64; 2]) {
        let balance = &mut self.present[function.index() * self.groups + group.index()];
        balance.share_s.iter_mut().zip(share_s).for_each(|(sum, x)| *sum += x);
        balance.dynamic_j.iter_mut().zip(dynamic_j).for_each(|(sum, x)| *sum += x);
    }

    /// Ends the period: hands over the rows in which anything was added, by function and group.
    ///
    /// # Errors
    /// The first error of `sink`.
    pub fn hand_over<E>(
        &mut self,
        start: SimTime,
        sink: &mut dyn FnMut(&PeriodAccount) -> Result<(), E>,
    ) -> Result<(), E> {
        let groups = self.groups.max(1);
        for (i, (booked, present)) in self.booked.iter_mut().zip(&self.present).enumerate() {
            let row = PeriodAccount {
                start,
                function: FunctionId::from_index(i / groups),
                group: GroupId::from_index(i % groups),
                share_s: take(&mut booked.share_s, present.share_s),
                dynamic_j: take(&mut booked.dynamic_j, present.dynamic_j),
                network_j: take(&mut booked.network_j, present.network_j)[0],
            };
            if row.share_s != [0.0; 3] || row.dynamic_j != [0.0; 2] || row.network_j != 0.0 {
                sink(&row)?;
            }
        }
        Ok(())
    }
}

fn take<const N: usize>(booked: &mut [f64; N], present: [f64; N]) -> [f64; N] {
    let mut added = [0.0; N];
    for ((added, booked), present) in added.iter_mut().zip(booked).zip(present) {
        if present > *booked {
            *added = present - *booked;
            *booked = present;
        }
    }
    added
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_differences_and_a_hair_below_is_carried_over() {
        let mut accounts = Accounts::new(2);
        let mut balances = Balances::new(2);
        let key = (FunctionId(1), GroupId(0));
        let mut rows = Vec::new();
        let mut close = |balances: &mut Balances, open: f64, accounts: &Accounts| {
            balances.read(accounts);
            balances.add(key, [open, 0.0, 0.0], [0.0; 2]);
            let mut sink = |row: &PeriodAccount| {
                rows.push(row.share_s[0]);
                Ok::<(), ()>(())
            };
            balances.hand_over(SimTime::ZERO, &mut sink).expect("the sink never fails");
        };
        accounts.grow(2);
        close(&mut balances, 1.0, &accounts);
        accounts.of_mut(key.0, key.1).share_s[0] = 1.0 - 1e-12;
        close(&mut balances, 0.0, &accounts);
        close(&mut balances, 0.5, &accounts);
        assert_eq!(rows.len(), 2, "no row where nothing was added");
        assert_eq!(rows.iter().sum::<f64>(), 1.5 - 1e-12);
    }
}
