//! `fragments.parquet`: what each task uses, decoded column by column into compact pieces.

use std::path::Path;

use parquet::data_type::ByteArray;
use parquet::file::reader::FileReader;

use super::super::Usage;
use super::super::pieces::Pieces;
use super::table::{Table, Values};
use super::tasks::Tasks;
use crate::types::Duration;
use crate::workload::WorkloadError;

/// Rows that are decoded together: three columns of it stay in the cache.
const CHUNK: usize = 1 << 14;
const NANOS_PER_MS: u64 = 1_000_000;
/// The longest fragment \[ms\]: a century.
const LONGEST_MS: i64 = 3_155_760_000_000;
/// The highest demand [millionths of a core]: a million cores.
const HIGHEST: f64 = 1e12;

pub(super) struct Fragments {
    pub pieces: Pieces,
    /// Each task's pieces, in the order of tasks.
    pub ranges: Vec<(usize, usize)>,
    pub notes: Vec<(String, String)>,
}

/// Rows of one task that follow each other in the file.
struct Run {
    task: u32,
    from: usize,
    to: usize,
}

#[derive(Default)]
struct Counts {
    rows: u64,
    empty: u64,
    above: u64,
}

pub(super) fn read(path: &Path, tasks: &Tasks) -> Result<Fragments, WorkloadError> {
    let table = Table::open(path)?;
    let columns = [table.need(&["id"])?, table.need(&["duration"])?, table.need(&["cpu_usage", "cpuUsage"])?];
    let mut builder = Builder {
        tasks,
        table: &table,
        pieces: Pieces::default(),
        runs: Vec::new(),
        sums: vec![0; tasks.tasks.len()],
        counts: Counts::default(),
        last: None,
    };
    for group in 0..table.reader.num_row_groups() {
        let mut left = usize::try_from(table.reader.metadata().row_group(group).num_rows()).unwrap_or(0);
        let mut readers = Vec::new();
        for at in columns {
            readers.push(table.column(group, at)?);
        }
        while left > 0 {
            let rows = left.min(CHUNK);
            let mut read = Vec::with_capacity(columns.len());
            for (reader, at) in readers.iter_mut().zip(columns) {
                let (values, n) = reader.read(rows).map_err(|what| table.cell_error(at, &what))?;
                if n != rows {
                    return Err(table.cell_error(at, "it ends before the other columns do"));
                }
                read.push(values);
            }
            let [ids, durations, usages] = &read[..] else { unreachable!("three columns were read") };
            builder.chunk(ids, durations, usages)?;
            left -= rows;
        }
    }
    builder.finish()
}

struct Builder<'a> {
    tasks: &'a Tasks,
    table: &'a Table,
    pieces: Pieces,
    runs: Vec<Run>,
    /// Sum of durations per task \[ms\].
    sums: Vec<i64>,
    counts: Counts,
    /// The last row's duration \[ns\] and demand, which may yet grow.
    last: Option<(u64, u64)>,
}

