//! What uncertain figures make of a score: Monte Carlo over a finished run's ledger, without simulating again.
//!
//! The ledger is reduced once to grams by region, kind of power and host group ([`Parts`]), in which O and M are sums of products;
//! a sample is then a few multiplications. Schedules do not change: a policy decided on the run's own figures, whatever they are worth.
//! Formulas, defaults and what is left out: `docs/uncertainty.md`.

mod distribution;
mod draw;
mod parts;
mod sample;
mod spec;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

pub use distribution::{Distribution, Lognormal, LognormalRange, Normal, Triangular, Uniform};
pub use parts::{Books, Parts};
pub use sample::{Estimate, RANKING_HOLDS, Ranking, Swing, Uncertain, rank, sample};
pub use spec::{EmbodiedOfServer, EmbodiedSpec, FactorSpec, LifetimeOfServer, LifetimeSpec, UncertaintySpec, Wrong};

/// The spreads that come with the program, each with its source.
pub fn default_spec() -> &'static UncertaintySpec {
    static SPEC: LazyLock<UncertaintySpec> = LazyLock::new(|| {
        toml::from_str(include_str!("../../../data/uncertainty.toml")).expect("the embedded specification is tested")
    });
    &SPEC
}
