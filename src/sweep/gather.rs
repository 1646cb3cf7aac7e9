//! The runs of a sweep from the journals of its parts, in the order of point and replication: what is there, missing, double.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::Value as Json;

use super::SweepError;
use super::journal::{self, Column, Kind, Reader, Record, Span};
use super::plan::Described;
use super::points::{Level, Points};
use super::queue::Task;

/// Where a run is written down.
#[derive(Debug, Clone, Copy)]
struct Place {
    journal: usize,
    span: Span,
}

/// All runs of a sweep that are there.
pub struct Runs {
    /// The plan.
    pub described: Described,
    /// Its points.
    pub points: Points,
    /// The columns of figures of all runs: in the order of the first run that has them.
    pub columns: Vec<Column>,
    /// Runs that are wanted and not there, as ranges of text; empty if all is there.
    pub missing: Vec<String>,
    /// How many runs that is at least.
    pub missing_runs: usize,
    /// Runs that are there more than once, all the same.
    pub double: usize,
    /// Runs that are there and not wanted: of another plan, or more replications than the plan has.
    pub left_out: usize,
    journals: Vec<PathBuf>,
    /// Of each journal, of each of its lists: where its columns are in `columns`.
    maps: Vec<Vec<Vec<usize>>>,
    entries: Vec<(Task, Place)>,
}

/// A run of a sweep.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its numbers.
    pub task: Task,
    /// Its seed.
    pub seed: u64,
    /// The values of the axes.
    pub levels: Vec<Level>,
    /// Why it failed.
    pub error: Option<String>,
    /// A value for every column; null where it has none.
    pub values: Vec<Json>,
    /// The files that it read, with their SHA-256.
    pub inputs: Vec<(PathBuf, String)>,
    /// Calls received.
    pub calls: u64,
    /// Wall time \[s\].
    pub wall_s: f64,
}

/// One part: its plan and its journal.
struct Part {
    folder: PathBuf,
    described: Described,
    /// When its plan was written down.
    planned: SystemTime,
}

/// The parts of each place, a results folder with parts inside or a single part. In a results folder the plan that was written down last counts: parts of
/// another one are left over from before.
fn read_parts(places: &[PathBuf]) -> Result<(Vec<Part>, Vec<Part>), SweepError> {
    let (mut found, mut stale) = (Vec::new(), Vec::new());
    for place in places {
        let mut folders: Vec<PathBuf> = Vec::new();
        if place.join("journal.jsonl").is_file() {
            folders.push(place.clone());
        } else {
            folders.extend(super::run::journals(place)?.iter().filter_map(|j| j.parent()).map(Path::to_owned));
        }
        if folders.is_empty() {
            return Err(SweepError::Usage(format!(
                "{} has no parts of a sweep\n  help: give the results folder of `sim sweep`, or folders such as parts/1-of-4 in it",
                place.display()
            )));
        }
        let mut here = Vec::new();
        for folder in folders {
            let path = folder.join("plan.json");
            let read = std::fs::metadata(&path)
                .and_then(|m| m.modified())
                .and_then(|m| Ok((std::fs::read_to_string(&path)?, m)));
            let (text, planned) = read.map_err(SweepError::io(&path))?;
            let described: Described = serde_json::from_str(&text).map_err(|e| SweepError::Journal {
                path: path.clone(),
                line: e.line(),
                what: format!("this is no plan of this version of sim: {e}"),
            })?;
            here.push(Part { folder, described, planned });
        }
        let newest = here.iter().max_by_key(|part| part.planned).map(|part| part.described.clone());
        for mut part in here {
            let newest = newest.as_ref().expect("there is a part");
            if part.described.plan == newest.plan {
                // Of one plan the runs are the same, whatever is made of them.
                part.described = newest.clone();
                found.push(part);
            } else {
                stale.push(part);
            }
        }
    }
    Ok((found, stale))
}

