//! The claims as `data/validation/*.toml` states them, embedded in the program, and what may be wrong with them.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::functions::registered;
use super::judge::Tolerance;
use super::{ValidateError, scenarios};
use crate::contrast::matches;

/// The files, in the order of the document.
const FILES: &[(&str, &str)] = &[
    ("accounting.toml", include_str!("../../data/validation/accounting.toml")),
    ("energy.toml", include_str!("../../data/validation/energy.toml")),
    ("queues.toml", include_str!("../../data/validation/queues.toml")),
    ("starts.toml", include_str!("../../data/validation/starts.toml")),
    ("keep-alive.toml", include_str!("../../data/validation/keep-alive.toml")),
    ("sharing.toml", include_str!("../../data/validation/sharing.toml")),
    ("shifting.toml", include_str!("../../data/validation/shifting.toml")),
    ("xfaas.toml", include_str!("../../data/validation/xfaas.toml")),
];

/// How long a claim takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// Seconds.
    #[default]
    Quick,
    /// Up to minutes; left out by `--quick`.
    Long,
}

/// A figure of a run.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSpec {
    /// The scenario by its path in the repository, `scenarios/xfaas.toml`.
    pub scenario: String,
    /// Overrides.
    #[serde(default)]
    pub set: Vec<String>,
    /// The figure, a key of summary.csv.
    pub figure: String,
    /// The figure that it is divided by. Default: none.
    #[serde(default)]
    pub over: Option<String>,
    /// A factor on the outcome, for the unit that the source prints. Default 1.
    #[serde(default = "one")]
    pub scale: f64,
    /// Overrides of another run of the scenario, over whose outcome this one is divided. Default: none.
    #[serde(default)]
    pub base: Option<Vec<String>>,
    /// The seeds of replications, from the first to the last; the outcome is their mean. Default: the scenario's own seed.
    #[serde(default)]
    pub seeds: Option<[u64; 2]>,
}

fn one() -> f64 {
    1.0
}

/// How a claim is measured; the name of the way is the name of the table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Measure {
    /// A figure of a run.
    Run(RunSpec),
    /// A function of the program by its name.
    Function {
        /// Its name.
        name: String,
        /// What it is told. Default: nothing.
        #[serde(default)]
        with: toml::Table,
        /// Which of its findings. Default: its only one.
        #[serde(default)]
        pick: String,
    },
    /// Figures of a source that a scenario lists under `[[published]]`, taken over with their tolerances.
    Published {
        /// The scenario by its path in the repository.
        scenario: String,
        /// Which figures: keys, in which `*` stands for any text.
        figures: Vec<String>,
    },
    /// Nothing here can measure it: what it would take.
    External {
        /// What is missing.
        takes: String,
    },
}

/// What was measured where a claim does not reproduce: a number or a text, as the outcome shows it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Measured {
    /// A number, from which ours may differ by `within`.
    Number(f64),
    /// A text, which ours is.
    Text(String),
}

/// Why a claim does not reproduce, and how far: what is outside in another way is unexpected.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// The reason.
    pub why: String,
    /// Ours, of a claim that is one number or sentence.
    #[serde(default)]
    pub ours: Option<Measured>,
    /// How far ours may be from that number, in the figure's unit.
    #[serde(default)]
    pub within: Option<f64>,
    /// Of a claim that is a table: the rows that may be outside, by their names, or with ours as in "50 %: 4.3577".
    #[serde(default)]
    pub rows: Vec<String>,
}

impl Gap {
    /// What is wrong with it.
    fn problem(&self) -> Option<&'static str> {
        match (&self.ours, self.within) {
            _ if self.why.trim().is_empty() => Some("known_gap has no why"),
            (None, None) if self.rows.is_empty() => {
                Some("known_gap says neither ours nor rows: any other fault would hide")
            }
            (Some(_), _) if !self.rows.is_empty() => Some("known_gap has ours or rows, not both"),
            (Some(Measured::Number(_)), Some(within)) if within > 0.0 && within.is_finite() => None,
            (Some(Measured::Number(_)), _) => Some("known_gap has a number: within is missing, or not above 0"),
            (_, Some(_)) => Some("known_gap has within, but no number"),
            _ => None,
        }
    }
}

