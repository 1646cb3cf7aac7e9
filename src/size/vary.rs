//! What is varied, the values it may take, and how a value gets into a scenario.

use super::search::Range;
use crate::scenario::{Loaded, parse_path};

/// What is varied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Vary {
    /// The number of hosts of all groups together, or of all groups of one region.
    Hosts {
        /// The region's name; `None` is all.
        region: Option<String>,
    },
    /// A key of the scenario.
    Key(String),
}

/// Which value is wanted of those that hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// The least: larger ones are assumed to hold, too.
    Least,
    /// The most: smaller ones are assumed to hold, too.
    Most,
}

/// The values of a search by number, the most wanted first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lattice {
    from: f64,
    to: f64,
    steps: usize,
    kind: Kind,
    want: Want,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integers,
    Geometric,
    Linear,
}

/// What the command line says of the values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Values {
    /// The lowest value.
    pub from: Option<f64>,
    /// The highest value.
    pub to: Option<f64>,
    /// Whole numbers only.
    pub integer: bool,
    /// Relative distance of neighbouring real values.
    pub resolution: f64,
    /// Which value is wanted.
    pub want: Option<Want>,
}

/// The highest number of hosts, as a multiple of the scenario's own. Assumed: it bounds how long a search runs that finds
/// nothing; `--to` moves it.
const MOST_OF_OWN: f64 = 64.0;

/// The most values of a range; the most hosts of a group in the schema.
const MOST_VALUES: f64 = 1e7;

impl Vary {
    /// Reads `hosts`, `hosts[REGION]` or a dotted key.
    ///
    /// # Errors
    /// No such region or key, or a key that is no number.
    pub fn parse(text: &str, loaded: &Loaded) -> Result<Self, String> {
        let text = text.trim();
        let Some(rest) = text.strip_prefix("hosts") else { return key(text, loaded) };
        if rest.is_empty() {
            return Ok(Self::Hosts { region: None });
        }
        let Some(name) = rest.strip_prefix('[').and_then(|r| r.strip_suffix(']')) else { return key(text, loaded) };
        let names: Vec<&str> = loaded.scenario.regions.iter().map(|r| r.name.as_str()).collect();
        if names.contains(&name) {
            return Ok(Self::Hosts { region: Some(name.to_owned()) });
        }
        Err(format!("--vary {text}: no region is called \"{name}\"\n  help: there are: {}", names.join(", ")))
    }

    /// As it was typed.
    pub fn name(&self) -> String {
        match self {
            Self::Hosts { region: None } => "hosts".to_owned(),
            Self::Hosts { region: Some(name) } => format!("hosts[{name}]"),
            Self::Key(key) => key.clone(),
        }
    }

    /// The groups whose hosts are counted: their keys and counts.
    fn groups(&self, loaded: &Loaded) -> Vec<(String, u64)> {
        let Self::Hosts { region: wanted } = self else { return Vec::new() };
        let regions = loaded.scenario.regions.iter().enumerate();
        let regions = regions.filter(|(_, r)| wanted.as_ref().is_none_or(|name| *name == r.name));
        let group = |i: usize| {
            move |(j, g): (usize, &crate::scenario::HostsSpec)| {
                (format!("regions[{i}].hosts[{j}].count"), u64::from(g.count))
            }
        };
        regions.flat_map(|(i, r)| r.hosts.iter().enumerate().map(group(i))).collect()
    }

    /// The scenario's own value.
    pub fn own(&self, loaded: &Loaded) -> Option<f64> {
        match self {
            Self::Hosts { .. } => Some(self.groups(loaded).iter().map(|(_, n)| *n).sum::<u64>() as f64),
            Self::Key(key) => {
                let whole = serde_json::to_value(loaded.scenario.filled_in()).ok()?;
                let mut at = &whole;
                for step in parse_path(key) {
                    at = match step {
                        crate::scenario::PathStep::Key(key) => at.get(key)?,
                        crate::scenario::PathStep::Index(i) => at.get(i)?,
                    };
                }
                at.as_f64()
            }
        }
    }

    /// The keys that a value sets.
    pub fn keys(&self, loaded: &Loaded) -> Vec<String> {
        match self {
            Self::Hosts { .. } => self.groups(loaded).into_iter().map(|(key, _)| key).collect(),
            Self::Key(key) => vec![key.clone()],
        }
    }

