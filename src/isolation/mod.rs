//! Isolation mechanisms: what a sandbox costs to start, to hold and to run in.
//!
//! The catalogue is `data/isolation/`, one file per family, one entry per mechanism and a source for every number. A
//! scenario names a mechanism and may override its figures. The start latency here is the isolation part alone; the
//! initialisation of a language runtime, the load of dependencies and connections are [`RuntimeSpec`]'s. The model is
//! explained in `docs/isolation.md`.

mod build;
mod code_push;
mod entry;
mod mechanism;
mod overrides;
mod quantiles;
mod runtime;
mod start;

pub use build::Conflict;
pub use code_push::{CodePush, PushPhase};
pub use entry::{Entry, FIGURES, Figure, START_PROBABILITIES, Table, catalogue};
pub use mechanism::{CreationLimit, Mechanism};
pub use overrides::{EndPoint, GuestMemory, MemoryCounting, Overrides, Scope, StartEnergy, StartKind};
pub use quantiles::{Level, Levels, Quantiles};
pub use runtime::{Package, RUNTIME_PROBABILITIES, Runtime, RuntimeEntry, RuntimeFile, RuntimeSpec, runtimes};
pub use start::{Spread, StartModel};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[isolation.NAME]`: the mechanism that every sandbox of the run uses, with optional overrides of its figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum IsolationSpec {
    /// An operating-system process.
    Process(Overrides),
    /// A function's code in the always-running process that all functions of a namespace share.
    SharedRuntime(Overrides),
    /// A V8 isolate in a running host process.
    V8Isolate(Overrides),
    /// A WebAssembly instance in a running host process, allocated on demand.
    Wasm(Overrides),
    /// A WebAssembly instance from a pool.
    WasmPooled(Overrides),
    /// A container through an engine.
    Container(Overrides),
    /// A container by the runtime runc alone.
    Runc(Overrides),
    /// A container by the runtime crun alone.
    Crun(Overrides),
    /// A container under gVisor.
    Gvisor(Overrides),
    /// A microVM (Firecracker), booted for the function.
    Microvm(Overrides),
    /// A microVM (Firecracker), restored from a snapshot taken after init.
    MicrovmSnapshot(Overrides),
    /// A microVM restored from a snapshot with its working set prefetched (REAP).
    MicrovmPrefetch(Overrides),
    /// A microVM under Cloud Hypervisor, booted for the function.
    CloudHypervisor(Overrides),
    /// A unikernel in a small virtual machine.
    Unikernel(Overrides),
    /// A Kata container with QEMU.
    Kata(Overrides),
    /// A minimal guest under QEMU/KVM.
    Qemu(Overrides),
    /// A cloud virtual machine, booted for the function.
    Vm(Overrides),
    /// A whole host for one tenant.
    BareMetal(Overrides),
}

impl Default for IsolationSpec {
    fn default() -> Self {
        Self::Microvm(Overrides::default())
    }
}

impl IsolationSpec {
    /// The mechanism's name and the overrides.
    pub fn parts(&self) -> (&'static str, &Overrides) {
        match self {
            Self::Process(o) => ("process", o),
            Self::SharedRuntime(o) => ("shared-runtime", o),
            Self::V8Isolate(o) => ("v8-isolate", o),
            Self::Wasm(o) => ("wasm", o),
            Self::WasmPooled(o) => ("wasm-pooled", o),
            Self::Container(o) => ("container", o),
            Self::Runc(o) => ("runc", o),
            Self::Crun(o) => ("crun", o),
            Self::Gvisor(o) => ("gvisor", o),
            Self::Microvm(o) => ("microvm", o),
            Self::MicrovmSnapshot(o) => ("microvm-snapshot", o),
            Self::MicrovmPrefetch(o) => ("microvm-prefetch", o),
            Self::CloudHypervisor(o) => ("cloud-hypervisor", o),
            Self::Unikernel(o) => ("unikernel", o),
            Self::Kata(o) => ("kata", o),
            Self::Qemu(o) => ("qemu", o),
            Self::Vm(o) => ("vm", o),
            Self::BareMetal(o) => ("bare-metal", o),
        }
    }

    /// The catalogue's figures with the overrides applied.
    ///
    /// # Errors
    /// All keys that contradict each other or ask for what is not known; never an empty list.
    pub fn build(&self) -> Result<Mechanism, Vec<Conflict>> {
        let (name, overrides) = self.parts();
        build::build(name, overrides)
    }
}

#[cfg(test)]
mod tests;
