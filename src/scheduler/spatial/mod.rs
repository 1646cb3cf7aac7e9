//! Programs over regions that several seams and bounds share: who sends how much where, and how many hosts are on.

mod transport;

pub use transport::{Cost, Dealt, transport};

#[cfg(test)]
mod tests;
