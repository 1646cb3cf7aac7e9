//! Which idle sandbox of a host goes first when room is needed.

/// The order in which idle sandboxes of a host go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvictionOrder {
    /// The one that is idle longest.
    Lru,
    /// The one of the lowest priority = clock + uses x start time / memory (greedy-dual; FaasCache, ASPLOS 2021).
    GreedyDual,
    /// The one that holds most memory; of equal ones the one idle longest.
    Largest,
}
