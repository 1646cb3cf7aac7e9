//! Units as files write them. What is not known is refused, never guessed from the size of the numbers.

use crate::grid::Unit;

/// The unit that a text names, written in any of the usual ways.
pub(super) fn unit(text: &str) -> Option<Unit> {
    let plain: String = text
        .to_lowercase()
        .replace('\u{2082}', "2")
        .replace("per", "/")
        .chars()
        .filter(|c| !" _-()".contains(*c))
        .collect();
    let plain = plain.replace("co2eq", "").replace("co2e", "").replace("co2", "");
    match plain.as_str() {
        // A kilogram per megawatt-hour is a gram per kilowatt-hour.
        "g/kwh" | "kg/mwh" => Some(Unit::GPerKwh),
        "lb/mwh" | "lbs/mwh" => Some(Unit::LbPerMwh),
        "g/mj" => Some(Unit::GPerMj),
        _ => None,
    }
}

/// A unit's name, as a scenario writes it.
pub(super) fn name(unit: Unit) -> &'static str {
    match unit {
        Unit::GPerKwh => "g-per-kwh",
        Unit::LbPerMwh => "lb-per-mwh",
        Unit::GPerMj => "g-per-mj",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_known_by_their_usual_names_and_nothing_else_is() {
        for (text, wanted) in [
            ("gCO\u{2082}eq/kWh", Some(Unit::GPerKwh)),
            ("gCO2eq/kWh", Some(Unit::GPerKwh)),
            ("kgCO2/MWh", Some(Unit::GPerKwh)),
            ("lbs_co2_per_mwh", Some(Unit::LbPerMwh)),
            ("lbs CO2/MWh", Some(Unit::LbPerMwh)),
            ("gCO2/MJ", Some(Unit::GPerMj)),
            ("percentile", None),
            ("lbs/kWh", None),
            ("kg/kWh", None),
            ("t/MWh", None),
            ("", None),
        ] {
            assert_eq!(unit(text), wanted, "{text}");
        }
    }
}
