//! A whole server: its power model, its parts and its losses, added up.

use super::parts::{MemoryDriver, Parts, Range};
use super::supply::{Psu, PsuSpec, Supply};
use super::{PowerModel, PowerSpec};

/// What a server draws at the plug.
pub struct ServerPower {
    /// By CPU utilization.
    pub model: Box<dyn PowerModel>,
    /// What all its memory draws more when in use, where that is what makes it active; 0 otherwise \[W\].
    pub memory_in_use_w: f64,
}

/// What is wrong, with the key below the server type.
pub type Wrong = (String, String);

/// Adds up a server of `memory_gb` [10^9 bytes].
///
/// Formula: P(u) = S((P_cpu(u) + P_memory(u)) / η_vr + P_devices(u)), with S the input of the power supplies for an output.
/// Example: 100 W of CPU and 10 W of memory behind regulators of 0.9, 8 W of devices, supplies of 0.94: 138.53 W.
///
/// # Errors
/// All that does not go together; never an empty list.
pub fn server(power: &PowerSpec, parts: &Parts, supply: &Supply, memory_gb: f64) -> Result<ServerPower, Vec<Wrong>> {
    let cpu = power.build().map_err(|e| vec![("power".to_owned(), e)])?;
    if parts.is_empty() && supply.is_lossless() {
        return Ok(ServerPower { model: cpu, memory_in_use_w: 0.0 });
    }
    let wrong: Vec<Wrong> = parts.wrong().into_iter().map(|(key, e)| (format!("parts.{key}"), e)).collect();
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let mut memory = Range::default();
    let mut in_use_w = 0.0;
    if let Some(m) = &parts.memory {
        memory.idle_w = memory_gb * m.idle_w_per_gb;
        let more_w = memory_gb * (m.active_w_per_gb - m.idle_w_per_gb);
        match m.active_by {
            MemoryDriver::Cpu => memory.more_w = more_w,
            MemoryDriver::Use => in_use_w = more_w,
        }
    }
    let vr_efficiency = supply.vr_efficiency.unwrap_or(1.0);
    let mut whole = Whole { cpu, memory, devices: parts.devices(), vr_efficiency, psu: Psu::Constant(1.0) };
    let most_w = whole.output_w(1.0);
    if in_use_w > 0.0 && matches!(supply.psu, Some(PsuSpec::Curve(_))) {
        let message = "active_by = \"use\" needs a constant efficiency: with a curve, what memory in use draws would depend \
                       on what the CPU does";
        return Err(vec![("parts.memory.active_by".to_owned(), message.to_owned())]);
    }
    whole.psu = Psu::new(supply.psu.as_ref(), most_w).map_err(|e| vec![("supply.psu".to_owned(), e)])?;
    let memory_in_use_w = whole.psu.input_w(in_use_w / vr_efficiency);
    Ok(ServerPower { model: Box::new(whole), memory_in_use_w })
}

struct Whole {
    cpu: Box<dyn PowerModel>,
    memory: Range,
    devices: Range,
    vr_efficiency: f64,
    psu: Psu,
}

impl Whole {
    /// What the power supplies give \[W\].
    fn output_w(&self, u: f64) -> f64 {
        let behind_vr = self.cpu.watts(u) + self.memory.idle_w + self.memory.more_w * u;
        behind_vr / self.vr_efficiency + self.devices.idle_w + self.devices.more_w * u
    }
}

impl PowerModel for Whole {
    fn watts(&self, u: f64) -> f64 {
        self.psu.input_w(self.output_w(u))
    }

    fn linear_w(&self) -> Option<f64> {
        let cpu = self.cpu.linear_w()?;
        match self.psu {
            Psu::Constant(_) => {
                let behind_vr = cpu + self.memory.more_w;
                Some(self.psu.input_w(behind_vr / self.vr_efficiency + self.devices.more_w))
            }
            Psu::Curve { .. } => None,
        }
    }
}
