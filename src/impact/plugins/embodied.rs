//! `SciEmbodied` and `SciM`: embodied emissions of the share of a device over a time.
//!
//! ```text
//!   SciEmbodied [g] = TE · usage-ratio · t / lifespan,      t = time, else duration [s]
//!     TE [g] = baseline-emissions + (vCPUs − baseline-vcpus) · vcpu-emissions-constant
//!            + (memory − baseline-memory) [GB] · memory-emissions-constant [kg/GB] · 1000
//!            + ssd · ssd-emissions-constant + hdd · hdd-emissions-constant + gpu · gpu-emissions-constant
//!   SciM            = TE · duration / EL · RR / ToR         in the unit of TE
//! ```
//!
//! Defaults: 1 vCPU, 16 GB, 1 000 000 g, 126 144 000 s (4 years of 365 days), 100 000 g per vCPU, 533/384 kg per GB, 150 000 g per
//! GPU; SSD 100 000 g and HDD 50 000 g. Sources: Impact Framework 1.1.0 and if-plugins 0.3.2; the constants are those of Teads, as in
//! Cloud Carbon Footprint. Differences by design: Impact Framework has the defaults of SSD and HDD exchanged, and multiplies the
//! constant of memory by baseline-memory / 16; and it ignores the parameters of SciM in a row of SciEmbodied, which is an error here.
//! Example: 1000 kg, 4 years, one hour, the whole device: 28.538812785388128 g.

use super::{Context, Plugin, each, names_of};
use crate::impact::config::Config;
use crate::impact::error::ImpactError;
use crate::impact::expression::{Operand, Output};
use crate::impact::methods::{Method, Pair};
use crate::impact::row::{Row, View};
use crate::types::SECONDS_PER_YEAR;

#[derive(Debug)]
struct SciEmbodied {
    base_vcpus: Operand,
    base_memory: Operand,
    base_g: Operand,
    lifespan_s: Operand,
    vcpu_g: Operand,
    memory_kg: Operand,
    /// SSD, HDD, GPU: parameter of the row and grams each.
    drives: [(&'static str, Operand); 3],
    output: Output,
}

const COPIED: Pair = Pair::both(Method::Copy);
const OWN: &[(&str, Pair)] = &[
    ("vCPUs", COPIED),
    ("memory", COPIED),
    ("ssd", COPIED),
    ("hdd", COPIED),
    ("gpu", COPIED),
    ("usage-ratio", COPIED),
    ("time", COPIED),
    ("embodied-carbon", Pair::both(Method::Sum)),
];

/// Parameters of SciM and of SciEmbodied before 1.1.0, and what stands in their place.
const RENAMED: &[(&str, &str)] = &[
    ("device/emissions-embodied", "write baseline-emissions [g] in the config of SciEmbodied, or use SciM"),
    ("device/expected-lifespan", "write lifespan [s] in the config of SciEmbodied, or use SciM"),
    ("time-reserved", "write time [s], or use SciM with duration"),
    ("resources-reserved", "write usage-ratio = reserved / total, or use SciM"),
    ("resources-total", "write usage-ratio = reserved / total, or use SciM"),
];

impl Plugin for SciEmbodied {
    fn names(&self) -> Vec<String> {
        let constants = [
            &self.base_vcpus,
            &self.base_memory,
            &self.base_g,
            &self.lifespan_s,
            &self.vcpu_g,
            &self.memory_kg,
            &self.drives[0].1,
            &self.drives[1].1,
            &self.drives[2].1,
        ];
        let fixed = ["duration", "time", "vCPUs", "memory", "ssd", "hdd", "gpu", "usage-ratio", self.output.name()];
        names_of(constants, &fixed)
    }

    fn own_methods(&self) -> &'static [(&'static str, Pair)] {
        OWN
    }

