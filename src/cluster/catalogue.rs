//! The catalogue of server types, read from `data/servers.toml`, with a source for every figure.

use std::sync::LazyLock;

use serde::Deserialize;

use super::power::PowerSpec;

/// One type of server.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerType {
    /// The name that scenarios use.
    pub name: String,
    /// Maker, model, processors.
    pub description: String,
    /// Processors.
    pub cpus: u32,
    /// Physical cores.
    pub cores: f64,
    /// Memory as the list of results has it [2^30 bytes].
    pub memory_gb: u32,
    /// Memory [10^6 bytes].
    pub memory_mb: f64,
    /// Power of the whole server at the plug.
    pub power: PowerSpec,
    /// Which of the sources, and which row.
    pub row: String,
    /// Embodied emissions \[kgCO2e\].
    pub embodied_kg: f64,
}

/// The whole catalogue.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerTypes {
    /// Source of power given at no and full load.
    pub end_points_source: String,
    /// Source of power given in deciles.
    pub deciles_source: String,
    /// Source of the embodied emissions.
    pub embodied_source: String,
    /// Source of the lifespan.
    pub lifetime_source: String,
    /// Expected lifespan, the same for all [years of 365 days].
    pub lifetime_years: f64,
    /// The types, oldest first within a maker of processors.
    pub server: Vec<ServerType>,
}

impl ServerTypes {
    /// A type by its name.
    pub fn find(&self, name: &str) -> Option<&ServerType> {
        self.server.iter().find(|s| s.name == name)
    }
}

/// The catalogue.
pub fn server_types() -> &'static ServerTypes {
    static TYPES: LazyLock<ServerTypes> = LazyLock::new(|| {
        toml::from_str(include_str!("../../data/servers.toml")).expect("the embedded catalogue is tested")
    });
    &TYPES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_follows_from_the_method_that_its_source_names() {
        let types = server_types();
        assert!(types.server.len() >= 14);
        for s in &types.server {
            assert_eq!(types.find(&s.name), Some(s), "{} is there twice", s.name);
            let above = f64::from(s.memory_gb.saturating_sub(16));
            let kg = 1000.0 + 100.0 * f64::from(s.cpus - 1) + 533.0 / 384.0 * above;
            assert!((s.embodied_kg - kg).abs() <= 0.005, "{}: {} is not {kg}", s.name, s.embodied_kg);
            let bytes = f64::from(s.memory_gb) * 2f64.powi(30);
            assert!((s.memory_mb * 1e6 - bytes).abs() <= 0.5e6, "{}: {} MB", s.name, s.memory_mb);
            let power = s.power.build().expect("a right model");
            assert!(0.0 < power.watts(0.0) && power.watts(0.0) < power.watts(1.0), "{}", s.name);
            assert!(s.row.starts_with("deciles") || s.row.starts_with("end points: row "), "{}", s.name);
        }
    }

    #[test]
    fn the_check_value_of_the_embodied_method_is_in_the_catalogue() {
        // 2 sockets, 192 GB: 1344.29 kg, as Teads and Cloud Carbon Footprint have it.
        assert_eq!(server_types().find("xeon-8280l-2s").map(|s| s.embodied_kg), Some(1344.29));
    }
}
