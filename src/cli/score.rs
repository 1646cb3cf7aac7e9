//! `sim score`: a finished run scored on other signals, from its ledger, without simulating.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use slackwater::report::{self, read_ledger, score_rows, scores_csv, scores_text};
use slackwater::sci::{Record, SignalSet, Statement};

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
    /// Also write the table as CSV, with every digit.
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
        if let Some(path) = &self.csv {
            report::write_file(path, |f| scores_csv(&rows, f)).map_err(Failure::internal)?;
        }
        let mut text = format!("{}: {}", self.result.display(), facts(&record));
        if let (Some(folder), Some((other, _))) = (&self.against, &other) {
            text += &format!("against {}: {}", folder.display(), facts(other));
        }
        text += &format!("\n{}", scores_text(&rows));
        if let Some(who) = self.by {
            text += &format!("\n{}", self.charged(&record, given, who)?);
        }
        let said = Statement::new(&record.facts.scored_on, &record.facts.groups);
        text += &format!("boundary: {}\nlifespan of hosts: {} years\n", said.boundary, said.lifetime);
        super::print(&text)
    }
}

impl Score {
    /// Functions or tenants under all signals.
    fn charged(&self, record: &Record, given: Vec<SignalSet>, who: Who) -> Result<String, Failure> {
        let signals: Vec<SignalSet> = report::own_sets(record).into_iter().map(|(_, set)| set).chain(given).collect();
        let rules = match self.attribution.as_slice() {
            [] => None,
            rules => Some(toml::from_str(&rules.join("\n")).map_err(|e| {
                let help = "write a rule of [sci.attribution], for example --attribution 'idle.allocation={}'";
                Failure::usage(format!("--attribution: {}\n  help: {help}", e.message()))
            })?),
        };
        let by = match who {
            Who::Function => report::By::Function,
            Who::Tenant => report::By::Tenant,
        };
        let charged =
            report::charge_anew(&self.result, record, &signals, rules.as_ref(), by).map_err(Failure::usage)?;
        let rules = rules.as_ref().unwrap_or(&record.facts.attribution);
        let (idle, embodied) = (rules.idle.name(), rules.embodied.name());
        let mut text = format!("who pays for what nobody uses: idle {idle}, embodied {embodied}\n");
        text += &report::charged_text(&charged, record.facts.unit.name(), self.top);
        for (i, _) in signals.iter().enumerate().filter(|(_, signal)| report::changes_inside(record, signal)) {
            text += &format!(
                "[{}] changes inside periods of the accounts: functions are charged its mean over each\n",
                i + 1
            );
        }
        Ok(text + "\n")
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
    format!("scenario {}, {days:.2} days from {start}, {} regions\n", record.facts.scenario, record.facts.regions.len())
}