/// What differs between the plans of two parts, in the words of the file.
fn difference(a: &Described, b: &Described) -> Option<String> {
    if a.code != b.code {
        return Some(format!("they were run by different code, {} {} and {} {}", a.version, a.code, b.version, b.code));
    }
    let json = |d: &Described| serde_json::to_value(d).expect("a plan is made of numbers, texts and tables");
    let (Json::Object(x), Json::Object(y)) = (json(a), json(b)) else { return None };
    // Where the file stands may differ from machine to machine.
    let differs = |(key, value): &(&String, &Json)| *key != "file" && y.get(*key) != Some(value);
    let keys: Vec<&str> = x.iter().filter(differs).map(|(key, _)| key.as_str()).collect();
    let keys: Vec<&str> = keys.iter().copied().filter(|k| *k != "plan" || keys.len() == 1).collect();
    (!keys.is_empty()).then(|| format!("they differ in {}", keys.join(", ")))
}

/// What is known of a run before all are there.
struct Seen {
    place: Place,
    /// Figures of the rules.
    values: Option<Vec<f64>>,
    list: Option<usize>,
}

impl Runs {
    /// Gathers the runs of results folders or parts; of several plans in one results folder the newest counts.
    ///
    /// # Errors
    /// There is none, the parts do not belong together, or a run is there twice with different figures.
    pub fn gather(places: &[PathBuf]) -> Result<Self, SweepError> {
        let (parts, stale) = read_parts(places)?;
        let described = parts[0].described.clone();
        for part in &parts[1..] {
            if let Some(what) = difference(&described, &part.described) {
                return Err(SweepError::Parts(format!(
                    "{} and {} are parts of different sweeps: {what}\n  help: merge parts of one sweep file, scenario and version of sim",
                    parts[0].folder.display(),
                    part.folder.display()
                )));
            }
        }
        let journal = |part: &Part| part.folder.join("journal.jsonl");
        let mut runs = Self::of(described, parts.iter().map(journal).collect())?;
        for part in &stale {
            journal::read(&journal(part), &mut |_, _| runs.left_out += 1)?;
        }
        Ok(runs)
    }

    /// Gathers the runs of a plan from journals.
    ///
    /// # Errors
    /// A journal cannot be read, or a run is there twice with different figures.
    pub fn of(described: Described, journals: Vec<PathBuf>) -> Result<Self, SweepError> {
        let mut seen: BTreeMap<Task, Seen> = BTreeMap::new();
        let (mut lists, mut double, mut left_out) = (Vec::new(), 0, 0);
        for (j, path) in journals.iter().enumerate() {
            let mut places = Vec::new();
            let (columns, _) = journal::read(path, &mut |record, span| {
                if record.plan == described.plan {
                    places.push(span);
                } else {
                    left_out += 1;
                }
            })?;
            let mut reader = Reader::open(path)?;
            for span in places {
                let record = reader.record(span)?;
                let task = Task { point: record.point, replication: record.replication };
                let place = Place { journal: j, span };
                let new = Seen { place, values: rule_values(&described, &record, &columns), list: record.columns };
                if let Some(old) = seen.get(&task) {
                    // In one journal the later line counts: the run was run again, because it had failed or a file had changed.
                    if old.place.journal == j {
                        seen.insert(task, new);
                        continue;
                    }
                    let first = Reader::open(&journals[old.place.journal])?.record(old.place.span)?;
                    match (&first.error, &record.error) {
                        (Some(_), None) => {
                            seen.insert(task, new);
                            continue;
                        }
                        (None, Some(_)) => continue,
                        _ => {}
                    }
                    if !same((&first, &lists[old.place.journal]), (&record, &columns)) {
                        return Err(SweepError::Parts(format!(
                            "point {}, replication {} is there twice with different figures: in {} and {}\n  help: the parts were not run by the same \
                             code on the same files; run one of them again with --overwrite",
                            task.point,
                            task.replication,
                            journals[old.place.journal].display(),
                            path.display()
                        )));
                    }
                    double += 1;
                    continue;
                }
                seen.insert(task, new);
            }
            lists.push(columns);
        }
        let points = described.points();
        let (entries, missing, missing_runs, extra) = complete(&described, seen);
        let mut columns: Vec<Column> = Vec::new();
        let mut maps: Vec<Vec<Vec<usize>>> =
            lists.iter().map(|l: &Vec<Vec<Column>>| vec![Vec::new(); l.len()]).collect();
        for (_, seen) in &entries {
            let (j, Some(list)) = (seen.place.journal, seen.list) else { continue };
            if maps[j][list].is_empty() {
                maps[j][list] = weave(&mut columns, &lists[j][list]);
                // Columns that were woven in have moved those behind them.
                for (other, all) in maps.iter_mut().enumerate() {
                    for (l, map) in all.iter_mut().enumerate().filter(|(_, map)| !map.is_empty()) {
                        *map = positions(&columns, &lists[other][l]);
                    }
                }
            }
        }
        let entries = entries.into_iter().map(|(task, seen)| (task, seen.place)).collect();
        let left_out = left_out + extra;
        Ok(Self { described, points, columns, missing, missing_runs, double, left_out, journals, maps, entries })
    }

