//! Embodied emissions by the adders of Teads, which Cloud Carbon Footprint uses.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Item;
use super::figures::figure;

/// A server of 1000 kg with one CPU and 16 GB, and adders for what it has beyond that.
///
/// Formula: TE = 1000 + 100 (CPUs - 1) + 533/384 max(0, GB - 16) + 50 HDDs + 100 SSDs + 150 GPUs \[kgCO2e\].
/// Source: Teads Engineering; Cloud Carbon Footprint, ccf-coefficients (figures and sources: `sim list embodied`).
/// Example: 2 CPUs and 192 GB are 1344.29 kg.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TeadsAdders")]
pub struct Teads {
    /// CPU packages.
    #[schemars(range(min = 1, max = 1024))]
    pub cpus: u32,
    /// Memory as it is printed on the modules [GB = 2^30 bytes]. Default: `memory_mb` of the server, in this unit.
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_gb: Option<f64>,
    /// Hard disks. Default 0.
    #[schemars(range(max = 10000))]
    #[serde(default)]
    pub hdds: u32,
    /// SSDs. Default 0.
    #[schemars(range(max = 10000))]
    #[serde(default)]
    pub ssds: u32,
    /// Accelerators. Default 0.
    #[schemars(range(max = 10000))]
    #[serde(default)]
    pub gpus: u32,
}

impl Teads {
    /// The parts of one server; what is known of them has no range at this source.
    pub(super) fn breakdown(&self, memory_mb: f64) -> Vec<Item> {
        let f = |name| figure("teads", name);
        let gb = self.memory_gb.unwrap_or(memory_mb * 1e6 / 2f64.powi(30));
        let more_gb = (gb - f("memory_included")).max(0.0);
        vec![
            Item::exact("base", f("base")),
            Item::exact("further cpus", f("cpu") * f64::from(self.cpus.saturating_sub(1))),
            Item::exact("further memory", f("memory_study") / f("memory_study_size") * more_gb),
            Item::exact("hdds", f("hdd") * f64::from(self.hdds)),
            Item::exact("ssds", f("ssd") * f64::from(self.ssds)),
            Item::exact("gpus", f("gpu") * f64::from(self.gpus)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::super::{close, total};
    use super::*;

    fn kg(text: &str, memory_mb: f64) -> f64 {
        let spec: Teads = toml::from_str(text).expect("right");
        total(&spec.breakdown(memory_mb)).kg
    }

    #[test]
    fn the_check_values_of_cloud_carbon_footprint_come_back() {
        assert_eq!((kg("cpus = 2\nmemory_gb = 192", 1.0) * 100.0).round() / 100.0, 1344.29);
        assert_eq!((kg("cpus = 1\nmemory_gb = 32", 1.0) * 100.0).round() / 100.0, 1022.21);
        // Less memory than the base has takes nothing off; the base and each adder by hand.
        close("base", kg("cpus = 1\nmemory_gb = 4", 1.0), 1000.0, 1e-12);
        close("all", kg("cpus = 1\nmemory_gb = 16\nhdds = 3\nssds = 2\ngpus = 4", 1.0), 1950.0, 1e-12);
    }

    #[test]
    fn memory_of_the_server_counts_in_the_gigabytes_of_its_modules() {
        // 192 x 2^30 bytes are 206158.430208 MB.
        close("192 GB", kg("cpus = 2", 206_158.430_208), 1100.0 + 533.0 / 384.0 * 176.0, 1e-12);
    }
}
