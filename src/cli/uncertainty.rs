//! `sim uncertainty`.

use std::path::{Path, PathBuf};

use clap::Args;
use slackwater::report::{
    self, differences_text, ranking_text, read_ledger, tornado, uncertainty_table, write_uncertainty,
};
use slackwater::scenario::{Look, read_uncertainty};
use slackwater::sci::Record;
use slackwater::sci::uncertainty::{Parts, Uncertain, UncertaintySpec, default_spec, rank, sample};
use slackwater::types::Seed;

use super::Failure;

/// Arguments of `sim uncertainty`.
#[derive(Debug, Args)]
pub struct Uncertainty {
    /// A results folder.
    result: PathBuf,
    /// A second one: says in how many samples the first has the lower score, under common draws.
    second: Option<PathBuf>,
    /// What is uncertain: a TOML file, or `default` for the spreads that come with sim [default: the run's own
    /// sci.uncertainty, else `default`].
    #[arg(long, value_name = "FILE")]
    spec: Option<PathBuf>,
    /// How many samples [default: the specification's, 10000].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    samples: Option<u32>,
    /// The root of the random streams [default: the run's].
    #[arg(long)]
    seed: Option<u64>,
    /// Write figures and inputs to this CSV file; not with two runs.
    #[arg(long, value_name = "FILE", conflicts_with = "second")]
    csv: Option<PathBuf>,
    /// Draw the tornado into this SVG file; not with two runs.
    #[arg(long, value_name = "FILE", conflicts_with = "second")]
    svg: Option<PathBuf>,
}

impl Uncertainty {
    pub fn execute(self) -> Result<(), Failure> {
        let first = read_ledger(&self.result).map_err(Failure::usage)?;
        let second = self.second.as_deref().map(read_ledger).transpose().map_err(Failure::usage)?;
        let records: Vec<&Record> = std::iter::once(&first).chain(&second).collect();
        let parts: Vec<Parts> = records.iter().map(|r| Parts::of(&r.books())).collect();
        let (spec, spreads) = self.spec(&first, &parts)?;
        let samples = self.samples.unwrap_or(spec.samples);
        let seed = self.seed.unwrap_or(first.facts.seed);
        let one = |parts: &Parts| sample(parts, &spec, samples, Seed(seed));
        let said = |record: &Record| record.statement(&record.facts.scored_on);
        let (Some(second), Some(path)) = (&second, &self.second) else {
            let u = one(&parts[0]);
            self.files(&u, &first.facts.scenario)?;
            let table = uncertainty_table(&u, &said(&first), seed, &spreads);
            return super::print(&format!("{} ({})\n{table}", first.facts.scenario, self.result.display()));
        };
        if first.counts_as(second).is_err() {
            return Err(Failure::usage(format!(
                "{} is scored per {} and {} per {}, counted otherwise: scores of different units have no order\n  help: run \
                 both scenarios with one sci.functional_unit",
                self.result.display(),
                parts[0].unit,
                path.display(),
                parts[1].unit
            )));
        }
        let [statement_a, statement_b] = [said(&first), said(second)];
        // A run is scored on signals of one kind. A marginal score answers another question, and its error is not the average's.
        if statement_a.kind != statement_b.kind {
            return Err(Failure::usage(format!(
                "{} is scored on {} intensity and {} on {}: scores of different kinds of signal have no order, and no draw of the \
                 intensity is common to both\n  help: run both scenarios with signals of one kind (scoring_grid); `sim score` \
                 shows a run under another signal",
                self.result.display(),
                statement_a.kind,
                path.display(),
                statement_b.kind
            )));
        }
        let Some(ranking) = rank(&parts[0], &parts[1], &spec, samples, Seed(seed)) else {
            return Err(Failure::usage(format!(
                "{} and {} cannot be ranked: a score is undefined (no {}) or 0\n  help: compare runs that served something",
                self.result.display(),
                path.display(),
                parts[0].unit
            )));
        };
        let mut text = String::new();
        let folders = [self.result.as_path(), path];
        let titles: Vec<String> = folders.iter().zip(&records).map(|(f, r)| title(f, r)).collect();
        for ((title, record), parts) in titles.iter().zip([&first, second]).zip(&parts) {
            text += &format!("{title}\n{}\n", uncertainty_table(&one(parts), &said(record), seed, &spreads));
        }
        text += &differences_text(&statement_a, &statement_b);
        super::print(&(text + &ranking_text([&titles[0], &titles[1]], &ranking)))
    }

    /// What is uncertain, and where that is written.
    fn spec(&self, first: &Record, parts: &[Parts]) -> Result<(UncertaintySpec, String), Failure> {
        let mut servers: Vec<&str> = parts.iter().flat_map(Parts::servers).collect();
        servers.sort_unstable();
        servers.dedup();
        match (&self.spec, &first.facts.uncertainty) {
            (Some(path), _) if path.as_os_str() != "default" => {
                let spec = read_uncertainty(path, &servers);
                let spec = spec.map_err(|e| Failure::usage(e.render(Look::of_stderr())))?;
                Ok((spec, path.display().to_string()))
            }
            (None, Some(own)) => Ok((own.clone(), format!("sci.uncertainty of {}", self.result.display()))),
            _ => Ok((
                default_spec().clone(),
                "default, spreads between published sources (data/uncertainty.toml)".to_owned(),
            )),
        }
    }

    fn files(&self, u: &Uncertain, name: &str) -> Result<(), Failure> {
        let write = |file: Option<&Path>, write: &dyn Fn(&Path) -> Result<(), report::ReportError>| {
            file.map_or(Ok(()), write).map_err(Failure::internal)
        };
        write(self.csv.as_deref(), &|path| write_uncertainty(u, path))?;
        write(self.svg.as_deref(), &|path| tornado(u, name, path))
    }
}

fn title(folder: &Path, record: &Record) -> String {
    format!("{} ({})", record.facts.scenario, folder.display())
}
