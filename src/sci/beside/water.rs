//! Water: what the site evaporates, and what the making of its electricity takes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::types::JOULES_PER_KWH;

/// `[regions.water]`: litres per kilowatt-hour. Both have no default: they differ between sites and grids by orders of magnitude.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaterSpec {
    /// WUE of the site: water used there per IT energy [L/kWh].
    #[schemars(range(min = 0.0))]
    pub site_l_per_kwh: f64,
    /// Water used to make the electricity, per energy of the facility [L/kWh].
    #[schemars(range(min = 0.0))]
    pub source_l_per_kwh: f64,
}

/// Water of a region, or of all.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct WaterBook {
    /// Water used at the site \[L\].
    pub site_l: f64,
    /// Water used where its electricity is made \[L\].
    pub source_l: f64,
}

impl WaterSpec {
    /// Water of an energy: site x IT energy, source x facility energy.
    ///
    /// Example: 100 kWh of IT and 120 kWh of the facility at 0.5 and 2 L/kWh take 50 and 240 L.
    pub fn book(&self, it_j: f64, facility_j: f64) -> WaterBook {
        WaterBook {
            site_l: it_j / JOULES_PER_KWH * self.site_l_per_kwh,
            source_l: facility_j / JOULES_PER_KWH * self.source_l_per_kwh,
        }
    }
}

impl WaterBook {
    /// Site and source \[L\].
    pub fn total_l(&self) -> f64 {
        self.site_l + self.source_l
    }

    /// Both together.
    pub fn plus(&self, other: &WaterBook) -> WaterBook {
        WaterBook { site_l: self.site_l + other.site_l, source_l: self.source_l + other.source_l }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_holds() {
        let book = WaterSpec { site_l_per_kwh: 0.5, source_l_per_kwh: 2.0 }.book(100.0 * 3.6e6, 120.0 * 3.6e6);
        assert_eq!((book.site_l, book.source_l, book.total_l()), (50.0, 240.0, 290.0));
    }
}
