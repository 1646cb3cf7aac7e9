//! `[network]`: round-trip times, what sending costs, what moves with calls, and where work may run.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Network, Traffic, Who, Wide};
use crate::types::{Duration, RegionId};

/// `[network]`: what lies between the regions. Without it no message takes any time and nothing that is sent costs anything.
///
/// Round-trip times come from `rtt_ms`, from `rtt_csv`, or from the regions' coordinates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkSpec {
    /// Round-trip times \[ms\]: a row and a column per region, in the order of the scenario; 0 from a region to itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt_ms: Option<Vec<Vec<f64>>>,
    /// A CSV file of them, relative to the scenario's folder: columns `region` and one per region, by name, one row per region \[ms\].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt_csv: Option<PathBuf>,
    /// Round-trip time per km of great circle, where coordinates give it [ms/km]. Default 0.01364: 0.022 ms per mile x 0.62 miles per km, the
    /// regression in CASPER's code (IGSC 2023). Light in glass alone takes 0.01.
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default = "rtt_ms_per_km")]
    pub rtt_ms_per_km: f64,
    /// What is added to it between two regions, however near \[ms\]. Default 4.862, of the same regression.
    #[schemars(range(min = 0.0, max = 10000.0))]
    #[serde(default = "rtt_constant_ms")]
    pub rtt_constant_ms: f64,
    /// Bandwidth of one flow between two regions [MB/s]. Default 125, which is 1 Gbit/s: a tenth of a 10 Gbit/s interface. The ratio is
    /// published (XFaaS: about 10 times lower than inside a region), the figure is assumed.
    #[schemars(range(min = 0.000001, max = 1000000.0))]
    #[serde(default = "bandwidth")]
    pub bandwidth_mb_per_s: f64,
    /// Energy of sending between regions, both ends together [Wh/GB]. Default 5.3: 60 Wh/GB in 2015, halving every two years, at 2022 (Aslan et
    /// al., J. Industrial Ecology 2018). An average over traffic of fixed lines, access included; low confidence.
    #[schemars(range(min = 0.0, max = 100000.0))]
    #[serde(default = "transfer_wh_per_gb")]
    pub transfer_wh_per_gb: f64,
    /// Price of sending between regions [currency/GB]; needs `[cost]`. Default: not counted.
    #[schemars(range(min = 0.0, max = 1000.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_per_gb: Option<f64>,
    /// What calls move. Default: nothing but the message.
    #[serde(default)]
    pub data: DataSpec,
    /// Who may run where: of several that fit a function, the first. Default: everything runs everywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub residency: Vec<ResidencySpec>,
}

fn rtt_ms_per_km() -> f64 {
    0.01364
}

fn rtt_constant_ms() -> f64 {
    4.862
}

fn bandwidth() -> f64 {
    125.0
}

fn transfer_wh_per_gb() -> f64 {
    5.3
}

/// `[network.data]`: what a call moves if it runs away from home.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataSpec {
    /// What a call takes with it \[kB\]. Default 0.
    #[schemars(range(min = 0.0, max = 1000000000.0))]
    #[serde(default)]
    pub request_kb: f64,
    /// What it answers \[kB\]. Default 0.
    #[schemars(range(min = 0.0, max = 1000000000.0))]
    #[serde(default)]
    pub response_kb: f64,
    /// Data that it reads from where they live \[MB\]. Default 0.
    #[schemars(range(min = 0.0, max = 1000000.0))]
    #[serde(default)]
    pub data_mb: f64,
    /// The region where these data live. Default: where the call arrives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    /// Functions of which something else holds: of several that fit a function, the first. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub of: Vec<DataOfSpec>,
}

/// `[[network.data.of]]`: what some functions move.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataOfSpec {
    /// Functions by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<String>,
    /// All functions of these tenants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tenants: Vec<String>,
    /// What a call takes with it \[kB\]. Default: that of all.
    #[schemars(range(min = 0.0, max = 1000000000.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_kb: Option<f64>,
    /// What it answers \[kB\]. Default: that of all.
    #[schemars(range(min = 0.0, max = 1000000000.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_kb: Option<f64>,
    /// Data that it reads \[MB\]. Default: that of all.
    #[schemars(range(min = 0.0, max = 1000000.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_mb: Option<f64>,
    /// The region where these data live. Default: that of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
}

/// `[[network.residency]]`: who may run where.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResidencySpec {
    /// Functions by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<String>,
    /// All functions of these tenants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tenants: Vec<String>,
    /// The regions where they may run, by name, at least one.
    #[schemars(length(min = 1))]
    pub regions: Vec<String>,
}

/// Where a region lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// North of the equator \[°\].
    pub latitude_deg: f64,
    /// East of Greenwich \[°\].
    pub longitude_deg: f64,
}

