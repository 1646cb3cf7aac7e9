//! What is done with the rows of any format, in this order: one file per policy.

pub(super) mod cut;
pub(super) mod duplicates;
pub(super) mod gaps;
pub(super) mod lay;
pub(super) mod minutes;
pub(super) mod order;
pub(super) mod resample;
pub(super) mod values;
