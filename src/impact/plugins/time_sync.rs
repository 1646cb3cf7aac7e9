//! `TimeSync`: observations on a regular grid of time.
//!
//! Formula: an observation is spread evenly over its duration, and every bin of `interval` seconds from `start-time` takes the part that
//! falls into it: `sum` Σ x · overlap / duration; `avg` Σ x · overlap / length of the bin; `copy` the value at the end of the bin; `none`
//! null. Where nothing is observed, sums and means are 0 and copies are of the neighbour; `time-reserved` counts
//! `upsampling-resolution`. A parameter without a method is copied if it is the same in every row, else that is an error. Parts that an
//! observation has after `end-time` are cut off, but the step (of `upsampling-resolution`, default 1 s) that begins at `end-time` still
//! counts, as a published vector demands. Source: Impact Framework 1.1.0.
//!
//! Differences by design: there, the mean leaves the last second of each bin out (constant 800 g/kWh becomes 640 over 5 s), a gap of
//! exactly one second is not filled and shifts all later bins, and parts of a second are lost. Overlaps are computed exactly here.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Context, Plugin};
use crate::impact::config::Config;
use crate::impact::error::ImpactError;
use crate::impact::methods::{Method, Methods};
use crate::impact::row::{Mapping, Row, View, number};
use crate::impact::time;

const NANOS: f64 = 1e9;

#[derive(Debug)]
struct TimeSync {
    start: Timestamp,
    /// Length from start to end \[ns\].
    length: i64,
    interval: i64,
    padding: bool,
    resolution: i64,
    /// Whether the config names the resolution, so that everything must be a multiple of it.
    strict: bool,
}

/// An observation on the grid's clock \[ns after start\].
struct Observation {
    from: i64,
    to: i64,
    row: Row,
}

impl TimeSync {
    fn observe(&self, rows: Vec<Row>, mapping: &Mapping) -> Result<Vec<Observation>, ImpactError> {
        let mut seen: Vec<Observation> = Vec::with_capacity(rows.len());
        for (n, mut row) in rows.into_iter().enumerate() {
            let one = || -> Result<(i64, i64), ImpactError> {
                let view = View::new(&mut row, mapping);
                let at = time::parse(view.get("timestamp")).map_err(|e| e.at_key("timestamp"))?;
                let from = time::nanos_between(self.start, at).map_err(|e| e.at_key("timestamp"))?;
                let length = nanos(view.positive("duration")?).map_err(|e| e.at_key("duration"))?;
                self.divides(length, "duration")?;
                Ok((from, from + length))
            };
            let (from, to) = { one }().map_err(|e| e.in_row(n))?;
            let before = seen.last().map_or(from, |o| o.to);
            if before > from {
                let help = "sort the rows by time, and let each end before the next begins";
                return Err(ImpactError::new("the observation overlaps the one before it", help)
                    .at_key("timestamp")
                    .in_row(n));
            }
            self.divides(from - before, "timestamp").map_err(|e| e.in_row(n))?;
            seen.push(Observation { from, to, row });
        }
        Ok(seen)
    }

    fn divides(&self, length: i64, key: &str) -> Result<(), ImpactError> {
        if self.strict && length % self.resolution != 0 {
            let what = "durations, gaps and paddings must be multiples of upsampling-resolution";
            return Err(ImpactError::new(what, "choose a smaller one, or leave it out").at_key(key));
        }
        Ok(())
    }
}

fn nanos(seconds: f64) -> Result<i64, ImpactError> {
    let ns = (seconds * NANOS).round();
    if (1.0..9.0e18).contains(&ns) {
        return Ok(ns as i64);
    }
    Err(ImpactError::new(format!("{seconds} s cannot be a length of time here"), "write seconds, from 1e-9 to 9e9"))
}

/// How one parameter is resampled.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Rule {
    Sum,
    /// With what stands where nothing is observed.
    Mean(f64),
    Copy,
    Nothing,
}

fn rule(
    name: &str,
    observations: &[Observation],
    methods: &Methods,
    mapping: &Mapping,
    resolution_s: f64,
) -> Result<Rule, ImpactError> {
    let own = mapping.iter().find(|(_, outer)| *outer == name).map_or(name, |(own, _)| own.as_str());
    let reserved = own == "time-reserved";
    match methods.get(name).or_else(|| methods.get(own)).map(|pair| pair.time) {
        Some(Method::Sum) => Ok(Rule::Sum),
        Some(Method::Avg) => Ok(Rule::Mean(if reserved { resolution_s } else { 0.0 })),
        Some(Method::Copy) => Ok(Rule::Copy),
        Some(Method::None) => Ok(Rule::Nothing),
        None if observations.windows(2).all(|w| w[0].row.get(name) == w[1].row.get(name)) => Ok(Rule::Copy),
        None => {
            let help = "say in parameter-metadata of a plugin whether it is sum, avg, copy or none over time";
            Err(ImpactError::new("TimeSync does not know how to resample this parameter", help).at_key(name))
        }
    }
}

impl Plugin for TimeSync {
    fn names(&self) -> Vec<String> {
        ["timestamp", "duration", "time-reserved"].iter().map(|n| (*n).to_owned()).collect()
    }