/// Distance over a sphere of 6371 km \[km\].
///
/// Formula: 2 R atan2(√a, √(1 − a)), a = sin²(Δφ/2) + cos φ₁ cos φ₂ sin²(Δλ/2). Example: a quarter of the equator is 10 007.5 km.
pub fn great_circle_km(a: Place, b: Place) -> f64 {
    const RADIUS_KM: f64 = 6371.0;
    let half = |x: f64| libm::sin(x.to_radians() / 2.0);
    let (phi, lambda) = (half(b.latitude_deg - a.latitude_deg), half(b.longitude_deg - a.longitude_deg));
    let cosines = libm::cos(a.latitude_deg.to_radians()) * libm::cos(b.latitude_deg.to_radians());
    let share = (phi * phi + cosines * lambda * lambda).clamp(0.0, 1.0);
    2.0 * RADIUS_KM * libm::atan2(share.sqrt(), (1.0 - share).sqrt())
}

/// What is wrong: a key below `network`, what, and what to do.
pub type NetworkProblem = (String, String, String);

/// A file that was read: its path and its text.
type ReadFile = (PathBuf, String);

impl NetworkSpec {
    /// The network of regions with these names and places; the text of `rtt_csv`, if it was read.
    ///
    /// # Errors
    /// All that is wrong.
    pub fn build(
        &self,
        names: &[String],
        places: &[Option<Place>],
        base_dir: &Path,
    ) -> Result<(Network, Option<ReadFile>), Vec<NetworkProblem>> {
        let mut problems = Vec::new();
        let mut read = None;
        let rtt = match (&self.rtt_ms, &self.rtt_csv) {
            (Some(_), Some(_)) => {
                let what = "there are rtt_ms and rtt_csv".to_owned();
                problems.push(("rtt_csv".to_owned(), what, "keep one of them".to_owned()));
                None
            }
            (Some(rows), None) => matrix("rtt_ms", rows, names.len(), &mut problems),
            (None, Some(path)) => {
                let path = base_dir.join(path);
                let rows = std::fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()));
                let rows = rows.and_then(|text| {
                    let rows = rows_of(&text, names)?;
                    read = Some((path, text));
                    Ok(rows)
                });
                match rows {
                    Ok(rows) => matrix("rtt_csv", &rows, names.len(), &mut problems),
                    Err(what) => {
                        let help =
                            "the file has a column region and one per region, by name, and a row per region, in ms";
                        problems.push(("rtt_csv".to_owned(), what, help.to_owned()));
                        None
                    }
                }
            }
            (None, None) => self.rtt_of_places(places, &mut problems),
        };
        let rules = self.rules(names, &mut problems);
        let residency = self.residency_of(names, &mut problems);
        let (Some(rtt), true) = (rtt, problems.is_empty()) else { return Err(problems) };
        let mut network = Network::new(names.len(), rtt);
        network.places = places.iter().copied().collect::<Option<Vec<_>>>().unwrap_or_default();
        network.wide = Some(Wide {
            j_per_mb: self.transfer_wh_per_gb * 3600.0 / 1000.0,
            s_per_mb: 1.0 / self.bandwidth_mb_per_s,
            price_per_mb: self.price_per_gb.unwrap_or(0.0) / 1000.0,
        });
        (network.rules, network.residency) = (rules, residency);
        Ok((network, read))
    }

    fn rtt_of_places(&self, places: &[Option<Place>], problems: &mut Vec<NetworkProblem>) -> Option<Vec<Duration>> {
        let Some(places) = places.iter().copied().collect::<Option<Vec<_>>>() else {
            let what = "nothing says how long messages take: there is neither rtt_ms nor rtt_csv, and not every region has coordinates";
            let help = "write rtt_ms, or latitude_deg and longitude_deg of every region";
            problems.push(("rtt_ms".to_owned(), what.to_owned(), help.to_owned()));
            return None;
        };
        let n = places.len();
        let rtt = |(a, b): (usize, usize)| match a == b {
            true => Duration::ZERO,
            false => {
                let km = great_circle_km(places[a], places[b]);
                Duration::from_secs_f64((self.rtt_ms_per_km * km + self.rtt_constant_ms) / 1000.0)
            }
        };
        // One figure for both directions, to the last bit.
        Some((0..n * n).map(|i| (i / n, i % n)).map(|(a, b)| rtt((a.min(b), a.max(b)))).collect())
    }

    /// Who moves what, in the order in which they are tried.
    fn rules(&self, names: &[String], problems: &mut Vec<NetworkProblem>) -> Vec<(Who, Traffic)> {
        let d = &self.data;
        let all = Traffic {
            request_mb: d.request_kb / 1000.0,
            response_mb: d.response_kb / 1000.0,
            data_mb: d.data_mb,
            data_home: d.home.as_ref().and_then(|home| region("data.home", home, names, problems)),
        };
        let mut rules = Vec::new();
        for (i, of) in d.of.iter().enumerate() {
            let who = who(&format!("data.of[{i}]"), (&of.functions, &of.tenants), problems);
            let home = of.home.as_ref().and_then(|home| region(&format!("data.of[{i}].home"), home, names, problems));
            let traffic = Traffic {
                request_mb: of.request_kb.map_or(all.request_mb, |kb| kb / 1000.0),
                response_mb: of.response_kb.map_or(all.response_mb, |kb| kb / 1000.0),
                data_mb: of.data_mb.unwrap_or(all.data_mb),
                data_home: home.or(all.data_home),
            };
            rules.push((who, traffic));
        }
        rules.push((Who::default(), all));
        rules
    }

    fn residency_of(&self, names: &[String], problems: &mut Vec<NetworkProblem>) -> Vec<(Who, Vec<bool>)> {
        let mut rules = Vec::new();
        for (i, rule) in self.residency.iter().enumerate() {
            let who = who(&format!("residency[{i}]"), (&rule.functions, &rule.tenants), problems);
            let mut allowed = vec![false; names.len()];
            for (j, name) in rule.regions.iter().enumerate() {
                if let Some(at) = region(&format!("residency[{i}].regions[{j}]"), name, names, problems) {
                    allowed[at.index()] = true;
                }
            }
            rules.push((who, allowed));
        }
        rules
    }
}

