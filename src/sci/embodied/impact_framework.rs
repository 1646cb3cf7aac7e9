//! The embodied plug-ins of the Impact Framework, faults and all, so that its published vectors can be compared with.
//!
//! No scenario uses them. [`SciEmbodied`] charges 50 kg per SSD and 100 kg per HDD where the source of both has 100 and 50, and
//! its adder per GB depends on the memory of the baseline server: [`Teads`](super::Teads) is the estimate to use.

/// `SciEmbodied` (Impact Framework 1.1.0): baseline and adders of a device.
#[derive(Debug, Clone, PartialEq)]
pub struct SciEmbodied {
    /// Embodied emissions of the baseline device \[g\].
    pub baseline_g: f64,
    /// Its virtual CPUs.
    pub baseline_vcpus: f64,
    /// Its memory \[GB\].
    pub baseline_memory_gb: f64,
    /// Lifespan \[s\].
    pub lifespan_s: f64,
    /// Adder per virtual CPU \[g\].
    pub vcpu_g: f64,
    /// Adder per GB \[kg/GB\], unlike the others; `None` is 533/384 x baseline memory / 16.
    pub memory_kg_per_gb: Option<f64>,
    /// Adder per SSD \[g\].
    pub ssd_g: f64,
    /// Adder per HDD \[g\].
    pub hdd_g: f64,
    /// Adder per GPU \[g\].
    pub gpu_g: f64,
}

impl Default for SciEmbodied {
    fn default() -> Self {
        Self {
            baseline_g: 1_000_000.0,
            baseline_vcpus: 1.0,
            baseline_memory_gb: 16.0,
            lifespan_s: 126_144_000.0,
            vcpu_g: 100_000.0,
            memory_kg_per_gb: None,
            ssd_g: 50_000.0,
            hdd_g: 100_000.0,
            gpu_g: 150_000.0,
        }
    }
}

/// One observation of a device.
#[derive(Debug, Clone, PartialEq)]
pub struct SciEmbodiedRow {
    /// Virtual CPUs.
    pub vcpus: f64,
    /// Memory \[GB\].
    pub memory_gb: f64,
    /// SSDs.
    pub ssds: f64,
    /// HDDs.
    pub hdds: f64,
    /// GPUs.
    pub gpus: f64,
    /// Share of the device.
    pub usage_ratio: f64,
    /// Length \[s\].
    pub time_s: f64,
}

impl SciEmbodied {
    /// Embodied emissions of one observation \[g\].
    pub fn embodied_carbon_g(&self, row: &SciEmbodiedRow) -> f64 {
        let per_gb = self.memory_kg_per_gb.unwrap_or(533.0 / 384.0 * (self.baseline_memory_gb / 16.0)) * 1000.0;
        let device = self.baseline_g
            + (row.vcpus - self.baseline_vcpus) * self.vcpu_g
            + (row.memory_gb - self.baseline_memory_gb) * per_gb
            + row.ssds * self.ssd_g
            + row.hdds * self.hdd_g
            + row.gpus * self.gpu_g;
        device * row.usage_ratio * row.time_s / self.lifespan_s
    }
}

/// `SciM` (if-plugins 0.3.2): TE x time / lifespan x resources reserved / resources of the device \[in the unit of TE\].
///
/// Example: 200 over 30 days of 4 years, all of it reserved, is 4.1096.
pub fn sci_m(embodied: f64, time_s: f64, lifespan_s: f64, reserved: f64, total: f64) -> f64 {
    embodied * (time_s / lifespan_s) * (reserved / total)
}

#[cfg(test)]
mod tests {
    use super::super::{Teads, close, total};
    use super::*;

    #[test]
    fn its_drives_are_swapped_against_the_source_of_the_adders() {
        let row = SciEmbodiedRow {
            vcpus: 1.0,
            memory_gb: 16.0,
            ssds: 1.0,
            hdds: 0.0,
            gpus: 0.0,
            usage_ratio: 1.0,
            time_s: 126_144_000.0,
        };
        close("with an SSD", SciEmbodied::default().embodied_carbon_g(&row), 1_050_000.0, 1e-12);
        let right = Teads { cpus: 1, memory_gb: Some(16.0), hdds: 0, ssds: 1, gpus: 0 };
        close("with an SSD", total(&right.breakdown(0.0)).kg, 1100.0, 1e-12);
    }
}
