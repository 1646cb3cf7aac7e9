//! Downstream services: what functions call while they run, and what becomes of the calls that are too many for it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scheduler::dispatch::Bucket;
use crate::types::{Seed, SimTime};

/// `[services.NAME]`: a service that functions call, once per call of theirs.
///
/// ```text
///   tokens <- min(tokens + s capacity dt, max(1, s capacity x 1 s))       s: capacity_share while an outage lasts, else 1
/// ```
///
/// A call that finds a token is served; one that finds none, or comes while s = 0, gets an exception. So a second's worth of calls may come at once, and
/// in t seconds at most (t + 1) s capacity are served. How long the service takes is part of the function's own time.
///
/// Source: XFaaS (SOSP 2023) for services that throw back-pressure exceptions and the threshold of two of the largest; the bucket is ours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceSpec {
    /// Calls that it can serve [calls/s]. No default: it depends on the traffic.
    #[schemars(range(min = 0.000001))]
    pub capacity_per_s: f64,
    /// Share of the functions that call it, drawn function by function; a function calls one service at most. Default 0, or those that `functions`
    /// names.
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function_share: Option<f64>,
    /// The functions that call it, by name, in place of a share. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<String>,
    /// Exceptions of all its callers up to which none is slowed by back-pressure [exceptions/min]. Default 5000: published for two of the largest
    /// services of XFaaS, so scale it with the traffic.
    #[schemars(range(min = 0.0))]
    #[serde(default = "exceptions_per_min")]
    pub exceptions_per_min: f64,
    /// When it serves less than its capacity; none may overlap. Default: never.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outages: Vec<ServiceOutage>,
    /// Share of its work that a call has done when it gets the exception. Default 0.1 (assumed).
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default = "exception_work_share")]
    pub exception_work_share: f64,
}

/// A stretch of time in which a service serves less than its capacity.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceOutage {
    /// When it begins \[s\], from the run's start.
    #[schemars(range(min = 0.0))]
    pub from_s: f64,
    /// When it is over \[s\].
    #[schemars(range(min = 0.0))]
    pub until_s: f64,
    /// Share of the capacity that is left. Default 0: the service is down.
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default)]
    pub capacity_share: f64,
}

fn exceptions_per_min() -> f64 {
    5000.0
}
fn exception_work_share() -> f64 {
    0.1
}

/// A key below `services`, what is wrong with it, and what to do.
pub type Wrong = (String, String, &'static str);

/// What a schema cannot say of services.
pub fn check_services(specs: &BTreeMap<String, ServiceSpec>) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    let mut callers: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, spec) in specs {
        for (i, outage) in spec.outages.iter().enumerate() {
            if outage.until_s <= outage.from_s {
                wrong.push((
                    format!("{name}.outages[{i}].until_s"),
                    format!("the outage ends at {} s, not after it begins at {} s", outage.until_s, outage.from_s),
                    "give a later end",
                ));
            }
            let others = spec.outages[..i].iter().filter(|o| o.from_s < outage.until_s && outage.from_s < o.until_s);
            for other in others {
                wrong.push((
                    format!("{name}.outages[{i}].from_s"),
                    format!("the outage overlaps with that of {} to {} s", other.from_s, other.until_s),
                    "give outages that follow each other",
                ));
            }
        }
        if spec.function_share.is_some() && !spec.functions.is_empty() {
            wrong.push((
                format!("{name}.function_share"),
                "function_share and functions both say who calls the service".into(),
                "keep one of them",
            ));
        }
        for (i, function) in spec.functions.iter().enumerate() {
            if let Some(other) = callers.insert(function, name) {
                wrong.push((
                    format!("{name}.functions[{i}]"),
                    format!(
                        "{function} is named twice, first for services.{other}: a function calls one service at most"
                    ),
                    "name every function once",
                ));
            }
        }
    }
    let shares: f64 = specs.values().filter_map(|s| s.function_share).sum();
    if let Some(last) = specs.iter().filter(|(_, s)| s.function_share.is_some()).map(|(name, _)| name).next_back()
        && shares > 1.0 + 1e-9
    {
        wrong.push((
            format!("{last}.function_share"),
            format!(
                "the services' shares of the functions are {shares} together: a function calls one service at most"
            ),
            "give shares that are 1 together at most",
        ));
    }
    wrong
}

