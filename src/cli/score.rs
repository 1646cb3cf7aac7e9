//! `sim score`: a finished run scored on other signals, from its ledger, without simulating.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use slackwater::report::{self, read_ledger, score_rows, scores_csv, scores_text};
use slackwater::sci::attribution::AttributionSpec;
use slackwater::sci::{FunctionalUnit, Record, SignalSet, Statement};

use super::Failure;

/// Arguments of `sim score`.
#[derive(Debug, Args)]
pub struct Score {
    /// The results folder of a run.
    result: PathBuf,
    /// A signal to score on: a TOML or CSV file, typical:ZONE, or constant:G_PER_KWH; repeatable. Several years of a place are
    /// several signals.
    #[arg(long = "signal", value_name = "SIGNAL")]
    signals: Vec<String>,
    /// Another run to compare with, under each signal: what is saved, as claimed and as the signals see it.
    #[arg(long, value_name = "RESULT")]
    against: Option<PathBuf>,
    /// Divide by another functional unit: call, request, execution-hour, CPU-hour, GB-hour or tenant-hour.
    #[arg(long, value_name = "UNIT")]
    unit: Option<String>,
    /// Charge functions or tenants under each signal; needs a run with output.account_step_s.
    #[arg(long, value_enum, value_name = "WHO")]
    by: Option<Who>,
    /// With --by: who pays for what nobody uses, as [sci.attribution] has it, for example
    /// 'embodied.peak={}'; repeatable [default: the run's own rules].
    #[arg(long = "attribution", value_name = "KEY=RULE", requires = "by")]
    attribution: Vec<String>,
    /// With --by: how many rows are shown, the largest first.
    #[arg(long, value_name = "N", default_value_t = 20, requires = "by")]
    top: usize,
    /// Also write the table as CSV, with every digit; with --by, all rows by signal and cause.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
}

/// Who is charged.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Who {
    /// Every function.
    Function,
    /// Every tenant.
    Tenant,
}

impl Score {
    pub fn execute(self) -> Result<(), Failure> {
        let (record, given) = read(&self.result, &self.signals)?;
        let other = self.against.as_deref().map(|folder| read(folder, &self.signals)).transpose()?;
        let against = other.as_ref().map(|(record, sets)| (record, sets.as_slice()));
        let rows = score_rows(&record, &given, against, self.unit.as_deref()).map_err(Failure::usage)?;
        if let Some(path) = self.csv.as_ref().filter(|_| self.by.is_none()) {
            report::write_file(path, |f| scores_csv(&rows, f)).map_err(Failure::internal)?;
        }
        let mut text = format!("{}: {}", self.result.display(), facts(&record));
        let said = record.statement(&record.facts.scored_on);
        let mut after = format!(
            "boundary: {}\nlifespan of hosts: {} years; embodied: {}\n",
            said.boundary, said.lifetime, said.embodied
        );
        if let (Some(folder), Some((other, _))) = (&self.against, &other) {
            text += &format!("against {}: {}", folder.display(), facts(other));
            let theirs = other.statement(&other.facts.scored_on);
            if (&theirs.lifetime, &theirs.embodied) != (&said.lifetime, &said.embodied) {
                let Statement { lifetime, embodied, .. } = theirs;
                after += &format!("hosts of {}: {lifetime} years; embodied: {embodied}\n", folder.display());
            }
            if rows.iter().any(|row| row.against.is_none()) {
                after += &format!(
                    "{} has no score under this run's own signals: its start, bins, regions or length differ; give --signal\n",
                    folder.display()
                );
            }
        }
        text += &format!("\n{}", scores_text(&rows));
        if let Some(who) = self.by {
            text += &format!("\n{}", self.charged(&record, given, who)?);
        }
        super::print(&(text + &after))
    }

    /// Functions or tenants under all signals.
    fn charged(&self, record: &Record, given: Vec<SignalSet>, who: Who) -> Result<String, Failure> {
        let signals: Vec<SignalSet> = report::own_sets(record).into_iter().map(|(_, set)| set).chain(given).collect();
        let rules = self.rules(record)?;
        let by = match who {
            Who::Function => report::By::Function,
            Who::Tenant => report::By::Tenant,
        };
        let unit = self.unit.as_deref().and_then(FunctionalUnit::named).unwrap_or_else(|| record.facts.unit.clone());
        let charged = report::charge_anew(&self.result, record, &signals, Some(&rules), (by, &unit));
        let charged = charged.map_err(Failure::usage)?;
        if let Some(path) = &self.csv {
            report::write_file(path, |f| report::charged_csv(&charged, &signals, f)).map_err(Failure::internal)?;
        }
        let (idle, embodied) = (rules.idle.name(), rules.embodied.name());
        let mut text = format!("who pays for what nobody uses: idle {idle}, embodied {embodied}\n");
        text += &report::charged_text(&charged, unit.name(), self.top);
        for (i, _) in signals.iter().enumerate().filter(|(_, signal)| report::changes_inside(record, signal)) {
            text += &format!(
                "[{}] changes inside periods of the accounts: functions are charged its mean over each\n",
                i + 1
            );
        }
        Ok(text + "\n")
    }

    /// The run's rules of attribution, with those of the command line in their place.
    fn rules(&self, record: &Record) -> Result<AttributionSpec, Failure> {
        let wrong = |what: &str| {
            let help = "write a rule of [sci.attribution], for example --attribution 'idle.allocation={}'";
            Failure::usage(format!("--attribution: {what}\n  help: {help}"))
        };
        let given: AttributionSpec = toml::from_str(&self.attribution.join("\n")).map_err(|e| wrong(e.message()))?;
        let mut rules = record.facts.attribution.clone();
        for rule in &self.attribution {
            match rule.trim_start().split(['.', '=', ' ']).next() {
                Some("idle") => rules.idle = given.idle.clone(),
                Some("embodied") => rules.embodied = given.embodied.clone(),
                _ => return Err(wrong(&format!("\"{rule}\" names neither idle nor embodied"))),
            }
        }
        Ok(rules)
    }
}

fn read(folder: &Path, signals: &[String]) -> Result<(Record, Vec<SignalSet>), Failure> {
    let record = read_ledger(folder).map_err(Failure::usage)?;
    let sets = signals
        .iter()
        .map(|wanted| SignalSet::read(wanted, &record.facts, &record.site).map_err(Failure::usage))
        .collect::<Result<_, _>>()?;
    Ok((record, sets))
}

fn facts(record: &Record) -> String {
    let days = record.end().as_secs_f64() / 86_400.0;
    let start = &record.facts.start;
    let regions = match record.facts.regions.len() {
        1 => "1 region".to_owned(),
        n => format!("{n} regions"),
    };
    format!("scenario {}, {days:.2} days from {start}, {regions}\n", record.facts.scenario)
}
