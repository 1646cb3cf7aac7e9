//! What every policy may look at.

/// The view of the present. A macro, so that the borrow ends at the fields it names and the policy itself can be borrowed for writing.
macro_rules! view {
    ($engine:ident) => {
        crate::scheduler::View {
            now: $engine.now,
            regions: &$engine.loads,
            forecasts: &$engine.forecasts,
            observed: &$engine.observed,
            reserved: $engine.reserved,
            network: &$engine.network,
        }
    };
}
pub(in crate::sim) use view;