    /// How many runs there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is a run with these numbers.
    pub fn has(&self, point: usize, replication: usize) -> bool {
        let task = u32::try_from(replication).map(|replication| Task { point, replication });
        task.is_ok_and(|task| self.entries.binary_search_by_key(&task, |(task, _)| *task).is_ok())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Shows every run, in order, one at a time.
    ///
    /// # Errors
    /// A journal cannot be read, or the receiver fails.
    pub fn each<E: From<SweepError>>(&self, show: &mut dyn FnMut(Row) -> Result<(), E>) -> Result<(), E> {
        let mut readers: Vec<Option<Reader>> = self.journals.iter().map(|_| None).collect();
        for &(task, place) in &self.entries {
            let slot = &mut readers[place.journal];
            if slot.is_none() {
                *slot = Some(Reader::open(&self.journals[place.journal])?);
            }
            let reader = slot.as_mut().expect("it was just opened");
            let record = reader.record(place.span)?;
            let mut values = vec![Json::Null; self.columns.len()];
            if let Some(list) = record.columns {
                for (value, &at) in record.values.into_iter().zip(&self.maps[place.journal][list]) {
                    values[at] = value;
                }
            }
            let levels = self.points.point(task.point);
            let Record { seed, error, inputs, calls, wall_s, .. } = record;
            show(Row { task, seed, levels, error, values, inputs, calls, wall_s })?;
        }
        Ok(())
    }
}

/// The figures of the rules in a record.
pub(super) fn rule_values(described: &Described, record: &Record, columns: &[Vec<Column>]) -> Option<Vec<f64>> {
    let list = columns.get(record.columns?)?;
    let value = |key: &str| {
        let at = list.iter().position(|c| c.key == key && c.kind != Kind::Text);
        at.and_then(|i| record.values[i].as_f64()).unwrap_or(f64::NAN)
    };
    Some(described.stop.until.iter().map(|until| value(&until.key)).collect())
}

/// Whether two records say the same of a run, whatever it cost and wherever the files that it read stand.
fn same(a: (&Record, &Vec<Vec<Column>>), b: (&Record, &Vec<Vec<Column>>)) -> bool {
    let columns = |(record, lists): (&Record, &Vec<Vec<Column>>)| record.columns.map(|c| lists[c].clone());
    let files = |record: &Record| {
        let mut all: Vec<String> = record.inputs.iter().map(|(_, sha256)| sha256.clone()).collect();
        all.sort();
        all
    };
    (&a.0.values, &a.0.error, a.0.seed, files(a.0)) == (&b.0.values, &b.0.error, b.0.seed, files(b.0))
        && columns(a) == columns(b)
}

/// The runs that are wanted, what is missing of them, how many runs that is at least, and how many more there are.
fn complete(described: &Described, seen: BTreeMap<Task, Seen>) -> (Vec<(Task, Seen)>, Vec<String>, usize, usize) {
    let stop = &described.stop;
    let (mut entries, mut missing, mut runs, mut extra) = (Vec::new(), Vec::new(), 0, 0);
    let mut seen = seen.into_iter().peekable();
    let mut gaps: Vec<(usize, usize)> = Vec::new();
    for point in 0..described.points {
        let mut own: Vec<(Task, Seen)> = Vec::new();
        while let Some(next) = seen.next_if(|(task, _)| task.point == point) {
            own.push(next);
        }
        let unbroken = own.iter().enumerate().take_while(|(i, (task, _))| task.replication as usize == *i).count();
        let values: Vec<Option<Vec<f64>>> = own[..unbroken].iter().map(|(_, seen)| seen.values.clone()).collect();
        match stop.settled(&values) {
            Some(wanted) => {
                extra += own.len() - wanted as usize;
                own.truncate(wanted as usize);
            }
            None if own.is_empty() => {
                runs += stop.first as usize;
                match gaps.last_mut() {
                    Some((_, to)) if *to + 1 == point => *to = point,
                    _ => gaps.push((point, point)),
                }
            }
            None => {
                let least = (stop.first as usize).max(own.last().map_or(0, |(t, _)| t.replication as usize + 1));
                let lacks = least.saturating_sub(own.len()).max(1);
                runs += lacks;
                let all = if stop.until.is_empty() { "" } else { " or more" };
                missing.push(format!("point {point}: {lacks}{all} of its replications, {} are there", own.len()));
            }
        }
        entries.extend(own);
    }
    extra += seen.count();
    let gap = |(from, to): &(usize, usize)| {
        if from == to { format!("point {from}: all of it") } else { format!("points {from} to {to}: all of them") }
    };
    let mut all: Vec<String> = gaps.iter().map(gap).collect();
    all.extend(missing);
    (entries, all, runs, extra)
}

/// Where columns are in a list.
fn positions(all: &[Column], columns: &[Column]) -> Vec<usize> {
    let at = |column: &Column| all.iter().position(|c| c.key == column.key).expect("it was woven in");
    columns.iter().map(at).collect()
}

/// Puts columns into a list that has some of them already, each behind the one that it follows; gives their places.
fn weave(all: &mut Vec<Column>, columns: &[Column]) -> Vec<usize> {
    let mut next = 0;
    for column in columns {
        match all.iter_mut().position(|c| c.key == column.key) {
            Some(at) => {
                // A figure that is a whole number in some runs is a number in all.
                if all[at].kind != column.kind {
                    all[at].kind =
                        if all[at].kind == Kind::Text || column.kind == Kind::Text { Kind::Text } else { Kind::Number };
                }
                next = at + 1;
            }
            None => {
                all.insert(next, column.clone());
                next += 1;
            }
        }
    }
    positions(all, columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(key: &str) -> Column {
        Column { key: key.to_owned(), unit: "1".to_owned(), meaning: String::new(), kind: Kind::Count }
    }

    #[test]
    fn figures_that_only_some_runs_have_stand_where_those_runs_have_them() {
        let list = |keys: &str| keys.chars().map(|c| column(&c.to_string())).collect::<Vec<_>>();
        let mut all = Vec::new();
        assert_eq!(weave(&mut all, &list("abe")), [0, 1, 2]);
        assert_eq!(weave(&mut all, &list("abcde")), [0, 1, 2, 3, 4]);
        assert_eq!(weave(&mut all, &list("xb")), [0, 2]);
        let keys: String = all.iter().map(|c| c.key.as_str()).collect();
        assert_eq!(keys, "xabcde");
    }
}
