//! Embodied emissions bottom up, by the component factors of Boavizta.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Item;
use super::figures::{Ranged, figure};

/// The sum of the parts of a server, from the area of its dies and the weight of its power supplies.
///
/// Formula \[kgCO2e\]: CPUs n (0.0197 mm² + 9.14); RAM n (2.20 GB/density + 5.22); SSDs n (2.20 GB/density + 6.34); HDDs
/// 31.11 n; mainboard 66.10; power supplies 24.30 n kg; assembly 6.68; case 150, or 30.9 + 880/16 for a blade; accelerators
/// as you state them.
/// Source: Boavizta, boaviztapi 2.4.1 (figures: `sim list embodied`). A part that is not described has the mean of Boavizta's
/// archetype, and its range goes into the low and high end of the breakdown.
/// Example: a module of 32 GB at 1.79 GB/cm² is 44.55 kg.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Boavizta {
    /// CPU packages.
    pub cpus: Cpus,
    /// Memory modules, by kind.
    #[schemars(length(min = 1))]
    pub ram: Vec<Modules>,
    /// SSDs, by kind. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ssds: Vec<Ssds>,
    /// Hard disks, whatever their size. Default 0.
    #[schemars(range(max = 10000))]
    #[serde(default)]
    pub hdds: u32,
    /// Power supplies. Default: two of 2.99 kg, with a range from one of 1 kg to two of 5 kg.
    #[serde(default)]
    pub power_supplies: PowerSupplies,
    /// The case. Default `rack`, with a range down to a blade.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<Case>,
    /// Accelerators; Boavizta has no factor for them. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accelerators: Option<Accelerators>,
}

/// CPU packages of a server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cpus {
    /// How many. Default 1.
    #[schemars(range(min = 1, max = 1024))]
    #[serde(default = "one")]
    pub count: u32,
    /// Area of all dies of one package \[mm²\]. Default 522, with a range from 41.2 to 3640.
    #[schemars(range(min = 0.001))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub die_mm2: Option<f64>,
}

/// Memory modules of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Modules {
    /// How many. Default 1.
    #[schemars(range(min = 1, max = 10000))]
    #[serde(default = "one")]
    pub count: u32,
    /// Capacity of one [GB = 2^30 bytes].
    #[schemars(range(min = 0.001))]
    pub capacity_gb: f64,
    /// Capacity per area of die [GB/cm²]. Default 1.244, with a range from 0.625 to 2.375.
    #[schemars(range(min = 0.001))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub density_gb_per_cm2: Option<f64>,
}

/// SSDs of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ssds {
    /// How many. Default 1.
    #[schemars(range(min = 1, max = 10000))]
    #[serde(default = "one")]
    pub count: u32,
    /// Capacity of one [GB = 10^9 bytes].
    #[schemars(range(min = 0.001))]
    pub capacity_gb: f64,
    /// Capacity per area of die [GB/cm²]. Default 54.88, with a range from 16.4 to 128.
    #[schemars(range(min = 0.001))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub density_gb_per_cm2: Option<f64>,
}

/// Power supplies of a server.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PowerSupplies {
    /// How many. Default 2, with a range from 1 to 2.
    #[schemars(range(max = 1000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// Weight of one \[kg\]. Default 2.99, with a range from 1 to 5.
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_kg: Option<f64>,
}

/// The case of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Case {
    /// A case of its own: 150 kg.
    Rack,
    /// A blade and its sixteenth of an enclosure: 85.9 kg.
    Blade,
}

/// Accelerators of a server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Accelerators {
    /// How many. Default 1.
    #[schemars(range(min = 1, max = 10000))]
    #[serde(default = "one")]
    pub count: u32,
    /// Embodied emissions of one \[kgCO2e\]. No default: Teads has 150, which is a guess for all kinds.
    #[schemars(range(min = 0.0))]
    pub kg_each: f64,
}

fn one() -> u32 {
    1
}

fn factor(name: &str) -> f64 {
    figure("boavizta", name)
}

/// `n` parts of area x `per_area` + `base` \[kg\] each, where area falls with density.
fn dies(component: &'static str, n: u32, gb: f64, density: Ranged, kind: &str) -> Item {
    let (per_area, base) = (factor(&format!("{kind}_die")), factor(&format!("{kind}_base")));
    let kg = |density: f64| f64::from(n) * (per_area * gb / density + base);
    Item { component, kg: kg(density.value), low_kg: kg(density.high), high_kg: kg(density.low) }
}