    fn run(&self, rows: Vec<Row>, context: Context<'_>) -> Result<Vec<Row>, ImpactError> {
        let seen = self.observe(rows, context.mapping)?;
        let (Some(first), Some(last)) = (seen.first(), seen.last()) else { return Ok(Vec::new()) };
        let (before, after) = (first.from.max(0), (self.length - last.to).max(0));
        if !self.padding && (before > 0 || after > 0) {
            let help =
                "set allow-padding: true to fill with zeros, or choose start-time and end-time inside the observations";
            return Err(
                ImpactError::new("the observations do not cover start-time to end-time", help).at_key("allow-padding")
            );
        }
        self.divides(before, "start-time")?;
        self.divides(after, "end-time")?;
        let until = self.length.max(last.to.min(self.length + self.resolution));
        let mut done = BTreeSet::new();
        let mut parameters = Vec::new();
        let times = ["timestamp", "duration"].map(|n| context.mapping.get(n).map_or(n, String::as_str));
        for name in seen.iter().flat_map(|o| o.row.keys()).filter(|k| !times.contains(&k.as_str())) {
            if done.insert(name.as_str()) {
                let rule = rule(name, &seen, context.methods, context.mapping, self.resolution as f64 / NANOS)?;
                parameters.push((name.as_str(), rule));
            }
        }
        let mut bins = Vec::new();
        let mut from = 0;
        while from < until {
            let to = (from + self.interval).min(until);
            let mut row = Row::new();
            row.insert(times[0].to_owned(), json!(time::print(time::after(self.start, from)?)));
            row.insert(times[1].to_owned(), number((to - from) as f64 / NANOS));
            for (name, rule) in &parameters {
                row.insert((*name).to_owned(), resample(&seen, name, *rule, from, to)?);
            }
            bins.push(row);
            from = to;
        }
        Ok(bins)
    }
}

/// One parameter over one bin.
fn resample(seen: &[Observation], name: &str, rule: Rule, from: i64, to: i64) -> Result<Value, ImpactError> {
    // Observations do not overlap: those that touch the bin stand together.
    let begin = seen.partition_point(|o| o.to <= from);
    let (mean, elsewhere) = match rule {
        Rule::Nothing => return Ok(Value::Null),
        Rule::Copy => {
            let at = seen.partition_point(|o| o.to < to).min(seen.len() - 1);
            return Ok(seen[at].row.get(name).cloned().unwrap_or(Value::Null));
        }
        Rule::Sum => (false, 0.0),
        Rule::Mean(elsewhere) => (true, elsewhere),
    };
    let (mut total, mut observed) = (0.0, 0);
    for (n, o) in seen.iter().enumerate().skip(begin).take_while(|(_, o)| o.from < to) {
        let overlap = o.to.min(to) - o.from.max(from);
        observed += overlap;
        let wrong = |value: &Value| {
            let help =
                "only numbers have sums and means over time; set its method to copy or none in parameter-metadata";
            ImpactError::new(format!("{value} is not a number"), help).at_key(name).in_row(n)
        };
        let value = o.row.get(name).unwrap_or(&Value::Null);
        let x = value.as_f64().ok_or_else(|| wrong(value))?;
        let whole = if mean { to - from } else { o.to - o.from };
        total += x * (overlap as f64 / whole as f64);
    }
    if mean {
        total += elsewhere * ((to - from - observed) as f64 / (to - from) as f64);
    }
    Ok(number(total))
}

pub(super) fn time_sync(config: &mut Config) -> Result<Box<dyn Plugin>, ImpactError> {
    let instant =
        |config: &mut Config, key| time::parse(config.take(key).as_ref()).map_err(|e: ImpactError| e.at_key(key));
    let (start, end) = (instant(config, "start-time")?, instant(config, "end-time")?);
    let length = time::nanos_between(start, end)?;
    if length <= 0 {
        return Err(ImpactError::new("end-time is not after start-time", "exchange or correct them").at_key("end-time"));
    }
    let seconds = |config: &mut Config, key| -> Result<Option<i64>, ImpactError> {
        config.number(key)?.map(nanos).transpose().map_err(|e| e.at_key(key))
    };
    let interval = seconds(config, "interval")?.ok_or_else(|| {
        ImpactError::new("the config lacks this key", "write the length of a bin in seconds").at_key("interval")
    })?;
    let given = seconds(config, "upsampling-resolution")?;
    let padding = config.need("allow-padding")?;
    let padding = padding.as_bool().ok_or_else(|| {
        ImpactError::new(format!("{padding} is no truth"), "write true or false").at_key("allow-padding")
    })?;
    let resolution = given.unwrap_or(NANOS as i64);
    if given.is_some() && interval % resolution != 0 {
        let what = "the interval is no multiple of upsampling-resolution";
        return Err(
            ImpactError::new(what, "choose a divisor of interval, or leave it out").at_key("upsampling-resolution")
        );
    }
    if length / interval > 10_000_000 {
        let what = "there would be more than ten million bins";
        return Err(ImpactError::new(what, "choose a longer interval").at_key("interval"));
    }
    Ok(Box::new(TimeSync { start, length, interval, padding, resolution, strict: given.is_some() }))
}
