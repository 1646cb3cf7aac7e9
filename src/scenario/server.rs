//! `[servers.NAME]`: a type of host, from the catalogue or from figures of one's own.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::build::Problem;
use super::{Scenario, did_you_mean};
use crate::cluster::power::{Parts, PowerSpec, Supply};
use crate::cluster::{ServerType, Standby, server_types};
use crate::sci::embodied::{self, EmbodiedSpec, Item, LifetimeBasis, Lives, OtherLife, Surroundings};
use crate::types::Duration;

/// `[servers.NAME]`: a type of host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerSpec {
    /// A type of the catalogue (`sim list servers`), which gives cores, memory, power, embodied emissions and lifespan; each
    /// may be overridden. Default: none, all figures are your own.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub catalogue: Option<String>,
    /// CPU cores. Required without a `type`.
    #[schemars(range(min = 0.001, max = 1000000000.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cores: Option<f64>,
    /// Memory [MB = 10^6 bytes]. Required without a `type`.
    #[schemars(range(min = 1.0, max = 1000000000000.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<f64>,
    /// Power model. Default: that of the `type`, else `linear`, 121 to 682 W (median EPYC 4th generation, SPECpower).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power: Option<PowerSpec>,
    /// Parts whose power is added to the model. Default: nothing.
    #[serde(default, skip_serializing_if = "Parts::is_empty")]
    pub parts: Parts,
    /// Losses between the plug and the parts. Default: none.
    #[serde(default, skip_serializing_if = "Supply::is_lossless")]
    pub supply: Supply,
    /// Embodied emissions of one server, cradle to gate \[kgCO2e\]. Required without a `type` or `embodied`: it is never a
    /// hidden constant.
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embodied_kg: Option<f64>,
    /// An estimate of the embodied emissions from the parts, in place of `embodied_kg` or the catalogue's figure. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embodied: Option<EmbodiedSpec>,
    /// Expected lifespan, in this life [years of 365 days]. Required without a `type`.
    #[schemars(range(min = 0.001))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime_years: Option<f64>,
    /// Which time uses the lifespan up: all, or time powered on. Default `existence`.
    #[serde(default)]
    pub lifetime_basis: LifetimeBasis,
    /// An owner before this one, who bears a part of the embodied emissions: the server was bought used. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_life: Option<OtherLife>,
    /// An owner after this one, who bears a part of the embodied emissions. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_life: Option<OtherLife>,
    /// Embodied emissions of what the server stands in, on top. Default: nothing.
    #[serde(default, skip_serializing_if = "Surroundings::is_empty")]
    pub surroundings: Surroundings,
    /// How long switching off takes \[s\]. Default 7 (SimGrid's example of a node that is switched off and on).
    #[schemars(range(min = 0.0))]
    #[serde(default = "shutdown_s")]
    pub shutdown_s: f64,
    /// Power while switching off \[W\]. Default: the power at no load (assumed).
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shutdown_w: Option<f64>,
    /// Power while switched off \[W\]. Default 5 (assumed: the management controller and the supplies).
    #[schemars(range(min = 0.0))]
    #[serde(default = "off_w")]
    pub off_w: f64,
    /// How long a boot takes \[s\]. Default 260 (measured for AutoScale, TOCS 2012).
    #[schemars(range(min = 0.0))]
    #[serde(default = "boot_s")]
    pub boot_s: f64,
    /// Power while booting \[W\]. Default: 1.4 × the power at no load (AutoScale: 200 W at 140 W idle).
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_w: Option<f64>,
    /// How long suspending to memory takes \[s\]. Default 1 (assumed, above the 0.65 s of Arch Linux in Xi et al., ISLPED 2013).
    #[schemars(range(min = 0.0))]
    #[serde(default = "suspend_s")]
    pub suspend_s: f64,
    /// Power while suspending \[W\]. Default: the power at no load (assumed).
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend_w: Option<f64>,
    /// Power while asleep \[W\]. Default: 0.05 × the power at full load (Xi et al., ISLPED 2013: 4 to 6 % of nominal power).
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sleep_w: Option<f64>,
    /// How long waking takes \[s\]. Default 20 (the shortest that AutoScale, TOCS 2012, studies for servers that sleep).
    #[schemars(range(min = 0.0))]
    #[serde(default = "wake_s")]
    pub wake_s: f64,
    /// Power while waking \[W\]. Default: as while booting (assumed).
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wake_w: Option<f64>,
}

