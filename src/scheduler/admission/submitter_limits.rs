//! Limits at the submitters: how fast every client may hand in calls, and how much each region's submitters take.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Admission, Verdict};
use crate::scheduler::{CallView, View, WorkToken};
use crate::types::SimTime;

/// Limits the calls of each client (tenant) over all regions, and those of each region's two pools of submitters: one for normal clients, one for very
/// spiky ones. What is above a limit is throttled: it gets the next free place, in order of arrival.
///
/// ```text
///   limit of a normal client = the larger of calls_per_s and times_mean x its mean rate so far, of those that are given
///   limit of a spiky client  = spiky_calls_per_s, or as a normal one's
///   a client becomes spiky, for good, when most calls in a window >= spiky_from_calls  and  most / window_s > spiky_above x mean rate so far
///     windows follow each other from the run's start; mean rate so far = calls / max(time since its first, window_s), throttled ones included
///   place of a call at a limit r: t = max(now, next - (b - 1)/r), b = max(1, r burst_s);   next <- max(next, now) + 1/r     (a token bucket of b calls)
/// ```
///
/// First the client's place, then, at that instant, the pool's. A call whose places would make it wait longer than `longest_wait_s` is rejected, and
/// takes none. With no key given, everything is admitted.
///
/// Source: XFaaS (SOSP 2023): submitters ask the central rate limiter for a client's use over all regions, and each region has one pool of submitters
/// for normal and one for very spiky clients. Limits, and when a client is moved, are not published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmitterLimits {
    /// Calls of one normal client, all regions together [calls/s]. Default: none.
    #[schemars(range(min = 0.000001))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls_per_s: Option<f64>,
    /// The same as a multiple of the client's mean rate so far, from `window_s` after its first call on. Default: none.
    #[schemars(range(min = 1.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times_mean: Option<f64>,
    /// Peak rate over mean rate above which a client belongs to the spiky pool. Default: none does.
    #[schemars(range(min = 1.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spiky_above: Option<f64>,
    /// A window with fewer calls is no peak, so that rare callers are not taken for spiky ones \[calls\]. Default 100 (assumed).
    #[schemars(range(min = 1))]
    #[serde(default = "spiky_from_calls")]
    pub spiky_from_calls: u32,
    /// Window of the peak rate \[s\]. Default 60 (assumed).
    #[schemars(range(min = 0.001))]
    #[serde(default = "window")]
    pub window_s: f64,
    /// Calls of one spiky client, all regions together [calls/s]. Default: as for a normal client.
    #[schemars(range(min = 0.000001))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spiky_calls_per_s: Option<f64>,
    /// Calls that each region's submitters for normal clients take [calls/s]. Default: without limit.
    #[schemars(range(min = 0.000001))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool_calls_per_s: Option<f64>,
    /// Calls that each region's submitters for spiky clients take [calls/s]. Default: without limit.
    #[schemars(range(min = 0.000001))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spiky_pool_calls_per_s: Option<f64>,
    /// How long an unused limit may be saved up \[s\]. Default 60 (not published).
    #[schemars(range(min = 0.001))]
    #[serde(default = "burst")]
    pub burst_s: f64,
    /// A call that would be throttled for longer is rejected \[s\]; 0 rejects all above a limit. Default inf: none is rejected.
    #[schemars(range(min = 0.0), extend("x-allow-infinite" = true))]
    #[serde(default = "longest_wait")]
    pub longest_wait_s: f64,
}

fn spiky_from_calls() -> u32 {
    100
}
fn window() -> f64 {
    60.0
}
fn burst() -> f64 {
    60.0
}
fn longest_wait() -> f64 {
    f64::INFINITY
}

/// Places at a limit: a token bucket that hands out its tokens of the future, too, so that every call is looked at once.
#[derive(Debug, Clone, Copy, Default)]
struct Places {
    /// When the bucket would be full again \[s\].
    next: f64,
}

impl Places {
    /// The first free place [s from the run's start], and the state once it is taken.
    fn first(self, rate: f64, burst_s: f64, now_s: f64) -> (f64, Self) {
        let saved = ((rate * burst_s).max(1.0) - 1.0) / rate;
        let place = now_s.max(self.next - saved);
        (place, Self { next: self.next.max(now_s) + 1.0 / rate })
    }
}

