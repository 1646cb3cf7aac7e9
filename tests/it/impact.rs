//! Impact Framework: every published vector, and every manifest of the oracle, against our own computing.
//!
//! The comparisons, and the list of vectors that we answer otherwise on purpose, stand in `src/validate/functions/plugins.rs` and `manifests.rs`.

use slackwater::validate::Verdict;

use crate::lab::shared;
use crate::validate::{hold, measured};

#[test]
fn every_published_vector_of_the_plugins_is_reproduced_or_answered_otherwise_on_purpose() {
    let Some(oracles) = shared("oracles") else { return };
    let data = oracles.parent().map(std::path::Path::to_owned);
    let validated = measured(&["O-impact-vectors", "O-impact-otherwise"], data, 1);
    let ours: Vec<(&str, bool)> =
        validated.judged().map(|j| (j.ours.as_str(), matches!(j.verdict, Verdict::Reproduced))).collect();
    // Of the twelve that are answered otherwise, one differs by less than the tolerance.
    assert_eq!(
        ours,
        [("97 of 108", false), ("12 of 12", true)],
        "{:?}",
        validated.judged().map(|j| &j.missed).collect::<Vec<_>>()
    );
}

#[test]
fn every_manifest_of_the_oracle_is_reproduced_value_by_value() {
    hold(&["O-impact-manifests"]);
}