/// One claim.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Its name: unique, letters, digits and hyphens.
    pub id: String,
    /// What is claimed, in a sentence without a full stop.
    pub claim: String,
    /// Who says so: paper, table or figure, year.
    pub source: String,
    /// The published figure; none where the figures are rows of a table, or an order.
    #[serde(default)]
    pub published: Option<f64>,
    /// What is published, in words, where it is no single figure.
    #[serde(default)]
    pub states: Option<String>,
    /// The unit of the figure; empty without one.
    #[serde(default)]
    pub unit: String,
    /// How near ours has to come.
    pub tolerance: Tolerance,
    /// Where the tolerance comes from.
    pub why: String,
    /// How long it takes.
    #[serde(default)]
    pub tier: Tier,
    /// Files below `--data` that it needs; without them it is not run.
    #[serde(default)]
    pub needs: Vec<String>,
    /// How it is measured.
    pub measure: Measure,
    /// Why it does not reproduce, if it does not, and what comes out instead.
    #[serde(default)]
    pub known_gap: Option<Gap>,
}

/// The claims of one subject.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// The heading.
    pub subject: String,
    /// What a reader should know of all of them.
    pub about: String,
    /// Its claims.
    #[serde(rename = "claim")]
    pub claims: Vec<Claim>,
}

/// All claims.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalogue {
    /// By subject, in the order of the document.
    pub subjects: Vec<Subject>,
}

impl Catalogue {
    /// The claims that the program has.
    ///
    /// # Errors
    /// The embedded files are wrong: a test would have told.
    pub fn embedded() -> Result<Self, ValidateError> {
        Self::of(FILES)
    }

    /// Claims of these texts, each with a name for errors.
    ///
    /// # Errors
    /// All that is wrong with them.
    pub fn of(files: &[(&str, &str)]) -> Result<Self, ValidateError> {
        let (mut subjects, mut problems) = (Vec::new(), Vec::new());
        for (name, text) in files {
            match toml::from_str::<Subject>(text) {
                Ok(subject) => subjects.push(subject),
                Err(e) => problems.push(format!("{name}: {e}")),
            }
        }
        let catalogue = Self { subjects };
        problems.extend(catalogue.problems());
        if problems.is_empty() { Ok(catalogue) } else { Err(ValidateError::Catalogue(problems)) }
    }

    /// All claims in their order.
    pub fn claims(&self) -> impl Iterator<Item = &Claim> {
        self.subjects.iter().flat_map(|s| &s.claims)
    }

    fn problems(&self) -> Vec<String> {
        let mut ids = BTreeSet::new();
        let mut problems = Vec::new();
        for claim in self.claims() {
            let mut wrong = |what: &str| problems.push(format!("{}: {what}", claim.id));
            if !ids.insert(claim.id.as_str()) {
                wrong("there are two claims of this name");
            }
            if claim.id.is_empty() || !claim.id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
                wrong("a name is letters, digits and hyphens");
            }
            for (key, text) in [("claim", &claim.claim), ("source", &claim.source), ("why", &claim.why)] {
                if text.trim().is_empty() || text.contains('|') || text.contains('\n') {
                    wrong(&format!("{key} is empty, or has a bar or a line break"));
                }
            }
            if claim.published.is_none() && claim.states.is_none() {
                wrong("neither published nor states is there");
            }
            if let Some(what) = claim.known_gap.as_ref().and_then(Gap::problem) {
                wrong(what);
            }
            if let Some(what) = claim.tolerance.problem(claim.published) {
                wrong(&what);
            }
            match &claim.measure {
                Measure::Run(RunSpec { scenario, .. }) | Measure::Published { scenario, .. } => {
                    if scenarios::text(scenario).is_none() {
                        wrong(&format!("the program does not hold {scenario}: list it in src/validate/scenarios.rs"));
                    }
                }
                Measure::Function { name, .. } if registered(name).is_none() => {
                    wrong(&format!("no function is called \"{name}\""));
                }
                Measure::Function { .. } => {}
                Measure::External { takes } if takes.is_empty() => wrong("what it would take is not said"),
                Measure::External { .. } => {}
            }
        }
        problems
    }

    /// The catalogue with the claims alone whose names fit one of the patterns; all, if there is none.
    ///
    /// # Errors
    /// A pattern that fits no claim.
    pub fn only(&self, patterns: &[String]) -> Result<Self, ValidateError> {
        if let Some(lost) = patterns.iter().find(|p| !self.claims().any(|c| fits(p, &c.id))) {
            return Err(ValidateError::NoSuchClaim(lost.clone()));
        }
        Ok(self.filtered(|claim| patterns.is_empty() || patterns.iter().any(|p| fits(p, &claim.id))))
    }

    fn filtered(&self, keep: impl Fn(&Claim) -> bool) -> Self {
        let subject = |s: &Subject| {
            let claims: Vec<Claim> = s.claims.iter().filter(|c| keep(c)).cloned().collect();
            (!claims.is_empty()).then(|| Subject { subject: s.subject.clone(), about: s.about.clone(), claims })
        };
        Self { subjects: self.subjects.iter().filter_map(subject).collect() }
    }
}