    fn run(&self, rows: Vec<Row>, context: Context<'_>) -> Result<Vec<Row>, ImpactError> {
        each(rows, context, |row| {
            if let Some((name, help)) = RENAMED.iter().find(|(name, _)| row.get(name).is_some()) {
                return Err(ImpactError::new("SciEmbodied does not know this parameter", *help).at_key(name));
            }
            let duration_s = row.positive("duration")?;
            let vcpus = row.positive_or("vCPUs", 1.0)?;
            let memory_gb = row.positive_or("memory", 16.0)?;
            let mut embodied_g = self.base_g.value(row)?
                + (vcpus - self.base_vcpus.value(row)?) * self.vcpu_g.value(row)?
                + (memory_gb - self.base_memory.value(row)?) * self.memory_kg.value(row)? * 1000.0;
            for (name, grams) in &self.drives {
                embodied_g += row.at_least_zero_or_absent(name)? * grams.value(row)?;
            }
            if embodied_g < 0.0 {
                let help = "the parts taken off the baseline weigh more than the baseline; check vCPUs, memory and the constants";
                return Err(ImpactError::new(format!("the device has {embodied_g} g of embodied emissions"), help));
            }
            let share = row.positive_or("usage-ratio", 1.0)?;
            let time_s = if row.get("time").is_some() { row.positive("time")? } else { duration_s };
            let lifespan_s = self.lifespan_s.value(row)?;
            if lifespan_s <= 0.0 {
                return Err(ImpactError::new("the lifespan is 0", "write seconds above 0").at_key("lifespan"));
            }
            self.output.write(row, embodied_g * share * (time_s / lifespan_s))
        })
    }
}

pub(super) fn sci_embodied(config: &mut Config) -> Result<Box<dyn Plugin>, ImpactError> {
    Ok(Box::new(SciEmbodied {
        base_vcpus: config.constant("baseline-vcpus", 1.0)?,
        base_memory: config.constant("baseline-memory", 16.0)?,
        base_g: config.constant("baseline-emissions", 1e6)?,
        lifespan_s: config.constant("lifespan", 4.0 * SECONDS_PER_YEAR)?,
        vcpu_g: config.constant("vcpu-emissions-constant", 1e5)?,
        memory_kg: config.constant("memory-emissions-constant", 533.0 / 384.0)?,
        drives: [
            ("ssd", config.constant("ssd-emissions-constant", 1e5)?),
            ("hdd", config.constant("hdd-emissions-constant", 5e4)?),
            ("gpu", config.constant("gpu-emissions-constant", 1.5e5)?),
        ],
        output: config.output_or("output-parameter", "embodied-carbon")?,
    }))
}

#[derive(Debug)]
struct SciM;

const VCPUS: [&str; 2] = ["vcpus-allocated", "vcpus-total"];
const RESOURCES: [&str; 2] = ["resources-reserved", "resources-total"];

/// RR / ToR of a row.
fn share(row: &View<'_>) -> Result<f64, ImpactError> {
    let given = |[part, whole]: [&str; 2]| row.get(part).is_some() || row.get(whole).is_some();
    let [part, whole] = match (given(VCPUS), given(RESOURCES)) {
        (true, false) => VCPUS,
        (false, true) => RESOURCES,
        (both, _) => {
            let what =
                if both { "the share of the device is given twice" } else { "the share of the device is missing" };
            let help = "give either vcpus-allocated and vcpus-total, or resources-reserved and resources-total";
            return Err(ImpactError::new(what, help).at_key("resources-reserved"));
        }
    };
    let share = row.at_least_zero(part)? / row.positive(whole)?;
    if share > 1.0 {
        return Err(ImpactError::new("more is reserved than there is", "check which is the part").at_key(part));
    }
    Ok(share)
}

impl Plugin for SciM {
    fn names(&self) -> Vec<String> {
        let fixed = ["device/emissions-embodied", "device/expected-lifespan", "duration", "carbon-embodied"];
        fixed.iter().chain(&VCPUS).chain(&RESOURCES).map(|n| (*n).to_owned()).collect()
    }

    fn run(&self, rows: Vec<Row>, context: Context<'_>) -> Result<Vec<Row>, ImpactError> {
        each(rows, context, |row| {
            let embodied = row.at_least_zero("device/emissions-embodied")?;
            let time = row.positive("duration")? / row.positive("device/expected-lifespan")?;
            let share = share(row)?;
            row.set_finite("carbon-embodied", embodied * time * share)
        })
    }
}

pub(super) fn sci_m(_: &mut Config) -> Result<Box<dyn Plugin>, ImpactError> {
    Ok(Box::new(SciM))
}
