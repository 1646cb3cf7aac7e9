//! Quantities with their units, and only the products that physics allows.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Sub};

use super::Duration;

/// Joules in one kilowatt-hour [J/kWh].
pub const JOULES_PER_KWH: f64 = 3.6e6;
/// Seconds in the 365-day year that every amortisation here uses \[s\]. Convention of the SCI worked examples.
pub const SECONDS_PER_YEAR: f64 = 31_536_000.0;

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
        pub struct $name(pub f64);

        impl Add for $name {
            type Output = $name;
            fn add(self, rhs: $name) -> $name {
                $name(self.0 + rhs.0)
            }
        }
        impl AddAssign for $name {
            fn add_assign(&mut self, rhs: $name) {
                self.0 += rhs.0;
            }
        }
        impl Sub for $name {
            type Output = $name;
            fn sub(self, rhs: $name) -> $name {
                $name(self.0 - rhs.0)
            }
        }
        impl Mul<f64> for $name {
            type Output = $name;
            fn mul(self, rhs: f64) -> $name {
                $name(self.0 * rhs)
            }
        }
        impl Sum for $name {
            fn sum<I: Iterator<Item = $name>>(iter: I) -> $name {
                iter.fold($name(0.0), |a, b| a + b)
            }
        }
    };
}

quantity!(
    /// Electric power \[W\].
    Watts
);
quantity!(
    /// Energy \[J\].
    Joules
);
quantity!(
    /// Greenhouse-gas emissions \[gCO2e\].
    GramsCo2e
);
quantity!(
    /// Carbon intensity of electricity [gCO2e/kWh].
    GramsPerKwh
);

impl Mul<Duration> for Watts {
    type Output = Joules;
    fn mul(self, rhs: Duration) -> Joules {
        Joules(self.0 * rhs.as_secs_f64())
    }
}

impl Mul<GramsPerKwh> for Joules {
    type Output = GramsCo2e;
    fn mul(self, rhs: GramsPerKwh) -> GramsCo2e {
        GramsCo2e(self.0 / JOULES_PER_KWH * rhs.0)
    }
}

/// An amount of memory \[bytes\]. One MB is 10^6 bytes here, as in every key and column that ends in `_mb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Memory(pub u64);

impl Memory {
    /// Megabytes (10^6 bytes), rounded to the nearest byte; negative and NaN become zero.
    pub fn from_mb(mb: f64) -> Self {
        Memory((mb * 1e6).round() as u64)
    }

    /// The amount in megabytes (10^6 bytes).
    #[inline]
    pub fn as_mb(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl Add for Memory {
    type Output = Memory;
    #[inline]
    fn add(self, rhs: Memory) -> Memory {
        Memory(self.0.saturating_add(rhs.0))
    }
}

/// CPU capacity or demand [thousandths of a core].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MilliCores(pub u32);

impl MilliCores {
    /// Cores, rounded to the nearest thousandth; negative and NaN become zero.
    pub fn from_cores(cores: f64) -> Self {
        MilliCores((cores * 1000.0).round() as u32)
    }

    /// The amount in cores.
    #[inline]
    pub fn as_cores(self) -> f64 {
        f64::from(self.0) / 1000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_kilowatt_for_one_hour_at_100_g_per_kwh_is_100_g() {
        let energy = Watts(1000.0) * Duration::from_secs(3600);
        assert_eq!(energy, Joules(JOULES_PER_KWH));
        assert_eq!(energy * GramsPerKwh(100.0), GramsCo2e(100.0));
    }

    #[test]
    fn memory_keeps_fractions_of_a_megabyte() {
        assert_eq!(Memory::from_mb(0.08), Memory(80_000));
        assert_eq!(Memory::from_mb(-3.0), Memory(0));
    }
}
