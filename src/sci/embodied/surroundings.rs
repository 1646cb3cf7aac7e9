//! Embodied emissions of what a server stands in: rack, building, cooling.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::types::SECONDS_PER_YEAR;

/// `[servers.NAME.surroundings]`: what the server stands in. Default: nothing, as all published estimates of servers have it.
///
/// Formula: sum over parts of kg x 1000 / (servers x lifetime) \[gCO2e/s\], at any time, whether the server is on or off.
/// Source: the figures are yours; there is none for a data centre in general. Fair-CO2 (ISCA 2025) has 24.2 kg of cooling per
/// server over 4 years.
/// Example: a building of 6000 t for 10,000 servers over 20 years is 30 kg per server and year.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Surroundings {
    /// Rack, with its power strips and switches if your figure has them. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rack: Option<Surrounding>,
    /// Building, with its power distribution if your figure has it. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub building: Option<Surrounding>,
    /// Cooling plant. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooling: Option<Surrounding>,
}

/// Something that servers stand in, shared by them evenly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Surrounding {
    /// Embodied emissions of the whole thing \[kgCO2e\].
    #[schemars(range(min = 0.0))]
    pub kg: f64,
    /// How many servers share it: places, not only those that are taken. Default 1.
    #[schemars(range(min = 1.0))]
    #[serde(default = "one")]
    pub servers: f64,
    /// Its own expected lifespan [years of 365 days].
    #[schemars(range(min = 0.001))]
    pub lifetime_years: f64,
}

fn one() -> f64 {
    1.0
}

impl Surroundings {
    /// Whether nothing is counted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What they come to for one server [gCO2e/s].
    pub fn g_per_s(&self) -> f64 {
        let parts = [&self.rack, &self.building, &self.cooling].into_iter().flatten();
        parts.map(|p| p.kg * 1000.0 / (p.servers * p.lifetime_years * SECONDS_PER_YEAR)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::super::close;
    use super::*;

    #[test]
    fn each_part_is_spread_over_its_own_servers_and_its_own_life() {
        let text = "rack = { kg = 400, servers = 40, lifetime_years = 10 }\n\
                    building = { kg = 6e6, servers = 10000, lifetime_years = 20 }\n\
                    cooling = { kg = 24.2, lifetime_years = 4 }\n";
        let parts: Surroundings = toml::from_str(text).expect("right");
        // 1 + 30 + 6.05 kg per server and year.
        close("per year", parts.g_per_s() * SECONDS_PER_YEAR, 37_050.0, 1e-12);
        assert_eq!(Surroundings::default().g_per_s(), 0.0);
    }
}
