//! Who is charged for an instance: one account per tenant, or one per instance.

use rustc_hash::FxHashMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::{Quota, Trigger};
use super::{Announced, FunctionProfile};
use crate::types::{FunctionId, Memory, MilliCores, TenantId};

/// What the tables have a row for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AccountBy {
    /// One account per tenant: memory stays the same however many instances come.
    #[default]
    Tenant,
    /// One account per instance: a row for every VM, and memory that grows with their number.
    Instance,
}

/// Numbers tenants and accounts in the order in which they appear, and announces each once.
#[derive(Debug)]
pub(super) struct Accounts {
    by: AccountBy,
    tenants: FxHashMap<Box<str>, u32>,
    accounts: u32,
}

impl Accounts {
    pub fn new(by: AccountBy) -> Self {
        Self { by, tenants: FxHashMap::default(), accounts: 0 }
    }

    /// The account of the next instance. `trust_domain`: that of the instance's tenant; by default each tenant is one.
    pub fn of(
        &mut self,
        tenant: &str,
        instance: &str,
        trust_domain: Option<u32>,
        announced: &mut Announced,
    ) -> FunctionId {
        let (number, is_new) = match self.tenants.get(tenant) {
            Some(&number) => (number, false),
            None => {
                let number = self.tenants.len() as u32;
                self.tenants.insert(tenant.into(), number);
                announced.tenants.push(tenant.into());
                (number, true)
            }
        };
        let name = match self.by {
            AccountBy::Tenant if !is_new => return FunctionId(number),
            AccountBy::Tenant => tenant,
            AccountBy::Instance => instance,
        };
        let account = FunctionId(self.accounts);
        self.accounts += 1;
        announced.accounts.push(FunctionProfile {
            name: name.into(),
            tenant: TenantId(number),
            memory: Memory::default(),
            cpu: MilliCores::default(),
            trigger: Trigger::Other,
            criticality: 0,
            quota: Quota::Reserved,
            trust_domain: trust_domain.unwrap_or(number),
            quota_cores: None,
            mean_call: None,
        });
        account
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tenant_is_announced_once() {
        for (by, ids, names) in
            [(AccountBy::Tenant, [0, 1, 0], vec!["a", "b"]), (AccountBy::Instance, [0, 1, 2], vec!["i0", "i1", "i2"])]
        {
            let (mut accounts, mut announced) = (Accounts::new(by), Announced::default());
            let got = [("a", "i0"), ("b", "i1"), ("a", "i2")].map(|(t, i)| accounts.of(t, i, None, &mut announced).0);
            assert_eq!(got, ids);
            assert_eq!(announced.accounts.iter().map(|a| &*a.name).collect::<Vec<_>>(), names);
            assert_eq!(announced.tenants, ["a".into(), "b".into()]);
            let owners: Vec<u32> = announced.accounts.iter().map(|a| a.tenant.0).collect();
            assert_eq!(owners, if by == AccountBy::Tenant { vec![0, 1] } else { vec![0, 1, 0] });
        }
    }
}
