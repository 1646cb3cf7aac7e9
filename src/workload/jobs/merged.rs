//! Several job lists as one: jobs in order of arrival; tenants, accounts and classes of one name are one.

use super::raw::Names;
use super::{Job, JobList};
use crate::types::{FunctionId, TenantId};

impl JobList {
    /// Merges lists, each under its name in the scenario. Equal arrivals keep the order of the lists, then that inside each.
    pub fn merge(lists: Vec<(String, JobList)>) -> JobList {
        let mut all = JobList::default();
        let [mut tenants, mut classes, mut accounts] = [Names::default(), Names::default(), Names::default()];
        let mut jobs: Vec<Job> = Vec::with_capacity(lists.iter().map(|(_, l)| l.jobs.len()).sum());
        for (name, list) in lists {
            let first_kind = all.kinds.len() as u32;
            let tenant_of: Vec<u32> = list.tenants.iter().map(|t| tenants.of(t)).collect();
            let class_of: Vec<u32> = list.classes.iter().map(|c| classes.of(c)).collect();
            let mut account_of = Vec::with_capacity(list.accounts.len());
            for mut account in list.accounts {
                let at = accounts.of(&account.name);
                account_of.push(FunctionId(at));
                if at as usize == all.accounts.len() {
                    let tenant = tenant_of[account.tenant.index()];
                    (account.tenant, account.trust_domain) = (TenantId(tenant), tenant);
                    all.accounts.push(account);
                }
            }
            jobs.extend(list.jobs.into_iter().map(|job| Job {
                account: account_of[job.account.index()],
                kind: first_kind + job.kind,
                class: class_of[job.class as usize],
                ..job
            }));
            all.kinds.extend(list.kinds);
            all.notes.extend(list.notes.into_iter().map(|note| format!("{name}: {note}")));
            for input in list.inputs {
                if !all.inputs.contains(&input) {
                    all.inputs.push(input);
                }
            }
        }
        jobs.sort_by_key(|job| job.arrival);
        JobList { jobs, tenants: tenants.list, classes: classes.list, ..all }
    }
}