    /// The overrides that give a scenario a value.
    pub fn overrides(&self, lattice: &Lattice, value: usize, loaded: &Loaded) -> Vec<String> {
        match self {
            Self::Hosts { .. } => {
                let groups = self.groups(loaded);
                let counts: Vec<u64> = groups.iter().map(|(_, n)| *n).collect();
                let counts = apportion(&counts, lattice.value(value) as u64);
                groups.into_iter().zip(counts).map(|((key, _), n)| format!("{key}={n}")).collect()
            }
            Self::Key(key) => vec![format!("{key}={}", lattice.text(value))],
        }
    }

    /// The values that are searched.
    ///
    /// # Errors
    /// A range is missing or empty, or it is not said which end is wanted.
    pub fn lattice(&self, values: Values, loaded: &Loaded) -> Result<Lattice, String> {
        let (name, own) = (self.name(), self.own(loaded));
        let (integer, least) = match self {
            Self::Hosts { .. } => (true, self.groups(loaded).len() as f64),
            Self::Key(key) => (values.integer || loaded.takes_integer(key), f64::NEG_INFINITY),
        };
        let hosts = matches!(self, Self::Hosts { .. });
        let said = own.map_or_else(String::new, |own| format!("; the scenario has {own}"));
        let missing =
            |flag: &str| format!("--vary {name} needs {flag}\n  help: give the range with --from and --to{said}");
        let from = values.from.or(hosts.then_some(least)).ok_or_else(|| missing("--from"))?;
        let to = values.to.or(own.filter(|_| hosts).map(|n| n * MOST_OF_OWN)).ok_or_else(|| missing("--to"))?;
        let want = values.want.or(hosts.then_some(Want::Least)).ok_or_else(|| {
            format!(
                "--vary {name} needs --want\n  help: --want least if larger values are safer, --want most if smaller ones are"
            )
        })?;
        if !(from.is_finite() && to.is_finite() && from <= to) {
            return Err(format!("--from {from} and --to {to} are no range"));
        }
        if from < least {
            return Err(format!("--from {from}: each of the {least} host groups keeps at least one host"));
        }
        if integer && (from.fract() != 0.0 || to.fract() != 0.0) {
            return Err(format!("--from {from} and --to {to}: {name} takes whole numbers"));
        }
        let resolution = values.resolution;
        let (kind, steps) = if integer {
            (Kind::Integers, to - from)
        } else if from > 0.0 {
            (Kind::Geometric, (libm::log(to / from) / libm::log1p(resolution)).ceil())
        } else {
            (Kind::Linear, (1.0 / resolution).ceil())
        };
        if steps > MOST_VALUES {
            return Err(format!(
                "from {from} to {to} there are {steps:.0} values\n  help: at most {MOST_VALUES:e} are searched"
            ));
        }
        let steps = if from < to { (steps as usize).max(1) } else { 0 };
        Ok(Lattice { from, to, steps, kind, want })
    }
}

fn key(text: &str, loaded: &Loaded) -> Result<Vary, String> {
    if text.is_empty() {
        return Err("--vary names nothing\n  help: hosts, hosts[REGION], or a key of the scenario".to_owned());
    }
    if loaded.takes_text(text) {
        return Err(format!("--vary {text}: the key takes a text, not a number"));
    }
    Ok(Vary::Key(text.to_owned()))
}

impl Lattice {
    /// How many values there are.
    pub fn count(&self) -> usize {
        self.steps + 1
    }

    /// Which value is wanted.
    pub fn want(&self) -> Want {
        self.want
    }

    /// Whether all values are whole numbers.
    pub fn whole(&self) -> bool {
        self.kind == Kind::Integers
    }

    /// A value by its number. Real values have six significant digits, but for the ends of the range.
    ///
    /// Formula: from + i; from (to / from)^(i / n) where from > 0; from + (to - from) i / n.
    pub fn value(&self, number: usize) -> f64 {
        let i = if self.want == Want::Least { number } else { self.steps - number };
        if i == self.steps {
            return self.to;
        }
        let (i, n) = (i as f64, self.steps as f64);
        let x = match self.kind {
            _ if i == 0.0 => return self.from,
            Kind::Integers => return self.from + i,
            Kind::Geometric => self.from * libm::pow(self.to / self.from, i / n),
            Kind::Linear => self.from + (self.to - self.from) * i / n,
        };
        format!("{x:.5e}").parse().unwrap_or(x)
    }

    /// A value as TOML.
    pub fn text(&self, number: usize) -> String {
        let x = self.value(number);
        if self.whole() { format!("{x:.0}") } else { format!("{x:?}") }
    }

