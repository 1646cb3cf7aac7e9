//! Who is charged for a job: one account per tenant and queue class.

use rustc_hash::FxHashMap;

use super::raw::{Names, Rows};
use crate::types::{FunctionId, Memory, MilliCores, TenantId};
use crate::workload::{FunctionProfile, Quota, Trigger};

/// Numbers tenants and accounts in the order in which jobs come.
pub(super) struct Accounts<'a> {
    rows: &'a Rows,
    otherwise: &'a str,
    tenants: Names,
    places: FxHashMap<(u32, u32), u32>,
    accounts: Vec<FunctionProfile>,
}

impl<'a> Accounts<'a> {
    /// `otherwise`: the tenant of jobs of which the source names none.
    pub fn new(rows: &'a Rows, otherwise: &'a str) -> Self {
        Self { rows, otherwise, tenants: Names::default(), places: FxHashMap::default(), accounts: Vec::new() }
    }

    /// The account and the tenant of a job, given its tenant and its class in the source.
    pub fn of(&mut self, tenant: Option<u32>, class: u32) -> (FunctionId, u32) {
        let name = tenant.map_or(self.otherwise, |t| &self.rows.tenants.list[t as usize]);
        let tenant = self.tenants.of(name);
        if let Some(&at) = self.places.get(&(tenant, class)) {
            return (FunctionId(at), tenant);
        }
        let at = self.accounts.len() as u32;
        self.places.insert((tenant, class), at);
        let classes = &self.rows.classes.list;
        let name = if classes.len() > 1 { format!("{name}/{}", classes[class as usize]) } else { name.to_owned() };
        self.accounts.push(FunctionProfile {
            name: name.into(),
            tenant: TenantId(tenant),
            memory: Memory::default(),
            cpu: MilliCores::default(),
            trigger: Trigger::Other,
            criticality: 0,
            quota: Quota::Reserved,
            trust_domain: tenant,
            quota_cores: None,
            mean_call: None,
        });
        (FunctionId(at), tenant)
    }

    /// The accounts and the tenants' names.
    pub fn close(self) -> (Vec<FunctionProfile>, Vec<Box<str>>) {
        (self.accounts, self.tenants.list)
    }
}