/// What became of a service's calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ServiceTotals {
    /// Calls that it served.
    pub accepted: u64,
    /// Calls that got an exception.
    pub exceptions: u64,
}

/// One service.
struct Service {
    name: String,
    spec: ServiceSpec,
    /// From when on which share of its capacity is there; in order, the first at the run's start.
    shares: Vec<(SimTime, f64)>,
    /// Which of them holds.
    holds: usize,
    bucket: Bucket,
    totals: ServiceTotals,
    /// Exceptions since they were last taken.
    recent: u64,
}

/// The bucket holds what comes in so long \[s\].
const BURST_S: f64 = 1.0;

impl Service {
    fn new(name: &str, spec: &ServiceSpec) -> Self {
        let mut outages = spec.outages.clone();
        outages.sort_by(|a, b| a.from_s.total_cmp(&b.from_s));
        let mut shares = vec![(SimTime::ZERO, 1.0)];
        for outage in &outages {
            shares.push((SimTime::from_secs_f64(outage.from_s), outage.capacity_share));
            shares.push((SimTime::from_secs_f64(outage.until_s), 1.0));
        }
        Self {
            name: name.to_owned(),
            spec: spec.clone(),
            shares,
            holds: 0,
            bucket: Bucket::new(SimTime::ZERO),
            totals: ServiceTotals::default(),
            recent: 0,
        }
    }

    fn accept(&mut self, now: SimTime) -> bool {
        while let Some(&(from, _)) = self.shares.get(self.holds + 1)
            && from <= now
        {
            self.bucket.fill(self.shares[self.holds].1 * self.spec.capacity_per_s, BURST_S, from);
            self.holds += 1;
        }
        let rate = self.shares[self.holds].1 * self.spec.capacity_per_s;
        let is_served = self.bucket.fill(rate, BURST_S, now) >= 1.0 && rate > 0.0;
        if is_served {
            self.bucket.take();
            self.totals.accepted += 1;
        } else {
            self.totals.exceptions += 1;
            self.recent += 1;
        }
        is_served
    }
}

/// The services of a run, by number in order of their names.
pub struct Services {
    services: Vec<Service>,
    seed: Seed,
    /// The service of every function that was announced.
    of: Vec<Option<usize>>,
    /// Functions that a service names and that have not been announced yet.
    unseen: BTreeMap<String, usize>,
}

