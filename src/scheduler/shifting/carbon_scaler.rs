//! Run elastic jobs on more nodes while electricity is clean: work is bought where the next node does most work per gram.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Plan, Shifting, Work, with_restarts};
use crate::grid::Step;
use crate::scheduler::View;
use crate::types::{Duration, SimTime};

/// Amounts of work that differ by less are the same: sums of floats are no better.
const SAME: f64 = 1e-12;
/// Less work than this is rounding of the pieces before: it is not worth a slot of its own.
const CRUMB: Duration = Duration(1000);

/// Buys the work of a job, node by node and slot by slot, where the marginal work per gram is highest.
///
/// Formula, with thr\[k\] \[work/s\] and P\[k\] \[W\] on k nodes, f\[t\] [g/kWh] forecast for slot t, m the minimum and K the maximum of nodes:
///
/// ```text
///   value(t, k) = (thr[k] - thr[k-1]) / ((P[k] - P[k-1]) f[t])      k = m+1 .. K
///   value(t, m) = thr[m] / (P[m] f[t])                              the first m nodes are bought together
///   while work is left: buy the highest value(t, k) of those whose slot has k - 1 nodes (none for k = m)
/// ```
///
/// Ties go to the earlier slot. Slots are the steps of the forecast from now to the deadline, cut at both. The last purchase is pro rata:
/// its slot is split into a part on k nodes and a part on those it had before, so that the plan does exactly the work that is left. The
/// split that starts a slot's nodes lies at the side where the job runs next, so that it is not suspended twice.
///
/// Throughput and power come from the job's own scale; a scale without powers, and a job without a scale, draw power by their nodes. A job
/// without a scale has m = K = its base nodes: what is left is suspend-resume in the cheapest slots. A call, and a job that cannot be
/// suspended, start where their run on base nodes has the lowest mean, and are not scaled. A zero slack still lets an elastic job scale;
/// every other one then starts at once. So does work of unknown length, without a deadline, or whose work does not fit before the end of
/// the forecast. What cannot be done by the deadline on all nodes runs on all of them from now on.
///
/// Source: Hanafy et al., *CarbonScaler*, SIGMETRICS 2024 (POMACS 7(3), 2023), and the rule of its released Go code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CarbonScaler {
    /// The fewest nodes on which an elastic job runs \[nodes\]. Default 1 (the source's).
    #[schemars(range(min = 1))]
    #[serde(default = "min_nodes")]
    pub min_nodes: u32,
    /// The most nodes on which an elastic job runs \[nodes\]. Default: as many as its scale has.
    #[schemars(range(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_nodes: Option<u32>,
    /// Length of a slot, counted from the planning \[s\]. Default: the forecast's own steps (hours in the source).
    #[schemars(range(min = 1.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot_s: Option<f64>,
    /// How often a plan is made anew with what the forecast says by then \[h\]. Default: never. A plan that ends before its work is done is
    /// made anew in any case.
    #[schemars(range(min = 0.01))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replan_h: Option<f64>,
    /// Looks at each (slot, k) once, in descending order of value, and passes it over for good if its slot does not have k - 1 nodes yet.
    /// Default `false`: looks again after each purchase, as the released Go code does. They differ where throughput is not concave in the
    /// nodes; `true` is how the figures in docs/shifting-scaling.md were made.
    #[serde(default)]
    pub visit_once: bool,
}

fn min_nodes() -> u32 {
    1
}

impl Default for CarbonScaler {
    fn default() -> Self {
        Self { min_nodes: min_nodes(), max_nodes: None, slot_s: None, replan_h: None, visit_once: false }
    }
}

/// Speed and power on some number of nodes; the first stands for no nodes.
#[derive(Debug, Clone, Copy)]
struct Size {
    nodes: u32,
    /// Progress over that on base nodes.
    speed: f64,
    /// Power, in any unit.
    power: f64,
}

/// A purchase on offer: from size `size - 1` to `size` in slot `slot`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Offer {
    /// Grams per work, in any unit: the inverse of the value, which stays right where electricity is free.
    price: f64,
    slot: usize,
    size: usize,
}

impl Eq for Offer {}

impl Ord for Offer {
    /// The best offer is the greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        other.price.total_cmp(&self.price).then((other.slot, other.size).cmp(&(self.slot, self.size)))
    }
}

impl PartialOrd for Offer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What has been bought.
struct Bought {
    /// The size of each slot; 0 for none.
    sizes: Vec<usize>,
    /// The slot that was bought last and the share of it that is needed.
    last: Option<(usize, f64)>,
    /// The work that nothing on offer does \[s on base nodes\].
    left_s: f64,
}