fn who(key: &str, (functions, tenants): (&[String], &[String]), problems: &mut Vec<NetworkProblem>) -> Who {
    if functions.is_empty() && tenants.is_empty() {
        let help = "name functions or tenants";
        problems.push((key.to_owned(), "it fits nobody".to_owned(), help.to_owned()));
    }
    Who { functions: functions.to_vec(), tenants: tenants.to_vec() }
}

fn region(key: &str, name: &str, names: &[String], problems: &mut Vec<NetworkProblem>) -> Option<RegionId> {
    let at = names.iter().position(|n| n == name);
    if at.is_none() {
        let help = format!("name one of: {}", names.join(", "));
        problems.push((key.to_owned(), format!("no region is called \"{name}\""), help));
    }
    at.map(RegionId::from_index)
}

/// Rows of milliseconds as a matrix of times.
fn matrix(key: &str, rows: &[Vec<f64>], n: usize, problems: &mut Vec<NetworkProblem>) -> Option<Vec<Duration>> {
    let mut wrong = |key: String, what: String, help: &str| problems.push((key, what, help.to_owned()));
    if rows.len() != n {
        let what = format!("it has {} rows for {n} regions", rows.len());
        wrong(key.to_owned(), what, "write a row and a column per region, in the order of the regions");
        return None;
    }
    let mut right = true;
    for (a, row) in rows.iter().enumerate() {
        if row.len() != n {
            let what = format!("row {} has {} columns for {n} regions", a + 1, row.len());
            wrong(key.to_owned(), what, "write a row and a column per region, in the order of the regions");
            right = false;
            continue;
        }
        for (b, ms) in row.iter().enumerate() {
            let what = format!("{ms} ms from region {} to region {}", a + 1, b + 1);
            if !(ms.is_finite() && (0.0..=1e7).contains(ms)) {
                wrong(key.to_owned(), what, "a round trip takes a finite time, not below 0 and at most 10000000 ms");
                right = false;
            } else if a == b && *ms != 0.0 {
                wrong(key.to_owned(), what, "inside a region no time is counted: write 0 on the diagonal");
                right = false;
            }
        }
    }
    right.then(|| rows.iter().flatten().map(|ms| Duration::from_secs_f64(ms / 1000.0)).collect())
}

/// The rows of a file by the regions' names, in the order of the regions.
fn rows_of(text: &str, names: &[String]) -> Result<Vec<Vec<f64>>, String> {
    let lines: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|line| line.split(',').map(|cell| cell.trim().trim_matches('"')).collect())
        .collect();
    let Some((head, rows)) = lines.split_first() else { return Err("the file is empty".to_owned()) };
    if head[0] != "region" {
        return Err(format!("its first column is called \"{}\", not region", head[0]));
    }
    let column = |name: &String| head.iter().skip(1).position(|h| h == name).map(|at| at + 1);
    let row_of = |name: &String| -> Result<Vec<f64>, String> {
        let mut found = rows.iter().filter(|row| row[0] == name);
        let row = found.next().ok_or_else(|| format!("there is no row of region \"{name}\""))?;
        if found.next().is_some() {
            return Err(format!("there are two rows of region \"{name}\""));
        }
        let cell = |to: &String| {
            let at = column(to).ok_or_else(|| format!("there is no column of region \"{to}\""))?;
            let cell = row.get(at).copied().unwrap_or("");
            cell.parse::<f64>().map_err(|_| format!("\"{cell}\" from \"{name}\" to \"{to}\" is no number"))
        };
        names.iter().map(cell).collect()
    };
    names.iter().map(row_of).collect()
}
