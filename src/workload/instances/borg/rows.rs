//! Windows of usage from files of two shapes, and which instance each belongs to.

use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use super::super::feed::{Reading, Readings};
use super::events2011::{self, Requests};
use super::{BorgFiles, BorgSpec, MICRO, time};
use crate::types::{Duration, Memory, SimTime};
use crate::workload::WorkloadError;
use crate::workload::files::{Text, expand};

const REQUIRED: [&str; 9] = [
    "start_time_us",
    "end_time_us",
    "collection_id",
    "instance_index",
    "priority",
    "scheduling_class",
    "cpu_request",
    "memory_request",
    "cpu_usage",
];
const OPTIONAL: [&str; 4] = ["cpu_limit", "memory_usage", "user", "machine_id"];

/// A row of either shape.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub begin_us: u64,
    pub end_us: u64,
    pub collection: u64,
    pub index: u64,
    pub priority: u64,
    pub scheduling_class: u64,
    pub cpu_request: f64,
    pub cpu_limit: f64,
    pub memory_request: f64,
    pub cpu_usage: f64,
    pub memory_usage: Option<f64>,
    pub user: Option<Box<str>>,
}

/// Where the columns stand in a file with a header.
#[derive(Debug, Clone, Copy)]
struct Columns {
    required: [usize; REQUIRED.len()],
    optional: [Option<usize>; OPTIONAL.len()],
    width: usize,
}

/// The files, one after the other.
pub(super) struct Source {
    files: Vec<PathBuf>,
    opened: usize,
    open: Option<(Text, Option<Columns>)>,
    /// What tasks ask for, where the rows do not say: the trace of 2011.
    requests: Option<Requests>,
    inputs: Vec<(PathBuf, String)>,
    rows: u64,
    without_request: u64,
}

impl Source {
    /// `known`: the requests, if they were read before.
    pub fn open(files: &BorgFiles, base: &Path, known: Option<Requests>) -> Result<Self, WorkloadError> {
        let (list, requests) = match files {
            BorgFiles::Csv { usage } => (usage, None),
            BorgFiles::Trace2011 { task_events, task_usage } => {
                let requests = match known {
                    Some(requests) => requests,
                    None => events2011::read(&expand(base, task_events)?)?,
                };
                (task_usage, Some(requests))
            }
        };
        let files = expand(base, list)?;
        if files.is_empty() {
            let what = "borg: the list of files with usage is empty".to_owned();
            return Err(WorkloadError::Spec { what, help: "name the files, or their folder".to_owned() });
        }
        Ok(Self { files, opened: 0, open: None, requests, inputs: Vec::new(), rows: 0, without_request: 0 })
    }

    /// The next row; `None` at the end of the last file.
    fn next(&mut self) -> Result<Option<Row>, WorkloadError> {
        loop {
            if let Some((text, columns)) = &mut self.open {
                let row = match (columns, &self.requests) {
                    (Some(columns), _) => plain(text, columns)?.map(Some),
                    (None, Some(requests)) => events2011::usage(text, requests)?,
                    (None, None) => None,
                };
                match row {
                    Some(Some(row)) => {
                        self.rows += 1;
                        return Ok(Some(row));
                    }
                    Some(None) => {
                        self.without_request += 1;
                        continue;
                    }
                    None => {}
                }
            }
            if let Some((text, _)) = self.open.take() {
                self.inputs.push((text.path().to_owned(), text.sha256()));
            }
            let Some(path) = self.files.get(self.opened) else { return Ok(None) };
            let mut text = Text::open(path)?;
            self.opened += 1;
            let columns = match self.requests {
                Some(_) => None,
                None => {
                    let (required, optional, width) = text.header(REQUIRED, OPTIONAL)?;
                    Some(Columns { required, optional, width })
                }
            };
            self.open = Some((text, columns));
        }
    }

    fn error(&self, what: String, help: &str) -> WorkloadError {
        match &self.open {
            Some((text, _)) => text.error(what, help),
            None => WorkloadError::Spec { what, help: help.to_owned() },
        }
    }
}

fn plain(text: &mut Text, columns: &Columns) -> Result<Option<Row>, WorkloadError> {
    if !text.row(columns.width)? {
        return Ok(None);
    }
    let [begin, end, collection, index, priority, class, cpu, memory, usage] = columns.required;
    let [limit, memory_usage, user, _] = columns.optional;
    let fraction = |at: usize, name: &str| fraction(text, at, name);
    let cpu_request = fraction(cpu, "cpu_request")?;
    Ok(Some(Row {
        begin_us: text.whole(begin, "start_time_us")?,
        end_us: text.whole(end, "end_time_us")?,
        collection: text.whole(collection, "collection_id")?,
        index: text.whole(index, "instance_index")?,
        priority: text.whole(priority, "priority")?,
        scheduling_class: text.whole(class, "scheduling_class")?,
        cpu_request,
        cpu_limit: limit.map_or(Ok(cpu_request), |at| fraction(at, "cpu_limit"))?,
        memory_request: fraction(memory, "memory_request")?,
        cpu_usage: fraction(usage, "cpu_usage")?,
        memory_usage: memory_usage.map(|at| fraction(at, "memory_usage")).transpose()?,
        user: user.map(|at| text.text(at).as_ref().into()),
    }))
}