    /// The number of the value nearest to `x`; of two, the one wanted more.
    pub fn nearest(&self, x: f64) -> usize {
        let (mut low, mut high) = (0, self.steps);
        // Values rise with the number, or fall: `before` says whether a value still lies before x.
        let before = |n: usize| if self.want == Want::Least { self.value(n) < x } else { self.value(n) > x };
        while low < high {
            let middle = low + (high - low) / 2;
            if before(middle) { low = middle + 1 } else { high = middle }
        }
        let nearer = low > 0 && (self.value(low - 1) - x).abs() <= (self.value(low) - x).abs();
        if nearer { low - 1 } else { low }
    }

    /// What is searched: from the scenario's own value, or the middle. Of whole numbers the first step doubles the value (or
    /// halves it); of others it is a sixteenth of the range.
    pub fn range(&self, own: Option<f64>, checks: usize) -> Range {
        const PART: usize = 16;
        let start = own.map_or(self.steps / 2, |x| self.nearest(x));
        let step = match (self.kind, self.want) {
            (Kind::Integers, Want::Least) => self.value(start).abs() as usize,
            (Kind::Integers, Want::Most) => self.value(start).abs() as usize / 2,
            _ => self.steps / PART,
        };
        Range { count: self.count(), start, step: step.clamp(1, self.count()), checks }
    }
}

/// Shares `total` hosts out to groups in proportion to their counts, at least one to each.
///
/// Formula: one to each, then one after the other to the group with the greatest count / (2 s + 1), where s is what it has (the
/// first of equals). A greater total takes a host from no group, and the total of the counts gives the counts themselves.
///
/// Source: the method of Webster and Sainte-Laguë: Balinski, Young, Fair Representation (1982), appendix A.
///
/// Example: 6 hosts to groups of 20 and 10 are 4 and 2.
fn apportion(counts: &[u64], total: u64) -> Vec<u64> {
    let mut seats = vec![1u64; counts.len()];
    for _ in counts.len() as u64..total {
        let mut best = 0;
        for i in 1..counts.len() {
            // counts[i] / (2 s_i + 1) > counts[best] / (2 s_best + 1)
            let (own, other) = (2 * u128::from(seats[i]) + 1, 2 * u128::from(seats[best]) + 1);
            if u128::from(counts[i]) * other > u128::from(counts[best]) * own {
                best = i;
            }
        }
        seats[best] += 1;
    }
    seats
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_shared_out_in_proportion_and_no_group_loses_one() {
        assert_eq!(apportion(&[20, 10], 6), [4, 2]);
        assert_eq!(apportion(&[7], 19), [19]);
        let counts = [48, 1, 17, 30];
        assert_eq!(apportion(&counts, 96), counts, "the scenario's own total");
        let mut before = apportion(&counts, 4);
        assert_eq!(before, [1, 1, 1, 1]);
        for total in 5..500 {
            let now = apportion(&counts, total);
            assert_eq!(now.iter().sum::<u64>(), total);
            assert!(now.iter().zip(&before).all(|(a, b)| a >= b), "{total}: {before:?} {now:?}");
            before = now;
        }
    }

    fn lattice(from: f64, to: f64, kind: Kind, steps: usize, want: Want) -> Lattice {
        Lattice { from, to, steps, kind, want }
    }

    #[test]
    fn values_run_from_the_wanted_end_to_the_safe_one() {
        let least = lattice(3.0, 10.0, Kind::Integers, 7, Want::Least);
        assert_eq!([least.value(0), least.value(7), least.value(2)], [3.0, 10.0, 5.0]);
        assert_eq!((least.text(2), least.nearest(5.0), least.nearest(99.0), least.nearest(0.0)), ("5".into(), 2, 7, 0));
        let most = lattice(1.0, 16.0, Kind::Geometric, 4, Want::Most);
        assert_eq!([most.value(0), most.value(1), most.value(4)], [16.0, 8.0, 1.0]);
        assert_eq!((most.text(2), most.nearest(4.2), most.nearest(100.0)), ("4.0".into(), 2, 0));
        assert_eq!(lattice(0.0, 1.0, Kind::Linear, 3, Want::Least).value(1), 0.333333);
    }

    #[test]
    fn every_value_is_its_own_nearest() {
        for want in [Want::Least, Want::Most] {
            let all = lattice(0.5, 80.0, Kind::Geometric, 510, want);
            for n in 0..all.count() {
                assert_eq!(all.nearest(all.value(n)), n);
            }
        }
    }
}