impl CarbonScaler {
    /// The sizes on which this job may run, none first; each adds throughput to the one before.
    fn sizes(&self, work: &Work<'_>) -> Vec<Size> {
        let mut sizes = vec![Size { nodes: 0, speed: 0.0, power: 0.0 }];
        let Some(scale) = work.kind.and_then(|k| k.scale.as_ref()) else {
            sizes.push(Size { nodes: work.nodes, speed: 1.0, power: f64::from(work.nodes) });
            return sizes;
        };
        let most = self.max_nodes.unwrap_or(u32::MAX).clamp(1, scale.most());
        for nodes in self.min_nodes.clamp(1, most)..=most {
            let speed = scale.speed(nodes, work.nodes);
            if sizes.last().is_some_and(|s| s.speed >= speed) {
                break;
            }
            let power = scale.power_w.get(nodes as usize - 1).copied().unwrap_or(f64::from(nodes));
            sizes.push(Size { nodes, speed, power });
        }
        sizes
    }

    /// The slots from now to the deadline, or as far as the forecast reaches.
    fn slots(&self, work: &Work<'_>, view: &View<'_>) -> Vec<Step> {
        let forecast = &view.forecasts[work.region.index()];
        let until = work.deadline().min(forecast.known_until(view.now));
        let mut slots = Vec::new();
        let Some(slot_s) = self.slot_s else {
            forecast.steps(view.now, view.now, until, &mut slots);
            return slots;
        };
        let mut from = view.now;
        while from < until {
            let to = (from + Duration::from_secs_f64(slot_s)).min(until);
            let Some(mean) = forecast.mean(view.now, from, to) else { break };
            slots.push(Step { from, to, g_per_kwh: mean.0 });
            from = to;
        }
        slots
    }

    /// Buys until the work is done or nothing is on offer.
    fn buy(&self, slots: &[Step], sizes: &[Size], work_s: f64) -> Bought {
        let offer = |slot: usize, size: usize| {
            let (a, b) = (sizes[size - 1], sizes[size]);
            Offer { price: (b.power - a.power) * slots[slot].g_per_kwh / (b.speed - a.speed), slot, size }
        };
        let mut bought = Bought { sizes: vec![0; slots.len()], last: None, left_s: work_s };
        let first = if self.visit_once { sizes.len() - 1 } else { 1 };
        let mut offers: BinaryHeap<Offer> = (0..slots.len())
            .flat_map(|slot| (1..=first).map(move |size| (slot, size)))
            .map(|(t, k)| offer(t, k))
            .collect();
        while let Some(Offer { slot, size, .. }) = offers.pop() {
            if size != bought.sizes[slot] + 1 {
                continue;
            }
            let does_s =
                (sizes[size].speed - sizes[size - 1].speed) * (slots[slot].to - slots[slot].from).as_secs_f64();
            bought.sizes[slot] = size;
            if does_s >= bought.left_s * (1.0 - SAME) {
                bought.last = Some((slot, bought.left_s / does_s));
                bought.left_s = 0.0;
                return bought;
            }
            bought.left_s -= does_s;
            if !self.visit_once && size + 1 < sizes.len() {
                offers.push(offer(slot, size + 1));
            }
        }
        bought
    }
}

/// Writes what was bought as pieces.
fn write(bought: &Bought, slots: &[Step], sizes: &[Size], plan: &mut Plan) {
    for (at, slot) in slots.iter().enumerate() {
        let size = bought.sizes[at];
        let Some((_, share)) = bought.last.filter(|last| last.0 == at) else {
            if size > 0 {
                plan.run_on(slot.from, slot.to, sizes[size].nodes);
            }
            continue;
        };
        // Rounded up, so that no nanosecond of work is left over.
        let whole = (slot.to - slot.from).0;
        let part = Duration(((whole as f64 * share * (1.0 + SAME)).ceil() as u64).min(whole));
        let runs_next = bought.sizes.get(at + 1).is_some_and(|&n| n > 0);
        let ran_before = plan.pieces.last().is_some_and(|p| p.until == slot.from);
        if size == 1 && runs_next && !ran_before {
            plan.run_on(SimTime(slot.to.0 - part.0), slot.to, sizes[size].nodes);
            continue;
        }
        plan.run_on(slot.from, slot.from + part, sizes[size].nodes);
        if size > 1 {
            plan.run_on(slot.from + part, slot.to, sizes[size - 1].nodes);
        }
    }
}

