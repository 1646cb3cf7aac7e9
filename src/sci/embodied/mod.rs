//! Embodied emissions of a server: what it took to make it, whose share of that is ours, and which time it is spread over.
//!
//! ```text
//!   TE = sum over parts            an estimate: boavizta (bottom up), teads (adders), or kilograms that you know
//!   TE' = TE x share of this life  `Lives`: an owner before, an owner after
//!   M = TE' x time / lifetime      `LifetimeBasis`: all time, or time powered on
//!     + surroundings               `Surroundings`: rack, building, cooling, each over its own lifetime, at any time
//! ```
//!
//! Cradle to gate: end of life is not in it. `docs/embodied.md` has formulas, sources and the spread between them.

mod boavizta;
mod figures;
mod lives;
mod surroundings;
mod teads;

pub use boavizta::{Accelerators, Boavizta, Case, Cpus, Modules, PowerSupplies, Ssds};
pub use figures::{Factor, Figures, Spread, figures};
pub use lives::{Lives, OtherLife};
pub use surroundings::{Surrounding, Surroundings};
pub use teads::Teads;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What one kind of part of a server is estimated at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Item {
    /// The part.
    pub component: &'static str,
    /// Embodied emissions of all such parts of one server \[kgCO2e\].
    pub kg: f64,
    /// The same at the favourable end of what is not known of them; `kg` where everything is \[kgCO2e\].
    pub low_kg: f64,
    /// The same at the unfavourable end \[kgCO2e\].
    pub high_kg: f64,
}

impl Item {
    /// A part of which all is known that the estimate asks for.
    fn exact(component: &'static str, kg: f64) -> Self {
        Self { component, kg, low_kg: kg, high_kg: kg }
    }
}

/// How the embodied emissions of one server are estimated from its parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum EmbodiedSpec {
    /// Bottom up from dies, modules, drives, case and power supplies, with a range where a part is not described (Boavizta).
    Boavizta(Boavizta),
    /// A server of 1000 kg and adders per CPU, GB, drive and accelerator (Teads, Cloud Carbon Footprint).
    Teads(Teads),
}

impl EmbodiedSpec {
    /// The parts of one server, of which the memory is `memory_mb` \[MB = 10^6 bytes\].
    pub fn breakdown(&self, memory_mb: f64) -> Vec<Item> {
        match self {
            Self::Boavizta(parts) => parts.breakdown(),
            Self::Teads(parts) => parts.breakdown(memory_mb),
        }
    }

    /// Embodied emissions of one server \[kgCO2e\].
    pub fn kg(&self, memory_mb: f64) -> f64 {
        total(&self.breakdown(memory_mb)).kg
    }
}

/// The breakdown of a figure that was given as a whole: one line.
pub fn whole(kg: f64) -> Vec<Item> {
    vec![Item::exact("server", kg)]
}

/// The sum of parts.
pub fn total(items: &[Item]) -> Item {
    let sum = |part: fn(&Item) -> f64| items.iter().map(part).sum();
    Item { component: "total", kg: sum(|i| i.kg), low_kg: sum(|i| i.low_kg), high_kg: sum(|i| i.high_kg) }
}

/// Which time uses up the lifespan of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LifetimeBasis {
    /// All time, off or on: the server is written off by the calendar. M = TE x run time / lifetime.
    #[default]
    Existence,
    /// Time powered on, all but off and asleep: `lifetime_years` counts years in operation. M = TE x time on / lifetime, and a
    /// server that is off costs nothing.
    Use,
}

/// That a figure is what a source has.
#[cfg(test)]
#[track_caller]
fn close(what: &str, found: f64, wanted: f64, relative: f64) {
    assert!((found / wanted - 1.0).abs() <= relative, "{what}: {found} is not {wanted}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_machine_by_three_estimates_is_apart_by_what_they_leave_out() {
        let teads: EmbodiedSpec = toml::from_str("[teads]\ncpus = 2\nmemory_gb = 384\nssds = 1\n").expect("right");
        let parts = "[boavizta]\ncpus = { count = 2 }\nram = [{ count = 12, capacity_gb = 32 }]\n\
                     ssds = [{ capacity_gb = 400 }]\n";
        let boavizta: EmbodiedSpec = toml::from_str(parts).expect("right");
        close("teads", teads.kg(1.0), 1000.0 + 100.0 + 533.0 / 384.0 * 368.0 + 100.0, 1e-12);
        let sum = total(&boavizta.breakdown(1.0));
        // Dell R740 of Boavizta's archetype: 1200 (634.4 to 2102), rounded by the service to the figures that its range allows.
        close("kg", (sum.kg / 100.0).round() * 100.0, 1200.0, 1e-12);
        close("low", sum.low_kg, 634.4, 1e-4);
        close("high", sum.high_kg, 2102.0, 3e-4);
        // The machine of docs/embodied.md, section 6: dies as Boavizta has them for a Xeon Platinum 8280.
        let parts = "[boavizta]\ncpus = { count = 2, die_mm2 = 694 }\nram = [{ count = 12, capacity_gb = 16 }]\n";
        let xeon: EmbodiedSpec = toml::from_str(parts).expect("right");
        let sum = total(&xeon.breakdown(1.0));
        for (found, wanted) in [(sum.kg, 815.8), (sum.low_kg, 469.1), (sum.high_kg, 1249.9)] {
            assert!((found - wanted).abs() <= 0.05, "{found} is not {wanted}");
        }
        assert_eq!(whole(3.0), [Item { component: "server", kg: 3.0, low_kg: 3.0, high_kg: 3.0 }]);
    }
}