/// What is known of a client.
#[derive(Debug, Clone, Copy, Default)]
struct Client {
    places: Places,
    first_s: f64,
    calls: u64,
    window: u64,
    in_window: u32,
    most: u32,
    is_spiky: bool,
}

/// How far a call has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Stage {
    /// It waits for its place at the client's limit.
    #[default]
    Client,
    /// It waits for its place in the pool, or is in.
    Pool,
}

/// The limits with what they remember: per client, per region, and per call in flight.
pub(super) struct Limits {
    spec: SubmitterLimits,
    /// By tenant.
    clients: Vec<Client>,
    /// By region: normal, spiky.
    pools: Vec<[Places; 2]>,
    /// By the slot of a call in flight.
    stages: Vec<Stage>,
}

/// The entry of a list that grows with what is seen.
fn entry<T: Default + Clone>(list: &mut Vec<T>, index: usize) -> &mut T {
    if list.len() <= index {
        list.resize(index + 1, T::default());
    }
    &mut list[index]
}

impl Limits {
    pub(super) fn new(spec: SubmitterLimits) -> Self {
        Self { spec, clients: Vec::new(), pools: Vec::new(), stages: Vec::new() }
    }

    /// A client has handed in a call: its limit [calls/s].
    fn count(&mut self, tenant: usize, now_s: f64) -> Option<f64> {
        let spec = &self.spec;
        let client = entry(&mut self.clients, tenant);
        if client.calls == 0 {
            client.first_s = now_s;
        }
        client.calls += 1;
        let window = (now_s / spec.window_s) as u64;
        if window != client.window {
            (client.window, client.in_window) = (window, 0);
        }
        client.in_window += 1;
        client.most = client.most.max(client.in_window);
        let mean = client.calls as f64 / (now_s - client.first_s).max(spec.window_s);
        client.is_spiky |= spec.spiky_above.is_some_and(|above| {
            client.most >= spec.spiky_from_calls && f64::from(client.most) / spec.window_s > above * mean
        });
        let is_known = now_s - client.first_s >= spec.window_s;
        let by_mean = spec.times_mean.filter(|_| is_known).map(|times| times * mean);
        let normal = match (spec.calls_per_s, by_mean) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        };
        if client.is_spiky { spec.spiky_calls_per_s.or(normal) } else { normal }
    }

    /// The first free place that a limit has, if it is not too late; taken with it.
    fn place(places: &mut Places, limit: Option<f64>, burst_s: f64, now_s: f64, latest_s: f64) -> Option<f64> {
        let Some(rate) = limit else { return Some(now_s) };
        let (place, after) = places.first(rate, burst_s, now_s);
        (place <= latest_s).then(|| {
            *places = after;
            place
        })
    }
}

/// An instant that is not before `at_s`, or the present.
fn verdict(at_s: f64, now: SimTime) -> Verdict {
    let at = SimTime::from_secs_f64(at_s);
    if at > now { Verdict::AskAgain(at) } else { Verdict::Admit }
}

impl Admission for Limits {
    fn admit(&mut self, call: &CallView<'_>, view: &View<'_>) -> Verdict {
        let WorkToken::Call(slot) = call.token else { return Verdict::Admit };
        let (now, slot) = (view.now, slot as usize);
        let (now_s, burst_s) = (now.as_secs_f64(), self.spec.burst_s);
        let latest_s = call.arrival.as_secs_f64() + self.spec.longest_wait_s;
        let tenant = call.profile.tenant.index();
        if now == call.arrival {
            let limit = self.count(tenant, now_s);
            *entry(&mut self.stages, slot) = Stage::Client;
            let client = &mut self.clients[tenant];
            match Self::place(&mut client.places, limit, burst_s, now_s, latest_s) {
                None => return Verdict::Reject,
                Some(place) => {
                    let verdict = verdict(place, now);
                    if verdict != Verdict::Admit {
                        return verdict;
                    }
                }
            }
        } else if *entry(&mut self.stages, slot) == Stage::Pool {
            return Verdict::Admit;
        }
        // The client's limit is passed: the pool's place.
        self.stages[slot] = Stage::Pool;
        let is_spiky = self.clients[tenant].is_spiky;
        let limit = if is_spiky { self.spec.spiky_pool_calls_per_s } else { self.spec.pool_calls_per_s };
        let pool = &mut entry(&mut self.pools, call.region.index())[usize::from(is_spiky)];
        match Self::place(pool, limit, burst_s, now_s, latest_s) {
            None => Verdict::Reject,
            Some(place) => verdict(place, now),
        }
    }

