//! What is made of a finished run from its books, without simulating: scores on other signals, charges, uncertainty.

mod charges;
mod scores;
mod tornado;
mod uncertainty;

pub use charges::{By, CHARGED, ChargeError, Charged, changes_inside, charge_anew, charged_csv, charged_text};
pub use scores::{Role, SCORES, ScoreError, ScoreRow, own_sets, score_rows, scores_csv, scores_text};
pub use tornado::tornado;
pub use uncertainty::{UNCERTAINTY, differences_text, ranking_text, uncertainty_table, write_uncertainty};

use super::{AccountLog, Column, ReportError, grouped, significant, write_file};