/// The sum of parts of one kind.
fn together(component: &'static str, parts: impl Iterator<Item = Item>) -> Item {
    parts.fold(Item::exact(component, 0.0), |sum, part| Item {
        component,
        kg: sum.kg + part.kg,
        low_kg: sum.low_kg + part.low_kg,
        high_kg: sum.high_kg + part.high_kg,
    })
}

impl Cpus {
    fn item(&self) -> Item {
        let die = Ranged::given_or(self.die_mm2, "boavizta", "cpu_die_area");
        let kg = |mm2: f64| f64::from(self.count) * (factor("cpu_die") * mm2 + factor("cpu_base"));
        Item { component: "cpus", kg: kg(die.value), low_kg: kg(die.low), high_kg: kg(die.high) }
    }
}

impl PowerSupplies {
    fn item(&self) -> Item {
        let count = Ranged::given_or(self.count.map(f64::from), "boavizta", "power_supply_count");
        let weight = Ranged::given_or(self.weight_kg, "boavizta", "power_supply_weight");
        let kg = |count: f64, weight: f64| factor("power_supply") * count * weight;
        Item {
            component: "power supplies",
            kg: kg(count.value, weight.value),
            low_kg: kg(count.low, weight.low),
            high_kg: kg(count.high, weight.high),
        }
    }
}

impl Boavizta {
    fn case_item(&self) -> Item {
        let rack = factor("case_rack");
        let blade = factor("case_blade") + factor("blade_enclosure") / factor("blade_slots");
        match self.case {
            Some(Case::Rack) => Item::exact("case", rack),
            Some(Case::Blade) => Item::exact("case", blade),
            None => Item { component: "case", kg: rack, low_kg: blade.min(rack), high_kg: blade.max(rack) },
        }
    }

    /// The parts of one server.
    pub(super) fn breakdown(&self) -> Vec<Item> {
        let ram = self.ram.iter().map(|m| {
            let density = Ranged::given_or(m.density_gb_per_cm2, "boavizta", "ram_density");
            dies("ram", m.count, m.capacity_gb, density, "ram")
        });
        let ssds = self.ssds.iter().map(|d| {
            let density = Ranged::given_or(d.density_gb_per_cm2, "boavizta", "ssd_density");
            dies("ssds", d.count, d.capacity_gb, density, "ssd")
        });
        vec![
            self.cpus.item(),
            together("ram", ram),
            together("ssds", ssds),
            Item::exact("hdds", factor("hdd") * f64::from(self.hdds)),
            Item::exact("mainboard", factor("motherboard")),
            self.power_supplies.item(),
            Item::exact("assembly", factor("assembly")),
            self.case_item(),
            Item::exact("accelerators", self.accelerators.as_ref().map_or(0.0, |a| f64::from(a.count) * a.kg_each)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::super::{close, total};
    use super::*;

    #[test]
    fn the_server_of_boaviztas_readme_has_its_sum_part_by_part() {
        let text = "cpus = { count = 2, die_mm2 = 588 }\nhdds = 2\npower_supplies = { count = 2, weight_kg = 10 }\n\
                    ram = [{ count = 4, capacity_gb = 32, density_gb_per_cm2 = 1.79 }, \
                    { count = 4, capacity_gb = 16, density_gb_per_cm2 = 1.79 }]\n\
                    ssds = [{ count = 2, capacity_gb = 400, density_gb_per_cm2 = 50.6 }]\n";
        let server: Boavizta = toml::from_str(text).expect("right");
        let items = server.breakdown();
        // The service prints four figures; its 178.2 + 99.54 are the modules of both kinds.
        let printed = [41.45, 178.2 + 99.54, 47.46, 62.22, 66.1, 486.0, 6.68, 150.0, 0.0];
        for (item, printed) in items.iter().zip(printed) {
            assert!((item.kg - printed).abs() <= 5e-4 * printed, "{item:?} is not {printed}");
        }
        let sum = total(&items);
        close("sum", sum.kg, 1138.0, 5e-4);
        // Only the case was not described: the low end is that of a blade.
        close("low", sum.low_kg, 1074.0, 5e-4);
        assert_eq!(sum.high_kg, sum.kg);
        let more = Boavizta { accelerators: Some(Accelerators { count: 8, kg_each: 160.0 }), ..server };
        close("with accelerators", total(&more.breakdown()).kg, sum.kg + 1280.0, 1e-12);
    }
}
