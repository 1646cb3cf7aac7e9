//! From an entry of the catalogue and a scenario's overrides to a mechanism; contradictions are errors.

use super::entry::{Entry, entry};
use super::mechanism::{CreationLimit, Mechanism};
use super::overrides::{EndPoint, GuestMemory, MemoryCounting, Overrides, Scope, StartEnergy, StartKind};
use super::start::{Spread, StartModel};
use crate::types::{Duration, Memory};

/// A key that contradicts another one, or asks for what is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The key, below `isolation.NAME`.
    pub key: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// Settles the figures of a mechanism.
///
/// # Errors
/// All conflicts together, never an empty list.
pub(super) fn build(name: &str, o: &Overrides) -> Result<Mechanism, Vec<Conflict>> {
    let mut b = Builder { e: entry(name), o, conflicts: Vec::new() };
    let (start_model, start_spread) = b.start();
    let (pause_after, resume) = b.after("pause_after_s", o.pause_after_s, "resume_s", o.resume_s);
    let (snapshot_after, restore) = b.after("snapshot_after_s", o.snapshot_after_s, "restore_s", o.restore_s);
    if snapshot_after != Duration::FOREVER && pause_after != Duration::FOREVER && snapshot_after <= pause_after {
        b.conflict(
            "snapshot_after_s",
            "a sandbox would be snapshotted before it is paused",
            "let snapshot_after_s be longer than pause_after_s, or leave one of them out",
        );
    }
    let scope = o.scope.unwrap_or(b.e.scope);
    let calls_per_sandbox = b.calls_per_sandbox(scope);
    let call_memory_share = o.call_memory_share.unwrap_or(match scope {
        Scope::Request | Scope::Function => 0.0,
        Scope::Tenant | Scope::TrustDomain => 1.0,
    });
    let mechanism = Mechanism {
        name: name.to_owned(),
        start_model,
        start_spread,
        start_covers_call: o.start_covers_call.unwrap_or(false),
        start_cpu_core_s: b.or(o.start_cpu_core_s, "start_cpu_core_s", 0.0),
        start_energy_j: b.energy(),
        memory_overhead: Memory::from_mb(b.memory_overhead_mb()),
        memory_per_host: Memory::from_mb(b.or(o.memory_per_host_mb, "memory_per_host_mb", 0.0)),
        cpu_factor: b.or(o.cpu_factor, "cpu_factor", 1.0),
        first_call_factor: b.or(o.first_call_factor, "first_call_factor", 1.0),
        creations: b.creations(),
        max_per_host: o.max_per_host.or(b.e.number("max_per_host").map(|n| n as u32)),
        scope,
        calls_per_sandbox,
        call_memory_share,
        reserved_cores: o.reserved_cores.unwrap_or(0.0),
        busy_memory_share: o.busy_memory_share.unwrap_or(1.0),
        warm_memory_share: b.or(o.warm_memory_share, "warm_memory_share", 1.0),
        paused_memory_share: b.or(o.paused_memory_share, "paused_memory_share", 1.0),
        pause_after,
        snapshot_after,
        resume,
        restore,
        runtime_init: b.e.runtime_init,
        scale_to_zero: b.e.scale_to_zero,
        base: b.base(),
    };
    if b.conflicts.is_empty() { Ok(mechanism) } else { Err(b.conflicts) }
}

struct Builder<'a> {
    e: &'static Entry,
    o: &'a Overrides,
    conflicts: Vec<Conflict>,
}

