//! R of an export: what the unit is called, and how much of it falls into a step.

use super::result::{Finished, Observation, number, text};
use crate::impact::error::ImpactError;

/// The functional unit.
pub struct Unit {
    /// Its name as a parameter: letters and hyphens only, which every expression can hold.
    pub name: String,
    /// R of the run.
    pub total: f64,
    /// What an observation's R is in proportion to.
    pub by: By,
    /// That, summed over all observations.
    all: f64,
}

/// What the time series knows of R.
#[derive(Clone, Copy)]
pub enum By {
    /// Executed calls.
    Executed,
    /// Calls in execution · time \[s\].
    Running,
    /// Time \[s\].
    Time,
}

impl By {
    fn of(self, step: &Observation) -> f64 {
        match self {
            Self::Executed => step.executed,
            Self::Running => step.running_s,
            Self::Time => step.length_s,
        }
    }
}

impl Unit {
    /// R of a run.
    ///
    /// # Errors
    /// The summary does not say it.
    pub fn of(run: &Finished) -> Result<Self, ImpactError> {
        let total = number(&run.summary, &["sci", "units"])?;
        let own = text(&run.summary, &["sci", "unit"])?;
        let (name, by) = match own {
            "call" => ("calls".to_owned(), By::Executed),
            "request" => ("requests".to_owned(), By::Executed),
            "execution-hour" => ("execution-hours".to_owned(), By::Running),
            "CPU-hour" => ("core-hours".to_owned(), By::Running),
            "GB-hour" => ("gigabyte-hours".to_owned(), By::Running),
            "tenant-hour" => ("tenant-hours".to_owned(), By::Time),
            own => {
                let plain: String =
                    own.chars().map(|c| if c.is_ascii_alphabetic() { c.to_ascii_lowercase() } else { '-' }).collect();
                (format!("units-of-{}", plain.trim_matches('-')), By::Executed)
            }
        };
        let all = run.regions.iter().flat_map(|r| &r.steps).map(|s| by.of(s)).sum();
        Ok(Self { name, total, by, all })
    }

    /// R of an observation.
    pub fn count(&self, step: &Observation) -> f64 {
        let part = self.by.of(step);
        // Counts stay whole.
        if part == 0.0 || self.total == self.all { part } else { self.total * (part / self.all) }
    }
}
