//! Programs over regions that several seams and bounds share: who sends how much where, and how many hosts are on.

mod deal;
mod objective;
mod program;
mod traffic;
mod transport;
mod violations;

pub use deal::Deal;
pub use objective::{Objective, calls_in, weights};
pub use program::{Planned, Program};
pub use traffic::{Expected, Expects, Traffic};
pub use transport::{Cost, Dealt, transport};
pub use violations::Violations;

#[cfg(test)]
mod tests;
