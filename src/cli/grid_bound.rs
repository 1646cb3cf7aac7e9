//! `sim grid bound`: what running jobs later and in other zones can save at most, with perfect knowledge.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use slackwater::grid::import::{Gaps, ImportSpec, Interval, survey};
use slackwater::grid::{Residual, Typical, file};
use slackwater::report;
use slackwater::scheduler::bound::space::idle::Idle;
use slackwater::scheduler::bound::space::{Bounds, Shape, World, mean_of};
use slackwater::types::{Duration, Seed};

use super::Failure;
use super::grid::{Reading, keyword};

/// Arguments of `sim grid bound`.
#[derive(Debug, Args)]
pub struct GridBound {
    /// Files of ours or of any known format, a zone each; NAME=FILE names the zone, else the file's name does.
    files: Vec<String>,
    #[command(flatten)]
    reading: Reading,
    /// What becomes of missing rows and empty cells.
    #[arg(long, value_name = "error|hold|same-hour-last-week", default_value = "error", value_parser = keyword::<Gaps>)]
    gaps: Gaps,
    /// Longest gap that is held, in hours [default: 3].
    #[arg(long, value_name = "HOURS")]
    max_hold_h: Option<f64>,
    /// Embedded zones as well, by their typical days of 2022: names, or all; `sim list zones`.
    #[arg(long, value_name = "ZONES", value_delimiter = ',')]
    typical: Vec<String>,
    /// Lengths of the jobs \[h\].
    #[arg(long, value_name = "HOURS", value_delimiter = ',', default_value = "1,24")]
    job_h: Vec<f64>,
    /// How long they may wait \[h\].
    #[arg(long, value_name = "HOURS", value_delimiter = ',', default_value = "24")]
    slack_h: Vec<f64>,
    /// The zones in which the jobs of a zone may run, beside itself (residency); repeatable. A zone that is not named: in all.
    #[arg(long, value_name = "HOME=ZONE,ZONE")]
    allow: Vec<String>,
    /// Round-trip times between zones: from,to,rtt_ms; either direction, the other one is the same unless given.
    #[arg(long, value_name = "FILE", requires = "max_rtt_ms")]
    rtt: Option<PathBuf>,
    /// Jobs may run only where the round trip from their home takes no longer \[ms\].
    #[arg(long, value_name = "MS", requires = "rtt")]
    max_rtt_ms: Option<f64>,
    /// Energy of a migration \[kWh\], half in each of the two zones.
    #[arg(long, value_name = "KWH", default_value_t = 0.0)]
    transfer_kwh: f64,
    /// Power of a job while it runs \[kW\]; it only matters beside the energy of a migration.
    #[arg(long, value_name = "KW", default_value_t = 1.0)]
    job_kw: f64,
    /// Idle shares of the zones' capacity, equal for all: what migration saves when load moves only into free room.
    #[arg(long, value_name = "SHARES", value_delimiter = ',')]
    idle: Vec<f64>,
    /// Write the table, with every digit.
    #[arg(long, value_name = "NAME.csv")]
    out: Option<PathBuf>,
    /// Write the table of idle shares, with every digit.
    #[arg(long, value_name = "NAME.csv", requires = "idle")]
    out_idle: Option<PathBuf>,
}

/// One line of the table.
struct Line {
    zone: String,
    allowed: usize,
    fixed: String,
    job_h: f64,
    slack_h: f64,
    arrivals: usize,
    mean: f64,
    bounds: Bounds<f64>,
}

const HOUR_S: f64 = 3600.0;

impl GridBound {
    pub fn execute(self) -> Result<(), Failure> {
        self.check()?;
        let step_s = self.reading.step_s.unwrap_or(HOUR_S);
        let (names, zones, span) = self.zones(step_s)?;
        let allowed = self.allowed(&names)?;
        let transfer = self.transfer_kwh / (self.job_kw * step_s / HOUR_S);
        let world = World { zones, allowed, transfer };
        let mut lines = Vec::new();
        for &job_h in &self.job_h {
            for &slack_h in &self.slack_h {
                lines.extend(self.lines(&world, &names, (job_h, slack_h), step_s)?);
            }
        }
        let mut text = format!("{} zones, {} steps of {step_s} s, {span}\n\n", names.len(), world.steps());
        text += &as_text(&lines);
        if let Some(path) = &self.out {
            write(path, &as_csv(&lines))?;
        }
        if !self.idle.is_empty() {
            let shares = self.shares(&world);
            text += &shares_text(&shares);
            if let Some(path) = &self.out_idle {
                write(path, &shares_csv(&shares))?;
            }
        }
        super::print(&text)
    }

