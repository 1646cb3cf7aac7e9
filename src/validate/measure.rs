//! Measures all claims, in parallel, every distinct run and function once, and judges them in the order of the catalogue.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::catalogue::{Catalogue, Claim, Measure, RunSpec, Tier, fits};
use super::functions::registered;
use super::judge::{Judged, Tolerance};
use super::world::{Context, Fault, Found, Row, failed};
use super::{Subject, ValidateError};
use crate::report::number;

/// How to validate.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A folder with oracles and data.
    pub data: Option<PathBuf>,
    /// Threads; one if 0. They change nothing in the outcome.
    pub jobs: usize,
    /// Whether what takes minutes is not run.
    pub quick: bool,
    /// Outcomes of an earlier run of the same program, which are taken over.
    pub known: Vec<Judged>,
    /// Whether nothing but those is looked at.
    pub merge: bool,
}

/// How far it is.
#[derive(Debug, Clone)]
pub struct Progress {
    /// Pieces of work that are done.
    pub done: usize,
    /// All of them.
    pub all: usize,
    /// What was done last.
    pub last: String,
}

/// All claims with their verdicts.
#[derive(Debug, Clone, PartialEq)]
pub struct Validated {
    /// By subject.
    pub subjects: Vec<(Subject, Vec<Judged>)>,
}

impl Validated {
    /// All in their order.
    pub fn judged(&self) -> impl Iterator<Item = &Judged> {
        self.subjects.iter().flat_map(|(_, judged)| judged)
    }

    /// Whether nobody has to look at anything.
    pub fn holds(&self) -> bool {
        !self.judged().any(|j| j.verdict.alarms())
    }
}

/// A piece of work that claims share.
#[derive(Debug, Clone, PartialEq)]
enum Work {
    /// A run, kept by the context.
    Run(String, Vec<String>),
    /// A function with what it is told.
    Function(String, toml::Table),
}

impl Work {
    fn key(&self) -> String {
        match self {
            Work::Run(scenario, set) => format!("run {scenario} {}", set.join(" ")),
            Work::Function(name, with) => format!("{name} {with}"),
        }
    }

    fn name(&self) -> &str {
        match self {
            Work::Run(name, _) | Work::Function(name, _) => name,
        }
    }
}

type Findings = Result<Vec<(String, Found)>, Fault>;