fn shutdown_s() -> f64 {
    7.0
}
fn off_w() -> f64 {
    5.0
}
fn boot_s() -> f64 {
    260.0
}
fn suspend_s() -> f64 {
    1.0
}
fn wake_s() -> f64 {
    20.0
}
/// Power while booting over the power at no load.
const BOOT_OVER_IDLE: f64 = 1.4;
/// Power while asleep over the power at full load.
const SLEEP_OVER_FULL: f64 = 0.05;

/// What a server type comes to: the catalogue's figures under those of the scenario.
pub(super) struct Server {
    pub cores: f64,
    pub memory_mb: f64,
    pub power: PowerSpec,
    /// All embodied emissions.
    pub server_kg: f64,
    /// What other owners bear of them.
    pub lives: Lives,
    /// What this life bears.
    pub embodied_kg: f64,
    pub lifetime_years: f64,
    pub lifetime_basis: LifetimeBasis,
    pub surroundings_g_per_s: f64,
}

impl ServerSpec {
    /// The figures, with all that is missing or does not go together reported.
    pub(super) fn resolve(&self, name: &str, problems: &mut Vec<Problem>) -> Option<Server> {
        let before = problems.len();
        let listed = self.catalogue.as_deref().and_then(|wanted| {
            let found = server_types().find(wanted);
            if found.is_none() {
                problems.push(unknown(name, wanted));
            }
            found
        });
        let mut figure = |own: Option<f64>, of: fn(&ServerType) -> f64, key: &str, unit: &str| {
            let value = own.or(listed.map(of));
            // An unknown type is one problem, not five.
            if value.is_none() && self.catalogue.is_none() {
                problems.push(Problem::new(
                    format!("servers.{name}"),
                    format!("[servers.{name}] needs the key \"{key}\""),
                    format!("add {key} = … [{unit}], or name a type of the catalogue: see `sim list servers`"),
                ));
            }
            value
        };
        let cores = figure(self.cores, |s| s.cores, "cores", "cores");
        let memory_mb = figure(self.memory_mb, |s| s.memory_mb, "memory_mb", "MB");
        let estimated = self.embodied.as_ref().map(|e| e.kg(memory_mb.unwrap_or(0.0)));
        let unit = "kgCO2e; or estimate it with embodied.boavizta or embodied.teads";
        let embodied_kg = figure(self.embodied_kg.or(estimated), |s| s.embodied_kg, "embodied_kg", unit);
        let lifetime_years = figure(self.lifetime_years, |_| server_types().lifetime_years, "lifetime_years", "years");
        self.check_boundary(name, problems);
        let lives = self.lives(name, problems);
        if problems.len() > before {
            return None;
        }
        let power = self.power.clone().or_else(|| listed.map(|s| s.power.clone())).unwrap_or_default();
        Some(Server {
            cores: cores?,
            memory_mb: memory_mb?,
            power,
            server_kg: embodied_kg?,
            lives,
            embodied_kg: embodied_kg? * lives.share(lifetime_years?),
            lifetime_years: lifetime_years?,
            lifetime_basis: self.lifetime_basis,
            surroundings_g_per_s: self.surroundings.g_per_s(),
        })
    }

    /// How its hosts wait, off and asleep, where it draws so much at no load and at full load.
    pub(super) fn standby(&self, idle_w: f64, full_w: f64) -> (Standby, Standby) {
        let boot_w = self.boot_w.unwrap_or(BOOT_OVER_IDLE * idle_w);
        let off = Standby {
            down: Duration::from_secs_f64(self.shutdown_s),
            down_w: self.shutdown_w.unwrap_or(idle_w),
            rest_w: self.off_w,
            up: Duration::from_secs_f64(self.boot_s),
            up_w: boot_w,
        };
        let sleep = Standby {
            down: Duration::from_secs_f64(self.suspend_s),
            down_w: self.suspend_w.unwrap_or(idle_w),
            rest_w: self.sleep_w.unwrap_or(SLEEP_OVER_FULL * full_w),
            up: Duration::from_secs_f64(self.wake_s),
            up_w: self.wake_w.unwrap_or(boot_w),
        };
        (off, sleep)
    }