    fn check(&self) -> Result<(), Failure> {
        if self.files.is_empty() && self.typical.is_empty() {
            let help = "give files, one for each zone, or --typical all";
            return Err(Failure::usage(format!("there is no zone\n  help: {help}")));
        }
        let above = |flag: &str, value: f64| {
            let wrong = || Failure::usage(format!("{flag} is {value}\n  help: give a number above 0"));
            if value.is_finite() && value > 0.0 { Ok(()) } else { Err(wrong()) }
        };
        let from_zero = |flag: &str, value: f64| {
            let wrong = || Failure::usage(format!("{flag} is {value}\n  help: give a number from 0"));
            if value.is_finite() && value >= 0.0 { Ok(()) } else { Err(wrong()) }
        };
        self.job_h.iter().try_for_each(|&h| above("--job-h", h))?;
        self.slack_h.iter().try_for_each(|&h| from_zero("--slack-h", h))?;
        above("--job-kw", self.job_kw)?;
        from_zero("--transfer-kwh", self.transfer_kwh)?;
        for &share in &self.idle {
            if !(0.0..1.0).contains(&share) {
                let help = "give a share of capacity, from 0 to below 1";
                return Err(Failure::usage(format!("--idle {share}\n  help: {help}")));
            }
        }
        Ok(())
    }

    /// The zones' names, their series over the span that all have, and that span.
    fn zones(&self, step_s: f64) -> Result<Zones, Failure> {
        let mut found: Vec<(String, Vec<Interval>)> = Vec::new();
        for given in &self.files {
            let (name, path) = match given.split_once('=') {
                Some((name, path)) => (name.to_owned(), PathBuf::from(path)),
                None => {
                    let path = PathBuf::from(given);
                    let stem = path.file_stem().map_or_else(|| given.clone(), |s| s.to_string_lossy().into_owned());
                    (stem, path)
                }
            };
            let own = self.reading.spec(&path);
            let spec = ImportSpec { gaps: self.gaps, max_hold_h: self.max_hold_h, step_s: Some(step_s), ..own };
            let surveyed = survey(Path::new(""), &spec).and_then(|s| s.filled(&spec)).map_err(Failure::usage)?;
            found.push((name, surveyed.intervals));
        }
        let names = match &self.typical[..] {
            [all] if all == "all" => Typical::zones().iter().map(|z| z.zone.clone()).collect(),
            given => given.to_vec(),
        };
        let start: jiff::Timestamp = "2022-01-01T00:00:00Z".parse().expect("an instant");
        for name in names {
            let year = Duration::from_secs(365 * 86_400);
            let signal = Typical::synthesize(&name, start, year, Residual::None {}, Seed(0)).map_err(Failure::usage)?;
            found.push((name, file::intervals_of(&signal, start)));
        }
        if let Some((name, _)) =
            found.iter().enumerate().find(|(n, z)| found[..*n].iter().any(|o| o.0 == z.0)).map(|f| f.1)
        {
            let help = "name zones apart with NAME=FILE";
            return Err(Failure::usage(format!("two zones are called {name}\n  help: {help}")));
        }
        align(found, (step_s * 1e9) as i64)
    }