/// Whether a name fits a pattern, in which `*` stands for any text; capitals do not matter.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    matches(&pattern.to_ascii_lowercase(), &name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLAIM: &str = "subject = \"s\"\nabout = \"a\"\n[[claim]]\nid = \"X1\"\nclaim = \"c\"\nsource = \"paper, 2020\"\n\
                         published = 1.0\nwhy = \"w\"\ntolerance.relative = 0.1\nmeasure.external.takes = \"a trace\"\n";

    fn problem(from: &str, to: &str) -> String {
        assert!(CLAIM.contains(from), "{from}");
        Catalogue::of(&[("x.toml", &CLAIM.replace(from, to))]).expect_err(to).to_string()
    }

    #[test]
    fn the_embedded_catalogue_is_right() {
        let catalogue = Catalogue::embedded().expect("no problem");
        assert!(catalogue.claims().count() > 60);
        assert!(catalogue.claims().any(|c| c.tier == Tier::Long) && catalogue.claims().any(|c| c.tier == Tier::Quick));
    }

    #[test]
    fn what_is_wrong_with_a_claim_is_said_with_its_name() {
        Catalogue::of(&[("x.toml", CLAIM)]).expect("right");
        assert!(problem("source = \"paper, 2020\"", "source = \" \"").contains("X1: source is empty"));
        assert!(problem("relative = 0.1", "relative = -0.1").contains("X1: the tolerance -0.1 is not above 0"));
        assert!(problem("\"X1\"", "\"X 1\"").contains("letters, digits and hyphens"));
        assert!(
            problem("external.takes = \"a trace\"", "function.name = \"no-such\"").contains("no function is called")
        );
        let run = "run = { scenario = \"scenarios/none.toml\", figure = \"calls.cold\" }";
        assert!(problem("external.takes = \"a trace\"", run).contains("does not hold scenarios/none.toml"));
        assert!(problem("published = 1.0", "publishd = 1.0").contains("unknown field `publishd`"));
        let gap = |gap: &str| problem("why = \"w\"", &format!("why = \"w\"\nknown_gap = {{ {gap} }}"));
        assert!(gap("why = \"w\"").contains("neither ours nor rows"));
        assert!(gap("why = \"w\", ours = 2.0").contains("within is missing"));
        assert!(gap("why = \"w\", ours = \"2 J\", within = 1.0").contains("within, but no number"));
        assert!(gap("why = \"w\", ours = \"2 J\", rows = [\"a\"]").contains("not both"));
        let twice = Catalogue::of(&[("x.toml", CLAIM), ("y.toml", CLAIM)]).expect_err("twice").to_string();
        assert!(twice.contains("two claims of this name"), "{twice}");
    }

    #[test]
    fn a_pattern_fits_names_with_any_text_for_a_star() {
        let names = ["A1", "A10", "B1-peak"];
        let found = |p: &str| names.map(|n| fits(p, n));
        assert_eq!(found("A1"), [true, false, false]);
        assert_eq!(found("a1*"), [true, true, false]);
        assert_eq!(found("*peak"), [false, false, true]);
        assert_eq!(found("*1*"), [true, true, true]);
        assert_eq!(found("B*-*k"), [false, false, true]);
        let catalogue = Catalogue::embedded().expect("right");
        let lost = catalogue.only(&["Z9*".to_owned()]).expect_err("no such claim").to_string();
        assert!(lost.contains("no claim is called \"Z9*\"") && lost.contains("help:"), "{lost}");
    }
}
