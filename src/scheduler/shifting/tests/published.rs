//! The figures of published code, policy by policy: GAIA, and both scenarios of Let's Wait Awhile without forecast error.
//!
//! They need files that are not ours to ship; without them the tests say that they were skipped.

use std::path::{Path, PathBuf};

use super::*;

/// A file of the folder that `SLACKWATER_SHARED` names.
fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SLACKWATER_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let found = root.join(path);
    if found.exists() {
        return Some(found);
    }
    eprintln!("skipped: {} is absent; set SLACKWATER_SHARED to the folder that holds it", found.display());
    None
}

/// The rows of a table without its head, cell by cell.
fn rows(path: &Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(path).expect("the file is readable");
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
}

#[track_caller]
fn close(what: &str, got: f64, wanted: f64, tolerance: f64) {
    let error = (got - wanted).abs() / wanted.abs().max(f64::MIN_POSITIVE);
    assert!(error <= tolerance, "{what}: {got} is not {wanted} (relative {error:e})");
}

/// The most that runs at a time, of stretches and weights.
fn peak(stretches: &[(SimTime, SimTime, i64)]) -> i64 {
    let mut changes: Vec<(SimTime, i64)> = stretches.iter().flat_map(|&(a, b, n)| [(a, n), (b, -n)]).collect();
    // At one instant, ends come first.
    changes.sort();
    changes
        .iter()
        .scan(0, |sum, (_, n)| {
            *sum += n;
            Some(*sum)
        })
        .max()
        .unwrap_or(0)
}

fn spec(text: &str) -> ShiftingSpec {
    toml::from_str(text).expect(text)
}

// --- GAIA -------------------------------------------------------------------------------------------------------------------------

const STEP_S: u64 = 5;

/// A job of GAIA's list: whole steps of 5 s.
struct Gaia {
    arrival: u64,
    length: u64,
    /// Steps before truncation.
    raw_length: f64,
    cores: i64,
}

impl Gaia {
    fn is_short(&self) -> bool {
        self.length < 1440
    }

    /// Permitted wait: 6 h and 24 h.
    fn slack(&self) -> Duration {
        hours(if self.is_short() { 6.0 } else { 24.0 })
    }
}

fn gaia_jobs(path: &Path) -> Vec<Gaia> {
    let job = |row: Vec<String>| {
        let (arrival, length) = (number(&row[0]) / 5.0, number(&row[1]) / 5.0);
        Gaia { arrival: arrival as u64, length: length as u64, raw_length: length, cores: number(&row[2]) as i64 }
    };
    rows(path).into_iter().map(job).collect()
}

/// A policy as GAIA's code names it, and whether it is told the exact length.
const GAIA: [(&str, &str, bool); 8] = [
    ("nowait", "[run-now]", false),
    ("lowest", "[lowest-slot]", false),
    ("waiting", "[lowest-window]\nreserve_s = 0\nmin_slack_s = 0\nstep_s = 3600", false),
    ("cst_average", "[carbon-time]", false),
    ("cst_oracle", "[carbon-time]", true),
    ("oracle", "[lowest-window]\nreserve_s = 0\nmin_slack_s = 0\nstep_s = 3600", true),
    ("ecovisor", "[ecovisor]", false),
    ("wait_awhile", "[wait-awhile]", true),
];