    /// Where the jobs of each zone may run.
    fn allowed(&self, names: &[String]) -> Result<Vec<Vec<usize>>, Failure> {
        let place = |name: &str| {
            names.iter().position(|n| n == name).ok_or_else(|| {
                Failure::usage(format!("no zone is called {name}\n  help: name one of {}", names.join(", ")))
            })
        };
        let mut may = vec![vec![true; names.len()]; names.len()];
        for given in &self.allow {
            let Some((home, others)) = given.split_once('=') else {
                let help = "write HOME=ZONE,ZONE; HOME= for a zone whose jobs stay";
                return Err(Failure::usage(format!("--allow {given}\n  help: {help}")));
            };
            let home = place(home)?;
            may[home] = vec![false; names.len()];
            for other in others.split(',').filter(|o| !o.is_empty()) {
                may[home][place(other)?] = true;
            }
        }
        if let (Some(path), Some(most)) = (&self.rtt, self.max_rtt_ms) {
            let rtt = round_trips(path)?;
            for (from, row) in may.iter_mut().enumerate() {
                for (to, may) in row.iter_mut().enumerate().filter(|(to, _)| *to != from) {
                    let pair = (names[from].clone(), names[to].clone());
                    let turned = (pair.1.clone(), pair.0.clone());
                    let Some(&ms) = rtt.get(&pair).or_else(|| rtt.get(&turned)) else {
                        let what = format!("{}: no round trip between {} and {}", path.display(), pair.0, pair.1);
                        return Err(Failure::usage(format!("{what}\n  help: add a row from,to,rtt_ms")));
                    };
                    *may &= ms <= most;
                }
            }
        }
        let set = |(home, row): (usize, Vec<bool>)| (0..row.len()).filter(|&z| z == home || row[z]).collect();
        Ok(may.into_iter().enumerate().map(set).collect())
    }

    /// The lines of one kind of job: a zone each, and all.
    fn lines(
        &self,
        world: &World,
        names: &[String],
        (job_h, slack_h): (f64, f64),
        step_s: f64,
    ) -> Result<Vec<Line>, Failure> {
        let steps = |flag: &str, hours: f64| {
            let steps = hours * HOUR_S / step_s;
            let whole = (steps - steps.round()).abs() < 1e-9;
            let wrong = || {
                Failure::usage(format!(
                    "{flag} {hours} is no whole number of steps of {step_s} s\n  help: choose a multiple, or --step-s"
                ))
            };
            if whole { Ok(steps.round() as usize) } else { Err(wrong()) }
        };
        let job = Shape { length: steps("--job-h", job_h)?, slack: steps("--slack-h", slack_h)? };
        let arrivals = world.arrivals(job);
        if arrivals == 0 {
            let what =
                format!("a job of {job_h} h with {slack_h} h of slack does not fit into {} steps", world.steps());
            return Err(Failure::usage(format!("{what}\n  help: give longer files, or shorter jobs and slack")));
        }
        let mean = |z: &[f64]| z.iter().sum::<f64>() / z.len() as f64;
        let all: Vec<Bounds<f64>> = world.bounds(job).iter().map(Bounds::means).collect();
        let mut lines: Vec<Line> = all
            .iter()
            .enumerate()
            .map(|(home, bounds)| Line {
                zone: names[home].clone(),
                allowed: world.allowed[home].len(),
                fixed: names[world.cleanest(home)].clone(),
                job_h,
                slack_h,
                arrivals,
                mean: mean(&world.zones[home]),
                bounds: bounds.clone(),
            })
            .collect();
        let bounds = mean_of(&all).expect("there is a zone");
        let mean = lines.iter().map(|l| l.mean).sum::<f64>() / lines.len() as f64;
        lines.push(Line {
            zone: "all".into(),
            allowed: 0,
            fixed: String::new(),
            job_h,
            slack_h,
            arrivals,
            mean,
            bounds,
        });
        Ok(lines)
    }

    /// For each idle share: the mean intensity at home, with one fixed order of zones, and with an order for each step [g/kWh].
    fn shares(&self, world: &World) -> Vec<(f64, f64, f64, f64)> {
        let n = world.zones.len();
        let capacity = vec![1.0; n];
        let over = |z: &Vec<f64>| z.iter().sum::<f64>() / z.len() as f64;
        let year: Vec<f64> = world.zones.iter().map(over).collect();
        let one = |&share: &f64| {
            let idle = Idle { capacity: &capacity, idle: share, allowed: &world.allowed };
            let mut now = vec![0.0; n];
            let steps = (0..world.steps()).map(|t| {
                now.iter_mut().zip(&world.zones).for_each(|(now, zone)| *now = zone[t]);
                idle.mean(&now)
            });
            let free = steps.sum::<f64>() / world.steps() as f64;
            (share, idle.at_home(&year), idle.mean(&year), free)
        };
        self.idle.iter().map(one).collect()
    }
}