impl Builder<'_> {
    fn chunk(&mut self, ids: &Values, durations: &Values, usages: &Values) -> Result<(), WorkloadError> {
        let (Values::Whole(durations), Values::Real(usages)) = (durations, usages) else {
            return Err(self.table.error(
                "duration is not an integer, or cpu_usage is not a real number".to_owned(),
                "store duration as a 64-bit integer and cpu_usage as a double",
            ));
        };
        let rows = durations.len();
        let mut from = 0;
        while from < rows {
            let (to, task) = match ids {
                Values::Whole(v) => {
                    let to = from + v[from..].iter().take_while(|&&id| id == v[from]).count();
                    (to, self.tasks.numbers.get(&v[from]))
                }
                Values::Text(v) => {
                    let to = from + v[from..].iter().take_while(|&id| *id == v[from]).count();
                    (to, self.tasks.texts.get(v[from].data()))
                }
                _ => (rows, None),
            };
            let Some(&task) = task else { return Err(self.unknown(ids, from)) };
            self.begin(task);
            self.rows(task, &durations[from..to], &usages[from..to])?;
            from = to;
        }
        Ok(())
    }

    /// Begins the rows of a task, unless they go on.
    fn begin(&mut self, task: u32) {
        if self.runs.last().is_some_and(|r| r.task == task) {
            return;
        }
        self.end();
        let from = self.pieces.len();
        self.runs.push(Run { task, from, to: from });
    }

    fn end(&mut self) {
        self.flush();
        let to = self.pieces.len();
        if let Some(run) = self.runs.last_mut() {
            run.to = to;
        }
    }

    #[inline]
    fn flush(&mut self) {
        if let Some((ns, cpu)) = self.last.take() {
            self.pieces.push(Usage { duration: Duration(ns), cpu, memory: None });
        }
    }

    fn rows(&mut self, task: u32, durations: &[i64], usages: &[f64]) -> Result<(), WorkloadError> {
        let own = &self.tasks.tasks[task as usize];
        let (scale, limit) = (own.micro_cores_per_unit, own.cpu_limit);
        let unit = self.tasks.ms_per_unit;
        let mut sum = 0;
        for (&duration, &usage) in durations.iter().zip(usages) {
            self.counts.rows += 1;
            let demand = usage * scale;
            // False for NaN too.
            if !(0..=LONGEST_MS / unit).contains(&duration) || !(0.0..=HIGHEST).contains(&demand) {
                return Err(self.wrong(duration, usage));
            }
            if duration == 0 {
                self.counts.empty += 1;
                continue;
            }
            let ms = duration * unit;
            sum += ms;
            let (ns, cpu) = (ms as u64 * NANOS_PER_MS, (demand + 0.5) as i64 as u64);
            self.counts.above += u64::from(cpu > limit);
            match &mut self.last {
                Some((before, same)) if *same == cpu => *before += ns,
                _ => {
                    self.flush();
                    self.last = Some((ns, cpu));
                }
            }
        }
        self.sums[task as usize] += sum;
        Ok(())
    }

    #[cold]
    fn wrong(&self, duration: i64, usage: f64) -> WorkloadError {
        let what = format!(
            "duration = {duration}, cpu_usage = {usage}: a duration is at least 0, and a demand from 0 to a million cores"
        );
        self.table.row_error(self.counts.rows as usize, what, "correct the row, and check the units")
    }

    #[cold]
    fn unknown(&self, ids: &Values, at: usize) -> WorkloadError {
        let id = match ids {
            Values::Whole(v) => v[at].to_string(),
            Values::Text(v) => ByteArray::as_utf8(&v[at]).unwrap_or("?").to_owned(),
            _ => "?".to_owned(),
        };
        let row = self.counts.rows as usize + 1;
        let help = "give both files of one trace; ids are numbers in both or text in both";
        self.table.row_error(row, format!("id {id} is not in the file of tasks"), help)
    }

    fn finish(mut self) -> Result<Fragments, WorkloadError> {
        self.end();
        let tasks = &self.tasks.tasks;
        if let Some(empty) = self.sums.iter().position(|&sum| sum == 0) {
            return Err(self.table.error(
                format!("task {} has no fragments", tasks[empty].name),
                "remove the task, or add what it uses",
            ));
        }
        let differ = self.sums.iter().zip(tasks).filter(|(sum, task)| **sum != task.duration_ms).count();
        let mut ranges = vec![(0, 0); tasks.len()];
        // Tasks whose rows are not together are brought together, each in the order of the file.
        if self.runs.len() > tasks.len() {
            self.runs.sort_by_key(|r| r.task);
            self.pieces.arrange(self.runs.iter().map(|r| (r.from, r.to)));
            let mut at = 0;
            for run in &mut self.runs {
                let length = run.to - run.from;
                (run.from, run.to) = (at, at + length);
                at += length;
            }
        }
        for run in &self.runs {
            let range = &mut ranges[run.task as usize];
            *range = if range.1 == 0 { (run.from, run.to) } else { (range.0, run.to) };
        }
        let mut notes = vec![("fragments".to_owned(), self.counts.rows.to_string())];
        for (key, count) in [
            ("tasks_whose_duration_is_not_the_sum_of_their_fragments", differ as u64),
            ("fragments_of_no_duration_left_out", self.counts.empty),
            ("fragments_above_the_limit", self.counts.above),
        ] {
            if count > 0 {
                notes.push((key.to_owned(), count.to_string()));
            }
        }
        Ok(Fragments { pieces: self.pieces, ranges, notes })
    }
}