#[test]
fn gaias_eight_policies_give_the_published_codes_carbon_waits_and_peaks() {
    let files = [
        "data/traces/gaia-pai/pai_1k.csv",
        "data/grid/raw/US-CAL-CISO_2022_hourly.csv",
        "oracles/carbon/gaia_pai_1k.csv",
    ];
    let [Some(jobs), Some(grid), Some(oracle)] = files.map(shared) else { return };
    let jobs = gaia_jobs(&jobs);
    let values: Vec<f64> = rows(&grid)[7000..7720].iter().map(|row| number(&row[5])).collect();
    let lab = Lab::perfect(steps(3600, &values));
    let oracle = rows(&oracle);
    assert_eq!((jobs.len(), oracle.len()), (1000, GAIA.len()));
    let core_h: f64 = jobs.iter().map(|j| (j.length * STEP_S) as f64 * j.cores as f64 / 3600.0).sum();
    close("core-hours", core_h, 3191.92, 2e-6);
    let estimate = |short: bool| {
        let alike: Vec<f64> = jobs.iter().filter(|j| j.is_short() == short).map(|j| j.raw_length).collect();
        (alike.iter().sum::<f64>() / alike.len() as f64) as u64
    };
    let estimates = [estimate(false), estimate(true)];
    assert_eq!(estimates, [5221, 454]);
    for (row, (code, text, exact)) in oracle.iter().zip(GAIA) {
        assert_eq!(row[1], code);
        let spec = spec(text);
        let (mut grams, mut wait, mut delay, mut stretches) = (0.0, 0.0, 0.0, Vec::new());
        for job in &jobs {
            let arrival = SimTime::ZERO + Duration::from_secs(job.arrival * STEP_S);
            let length = Duration::from_secs(job.length * STEP_S);
            let believed = if exact { job.length } else { estimates[usize::from(job.is_short())] };
            let task = Task {
                estimate: Some(Duration::from_secs(believed * STEP_S)),
                suspends: true,
                ..Task::job(arrival, length, job.slack())
            };
            if job.length == 0 {
                continue;
            }
            let ran = run(&spec, &lab, &task);
            // 1 W per core.
            grams += ran.g_per_kw(&lab.truth) * 1e-3 * job.cores as f64;
            wait += (ran.start() - arrival).as_secs_f64() / 3600.0;
            delay += (ran.end() - arrival).as_secs_f64() / 3600.0 - length.as_secs_f64() / 3600.0;
            stretches.extend(ran.0.iter().map(|&(a, b)| (a, b, job.cores)));
        }
        let n = jobs.len() as f64;
        close(&format!("{code}: carbon"), grams, number(&row[2]), 1e-6);
        for (what, got, wanted) in [("wait", wait / n, &row[3]), ("delay", delay / n, &row[4])] {
            let wanted = number(wanted);
            assert!((got - wanted).abs() <= 1e-9, "{code}: {what} {got} h is not {wanted} h");
        }
        assert_eq!(peak(&stretches) as f64, number(&row[5]), "{code}: peak");
    }
}

// --- Let's Wait Awhile ------------------------------------------------------------------------------------------------------------

const HALF_HOUR: Duration = Duration::from_secs(1800);

/// The kept series of a region from 2020-01-01 00:00 on.
fn lwa_signal(region: &str) -> Option<Signal> {
    let path = shared(&format!("data/grid/lwa2020/{region}_ci.csv"))?;
    let kept = |row: &&Vec<String>| row[0].as_str() >= "2020" && [":00:00", ":30:00"].contains(&&row[0][13..]);
    let values: Vec<f64> = rows(&path).iter().filter(kept).map(|row| number(&row[1])).collect();
    assert_eq!(values.len(), if region == "ger" { 17_999 } else { 18_000 });
    Some(steps(1800, &values))
}

#[test]
fn lets_wait_awhiles_periodic_jobs_without_error_give_the_published_codes_intensity() {
    let Some(oracle) = shared("oracles/carbon/lets_wait_awhile_periodic.csv") else { return };
    let spec = spec("[lowest-window]\nreserve_s = 0\nmin_slack_s = 0");
    let mut compared = 0;
    for region in ["ger", "gb"] {
        let Some(signal) = lwa_signal(region) else { return };
        let lab = Lab::perfect(signal);
        for row in rows(&oracle).iter().filter(|row| row[0] == region && number(&row[1]) == 0.0) {
            let window: u64 = row[2].parse().expect("half-hours");
            let mut total = 0.0;
            for day in 0..365_u64 {
                let at = 48 * day + 2;
                // The published code drops the job whose window begins before the series, and still divides by 365.
                let Some(earliest) = at.checked_sub(window) else { continue };
                let task = Task {
                    wanted: SimTime(at * HALF_HOUR.0),
                    ..Task::job(SimTime(earliest * HALF_HOUR.0), HALF_HOUR, Duration(window * HALF_HOUR.0))
                };
                // Grams of a kilowatt for half an hour.
                total += run(&spec, &lab, &task).g_per_kw(&lab.truth) * 2.0;
            }
            close(&format!("{region} {window}"), total / 365.0, number(&row[3]), 1e-9);
            compared += 1;
        }
    }
    assert_eq!(compared, 34);
}

/// The deadline of a job that would end at this minute of 2020, a year that begins on a Wednesday.
fn deadline_min(constraint: &str, end: u64) -> u64 {
    const DAY: u64 = 1440;
    const NINE: u64 = 9 * 60;
    let (day, time) = (end / DAY, end % DAY);
    // Monday is 0.
    let weekday = (day + 2) % 7;
    match constraint {
        // As the published code has it, a Friday evening becomes Saturday 09:00.
        "next_workday" => match weekday {
            5 => (day + 2) * DAY + NINE,
            6 => (day + 1) * DAY + NINE,
            _ if time > 17 * 60 => (day + 1) * DAY + NINE,
            _ if time < NINE => day * DAY + NINE,
            _ => end,
        },
        "semi_weekly" => {
            let in_week = weekday * DAY + time;
            let ahead = |to: u64| end + to - in_week;
            match in_week {
                t if t <= NINE => ahead(NINE),
                t if t <= 3 * DAY + NINE => ahead(3 * DAY + NINE),
                _ => ahead(7 * DAY + NINE),
            }
        }
        _ => end,
    }
}

