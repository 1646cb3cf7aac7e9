//! The functional unit R: what the score divides by, and how it is counted.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What R counts.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FunctionalUnit {
    /// Executed calls.
    #[default]
    Call,
    /// Requests that were served: the same count as `call`, as every call of a workload is a request of its own.
    Request,
    /// Hours of calls in execution: sum of their time from begin to end, in hours.
    ExecutionHour,
    /// Core-hours of work done: time that executed calls run alone, times the cores that the function demands, in hours. What
    /// contention or isolation adds to their time is no work. Of instances, the CPU that they got.
    CpuHour,
    /// Gigabyte-hours of memory held by busy sandboxes' functions while executing, and used by instances.
    GbHour,
    /// Hours that instances ran.
    InstanceHour,
    /// Instances that ran to their end: VMs, tasks, jobs.
    Instance,
    /// Hours of the run times tenants: what it costs to serve a tenant for an hour, busy or not.
    TenantHour,
    /// A unit of one's own, counted per executed call.
    UserDefined(UserUnit),
}

/// `functional_unit.user-defined`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserUnit {
    /// What is counted, for example `image`.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Units per executed call of a function that is not named below. Default 0.
    #[schemars(range(min = 0.0))]
    #[serde(default)]
    pub per_call: f64,
    /// Units per executed call by function name. Default: none.
    #[schemars(inner(range(min = 0.0)))]
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_function: BTreeMap<String, f64>,
}

/// What a function has done, as far as a functional unit can count it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Work<'a> {
    /// The function's name.
    pub name: &'a str,
    /// Its tenant's number.
    pub tenant: u32,
    /// Executed calls.
    pub executed: u64,
    /// Time in execution \[s\].
    pub busy_s: f64,
    /// Time that the executed calls run alone \[s\].
    pub work_s: f64,
    /// Memory of the function \[GB\].
    pub memory_gb: f64,
    /// CPU that a call of it demands \[cores\].
    pub cores: f64,
    /// Instances of the account that ran to their end.
    pub instances: u64,
    /// Time that its instances ran \[s\].
    pub instance_s: f64,
    /// CPU that they got [core·s].
    pub instance_core_s: f64,
    /// Memory that they used [GB·s].
    pub instance_gb_s: f64,
}

impl FunctionalUnit {
    /// The units that need no further word, for tables.
    pub const NAMED: [FunctionalUnit; 8] = [
        Self::Call,
        Self::Request,
        Self::ExecutionHour,
        Self::CpuHour,
        Self::GbHour,
        Self::TenantHour,
        Self::InstanceHour,
        Self::Instance,
    ];

    /// The unit's name, for tables.
    pub fn name(&self) -> &str {
        match self {
            Self::Call => "call",
            Self::Request => "request",
            Self::ExecutionHour => "execution-hour",
            Self::CpuHour => "CPU-hour",
            Self::GbHour => "GB-hour",
            Self::TenantHour => "tenant-hour",
            Self::InstanceHour => "instance-hour",
            Self::Instance => "instance",
            Self::UserDefined(own) => &own.name,
        }
    }

    /// The unit of this name, in any case.
    pub fn named(name: &str) -> Option<FunctionalUnit> {
        Self::NAMED.into_iter().find(|unit| unit.name().eq_ignore_ascii_case(name))
    }

    /// What is wrong with a unit of one's own: message and help.
    pub fn problem(&self) -> Option<(String, &'static str)> {
        let Self::UserDefined(own) = self else { return None };
        if let Some(taken) = Self::named(own.name.trim()) {
            let message = format!("\"{}\" is the name of a unit that counts something else", taken.name());
            return Some((
                message,
                "call your unit something else, or write that unit itself: functional_unit = \"call\"",
            ));
        }
        (own.per_call == 0.0 && own.by_function.values().all(|&units| units == 0.0)).then(|| {
            ("no call counts any unit: there would be no score".to_owned(), "set per_call, or by_function, above 0")
        })
    }

    /// Names of functions that a unit of one's own gives and that are not among `functions`.
    pub fn unknown<'a>(&'a self, functions: &[&str]) -> Vec<&'a str> {
        let Self::UserDefined(own) = self else { return Vec::new() };
        own.by_function.keys().map(String::as_str).filter(|name| !functions.contains(name)).collect()
    }

    /// R of a set of functions over a run of `run_s` seconds.
    ///
    /// Sums over functions, but for tenant-hours: there it is the tenants that own one of them, times the run's hours.
    pub fn count<'a>(&self, functions: impl IntoIterator<Item = Work<'a>>, run_s: f64) -> f64 {
        let each = |f: Work<'_>| match self {
            Self::Call | Self::Request => f.executed as f64,
            Self::ExecutionHour => f.busy_s / 3600.0,
            Self::CpuHour => (f.work_s * f.cores + f.instance_core_s) / 3600.0,
            Self::GbHour => (f.busy_s * f.memory_gb + f.instance_gb_s) / 3600.0,
            Self::InstanceHour => f.instance_s / 3600.0,
            Self::Instance => f.instances as f64,
            Self::UserDefined(own) => f.executed as f64 * own.by_function.get(f.name).copied().unwrap_or(own.per_call),
            Self::TenantHour => 0.0,
        };
        if *self != Self::TenantHour {
            return functions.into_iter().map(each).sum();
        }
        let mut tenants: Vec<u32> = functions.into_iter().map(|f| f.tenant).collect();
        tenants.sort_unstable();
        tenants.dedup();
        tenants.len() as f64 * run_s / 3600.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(name: &str, tenant: u32, executed: u64) -> Work<'_> {
        Work {
            name,
            tenant,
            executed,
            busy_s: 7200.0,
            work_s: 3600.0,
            memory_gb: 0.5,
            cores: 0.25,
            instances: 2,
            instance_s: 1800.0,
            instance_core_s: 360.0,
            instance_gb_s: 720.0,
        }
    }

    #[test]
    fn every_unit_counts_what_its_name_says() {
        let all = [work("a", 0, 10), work("b", 0, 20), work("c", 1, 30)];
        let count = |unit: FunctionalUnit| unit.count(all, 3.0 * 3600.0);
        assert_eq!(count(FunctionalUnit::Call), 60.0);
        assert_eq!(count(FunctionalUnit::Request), 60.0);
        assert_eq!(count(FunctionalUnit::ExecutionHour), 6.0);
        assert!((count(FunctionalUnit::CpuHour) - 1.05).abs() < 1e-12);
        assert!((count(FunctionalUnit::GbHour) - 3.6).abs() < 1e-12);
        assert_eq!(count(FunctionalUnit::InstanceHour), 1.5);
        assert_eq!(count(FunctionalUnit::Instance), 6.0);
        assert_eq!(count(FunctionalUnit::TenantHour), 6.0);
        let own = UserUnit { name: "image".into(), per_call: 2.0, by_function: [("c".into(), 0.5)].into() };
        assert_eq!(count(FunctionalUnit::UserDefined(own)), 75.0);
    }

    #[test]
    fn a_unit_is_found_by_its_name_in_any_case() {
        for unit in FunctionalUnit::NAMED {
            assert_eq!(FunctionalUnit::named(&unit.name().to_lowercase()), Some(unit));
        }
        assert_eq!(FunctionalUnit::named("furlong"), None);
    }
}