/// Validates a catalogue.
///
/// # Errors
/// There is no folder of data, or no temporary one; what a claim lacks is a verdict instead.
pub fn validate(
    catalogue: &Catalogue,
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Validated, ValidateError> {
    let context = Context::new(options.data.as_deref())?;
    let known = |claim: &Claim| options.known.iter().find(|j| j.claim == *claim);
    let skipped = |claim: &Claim| options.merge || options.quick && claim.tier == Tier::Long;
    let skip =
        if options.merge { "in none of the parts that were joined" } else { "takes minutes, left out by --quick" };
    let runnable = |claim: &&Claim| known(claim).is_none() && !skipped(claim) && lacks(&context, claim).is_none();
    let mut claims: Vec<&Claim> = catalogue.claims().filter(runnable).collect();
    // What takes longest begins first.
    claims.sort_by_key(|c| c.tier != Tier::Long);
    let mut work: Vec<Work> = Vec::new();
    for piece in claims.iter().flat_map(|c| pieces(c)) {
        if !work.contains(&piece) {
            work.push(piece);
        }
    }
    let findings = work_off(&context, &work, options.jobs.max(1), progress);
    let judge = |claim: &Claim| match known(claim) {
        Some(judged) => judged.clone(),
        None if skipped(claim) => {
            Judged::of(claim, &lacks(&context, claim).map_or_else(|| Err(Fault::Needs(skip.to_owned())), Err))
        }
        None => Judged::of(claim, &found(&context, claim, &findings)),
    };
    let subjects = catalogue.subjects.iter().map(|s| (s.clone(), s.claims.iter().map(judge).collect())).collect();
    Ok(Validated { subjects })
}

/// What a claim needs and has not.
fn lacks(context: &Context, claim: &Claim) -> Option<Fault> {
    let missing = claim.needs.iter().find_map(|path| context.file(path).err());
    Judged::external(claim).or(missing)
}

fn pieces(claim: &Claim) -> Vec<Work> {
    match &claim.measure {
        Measure::Run(spec) => runs(spec).map(|set| Work::Run(spec.scenario.clone(), set)).collect(),
        Measure::Published { scenario, .. } => vec![Work::Run(scenario.clone(), Vec::new())],
        Measure::Function { name, with, .. } => vec![Work::Function(name.clone(), with.clone())],
        Measure::External { .. } => Vec::new(),
    }
}

/// The overrides of every run that a figure needs: by seed, the run and the one it is divided by.
fn runs(spec: &RunSpec) -> impl Iterator<Item = Vec<String>> {
    let seeds: Vec<Option<u64>> = match spec.seeds {
        Some([first, last]) => (first..=last).map(Some).collect(),
        None => vec![None],
    };
    let ways: Vec<&Vec<String>> = [Some(&spec.set), spec.base.as_ref()].into_iter().flatten().collect();
    let all = seeds.into_iter().flat_map(move |seed| {
        let one = |set: &&Vec<String>| set.iter().cloned().chain(seed.map(|s| format!("seed={s}"))).collect();
        ways.iter().map(one).collect::<Vec<Vec<String>>>()
    });
    all.collect::<Vec<_>>().into_iter()
}

/// Every thread takes the next piece until none is left.
fn work_off(
    context: &Context,
    work: &[Work],
    threads: usize,
    progress: &(dyn Fn(Progress) + Sync),
) -> BTreeMap<String, Findings> {
    let findings = Mutex::new(BTreeMap::new());
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let take = || {
        while let Some(piece) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = match piece {
                Work::Run(scenario, set) => context.run(scenario, set).map(|_| Vec::new()),
                Work::Function(name, with) => match registered(name) {
                    Some(function) => function(context, with),
                    None => Err(failed(format!("no function is called {name}"))),
                },
            };
            findings.lock().unwrap_or_else(PoisonError::into_inner).insert(piece.key(), outcome);
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            progress(Progress { done, all: work.len(), last: piece.name().to_owned() });
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(work.len()) {
            scope.spawn(take);
        }
        take();
    });
    findings.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// What was found of a claim.
fn found(context: &Context, claim: &Claim, findings: &BTreeMap<String, Findings>) -> Result<Found, Fault> {
    if let Some(fault) = lacks(context, claim) {
        return Err(fault);
    }
    match &claim.measure {
        Measure::External { takes } => Err(Fault::Needs(takes.clone())),
        Measure::Run(spec) => figure(context, spec),
        Measure::Published { scenario, figures } => published(context, scenario, figures),
        Measure::Function { name, with, pick } => {
            let key = Work::Function(name.clone(), with.clone()).key();
            let all =
                findings.get(&key).ok_or_else(|| failed("it was not measured"))?.as_ref().map_err(Clone::clone)?;
            let one = match all.as_slice() {
                [(_, only)] if pick.is_empty() => Some(only),
                _ => all.iter().find(|(name, _)| name == pick).map(|(_, found)| found),
            };
            let names = || all.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>().join(", ");
            one.cloned().ok_or_else(|| failed(format!("{name} finds no \"{pick}\", but {}", names())))
        }
    }
}

/// Figures that a scenario lists, each under its own tolerance; those without one are not judged.
fn published(context: &Context, scenario: &str, figures: &[String]) -> Result<Found, Fault> {
    let summary = context.run(scenario, &[])?;
    let loaded = context.load(scenario, &[])?;
    let asked = loaded.scenario.published.iter().filter(|p| figures.iter().any(|f| fits(f, &p.figure)));
    let row = |p: &crate::scenario::PublishedSpec| {
        let (low, high) = p.range()?;
        let ours = number(&summary, &p.figure).unwrap_or(f64::NAN);
        Some(Row::new(&p.figure, p.value, ours).under(Tolerance::Range { low, high }))
    };
    Ok(Found::Rows(asked.filter_map(row).collect()))
}

/// A figure of runs that are done.
fn figure(context: &Context, spec: &RunSpec) -> Result<Found, Fault> {
    let one = |set: &Vec<String>| {
        let number = |key: &str| context.figure(&spec.scenario, set, key);
        let over = spec.over.as_deref().map_or(Ok(1.0), number)?;
        Ok(number(&spec.figure)? / over)
    };
    let sets: Vec<Vec<String>> = runs(spec).collect();
    let values = sets.iter().map(one).collect::<Result<Vec<f64>, Fault>>()?;
    let values: Vec<f64> = match spec.base {
        Some(_) => values.chunks(2).map(|pair| spec.scale * pair[0] / pair[1]).collect(),
        None => values.into_iter().map(|x| spec.scale * x).collect(),
    };
    Ok(match values[..] {
        [one] => Found::Number(one),
        _ => Found::mean(&values),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::Verdict;

    /// Two claims on the 200 calls of the sample, one of a function that nobody has told what it needs.
    const CLAIMS: &str = r#"
subject = "Sample"
about = "By hand."
[[claim]]
id = "T1"
claim = "all calls are received"
source = "the file itself"
published = 200.0
why = "a count"
tolerance.exact = {}
measure.run = { scenario = "scenarios/checks/keep-alive.toml", figure = "calls.received" }
[[claim]]
id = "T2"
claim = "all calls are executed"
source = "the file itself"
published = 1.0
why = "a count"
tolerance.exact = {}
measure.run = { scenario = "scenarios/checks/keep-alive.toml", figure = "calls.executed", over = "calls.received", base = ["scheduler.keep_alive.fixed.keep_alive_s=0"] }
[[claim]]
id = "T3"
claim = "a trace says so"
source = "the trace"
states = "much"
why = "a count"
needs = ["data/no-such-file"]
tolerance.holds = {}
measure.function.name = "erlang"
"#;

    #[test]
    fn claims_are_measured_in_their_order_on_any_number_of_threads() {
        let catalogue = Catalogue::of(&[("t", CLAIMS)]).expect("right");
        let validated = |jobs| validate(&catalogue, &Options { jobs, ..Options::default() }, &|_| {}).expect("it runs");
        let one = validated(1);
        assert_eq!(one, validated(2));
        assert!(one.holds());
        let verdicts: Vec<&Verdict> = one.judged().map(|j| &j.verdict).collect();
        assert_eq!(verdicts[..2], [&Verdict::Reproduced, &Verdict::Reproduced]);
        assert_eq!(verdicts[2], &Verdict::NotRun("needs `data/no-such-file` below --data".to_owned()));
        assert_eq!(one.judged().map(|j| j.number).collect::<Vec<_>>(), [Some(200.0), Some(1.0), None]);
    }

    #[test]
    fn a_run_of_several_claims_is_one_piece_of_work() {
        let catalogue = Catalogue::of(&[("t", CLAIMS)]).expect("right");
        let seen = Mutex::new(Vec::new());
        let note = |p: Progress| seen.lock().expect("no panic").push((p.done, p.all));
        validate(&catalogue, &Options::default(), &note).expect("it runs");
        assert_eq!(*seen.lock().expect("no panic"), [(1, 2), (2, 2)]);
    }

    #[test]
    fn replications_are_told_by_their_seeds() {
        let spec = |text: &str| {
            toml::from_str::<RunSpec>(&format!("scenario = \"s\"\nfigure = \"f\"\n{text}")).expect("right")
        };
        let sets = |text: &str| runs(&spec(text)).collect::<Vec<_>>();
        assert_eq!(sets("set = [\"a=1\"]\nseeds = [3, 4]"), [["a=1", "seed=3"], ["a=1", "seed=4"]]);
        assert_eq!(sets("set = [\"a=1\"]\nbase = [\"a=2\"]"), [["a=1"], ["a=2"]]);
    }
}