#[test]
fn deadlines_are_those_of_the_papers_text() {
    // 2020-01-03 was a Friday.
    let at = |day: u64, hour: u64| (day - 1) * 1440 + hour * 60;
    let next = |day, hour| deadline_min("next_workday", at(day, hour));
    assert_eq!(
        [next(3, 18), next(4, 12), next(5, 12), next(6, 8), next(6, 12), next(6, 17)],
        [at(4, 9), at(6, 9), at(6, 9), at(6, 9), at(6, 12), at(6, 17)]
    );
    let twice = |day, hour| deadline_min("semi_weekly", at(day, hour));
    assert_eq!(
        [twice(1, 0), twice(2, 9), twice(2, 10), twice(5, 23), twice(6, 9), twice(6, 10)],
        [at(2, 9), at(2, 9), at(6, 9), at(6, 9), at(6, 9), at(9, 9)]
    );
}

#[test]
fn lets_wait_awhiles_ad_hoc_jobs_without_error_give_the_published_codes_tonnes_and_peaks() {
    let files = ["data/traces/lwa-ml-jobs.csv", "oracles/carbon/lets_wait_awhile_ml_jobs.csv"];
    let [Some(jobs), Some(oracle)] = files.map(shared) else { return };
    let jobs: Vec<[u64; 2]> = rows(&jobs).iter().map(|r| [&r[1], &r[2]].map(|m| number(m) as u64)).collect();
    assert_eq!((jobs.len(), jobs.iter().map(|j| j[1]).sum::<u64>() / 30), (3387, 311_252));
    let compat = "compat = \"lets-wait-awhile-2021\"";
    let (mut compared, mut ties) = (0, 0);
    for region in ["ger", "gb"] {
        let Some(signal) = lwa_signal(region) else { return };
        let lab = Lab::perfect(signal);
        for row in rows(&oracle).iter().filter(|row| row[0] == region && number(&row[3]) == 0.0) {
            let (constraint, interrupting) = (row[1].as_str(), row[2] == "True");
            let text = match (constraint, interrupting) {
                ("none(strict)", _) => "[run-now]".to_owned(),
                (_, true) => format!("[wait-awhile]\n{compat}"),
                (_, false) => format!("[lowest-window]\nreserve_s = 0\nmin_slack_s = 0\n{compat}"),
            };
            let spec = spec(&text);
            let (mut g_per_kw, mut stretches) = (0.0, Vec::new());
            for &[arrival, length] in &jobs {
                let minutes = |m: u64| Duration::from_secs(60 * m);
                let slack = minutes(deadline_min(constraint, arrival + length) - arrival - length);
                let task = Task {
                    suspends: interrupting,
                    ..Task::job(SimTime::ZERO + minutes(arrival), minutes(length), slack)
                };
                let ran = run(&spec, &lab, &task);
                g_per_kw += ran.g_per_kw(&lab.truth);
                if interrupting {
                    ties += tied(&lab.truth, &task);
                }
                stretches.extend(ran.0.iter().map(|&(a, b)| (a, b, 1)));
            }
            let tonnes = g_per_kw * 2036.6 / 1e9;
            close(&format!("{region} {constraint} {interrupting}"), tonnes, number(&row[4]), 1e-9);
            assert_eq!(peak(&stretches) as f64, number(&row[6]), "{region} {constraint} {interrupting}: peak");
            compared += 1;
        }
    }
    assert_eq!(compared, 12);
    assert_eq!(ties, 0, "here work ends when it is done, also where the published code goes on in equal steps");
}

/// How many steps more than its length the published code runs, because they equal the highest that is needed.
fn tied(signal: &Signal, task: &Task) -> usize {
    let mut parts = Vec::new();
    let end = task.wanted + task.slack + task.length + HALF_HOUR;
    signal.steps(task.arrival, end, &mut parts);
    let mut values: Vec<f64> = parts.iter().map(|p| p.g_per_kwh).collect();
    values.sort_by(f64::total_cmp);
    let needed = (task.length.0 / HALF_HOUR.0) as usize;
    values[needed..].iter().filter(|&&v| v == values[needed - 1]).count()
}