    /// The lives beside the present one; reports keys on embodied emissions that do not go together.
    fn lives(&self, name: &str, problems: &mut Vec<Problem>) -> Lives {
        if self.embodied.is_some() && self.embodied_kg.is_some() {
            problems.push(Problem::new(
                format!("servers.{name}.embodied"),
                format!("[servers.{name}] has both \"embodied_kg\" and \"embodied\""),
                "keep embodied_kg if you know the figure, or the estimate embodied, and delete the other",
            ));
        }
        let lives = Lives { first: self.first_life, second: self.second_life };
        if let Err(message) = lives.check() {
            let key = if matches!(self.second_life, Some(OtherLife::Share(_))) { "second_life" } else { "first_life" };
            let help = "lower one of them: what is left of 1 is the share of this life";
            problems.push(Problem::new(format!("servers.{name}.{key}"), message, help));
        }
        lives
    }

    /// Power that comes from the catalogue or is the default was measured at the plug: memory and losses are in it.
    fn check_boundary(&self, name: &str, problems: &mut Vec<Problem>) {
        if self.power.is_some() {
            return;
        }
        let twice = [("parts.memory", self.parts.memory.is_some()), ("supply", !self.supply.is_lossless())];
        for (key, _) in twice.into_iter().filter(|(_, given)| *given) {
            problems.push(Problem::new(
                format!("servers.{name}.{key}"),
                format!("{key} would count twice: power of the catalogue, and the default, were measured at the plug"),
                "give a power model of the CPU or of the parts' side of the supply, or leave this out",
            ));
        }
    }
}

impl Scenario {
    /// The same with the figures of the catalogue and the default power model written out, as manifests show it.
    pub fn filled_in(&self) -> Scenario {
        let mut scenario = self.clone();
        for spec in scenario.servers.values_mut() {
            if let Some(listed) = spec.catalogue.as_deref().and_then(|name| server_types().find(name)) {
                spec.cores.get_or_insert(listed.cores);
                spec.memory_mb.get_or_insert(listed.memory_mb);
                spec.power.get_or_insert_with(|| listed.power.clone());
                if spec.embodied.is_none() {
                    spec.embodied_kg.get_or_insert(listed.embodied_kg);
                }
                spec.lifetime_years.get_or_insert(server_types().lifetime_years);
            }
            spec.power.get_or_insert_default();
        }
        for region in scenario.regions.iter_mut().filter(|r| r.pue_outdoor.is_none()) {
            region.pue.get_or_insert(super::DEFAULT_PUE);
        }
        scenario
    }

    /// The embodied emissions of one server of each type by its parts, before they are shared between its lives; of a figure
    /// that was given as a whole, one part. Types that lack what this needs are left out.
    pub fn embodied_parts(&self) -> BTreeMap<String, Vec<Item>> {
        let parts = |spec: &ServerSpec| match (&spec.embodied, spec.memory_mb, spec.embodied_kg) {
            (Some(estimate), Some(memory_mb), _) => Some(estimate.breakdown(memory_mb)),
            (_, _, kg) => kg.map(embodied::whole),
        };
        let all = self.filled_in().servers;
        all.into_iter().filter_map(|(name, spec)| Some((name, parts(&spec)?))).collect()
    }
}

fn unknown(name: &str, wanted: &str) -> Problem {
    let names: Vec<&str> = server_types().server.iter().map(|s| s.name.as_str()).collect();
    let guess = did_you_mean(wanted, &names).map(|g| format!("did you mean \"{g}\"?\n")).unwrap_or_default();
    Problem::new(
        format!("servers.{name}.type"),
        format!("the catalogue has no server type \"{wanted}\""),
        format!("{guess}see `sim list servers`: {}", names.join(", ")),
    )
}