impl Builder<'_> {
    fn conflict(&mut self, key: &'static str, message: impl Into<String>, help: impl Into<String>) {
        self.conflicts.push(Conflict { key, message: message.into(), help: help.into() });
    }

    /// The override, the catalogue's figure, or else the default.
    fn or(&self, given: Option<f64>, key: &str, default: f64) -> f64 {
        given.or(self.e.number(key)).unwrap_or(default)
    }

    fn start(&mut self) -> (StartModel, Spread) {
        let (e, o) = (self.e, self.o);
        let plain = o.start_median_s.is_none() && o.start_sigma.is_none();
        let kind = o.start_model.unwrap_or(match &e.start_quantiles {
            Some(_) if plain => StartKind::Empirical,
            _ => StartKind::Lognormal,
        });
        self.refuse_keys_of_other_models(kind);
        let median_s = self.or(o.start_median_s, "start_median_s", 0.0);
        let sigma = self.or(o.start_sigma, "start_sigma", 0.0);
        let lognormal = StartModel::Lognormal { median_s, sigma };
        match kind {
            StartKind::Lognormal => (lognormal, Spread::None),
            StartKind::Empirical => {
                let guest = o.start_end_point == Some(EndPoint::Guest);
                let table = if guest { &e.guest_quantiles } else { &e.start_quantiles };
                let Some(table) = table else {
                    let (key, what) = match guest {
                        true => ("start_end_point", "of the guest's part"),
                        false => ("start_model", "of its start"),
                    };
                    self.conflict(
                        key,
                        format!("the catalogue has no quantiles {what} for {}", e.name),
                        "leave the key out; `sim list isolation` shows which mechanisms have quantiles",
                    );
                    return (lognormal, Spread::None);
                };
                (StartModel::Empirical(table.levels.clone()), Spread::None)
            }
            StartKind::Exponential => {
                if o.start_mean_s.is_none() {
                    self.conflict("start_model", "the exponential model needs a mean", "set start_mean_s");
                }
                (StartModel::Exponential { mean_s: o.start_mean_s.unwrap_or(0.0) }, Spread::None)
            }
            StartKind::ProcessorSharing => {
                let spread = match &e.start_quantiles {
                    Some(table) if o.start_sigma.is_none() => Spread::of(table.levels.serial()),
                    _ => Spread::lognormal(sigma),
                };
                let floor = Duration::from_secs_f64(self.or(o.start_floor_s, "start_floor_s", 0.0));
                let demand = Duration::from_secs_f64(self.or(o.start_cpu_core_s, "start_cpu_core_s", 0.0));
                (StartModel::ProcessorSharing { floor, demand }, spread)
            }
        }
    }

    /// Every key belongs to certain start models; with another one it would silently do nothing.
    fn refuse_keys_of_other_models(&mut self, kind: StartKind) {
        use StartKind::{Empirical, Exponential, Lognormal, ProcessorSharing};
        let o = self.o;
        let guest = o.start_end_point == Some(EndPoint::Guest);
        let covers = o.start_covers_call == Some(true);
        let keys: [(&'static str, bool, &[StartKind]); 6] = [
            ("start_median_s", o.start_median_s.is_some(), &[Lognormal]),
            ("start_sigma", o.start_sigma.is_some(), &[Lognormal, ProcessorSharing]),
            ("start_mean_s", o.start_mean_s.is_some(), &[Exponential]),
            ("start_floor_s", o.start_floor_s.is_some(), &[ProcessorSharing]),
            ("start_end_point", guest, &[Empirical]),
            ("start_covers_call", covers, &[Empirical, Lognormal, Exponential]),
        ];
        let word = |kind: &StartKind| match kind {
            Empirical => "\"empirical\"",
            Lognormal => "\"lognormal\"",
            Exponential => "\"exponential\"",
            ProcessorSharing => "\"processor-sharing\"",
        };
        for (key, given, models) in keys {
            if given && !models.contains(&kind) {
                let models: Vec<&str> = models.iter().map(word).collect();
                self.conflict(
                    key,
                    format!("{key} has no meaning with the start model {}", word(&kind)),
                    format!("leave it out, or set start_model = {}", models.join(" or ")),
                );
            }
        }
    }

    fn energy(&mut self) -> Option<f64> {
        let (e, o) = (self.e, self.o);
        if o.start_energy != Some(StartEnergy::Measured) {
            if o.start_energy_j.is_some() {
                self.conflict(
                    "start_energy_j",
                    "the energy of a start comes from its CPU time, a constant beside it would count twice",
                    "set start_energy = \"measured\", or leave start_energy_j out",
                );
            }
            return None;
        }
        if o.start_model == Some(StartKind::ProcessorSharing) {
            self.conflict(
                "start_energy",
                "measured energy is spread over the start, whose length nobody knows beforehand under processor sharing",
                "leave it out, or choose another start_model",
            );
        }
        let energy = o.start_energy_j.or(e.number("start_energy_j"));
        if energy.is_none() {
            self.conflict(
                "start_energy",
                format!("no measured energy of a start is known for {}", e.name),
                "set start_energy_j, or leave start_energy out",
            );
        }
        energy
    }

    fn memory_overhead_mb(&mut self) -> f64 {
        let (e, o) = (self.e, self.o);
        let charged = o.memory_overhead == Some(MemoryCounting::Charged);
        let included = o.guest_memory == Some(GuestMemory::Included);
        let choice = if charged { "memory_overhead" } else { "guest_memory" };
        if charged && included {
            self.conflict(
                "guest_memory",
                "what a scheduler charges does not depend on the guest",
                "leave out guest_memory or memory_overhead",
            );
        } else if (charged || included) && o.memory_overhead_mb.is_some() {
            self.conflict(
                "memory_overhead_mb",
                format!("{choice} chooses a figure of the catalogue, and this key replaces it"),
                format!("leave out {choice} or memory_overhead_mb"),
            );
        }
        let key = match (charged, included) {
            (true, _) => "memory_charged_mb",
            (false, true) => "vmm_memory_mb",
            (false, false) => "memory_overhead_mb",
        };
        if e.number(key).is_none() {
            self.conflict(
                choice,
                format!("the catalogue has no {key} for {}", e.name),
                format!("leave {choice} out, or set memory_overhead_mb instead"),
            );
        }
        self.or(o.memory_overhead_mb, key, 0.0)
    }

    fn creations(&mut self) -> Option<CreationLimit> {
        let o = self.o;
        let per_s_per_core = self.or(o.creations_per_s_per_core, "creations_per_s_per_core", 0.0);
        let per_s_per_host = self.or(o.creations_per_s_per_host, "creations_per_s_per_host", 0.0);
        let limited = per_s_per_core > 0.0 || per_s_per_host > 0.0;
        match o.limit_creations {
            Some(false) => {
                for (key, given) in [
                    ("creations_per_s_per_core", o.creations_per_s_per_core),
                    ("creations_per_s_per_host", o.creations_per_s_per_host),
                    ("creation_burst", o.creation_burst),
                ] {
                    if given.is_some() {
                        self.conflict(key, "limit_creations = false takes the limit away", "leave one of them out");
                    }
                }
                return None;
            }
            Some(true) if !limited => self.conflict(
                "limit_creations",
                format!("no limit on starts is known for {}", self.e.name),
                "set creations_per_s_per_core or creations_per_s_per_host, or leave limit_creations out",
            ),
            _ => {}
        }
        if !limited && o.creation_burst.is_some() && o.limit_creations.is_none() {
            self.conflict(
                "creation_burst",
                format!("no limit on starts is known for {}", self.e.name),
                "set creations_per_s_per_core or creations_per_s_per_host, or leave creation_burst out",
            );
        }
        limited.then(|| CreationLimit { per_s_per_core, per_s_per_host, burst: o.creation_burst.unwrap_or(1.0) })
    }

    fn calls_per_sandbox(&mut self, scope: Scope) -> u32 {
        // Made for one call, a sandbox takes one, whatever the catalogue says.
        let usual = if scope == Scope::Request { 1 } else { self.or(None, "calls_per_sandbox", 1.0) as u32 };
        let calls = self.o.calls_per_sandbox.unwrap_or(usual);
        if calls == 0 {
            self.conflict("calls_per_sandbox", "a sandbox must take a call", "set 1 or more");
        }
        if scope == Scope::Request && calls > 1 {
            self.conflict(
                "calls_per_sandbox",
                format!("{calls} calls cannot share a sandbox that is made for one call (scope \"request\")"),
                "leave it out, or set another scope",
            );
        }
        calls
    }

    /// A step down after an idle time, and the way back up, which must be known then.
    fn after(
        &mut self,
        key: &'static str,
        after_s: Option<f64>,
        back_key: &'static str,
        back_s: Option<f64>,
    ) -> (Duration, Duration) {
        let after = after_s.map_or(Duration::FOREVER, Duration::from_secs_f64);
        let back = back_s.or(self.e.number(back_key));
        if after != Duration::FOREVER && back.is_none() {
            self.conflict(
                key,
                format!("the catalogue has no {back_key} for {}: it is not known to come back", self.e.name),
                format!("set {back_key}, or leave {key} out"),
            );
        }
        (after, Duration::from_secs_f64(back.unwrap_or(0.0)))
    }

    fn base(&mut self) -> Option<Box<Mechanism>> {
        if self.o.first_start_boots != Some(true) {
            return None;
        }
        let Some(base) = &self.e.base else {
            self.conflict(
                "first_start_boots",
                format!("{} boots at every start: it restores no snapshot", self.e.name),
                "leave it out, or choose a mechanism that restores snapshots, such as microvm-snapshot",
            );
            return None;
        };
        // Whether the energy of a start is measured holds for all starts of a run.
        let same_energy = Overrides { start_energy: self.o.start_energy, ..Overrides::default() };
        match build(base, &same_energy) {
            Ok(base) => Some(Box::new(base)),
            Err(conflicts) => {
                self.conflicts.extend(conflicts);
                None
            }
        }
    }
}