    fn is_passive(&self) -> bool {
        let s = &self.spec;
        let limits = [s.calls_per_s, s.times_mean, s.spiky_calls_per_s, s.pool_calls_per_s, s.spiky_pool_calls_per_s];
        limits.iter().all(Option::is_none)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::shifting::lab;
    use crate::types::{Duration, FunctionId, RegionId, Seed, TenantId};

    /// Calls (arrival \[s\], tenant, region) through the limits as the engine would ask; when each was admitted \[s\], if it was.
    fn run(text: &str, calls: &[(f64, u32, u32)]) -> Vec<Option<f64>> {
        let mut limits = Limits::new(toml::from_str(text).expect(text));
        let mut asked: Vec<(SimTime, usize)> =
            calls.iter().enumerate().map(|(i, c)| (SimTime::from_secs_f64(c.0), i)).collect();
        let mut admitted = vec![None; calls.len()];
        let mut questions = 0;
        while let Some(first) = (0..asked.len()).min_by_key(|&k| asked[k]) {
            let (now, i) = asked.swap_remove(first);
            let (arrival, tenant, region) = calls[i];
            let profile = crate::workload::FunctionProfile { tenant: TenantId(tenant), ..lab::profile() };
            let call = CallView {
                token: WorkToken::Call(i as u32),
                function: FunctionId(0),
                profile: &profile,
                arrival: SimTime::from_secs_f64(arrival),
                deadline: SimTime::NEVER,
                expected_work: Duration::ZERO,
                region: RegionId(region),
            };
            questions += 1;
            match limits.admit(&call, &lab::view(now, &[])) {
                Verdict::Admit => admitted[i] = Some(now.as_secs_f64()),
                Verdict::AskAgain(at) => {
                    assert!(at > now);
                    asked.push((at, i));
                }
                Verdict::Reject => {}
            }
        }
        assert!(questions <= 3 * calls.len(), "every call is asked three times at most");
        admitted
    }

    fn all(times: &[f64]) -> Vec<Option<f64>> {
        times.iter().copied().map(Some).collect()
    }

    #[test]
    fn a_client_above_its_limit_gets_the_next_free_places_over_all_regions() {
        // Two per second, bursts of two: two at once, then one every half second, whatever the region.
        let calls: Vec<_> = (0..6).map(|i| (10.0, 0, i % 2)).chain([(10.1, 1, 0), (20.0, 0, 0)]).collect();
        let got = run("calls_per_s = 2.0\nburst_s = 1.0", &calls);
        assert_eq!(got, all(&[10.0, 10.0, 10.5, 11.0, 11.5, 12.0, 10.1, 20.0]));
        // No burst below one call.
        let got = run("calls_per_s = 0.5\nburst_s = 0.1", &[(0.0, 0, 0), (0.0, 0, 0), (1.0, 0, 0)]);
        assert_eq!(got, all(&[0.0, 2.0, 4.0]));
    }

    #[test]
    fn what_would_wait_too_long_is_rejected_and_takes_no_place() {
        let calls = [(0.0, 0, 0), (0.0, 0, 0), (0.0, 0, 0), (0.0, 0, 0), (1.5, 0, 0)];
        let reject = "calls_per_s = 1.0\nburst_s = 1.0\nlongest_wait_s = 0.0";
        assert_eq!(run(reject, &calls), [Some(0.0), None, None, None, Some(1.5)]);
        let wait = "calls_per_s = 1.0\nburst_s = 1.0\nlongest_wait_s = 1.0";
        assert_eq!(run(wait, &calls), [Some(0.0), Some(1.0), None, None, Some(2.0)]);
    }

    #[test]
    fn a_region_s_pool_is_shared_by_its_clients_and_comes_after_their_own_limits() {
        let text = "calls_per_s = 1.0\npool_calls_per_s = 1.0\nburst_s = 1.0";
        // Client 0 may at 0 and 1, client 1 at 0; in region 0 the pool takes one a second, region 1 has its own.
        let calls = [(0.0, 0, 0), (0.0, 0, 0), (0.0, 1, 0), (0.0, 2, 1)];
        assert_eq!(run(text, &calls), all(&[0.0, 2.0, 1.0, 0.0]));
    }

    #[test]
    fn a_client_with_a_high_peak_moves_to_the_spiky_pool_and_does_not_disturb_the_others() {
        // One call a minute for an hour, then 200 in a minute: 200/60 per second is more than ten times the mean of 260 calls in an hour.
        let calm = (0..60).map(|m| (60.0 * f64::from(m), 0, 0));
        let burst = (0..200).map(|i| (3600.0 + 0.1 * f64::from(i), 0, 0));
        let other = (0..20).map(|i| (3610.0 + f64::from(i), 1, 0));
        let calls: Vec<_> = calm.chain(burst).chain(other).collect();
        let text = "spiky_above = 10.0\npool_calls_per_s = 5.0\nspiky_pool_calls_per_s = 0.5\nburst_s = 1.0";
        let got = run(text, &calls);
        let at = |i: usize| got[i].expect("nothing is rejected");
        assert!((0..60).all(|i| at(i) == calls[i].0));
        // The first 99 of the burst go through the normal pool, five at once and the rest at 5 per second; from the hundredth on it is spiky: one every two seconds.
        assert!((at(158) - (3600.0 + 94.0 / 5.0)).abs() < 1e-6, "{}", at(158));
        assert!((at(259) - at(258) - 2.0).abs() < 1e-6 && at(259) > 3790.0);
        // While both were in the normal pool the other client waited, and no longer.
        assert!((272..280).all(|i| at(i) == calls[i].0));
        // Nobody is spiky without the key.
        let got = run("pool_calls_per_s = 5.0\nspiky_pool_calls_per_s = 0.5\nburst_s = 1.0", &calls);
        assert!(got[259].expect("in") < 3646.0);
    }

    #[test]
    fn a_limit_can_follow_the_client_s_own_mean() {
        // One call a second for 100 s: mean 1; then ten at once, at twice the mean, bursts of one call.
        let steady = (0..100).map(|s| (f64::from(s), 0, 0));
        let calls: Vec<_> = steady.chain((0..10).map(|_| (100.0, 0, 0))).collect();
        let got = run("times_mean = 2.0\nburst_s = 0.1", &calls);
        assert_eq!(got[99], Some(99.0));
        let last = got[109].expect("in");
        // The rate of the k-th of them is 2 (100 + k)/100 per second.
        let wanted = 100.0 + (1..10).map(|k| 1.0 / (2.0 * (100.0 + f64::from(k)) / 100.0)).sum::<f64>();
        assert!((last - wanted).abs() < 1e-6, "{last} {wanted}");
        // The larger of both limits holds.
        assert_eq!(run("times_mean = 2.0\ncalls_per_s = 1000.0\nburst_s = 1.0", &calls)[109], Some(100.0));
    }

    #[test]
    fn places_are_those_of_a_token_bucket() {
        let mut random = Seed(2).stream("places", 0);
        let (rate, burst_s) = (3.0, 4.0);
        let (mut now, mut calls) = (0.0, Vec::new());
        for _ in 0..3000 {
            let mean = if random.uniform() < 0.1 { 3.0 } else { 0.05 };
            now += random.exponential(mean);
            calls.push((now, 0, 0));
        }
        let got = run(&format!("calls_per_s = {rate:?}\nburst_s = {burst_s:?}"), &calls);
        // A bucket of 12 tokens by the book: a call goes when there is one and all before it have gone.
        let (mut tokens, mut at) = (rate * burst_s, 0.0_f64);
        for (call, got) in calls.iter().zip(got) {
            let begin = call.0.max(at);
            tokens = (tokens + (begin - at) * rate).min(rate * burst_s);
            let wait = ((1.0 - tokens) / rate).max(0.0);
            (at, tokens) = (begin + wait, tokens + wait * rate - 1.0);
            assert!((got.expect("none is rejected") - at).abs() < 1e-6, "{call:?}: {got:?} {at}");
        }
    }

    #[test]
    fn without_a_limit_it_is_not_asked() {
        let passive = |text| Limits::new(toml::from_str(text).expect(text)).is_passive();
        assert!(passive("") && passive("spiky_above = 3.0"));
        assert!(!passive("calls_per_s = 1.0") && !passive("spiky_above = 3.0\nspiky_pool_calls_per_s = 1.0"));
    }
}
