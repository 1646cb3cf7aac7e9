//! What is made of the runs of a sweep: points.csv, differences.csv, sensitivity.csv, frontier.csv. docs/statistics.md has the formulas.

use std::path::Path;

use super::SweepError;
use super::design::Method;
use super::gather::{Row, Runs};
use super::points::{Level, Points, Takes};
use super::table::write_csv;
use crate::stats::{Aim, Estimate, Interval, Paired, RESAMPLES, bootstrap_mean, frontier, paired, sensitivity};
use crate::types::{Seed, cell};

/// The analysed figures of all runs, by point: 8 bytes each.
pub struct Figures<'r> {
    runs: &'r Runs,
    /// Keys and units of the figures.
    keys: Vec<(String, String)>,
    /// Of each point: the replications, each with its figures; not a number where undefined.
    points: Vec<Vec<(u32, Vec<f64>)>>,
}

/// The mean of one figure at one point.
#[derive(Debug, Clone, PartialEq)]
pub struct PointMean {
    /// The number of the point.
    pub point: usize,
    /// Key of the figure.
    pub metric: String,
    /// Its unit.
    pub unit: String,
    /// Mean and deviation over replications.
    pub estimate: Estimate,
    /// Student's interval of the mean.
    pub interval: Interval,
    /// The bootstrap's.
    pub bootstrap: Interval,
}

/// One figure at one point against the baseline's.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The number of the point.
    pub point: usize,
    /// Key of the figure.
    pub metric: String,
    /// Its unit.
    pub unit: String,
    /// Over the replications that both points have.
    pub paired: Paired,
    /// Bootstrap interval of the mean difference.
    pub bootstrap: Interval,
}

impl<'r> Figures<'r> {
    /// Reads the analysed figures of all runs.
    ///
    /// # Errors
    /// A journal cannot be read.
    pub fn read(runs: &'r Runs) -> Result<Self, SweepError> {
        let described = &runs.described;
        let mut wanted: Vec<&String> = described.metrics.iter().collect();
        for key in described.frontier.iter().flatten() {
            if !wanted.contains(&key) {
                wanted.push(key);
            }
        }
        let at: Vec<Option<usize>> =
            wanted.iter().map(|key| runs.columns.iter().position(|c| c.key == **key)).collect();
        let unit = |at: &Option<usize>| at.map_or_else(String::new, |i| runs.columns[i].unit.clone());
        let keys = wanted.iter().zip(&at).map(|(key, at)| ((*key).clone(), unit(at))).collect();
        let mut points = vec![Vec::new(); described.points];
        runs.each(&mut |row: Row| {
            if row.error.is_none() {
                let value = |at: &Option<usize>| at.and_then(|i| row.values[i].as_f64()).unwrap_or(f64::NAN);
                points[row.task.point].push((row.task.replication, at.iter().map(value).collect()));
            }
            Ok::<(), SweepError>(())
        })?;
        Ok(Self { runs, keys, points })
    }

    fn confidence(&self) -> f64 {
        self.runs.described.stop.confidence
    }

    /// The defined values of a figure at a point.
    fn values(&self, point: usize, metric: usize) -> Vec<f64> {
        self.points[point].iter().map(|(_, v)| v[metric]).filter(|x| !x.is_nan()).collect()
    }

    /// The values of a figure at two points, replication by replication.
    fn pairs(&self, point: usize, other: usize, metric: usize) -> (Vec<f64>, Vec<f64>) {
        let find = |replication: u32| {
            let at = self.points[other].binary_search_by_key(&replication, |(r, _)| *r).ok()?;
            Some(self.points[other][at].1[metric])
        };
        let both = self.points[point].iter().filter_map(|(r, v)| Some((v[metric], find(*r)?)));
        both.filter(|(a, b)| !a.is_nan() && !b.is_nan()).unzip()
    }

    /// The figures that are analysed, and not only drawn in a frontier.
    fn metrics(&self) -> impl Iterator<Item = (usize, &(String, String))> {
        self.keys.iter().enumerate().take(self.runs.described.metrics.len())
    }

    /// Means and intervals of every point and figure; points without a run are left out.
    pub fn means(&self) -> impl Iterator<Item = PointMean> {
        let seed = Seed(0).derive("sweep-points");
        let of = move |point: usize, m: usize, (key, unit): &(String, String)| {
            let values = self.values(point, m);
            let estimate = Estimate::of(&values);
            let mut stream = seed.child(point as u64).stream("bootstrap", m as u64);
            PointMean {
                point,
                metric: key.clone(),
                unit: unit.clone(),
                estimate,
                interval: estimate.t_interval(self.confidence()),
                bootstrap: bootstrap_mean(&values, self.confidence(), &mut stream),
            }
        };
        let there = (0..self.points.len()).filter(|&p| !self.points[p].is_empty());
        there.flat_map(move |point| self.metrics().map(move |(m, key)| of(point, m, key)))
    }

