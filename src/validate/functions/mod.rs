//! Measurements that are no figure of one run, by the names under which claims ask for them.

mod boavizta;
mod keep_alive;
mod manifests;
mod papers;
mod plugins;
mod power;
mod queues;
mod shapley;
mod sharing;
mod simfaas;
mod starts;
mod traces;
mod xfaas;

use super::world::{Context, Fault, Found, Given};
use crate::report::{number, significant};

/// Measures what it is told in a world: named findings.
pub type Measuring = fn(&Context, &toml::Table) -> Result<Vec<(String, Found)>, Fault>;

/// The functions by name.
const ALL: &[(&str, Measuring)] = &[
    ("aimd", xfaas::aimd),
    ("azure-2019-statistics", traces::azure_2019),
    ("boavizta-components", boavizta::components),
    ("boavizta-instances", boavizta::instances),
    ("boavizta-profiles", power::profiles),
    ("boots", starts::boots),
    ("break-even", starts::break_even),
    ("carbon-scaler", papers::carbon_scaler),
    ("dslab-basic", keep_alive::basic),
    ("erlang", queues::erlang),
    ("fit-density", sharing::density),
    ("gaia", papers::gaia),
    ("impact-manifests", manifests::manifests),
    ("impact-vectors", plugins::vectors),
    ("isolation-ladder", sharing::ladder),
    ("lets-wait-awhile-ml", papers::lets_wait_awhile_ml),
    ("lets-wait-awhile-periodic", papers::lets_wait_awhile_periodic),
    ("limits-of-shifting", papers::limits),
    ("microvm-memory", starts::memory),
    ("multitenancy", sharing::multitenancy),
    ("overcommit-order", sharing::overcommit_order),
    ("power-models", power::models),
    ("predictors", sharing::predictors),
    ("replays", keep_alive::replays),
    ("shapley", shapley::values),
    ("simfaas", simfaas::set),
    ("slow-start", xfaas::slow_start),
    ("soft-allocation", sharing::soft_allocation),
    ("station", queues::station),
    ("sunk-carbon", sharing::sunk_carbon),
    ("undefined", undefined),
];

/// A function by its name.
pub fn registered(name: &str) -> Option<Measuring> {
    ALL.iter().find(|(n, _)| *n == name).map(|(_, f)| *f)
}

/// One finding that needs no name.
fn only(found: Found) -> Vec<(String, Found)> {
    vec![(String::new(), found)]
}

/// Whether a run leaves a figure undefined while another is above 0.
fn undefined(context: &Context, with: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let given = Given(with);
    let run = context.run(given.text("scenario")?, &[])?;
    let (figure, other) = (number(&run, given.text("figure")?), number(&run, given.text("while")?));
    let holds = figure.is_none() && other.is_some_and(|x| x > 0.0);
    let said = figure.map_or("undefined".to_owned(), significant);
    Ok(only(Found::Holds { holds, said }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::{Catalogue, Measure};

    #[test]
    fn names_are_in_order_and_every_function_has_a_claim() {
        assert!(ALL.windows(2).all(|w| w[0].0 < w[1].0));
        let catalogue = Catalogue::embedded().expect("right");
        for (name, _) in ALL {
            let asks = |m: &Measure| matches!(m, Measure::Function { name: n, .. } if n == name);
            assert!(catalogue.claims().any(|c| asks(&c.measure)), "no claim asks for {name}");
        }
    }
}