impl Services {
    /// The services of a scenario; `seed` is the root of the draw of functions.
    pub fn new(specs: &BTreeMap<String, ServiceSpec>, seed: Seed) -> Self {
        let named = |(number, spec): (usize, &ServiceSpec)| {
            spec.functions.iter().map(|f| (f.clone(), number)).collect::<Vec<_>>()
        };
        Self {
            services: specs.iter().map(|(name, spec)| Service::new(name, spec)).collect(),
            seed,
            of: Vec::new(),
            unseen: specs.values().enumerate().flat_map(named).collect(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.services.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.services.len()
    }

    /// A function appears: decides, for good, which service it calls. The draw depends on its number alone.
    pub fn announce(&mut self, function: usize, name: &str) {
        if self.of.len() <= function {
            self.of.resize(function + 1, None);
        }
        self.of[function] = self.unseen.remove(name).or_else(|| self.draw(function));
    }

    fn draw(&self, function: usize) -> Option<usize> {
        if self.services.iter().all(|s| s.spec.function_share.is_none()) {
            return None;
        }
        let mut place = self.seed.stream("services", function as u64).uniform();
        self.services.iter().position(|s| {
            place -= s.spec.function_share.unwrap_or(0.0);
            place < 0.0
        })
    }

    /// The service that a function calls; `None` where it calls none or was not announced.
    #[inline]
    pub fn of(&self, function: usize) -> Option<usize> {
        self.of.get(function).copied().flatten()
    }

    /// A call reaches a service: whether it is served, or gets an exception. Calls come in order of time.
    pub fn accept(&mut self, service: usize, now: SimTime) -> bool {
        self.services[service].accept(now)
    }

    /// Exceptions of a service since this was last asked.
    pub fn take_exceptions(&mut self, service: usize) -> u64 {
        std::mem::take(&mut self.services[service].recent)
    }

    /// Exceptions that are tolerated in a period of this length.
    pub fn threshold(&self, service: usize, period_s: f64) -> u64 {
        // Exceptions are whole: more than 2.5 is more than 2. What rounding may have taken from a whole number is given back.
        (self.services[service].spec.exceptions_per_min * period_s / 60.0 * (1.0 + 1e-12)).floor() as u64
    }

    /// Share of its work that a call has done when it gets the exception.
    pub fn exception_work_share(&self, service: usize) -> f64 {
        self.services[service].spec.exception_work_share
    }

    /// Every service's name, and what became of its calls.
    pub fn totals(&self) -> impl Iterator<Item = (&str, ServiceTotals)> {
        self.services.iter().map(|s| (s.name.as_str(), s.totals))
    }

    /// Functions that a service names and that have never been announced, with the service: misspelt, or without calls.
    pub fn never_announced(&self) -> impl Iterator<Item = (&str, &str)> {
        self.unseen.iter().map(|(function, &s)| (function.as_str(), self.services[s].name.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn specs(text: &str) -> BTreeMap<String, ServiceSpec> {
        toml::from_str(text).expect(text)
    }

    fn services(text: &str) -> Services {
        assert_eq!(check_services(&specs(text)), []);
        Services::new(&specs(text), Seed(5))
    }

    fn at(seconds: f64) -> SimTime {
        SimTime::from_secs_f64(seconds)
    }

    /// How many of the calls that come every `every_s` in [from, until) are served.
    fn served(services: &mut Services, from_s: f64, until_s: f64, every_s: f64) -> u64 {
        let calls = ((until_s - from_s) / every_s).round() as u64;
        (0..calls).filter(|&k| services.accept(0, at(from_s + k as f64 * every_s))).count() as u64
    }

    #[test]
    fn a_service_serves_its_capacity_and_no_more() {
        let mut s = services("[db]\ncapacity_per_s = 50.0");
        assert_eq!(served(&mut s, 0.0, 100.0, 0.002), 1 + 4999, "one at once, then 50 per second; the last at 99.98");
        let totals: Vec<_> = s.totals().collect();
        assert_eq!(totals, [("db", ServiceTotals { accepted: 5000, exceptions: 45_000 })]);
        assert_eq!((s.take_exceptions(0), s.take_exceptions(0)), (45_000, 0));
        // Below its capacity it serves all, and after a pause a second's worth at once.
        assert_eq!(served(&mut s, 200.0, 300.0, 0.02), 5000);
        let burst = (0..200).filter(|_| s.accept(0, at(400.0))).count();
        assert_eq!((burst, s.take_exceptions(0)), (50, 150));
        // Less than one call a second is served one at a time.
        let mut slow = services("[db]\ncapacity_per_s = 0.2");
        assert_eq!(served(&mut slow, 0.0, 100.0, 1.0), 20);
    }

    #[test]
    fn an_outage_takes_capacity_while_it_lasts_to_the_instant() {
        let text = "[db]\ncapacity_per_s = 10.0\noutages = [{ from_s = 200.0, until_s = 300.0, capacity_share = 0.25 }, \
                    { from_s = 100.0, until_s = 150.0 }]";
        let mut s = services(text);
        served(&mut s, 0.0, 100.0, 0.01);
        assert_eq!(served(&mut s, 100.0, 150.0, 0.01), 0, "down");
        assert_eq!(served(&mut s, 150.0, 200.0, 0.01), 500);
        let degraded = served(&mut s, 200.0, 300.0, 0.01);
        assert!((249..=251).contains(&degraded), "{degraded}");
        // Nobody called while it was degraded again; both edges lie between two calls.
        let mut s = services(text);
        assert!(
            s.accept(0, at(50.0)) && !s.accept(0, at(149.999_999)) && s.accept(0, at(150.0)) && !s.accept(0, at(150.0))
        );
        assert_eq!((0..50).filter(|_| s.accept(0, at(1000.0))).count(), 10);
    }

    #[test]
    fn functions_are_named_or_drawn_and_call_one_service_at_most() {
        let mut s = services(
            "[a]\ncapacity_per_s = 1.0\nfunction_share = 0.3\n[b]\ncapacity_per_s = 1.0\nfunctions = [\"f7\", \"gone\"]\n\
             [c]\ncapacity_per_s = 1.0\nfunction_share = 0.5",
        );
        for f in 0..10_000 {
            s.announce(f, &format!("f{f}"));
        }
        assert_eq!((s.of(7), s.of(10_000)), (Some(1), None));
        let count = |wanted| (0..10_000).filter(|&f| s.of(f) == wanted).count() as f64 / 1e4;
        assert!((count(Some(0)) - 0.3).abs() < 0.02 && (count(Some(2)) - 0.5).abs() < 0.02);
        assert!((count(None) - 0.2).abs() < 0.02);
        assert_eq!(s.never_announced().collect::<Vec<_>>(), [("gone", "b")]);
        // The same function draws the same, whoever else there is.
        let mut again = Services::new(&specs("[a]\ncapacity_per_s = 9.0\nfunction_share = 0.3"), Seed(5));
        again.announce(123, "other");
        assert_eq!(again.of(123).is_some(), s.of(123) == Some(0));
    }

    #[test]
    fn the_threshold_goes_with_the_period() {
        let s = services("[a]\ncapacity_per_s = 1.0\n[b]\ncapacity_per_s = 1.0\nexceptions_per_min = 5.0");
        assert_eq!((s.threshold(0, 60.0), s.threshold(0, 10.0), s.threshold(1, 30.0)), (5000, 833, 2));
        assert_eq!((s.threshold(1, 12.0), s.exception_work_share(1), s.len(), s.is_empty()), (1, 0.1, 2, false));
    }

    #[test]
    fn contradictions_are_found_at_their_keys() {
        for (text, key, part) in [
            ("outages = [{ from_s = 5.0, until_s = 5.0 }]", "db.outages[0].until_s", "not after it begins at 5 s"),
            (
                "outages = [{ from_s = 5.0, until_s = 9.0 }, { from_s = 1.0, until_s = 6.0 }]",
                "db.outages[1].from_s",
                "overlaps with that of 5 to 9 s",
            ),
            ("function_share = 0.1\nfunctions = [\"f\"]", "db.function_share", "both say who calls"),
            ("functions = [\"f\", \"f\"]", "db.functions[1]", "f is named twice, first for services.db"),
            (
                "function_share = 0.6\n[web]\ncapacity_per_s = 1.0\nfunction_share = 0.6",
                "web.function_share",
                "are 1.2 together",
            ),
        ] {
            let found = check_services(&specs(&format!("[db]\ncapacity_per_s = 1.0\n{text}")));
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].0 == key && found[0].1.contains(part), "{text}: {found:?}");
        }
        let touching =
            "[db]\ncapacity_per_s = 1.0\noutages = [{ from_s = 5.0, until_s = 9.0 }, { from_s = 9.0, until_s = 12.0 }]";
        assert_eq!(check_services(&specs(touching)), []);
    }
}