    /// The point that a point is compared with; none if it is the baseline itself, or there is no baseline.
    fn baseline_of(&self, point: usize) -> Option<usize> {
        let described = &self.runs.described;
        let points = &self.runs.points;
        if described.baseline.is_empty() {
            return None;
        }
        let mut at = points.at(point);
        described.baseline.iter().for_each(|&(axis, level)| at[axis] = level);
        points.find(points.sample(point), &at).filter(|&other| other != point)
    }

    /// Differences to the baseline of every point and figure.
    pub fn differences(&self) -> impl Iterator<Item = Difference> {
        let seed = Seed(0).derive("sweep-differences");
        let of = move |point: usize, base: usize, m: usize, (key, unit): &(String, String)| {
            let (own, other) = self.pairs(point, base, m);
            let apart: Vec<f64> = own.iter().zip(&other).map(|(a, b)| a - b).collect();
            let mut stream = seed.child(point as u64).stream("bootstrap", m as u64);
            Difference {
                point,
                metric: key.clone(),
                unit: unit.clone(),
                paired: paired(&own, &other),
                bootstrap: bootstrap_mean(&apart, self.confidence(), &mut stream),
            }
        };
        let against = (0..self.points.len()).filter_map(|p| Some((p, self.baseline_of(p)?)));
        against.flat_map(move |(p, base)| self.metrics().map(move |(m, key)| of(p, base, m, key)))
    }

    /// The mean of a figure at a point.
    fn mean(&self, point: usize, metric: usize) -> f64 {
        Estimate::of(&self.values(point, metric)).mean
    }
}

/// Writes all tables of the analysis that the sweep has; those that it does not have any more go.
///
/// # Errors
/// A table cannot be written.
pub fn write(figures: &Figures<'_>, out: &Path) -> Result<(), SweepError> {
    let described = &figures.runs.described;
    let points = &figures.runs.points;
    let axes: Vec<String> = points.axes.iter().map(|axis| axis.name.clone()).collect();
    let names = |point: usize| points.point(point).into_iter().map(|level| level.name);
    let header = |first: &[&str], last: &[&str]| -> Vec<String> {
        let own = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        [own(first), axes.clone(), own(last)].concat()
    };
    let columns = [
        "metric",
        "unit",
        "runs",
        "mean",
        "deviation",
        "standard_error",
        "t_low",
        "t_high",
        "bootstrap_low",
        "bootstrap_high",
        "min",
        "max",
    ];
    let mut rows = figures.means().map(|p| {
        let e = p.estimate;
        let numbers = [
            e.mean,
            e.deviation,
            e.standard_error,
            p.interval.low,
            p.interval.high,
            p.bootstrap.low,
            p.bootstrap.high,
            e.min,
            e.max,
        ];
        let words = [p.metric, p.unit, e.runs.to_string()];
        std::iter::once(p.point.to_string()).chain(names(p.point)).chain(words).chain(numbers.map(cell)).collect()
    });
    write_csv(&out.join("points.csv"), &header(&["point"], &columns), &mut rows)?;

    let path = out.join("differences.csv");
    let columns = [
        "metric",
        "unit",
        "pairs",
        "baseline_mean",
        "difference",
        "t_low",
        "t_high",
        "bootstrap_low",
        "bootstrap_high",
        "relative",
        "relative_low",
        "relative_high",
    ];
    let confidence = figures.confidence();
    let mut rows = figures.differences().map(|d| {
        let (t, relative) = (d.paired.difference.t_interval(confidence), d.paired.relative_interval(confidence));
        let numbers = [
            d.paired.baseline.mean,
            d.paired.difference.mean,
            t.low,
            t.high,
            d.bootstrap.low,
            d.bootstrap.high,
            d.paired.relative(),
            relative.low,
            relative.high,
        ];
        let words = [d.metric, d.unit, d.paired.difference.runs.to_string()];
        std::iter::once(d.point.to_string()).chain(names(d.point)).chain(words).chain(numbers.map(cell)).collect()
    });
    if described.baseline.is_empty() {
        gone(&path)?
    } else {
        write_csv(&path, &header(&["point"], &columns), &mut rows)?
    }

    let path = out.join("frontier.csv");
    if described.frontier.is_empty() {
        gone(&path)?;
    } else {
        let all: Vec<Vec<String>> = (0..described.frontier.len())
            .flat_map(|f| frontier_rows(figures, f).into_iter().map(move |(point, row)| (f, point, row)))
            .map(|(f, point, row)| {
                [f.to_string(), point.to_string()].into_iter().chain(names(point)).chain(row).collect()
            })
            .collect();
        let columns = ["x_metric", "x_mean", "x_unit", "y_metric", "y_mean", "y_unit", "on_frontier"];
        write_csv(&path, &header(&["frontier", "point"], &columns), &mut all.into_iter())?;
    }

    let path = out.join("sensitivity.csv");
    match sensitivity_rows(figures) {
        None => gone(&path),
        Some((listed, rows)) => {
            let first: Vec<&str> = std::iter::once("metric").chain(listed.iter().map(String::as_str)).collect();
            let last = [
                "axis",
                "first_order",
                "first_low",
                "first_high",
                "total",
                "total_low",
                "total_high",
                "samples",
                "left_out",
                "variance",
            ];
            let header: Vec<String> = first.iter().chain(&last).map(|s| (*s).to_owned()).collect();
            write_csv(&path, &header, &mut rows.into_iter())
        }
    }
}