/// Names, hourly intensities and what is to be said of them.
type Zones = (Vec<String>, Vec<Vec<f64>>, String);

/// Cuts series to the span that all have.
fn align(found: Vec<(String, Vec<Interval>)>, step: i64) -> Result<Zones, Failure> {
    let from = found.iter().filter_map(|z| z.1.first()).map(|i| i.start).max().unwrap_or(0);
    let to = found.iter().filter_map(|z| z.1.last()).map(|i| i.end).min().unwrap_or(0);
    if from >= to {
        return Err(Failure::usage("the zones have no time in common\n  help: give files of the same year"));
    }
    let (mut names, mut zones) = (Vec::new(), Vec::new());
    for (name, intervals) in found {
        let inside: Vec<&Interval> = intervals.iter().filter(|i| i.start >= from && i.end <= to).collect();
        let even = inside.iter().enumerate().all(|(n, i)| i.start == from + n as i64 * step && i.end == i.start + step);
        if !even || inside.len() as i64 != (to - from) / step {
            let what =
                format!("{name} is not in even steps of {} s from the first common instant", step / 1_000_000_000);
            let help = "give --step-s, a multiple of every file's steps, and --from on such a step";
            return Err(Failure::usage(format!("{what}\n  help: {help}")));
        }
        let values: Option<Vec<f64>> = inside.iter().map(|i| i.value).collect();
        zones.push(values.expect("gaps were filled or refused"));
        names.push(name);
    }
    let at =
        |ns: i64| jiff::Timestamp::from_nanosecond(i128::from(ns)).map_or_else(|_| ns.to_string(), |t| t.to_string());
    Ok((names, zones, format!("{} to {}", at(from), at(to))))
}

/// The rows of a file of round-trip times.
fn round_trips(path: &Path) -> Result<BTreeMap<(String, String), f64>, Failure> {
    let wrong = |e: String| {
        Failure::usage(format!("{}: {e}\n  help: give a file with the columns from,to,rtt_ms", path.display()))
    };
    let mut reader = csv::Reader::from_path(path).map_err(|e| wrong(e.to_string()))?;
    let head = reader.headers().map_err(|e| wrong(e.to_string()))?;
    if head.iter().collect::<Vec<_>>() != ["from", "to", "rtt_ms"] {
        return Err(wrong(format!("its columns are {}", head.iter().collect::<Vec<_>>().join(","))));
    }
    reader
        .deserialize::<(String, String, f64)>()
        .map(|row| {
            let (from, to, ms) = row.map_err(|e| wrong(e.to_string()))?;
            if !(ms.is_finite() && ms >= 0.0) {
                return Err(wrong(format!("{from},{to} takes {ms} ms")));
            }
            Ok(((from, to), ms))
        })
        .collect()
}

/// What is saved of the base [%].
fn saved(base: f64, bound: f64) -> f64 {
    if base > 0.0 { 100.0 * (base - bound) / base } else { 0.0 }
}

/// The figures of a line in the order of the columns; `None` is an empty cell.
fn figures(line: &Line) -> [Option<f64>; 11] {
    let b = &line.bounds;
    let of = |bound: f64| Some(saved(b.base, bound));
    let share = (b.base > b.free).then(|| 100.0 * (b.base - b.one) / (b.base - b.free));
    let share_fixed = (b.base > b.free).then(|| 100.0 * (b.base - b.one_fixed) / (b.base - b.free));
    [
        of(b.defer),
        of(b.interrupt),
        of(b.one_fixed),
        of(b.one),
        of(b.free),
        share_fixed,
        share,
        of(b.one_defer),
        of(b.one_interrupt),
        b.free_defer.map(|f| saved(b.base, f)),
        b.free_interrupt.map(|f| saved(b.base, f)),
    ]
}

