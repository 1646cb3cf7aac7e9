//! The trace of 2011 as published: `task_events` says what tasks ask for, `task_usage` what they use. Neither has a header.

use std::path::PathBuf;

use rustc_hash::FxHashMap;

use super::rows::{Row, fraction};
use crate::workload::WorkloadError;
use crate::workload::files::Text;

const EVENT_COLUMNS: usize = 13;
const USAGE_COLUMNS: usize = 20;
/// Event types that state requests: SUBMIT, UPDATE_PENDING, UPDATE_RUNNING.
const STATES: [u64; 3] = [0, 7, 8];

/// What one task asks for.
#[derive(Debug, Clone, Copy)]
struct Request {
    priority: u64,
    class: u64,
    cpu: f64,
    memory: f64,
    user: u32,
}

/// What all tasks ask for: the largest request that was stated, so that no update is missed.
pub(super) struct Requests {
    of: FxHashMap<(u64, u64), Request>,
    users: Vec<Box<str>>,
    pub inputs: Vec<(PathBuf, String)>,
}

pub(super) fn read(files: &[PathBuf]) -> Result<Requests, WorkloadError> {
    let mut all = Requests { of: FxHashMap::default(), users: Vec::new(), inputs: Vec::new() };
    let mut users: FxHashMap<Box<str>, u32> = FxHashMap::default();
    for path in files {
        let mut text = Text::open(path)?;
        while text.row(EVENT_COLUMNS)? {
            let event = text.whole(5, "event type")?;
            if event > 8 {
                return Err(text.wrong(5, "event type", "a code of 2011, from 0 to 8"));
            }
            // Requests are missing in some rows: there is nothing to learn from those.
            if !STATES.contains(&event) || text.cell(9).is_empty() || text.cell(10).is_empty() {
                continue;
            }
            let user = match users.get(text.text(6).as_ref()) {
                Some(&user) => user,
                None => {
                    let name: Box<str> = text.text(6).as_ref().into();
                    all.users.push(name.clone());
                    *users.entry(name).or_insert(all.users.len() as u32 - 1)
                }
            };
            let request = Request {
                priority: text.whole(8, "priority")?,
                class: text.whole(7, "scheduling class")?,
                cpu: fraction(&text, 9, "CPU request")?,
                memory: fraction(&text, 10, "memory request")?,
                user,
            };
            let known = all.of.entry((text.whole(2, "job ID")?, text.whole(3, "task index")?)).or_insert(request);
            known.cpu = known.cpu.max(request.cpu);
            known.memory = known.memory.max(request.memory);
        }
        all.inputs.push((path.clone(), text.sha256()));
    }
    Ok(all)
}

/// The next row of `task_usage`: `None` at the end, `Some(None)` for a task that has no request.
pub(super) fn usage(text: &mut Text, requests: &Requests) -> Result<Option<Option<Row>>, WorkloadError> {
    if !text.row(USAGE_COLUMNS)? {
        return Ok(None);
    }
    let (collection, index) = (text.whole(2, "job ID")?, text.whole(3, "task index")?);
    let Some(request) = requests.of.get(&(collection, index)) else { return Ok(Some(None)) };
    Ok(Some(Some(Row {
        begin_us: text.whole(0, "start time")?,
        end_us: text.whole(1, "end time")?,
        collection,
        index,
        priority: request.priority,
        scheduling_class: request.class,
        cpu_request: request.cpu,
        cpu_limit: request.cpu,
        memory_request: request.memory,
        cpu_usage: fraction(text, 5, "CPU rate")?,
        memory_usage: match text.cell(6) {
            b"" => None,
            _ => Some(fraction(text, 6, "canonical memory usage")?),
        },
        user: Some(requests.users[request.user as usize].clone()),
    })))
}
