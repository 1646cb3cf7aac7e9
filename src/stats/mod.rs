//! Statistics: quantile histograms in constant memory; forecasts of short series; estimates of means with their intervals;
//! warm-up and batch means of one long run; sensitivity indices; frontiers; roots.

mod autoregression;
mod batch_means;
mod bootstrap;
mod correlation;
mod estimate;
mod histogram;
mod order;
mod paired;
mod pareto;
mod root;
mod sensitivity;
#[cfg(test)]
mod tests;
mod warm_up;

pub use autoregression::next_value;
pub use batch_means::{BatchMeans, MOST_BATCHES, batch_means};
pub use bootstrap::{Bootstrap, RESAMPLES, bootstrap, bootstrap_mean};
pub use correlation::{lag_one, von_neumann};
pub use estimate::{Estimate, Interval, student_quantile};
pub use histogram::LogHistogram;
pub use order::{mean_and_deviation, quantile_of_sorted, quantile_of_unsorted};
pub use paired::{Paired, paired};
pub use pareto::{Aim, frontier};
pub use root::{Root, RootError, root};
pub use sensitivity::{Index, Sensitivity, sensitivity};
pub use warm_up::{MSER_BATCH, mser, mser_5};