const COLUMNS: [(&str, &str); 11] = [
    ("defer_saved_pct", "defer"),
    ("interrupt_saved_pct", "interr."),
    ("one_fixed_saved_pct", "1-fixed"),
    ("one_saved_pct", "1"),
    ("free_saved_pct", "free"),
    ("one_fixed_share_of_free_pct", "1f/free"),
    ("one_share_of_free_pct", "1/free"),
    ("one_defer_saved_pct", "1+def"),
    ("one_interrupt_saved_pct", "1+int"),
    ("free_defer_saved_pct", "free+def"),
    ("free_interrupt_saved_pct", "free+int"),
];

fn as_text(lines: &[Line]) -> String {
    let mut text = String::new();
    let wide = lines.iter().map(|l| l.zone.len()).max().unwrap_or(0).max(4);
    for (n, line) in lines.iter().enumerate() {
        if n == 0 || lines[n - 1].zone == "all" {
            let (job, slack) = (line.job_h, line.slack_h);
            let _ = writeln!(text, "jobs of {job} h, slack {slack} h, {} arrivals; saved of base [%]", line.arrivals);
            let heads: String = COLUMNS.iter().map(|c| format!(" {:>8}", c.1)).collect();
            let _ = writeln!(text, "  {:<wide$} {:>8}{heads}  fixed zone", "zone", "base");
        }
        let cell = |f: &Option<f64>| f.map_or_else(|| format!(" {:>8}", "-"), |f| format!(" {:>8.2}", f + 0.0));
        let cells: String = figures(line).iter().map(cell).collect();
        let _ = writeln!(text, "  {:<wide$} {:>8.1}{cells}  {}", line.zone, line.bounds.base, line.fixed);
        if line.zone == "all" {
            text.push('\n');
        }
    }
    text + "base: mean over arrivals [gCO2e/kWh]. 1: one migration, to the best zone of the run; 1-fixed: of the whole series; free: each step in the\n\
            best zone; x/free: what x saves over what free saves [%]. all: mean over zones, as many jobs in each.\n"
}

fn as_csv(lines: &[Line]) -> String {
    let heads: Vec<&str> = COLUMNS.iter().map(|c| c.0).collect();
    let mut text = format!(
        "zone,job_h,slack_h,arrivals,allowed_zones,fixed_zone,mean_g_per_kwh,base_g_per_kwh,{}\n",
        heads.join(",")
    );
    for line in lines {
        let Line { zone, allowed, fixed, job_h, slack_h, arrivals, mean, bounds } = line;
        let allowed = if *allowed == 0 { String::new() } else { allowed.to_string() };
        let cells: Vec<String> = figures(line).iter().map(|f| f.map_or_else(String::new, |f| f.to_string())).collect();
        let base = bounds.base;
        let _ =
            writeln!(text, "{zone},{job_h},{slack_h},{arrivals},{allowed},{fixed},{mean},{base},{}", cells.join(","));
    }
    text
}

fn shares_text(shares: &[(f64, f64, f64, f64)]) -> String {
    let mut text = "\nload moves only into free room, all zones of one capacity; saved of base [%]\n".to_owned();
    let _ = writeln!(text, "  {:>8} {:>8} {:>8} {:>8}", "idle", "base", "1-fixed", "free");
    for &(share, home, fixed, free) in shares {
        let _ = writeln!(
            text,
            "  {share:>8} {home:>8.1} {:>8.2} {:>8.2}",
            saved(home, fixed) + 0.0,
            saved(home, free) + 0.0
        );
    }
    text
}

fn shares_csv(shares: &[(f64, f64, f64, f64)]) -> String {
    let mut text = "idle_share,base_g_per_kwh,one_fixed_saved_pct,free_saved_pct\n".to_owned();
    for &(share, home, fixed, free) in shares {
        let _ = writeln!(text, "{share},{home},{},{}", saved(home, fixed), saved(home, free));
    }
    text
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let write = |f: &mut dyn std::io::Write| f.write_all(text.as_bytes());
    report::write_file(path, write).map_err(Failure::internal)
}
