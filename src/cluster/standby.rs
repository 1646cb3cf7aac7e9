//! Power states of a host: on, two states in which it waits, and the ways between them.
//!
//! ```text
//!        ShuttingDown ──> Off ──> Booting
//!      ╱                                 ╲
//!    On                                   ──> On
//!      ╲                                 ╱
//!        Suspending ──> Asleep ──> Waking
//! ```
//!
//! A way that has begun is gone to its end: a host that shuts down is off before it can boot.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::host::Group;
use crate::ledger::Column;
use crate::types::Duration;

/// Where a host waits that nobody needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IdleState {
    /// Switched off: least power, long way back.
    #[default]
    Off,
    /// Suspended to memory (ACPI S3): more power, short way back.
    Sleep,
}

/// A state to wait in, with the ways to it and back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standby {
    /// How long the way to it takes.
    pub down: Duration,
    /// Power on the way to it \[W\].
    pub down_w: f64,
    /// Power in it \[W\].
    pub rest_w: f64,
    /// How long the way back takes.
    pub up: Duration,
    /// Power on the way back \[W\].
    pub up_w: f64,
}

impl Standby {
    /// The most power that it ever draws \[W\].
    pub fn most_w(&self) -> f64 {
        self.down_w.max(self.rest_w).max(self.up_w)
    }
}

/// What a host does. It carries sandboxes only while it is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PowerState {
    /// Ready.
    On,
    /// On the way to off.
    ShuttingDown,
    /// Switched off.
    Off,
    /// On the way from off.
    Booting,
    /// On the way to sleep.
    Suspending,
    /// Suspended to memory.
    Asleep,
    /// On the way from sleep.
    Waking,
}

impl PowerState {
    /// The way from on.
    pub fn leaving_for(idle: IdleState) -> Self {
        match idle {
            IdleState::Off => Self::ShuttingDown,
            IdleState::Sleep => Self::Suspending,
        }
    }

    /// Where this way ends: itself, if it is none.
    pub fn end(self) -> Self {
        match self {
            Self::ShuttingDown => Self::Off,
            Self::Suspending => Self::Asleep,
            Self::Booting | Self::Waking => Self::On,
            still => still,
        }
    }

    /// The way back to on; `None` if the host does not wait.
    pub fn way_back(self) -> Option<Self> {
        match self {
            Self::Off => Some(Self::Booting),
            Self::Asleep => Some(Self::Waking),
            _ => None,
        }
    }

    /// Whether the host waits, off or asleep.
    pub fn is_resting(self) -> bool {
        self.way_back().is_some()
    }

    /// Whether it is on the way to on.
    pub fn is_coming(self) -> bool {
        matches!(self, Self::Booting | Self::Waking)
    }

    /// Whether it is on a way.
    pub fn is_changing(self) -> bool {
        self.end() != self
    }
}

impl Group {
    /// How its hosts wait.
    pub fn standby(&self, idle: IdleState) -> &Standby {
        match idle {
            IdleState::Off => &self.off,
            IdleState::Sleep => &self.sleep,
        }
    }

    /// How long a way takes; nothing for a state that is none.
    pub fn way(&self, state: PowerState) -> Duration {
        match state {
            PowerState::ShuttingDown => self.off.down,
            PowerState::Booting => self.off.up,
            PowerState::Suspending => self.sleep.down,
            PowerState::Waking => self.sleep.up,
            PowerState::On | PowerState::Off | PowerState::Asleep => Duration::ZERO,
        }
    }

    /// Power of a host that is not on, and the column of its cause \[W\]: ways are booked as boots, waiting as off.
    pub(super) fn unready(&self, state: PowerState) -> (Column, f64) {
        match state {
            PowerState::On => unreachable!("a host that is on draws by its load"),
            PowerState::ShuttingDown => (Column::Boot, self.off.down_w),
            PowerState::Off => (Column::Off, self.off.rest_w),
            PowerState::Booting => (Column::Boot, self.off.up_w),
            PowerState::Suspending => (Column::Boot, self.sleep.down_w),
            PowerState::Asleep => (Column::Off, self.sleep.rest_w),
            PowerState::Waking => (Column::Boot, self.sleep.up_w),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_leads_back_to_on() {
        for (idle, rest) in [(IdleState::Off, PowerState::Off), (IdleState::Sleep, PowerState::Asleep)] {
            let leaving = PowerState::leaving_for(idle);
            assert!(leaving.is_changing() && !leaving.is_coming() && !leaving.is_resting());
            assert_eq!(leaving.end(), rest);
            assert!(rest.is_resting() && !rest.is_changing());
            let back = rest.way_back().expect("it waits");
            assert!(back.is_changing() && back.is_coming() && !back.is_resting());
            assert_eq!(back.end(), PowerState::On);
        }
        assert!(!PowerState::On.is_changing() && !PowerState::On.is_resting());
    }
}