fn gone(path: &Path) -> Result<(), SweepError> {
    if path.exists() { std::fs::remove_file(path).map_err(SweepError::io(path)) } else { Ok(()) }
}

/// The points of a frontier: number, then the last columns.
fn frontier_rows(figures: &Figures<'_>, f: usize) -> Vec<(usize, Vec<String>)> {
    let pair = &figures.runs.described.frontier[f];
    let at = pair.each_ref().map(|key| figures.keys.iter().position(|(k, _)| k == key).expect("it was read"));
    let there: Vec<usize> = (0..figures.points.len()).filter(|&p| !figures.points[p].is_empty()).collect();
    let means: Vec<Vec<f64>> = there.iter().map(|&p| at.map(|m| figures.mean(p, m)).to_vec()).collect();
    let on = frontier(&means, &[Aim::Minimize, Aim::Minimize]);
    let row = |((&point, mean), on): ((&usize, &Vec<f64>), bool)| {
        let cells = |i: usize| {
            let (key, unit) = &figures.keys[at[i]];
            [key.clone(), cell(mean[i]), unit.clone()]
        };
        (point, cells(0).into_iter().chain(cells(1)).chain([on.to_string()]).collect())
    };
    there.iter().zip(&means).zip(on).map(row).collect()
}

/// Sensitivity indices of every figure for each combination of the listed axes, and the names of these axes; none without a design
/// for it.
fn sensitivity_rows(figures: &Figures<'_>) -> Option<(Vec<String>, Vec<Vec<String>>)> {
    let described = &figures.runs.described;
    let points: &Points = &figures.runs.points;
    let sample = described.spec.sample.as_ref().filter(|sample| sample.method == Method::Saltelli)?;
    let is_listed = |a: &usize| matches!(points.axes[*a].takes, Takes::Listed(_));
    let listed: Vec<usize> = (0..points.axes.len()).filter(is_listed).collect();
    let sampled: Vec<usize> = (0..points.axes.len()).filter(|a| !is_listed(a)).collect();
    let combinations = points.combinations();
    let mut rows = Vec::new();
    for (m, (key, _)) in figures.metrics() {
        for combination in 0..combinations {
            let of = |s: usize| figures.mean(s * combinations + combination, m);
            let values: Vec<f64> = (0..points.samples()).map(of).collect();
            let mut stream =
                Seed(sample.seed).derive("sweep-sensitivity").child(combination as u64).stream("bootstrap", m as u64);
            let found = sensitivity(&values, sampled.len(), figures.confidence(), RESAMPLES, &mut stream);
            let levels: Vec<Level> = points.point(combination);
            for (&axis, index) in sampled.iter().zip(&found.indices) {
                let numbers = [
                    index.first,
                    index.first_interval.low,
                    index.first_interval.high,
                    index.total,
                    index.total_interval.low,
                    index.total_interval.high,
                ];
                let mut row = vec![key.clone()];
                row.extend(listed.iter().map(|&a| levels[a].name.clone()));
                row.push(points.axes[axis].name.clone());
                row.extend(numbers.map(cell));
                row.extend([found.samples.to_string(), found.left_out.to_string(), cell(found.variance)]);
                rows.push(row);
            }
        }
    }
    Some((listed.iter().map(|&a| points.axes[a].name.clone()).collect(), rows))
}