impl Shifting for CarbonScaler {
    fn plan(&mut self, work: &Work<'_>, view: &View<'_>, plan: &mut Plan) {
        let wanted = work.wanted.max(view.now);
        let (Some(left), true) = (work.left(), work.slack != Duration::FOREVER) else {
            return plan.start(wanted);
        };
        let is_elastic = work.kind.is_some_and(|k| k.scale.is_some());
        if work.slack == Duration::ZERO && !(is_elastic && work.is_interruptible()) {
            return plan.start(wanted);
        }
        if left <= CRUMB {
            return plan.start(view.now);
        }
        if !work.is_interruptible() {
            let forecast = &view.forecasts[work.region.index()];
            let latest = work.latest_start().max(view.now);
            return plan.start(forecast.lowest_start(view.now, view.now, latest, left));
        }
        let (slots, sizes) = (self.slots(work, view), self.sizes(work));
        // A restart is lost at the speed of the nodes that are then there: at most that of the largest size.
        let fastest = sizes[sizes.len() - 1].speed.max(1.0);
        let is_laid = with_restarts(work, view.now, left, plan, |length, plan| {
            let lost_s = (length.0 - left.0) as f64 * 1e-9 * fastest;
            let bought = self.buy(&slots, &sizes, left.as_secs_f64() + lost_s);
            write(&bought, &slots, &sizes, plan);
            bought.last.is_some()
        });
        if !is_laid {
            let too_late = slots.last().is_none_or(|s| s.to >= work.deadline());
            let nodes = if is_elastic && too_late { sizes[sizes.len() - 1].nodes } else { 0 };
            return plan.run_on(view.now, SimTime::NEVER, nodes);
        }
        if let Some(hours) = self.replan_h {
            plan.again = view.now + Duration::from_secs_f64(hours * 3600.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::shifting::lab_scaling::{self, Sample, hourly};
    use crate::workload::jobs::{Interruption, JobKind, Scale};

    const HOUR: Duration = Duration::from_secs(3600);

    fn elastic(throughput: &[f64], power_w: &[f64]) -> JobKind {
        JobKind {
            interruption: Some(Interruption::default()),
            scale: Some(Scale { throughput: throughput.to_vec(), power_w: power_w.to_vec() }),
            power_w: None,
            data_mb: 0.0,
        }
    }

    /// The pieces in hours: from, until, nodes.
    fn pieces(policy: &CarbonScaler, g: &[f64], sample: Sample<'_>) -> Vec<(f64, f64, u32)> {
        let plan = lab_scaling::plan(&mut policy.clone(), g, sample);
        let hours = |t: SimTime| (t.as_secs_f64() / 3600.0 * 1e6).round() / 1e6;
        plan.pieces.iter().map(|p| (hours(p.from), hours(p.until), p.nodes)).collect()
    }

    #[test]
    fn the_second_node_of_a_clean_slot_is_bought_before_the_first_of_a_dirty_one() {
        // One node: 1 unit per W; the second adds half a unit for the same watt: worth it at less than half the intensity.
        let kind = elastic(&[1.0, 1.5], &[1.0, 2.0]);
        let job = |hours, slack| Sample { kind: Some(&kind), hours, slack_h: slack, ..Sample::default() };
        let p = CarbonScaler::default();
        assert_eq!(pieces(&p, &[100.0, 300.0], job(1.5, 0.5)), [(0.0, 1.0, 2)]);
        assert_eq!(pieces(&p, &[100.0, 150.0], job(1.5, 0.5)), [(0.0, 1.5, 1)]);
        // Pro rata: an hour and a quarter of work is half an hour on two nodes and half an hour on one.
        let quarter = pieces(&p, &[100.0, 300.0], job(1.25, 0.75));
        assert_eq!(quarter, [(0.0, 0.5, 2), (0.5, 1.0, 1)]);
        // Zero slack: no slot but its own hours, of which the first is used twice.
        assert_eq!(pieces(&p, &[100.0, 300.0], job(2.0, 0.0))[0], (0.0, 1.0, 2));
    }

    #[test]
    fn a_job_without_scale_takes_the_cheapest_slots_and_is_not_suspended_without_need() {
        let kind = elastic(&[], &[]);
        let kind = JobKind { scale: None, ..kind };
        let job = |hours, slack| Sample { kind: Some(&kind), hours, slack_h: slack, nodes: 3, ..Sample::default() };
        let p = CarbonScaler::default();
        let g = [300.0, 200.0, 100.0, 400.0];
        assert_eq!(pieces(&p, &g, job(1.5, 2.5)), [(1.5, 3.0, 3)]);
        assert_eq!(pieces(&p, &g, job(4.0, 0.0)).len(), 1);
        assert_eq!(lab_scaling::plan(&mut p.clone(), &g, job(2.0, 0.0)).first(), Some(SimTime::ZERO));
        // A job that may not be suspended takes the cheapest window.
        let fixed = Sample { kind: None, hours: 2.0, slack_h: 2.0, ..Sample::default() };
        assert_eq!(pieces(&p, &g, fixed)[0].0, 1.0);
        // The forecast ends before the work does: at once. It ends before the deadline: what is known is used.
        assert_eq!(pieces(&p, &g, job(5.0, 9.0))[0].0, 0.0);
        assert_eq!(pieces(&p, &g, job(1.0, 99.0)), [(2.0, 3.0, 3)]);
        assert_eq!(pieces(&p, &g, Sample { length_known: false, ..job(1.0, 3.0) })[0].0, 0.0);
    }

    #[test]
    fn a_dip_in_throughput_is_passed_over_for_good_only_on_demand() {
        // The third node does more per watt than the second.
        let kind = elastic(&[1.0, 1.1, 2.0], &[1.0, 2.0, 3.0]);
        let job = Sample { kind: Some(&kind), hours: 2.0, slack_h: 0.0, ..Sample::default() };
        let rescan = CarbonScaler::default();
        let once = CarbonScaler { visit_once: true, ..rescan.clone() };
        // Values at 100 and 2000 g: the second node of the first hour is worth 1/1000, the third 9/1000, the dirty hour 0.5/1000.
        assert_eq!(pieces(&rescan, &[100.0, 2000.0], job), [(0.0, 1.0, 3)]);
        assert_eq!(pieces(&once, &[100.0, 2000.0], job)[0], (0.0, 1.0, 2));
        let few = CarbonScaler { max_nodes: Some(2), replan_h: Some(0.5), slot_s: Some(1800.0), ..rescan };
        let plan = lab_scaling::plan(&mut few.clone(), &[100.0, 2000.0], job);
        assert_eq!(plan.again, SimTime::ZERO + Duration(HOUR.0 / 2));
        assert!(plan.pieces.iter().all(|p| p.nodes <= 2));
    }

    #[test]
    fn the_published_profiles_give_the_oracle_s_table() {
        let Some(table) = lab_scaling::shared("oracles/carbon/carbonscaler.txt") else { return };
        let Some(g) = lab_scaling::ci_lca("US-CAL-CISO") else { return };
        let table = std::fs::read_to_string(table).expect("the oracle's table");
        let policy = CarbonScaler { visit_once: true, ..CarbonScaler::default() };
        let forecasts = hourly(&g);
        let mut lines = 0;
        for line in table.lines().filter(|l| !l.trim().is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (throughput, power_w) = lab_scaling::nbody(words[0]);
            let kind = elastic(&throughput, &power_w);
            let (hours, deadline): (usize, usize) = (words[1].parse().expect("J"), words[2].parse().expect("T"));
            let [mut agnostic, mut resumed, mut scaled, mut peak, mut starts] = [0.0; 5];
            for a in (0..8760 - deadline).step_by(24) {
                let rigid = JobKind { scale: None, ..kind.clone() };
                let grams = |kind: &JobKind, slack: usize| {
                    let sample = Sample {
                        kind: Some(kind),
                        now: SimTime::ZERO + Duration(HOUR.0 * a as u64),
                        hours: hours as f64,
                        slack_h: slack as f64,
                        ..Sample::default()
                    };
                    let plan = lab_scaling::plan_on(&mut policy.clone(), &forecasts, sample);
                    let (mut grams, mut work_h, mut most) = (0.0, 0.0, 0);
                    for p in &plan.pieces {
                        let k = (p.nodes.max(1) - 1) as usize;
                        let until = p.until.min(sample.now + Duration(HOUR.0 * deadline as u64));
                        let mean = forecasts[0].mean(p.from, p.from, until).expect("a perfect forecast").0;
                        let h = (until - p.from).as_secs_f64() / 3600.0;
                        grams += power_w[k] * mean * h / 1000.0;
                        work_h += throughput[k] / throughput[0] * h;
                        most = most.max(p.nodes);
                    }
                    (grams, work_h, most)
                };
                let (g_scaled, work_h, most) = grams(&kind, deadline - hours);
                assert!((work_h / hours as f64 - 1.0).abs() < 1e-9, "{line}: {work_h} h of work from {a}");
                agnostic += g[a..a + hours].iter().sum::<f64>() * power_w[0] / 1000.0;
                resumed += grams(&rigid, deadline - hours).0;
                scaled += g_scaled;
                (peak, starts) = (peak + f64::from(most), starts + 1.0);
            }
            let saved = |policy: f64| 100.0 * (1.0 - policy / agnostic);
            let rounded = |x: f64| (x * 100.0).round() / 100.0;
            let ours = [agnostic / starts, saved(resumed), saved(scaled), peak / starts].map(rounded);
            let theirs = [5, 8, 11, 15].map(|at: usize| words[at].parse::<f64>().expect("a figure"));
            assert_eq!(ours, theirs, "{line}");
            lines += 1;
        }
        assert_eq!(lines, 6);
    }
}