/// A fraction of the largest machine: tasks may use more than they ask for, but no task is larger than ten machines.
pub(super) fn fraction(text: &Text, at: usize, name: &str) -> Result<f64, WorkloadError> {
    match text.number(at, name)? {
        x if x <= 10.0 => Ok(x),
        _ => Err(text.wrong(at, name, "a fraction of the largest machine, from 0 to 10")),
    }
}

/// Tenants and deployments in the order in which they appear.
#[derive(Default)]
pub(super) struct Names {
    pub tenants: Vec<Box<str>>,
    of_tenant: FxHashMap<Box<str>, u32>,
    of_collection: FxHashMap<u64, u32>,
}

impl Names {
    pub fn tenant(&mut self, name: &str) -> u32 {
        if let Some(&n) = self.of_tenant.get(name) {
            return n;
        }
        let n = self.tenants.len() as u32;
        self.tenants.push(name.into());
        self.of_tenant.insert(name.into(), n);
        n
    }

    pub fn deployment(&mut self, collection: u64) -> u32 {
        let next = self.of_collection.len() as u32;
        *self.of_collection.entry(collection).or_insert(next)
    }
}

/// A task's present life.
#[derive(Debug, Clone, Copy)]
struct Life {
    number: u32,
    end: SimTime,
    /// Which of the task's lives it is, from 1.
    count: u32,
}

/// The windows of a source, each with the instance it belongs to: the same at every reading.
pub(super) struct Windows {
    source: Source,
    origin_us: u64,
    gap: Duration,
    micro_cores: f64,
    memory_mb: f64,
    lives: FxHashMap<(u64, u64), Life>,
    instances: u32,
    last_us: u64,
    before: u64,
    returned: u64,
}

impl Windows {
    pub fn new(source: Source, spec: &BorgSpec) -> Self {
        Self {
            source,
            origin_us: spec.origin_us,
            gap: Duration::from_secs_f64(spec.longest_gap_s),
            micro_cores: spec.host_cores * MICRO,
            memory_mb: spec.host_memory_mb,
            lives: FxHashMap::default(),
            instances: 0,
            last_us: 0,
            before: 0,
            returned: 0,
        }
    }

    pub fn error(&self, what: String, help: &str) -> WorkloadError {
        self.source.error(what, help)
    }

    /// Which of its task's lives the instance of a row is, from 1.
    pub fn life(&self, row: &Row) -> u32 {
        self.lives.get(&(row.collection, row.index)).map_or(1, |life| life.count)
    }

    pub fn into_requests(self) -> Option<Requests> {
        self.source.requests
    }

    /// The next window, and its row. Instances are numbered in the order in which they appear.
    pub fn step(&mut self) -> Result<Option<(Reading, Row)>, WorkloadError> {
        loop {
            let Some(row) = self.source.next()? else { return Ok(None) };
            if row.begin_us < self.last_us {
                let what = format!("start_time_us = {} comes after {} before it", row.begin_us, self.last_us);
                return Err(self.error(what, "list the files in order of time, and sort their rows by start_time_us"));
            }
            self.last_us = row.begin_us;
            if row.end_us <= row.begin_us {
                let what = format!("end_time_us = {} is not after start_time_us = {}", row.end_us, row.begin_us);
                return Err(self.error(what, "correct or remove the row"));
            }
            if row.end_us <= self.origin_us {
                self.before += 1;
                continue;
            }
            let (begin, end) = (time(row.begin_us, self.origin_us), time(row.end_us, self.origin_us));
            let life =
                self.lives.entry((row.collection, row.index)).or_insert(Life { number: self.instances, end, count: 0 });
            if life.count == 0 || begin > life.end + self.gap {
                self.returned += u64::from(life.count > 0);
                *life = Life { number: self.instances, end, count: life.count + 1 };
                self.instances += 1;
            }
            life.end = life.end.max(end);
            let reading = Reading {
                number: life.number,
                begin,
                end,
                cpu: (row.cpu_usage * self.micro_cores).round() as u64,
                memory: row.memory_usage.map(|m| Memory::from_mb(m * self.memory_mb)),
            };
            return Ok(Some((reading, row)));
        }
    }
}

impl Windows {
    /// Of what was read: complete after the first reading.
    pub fn notes(&self) -> Vec<(String, String)> {
        let mut notes = vec![("windows".to_owned(), self.source.rows.to_string())];
        for (key, count) in [
            ("windows_before_the_origin_left_out", self.before),
            ("windows_of_tasks_without_request_left_out", self.source.without_request),
            ("tasks_that_were_away_and_came_back", self.returned),
        ] {
            if count > 0 {
                notes.push((key.to_owned(), count.to_string()));
            }
        }
        notes
    }

    /// The files with their hashes.
    pub fn inputs(&self) -> Vec<(PathBuf, String)> {
        let events = self.source.requests.as_ref().map(|r| r.inputs.clone()).unwrap_or_default();
        events.into_iter().chain(self.source.inputs.iter().cloned()).collect()
    }
}

/// The second reading: the first one has told notes and inputs.
pub(super) struct Second(pub Windows);

impl Readings for Second {
    fn next(&mut self) -> Result<Option<Reading>, WorkloadError> {
        Ok(self.0.step()?.map(|(reading, _)| reading))
    }

    fn progress(&self) -> f64 {
        let source = &self.0.source;
        let current = source.open.as_ref().map_or(0.0, |(text, _)| text.progress());
        ((source.inputs.len() as f64 + current) / source.files.len() as f64).min(1.0)
    }

    fn notes(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    fn inputs(&self) -> Vec<(PathBuf, String)> {
        Vec::new()
    }
}
