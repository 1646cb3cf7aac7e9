//! How many hosts are on where: CASPER's integer program, solved by branch and bound.

use microlp::{ComparisonOp, LinearExpr, OptimizationDirection, Problem, Variable};

use super::transport::{Cost, Dealt, transport};

/// The most relaxations that are solved for one program; beyond it the best answer so far stands. Deterministic, unlike a limit on time.
const MOST_NODES: u32 = 400;
/// Two objectives are equal when they differ by less [share]; the tolerance of the linear solver.
const SAME: f64 = 1e-9;
/// A host is full or empty when it is so by less than this [hosts].
const WHOLE: f64 = 1e-6;

/// The program.
#[derive(Debug, Clone)]
pub struct Program<'a> {
    /// Calls that are expected of each origin in an interval.
    pub supply: &'a [u64],
    /// Calls that a host of each region takes in an interval.
    pub calls_per_host: &'a [u64],
    /// Hosts that each region owns.
    pub hosts: &'a [u32],
    /// Hosts that stay on in each region.
    pub least_hosts: u32,
    /// Hosts that may be on in all regions together; `None`: all.
    pub most_hosts: Option<u32>,
    /// What a call from an origin to a region costs, row by row; a first entry above 0 is a way that is too long.
    pub cost: &'a [Option<Cost>],
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Hosts that are on, by region.
    pub hosts: Vec<u32>,
    /// Who sends how much where.
    pub dealt: Dealt,
    /// Whether no other numbers of hosts do better: not so when the search was cut short, or when hosts, their sum or the ways do not suffice for
    /// all calls.
    pub proven: bool,
}

impl Program<'_> {
    /// The cheapest deal and the fewest hosts that carry it.
    ///
    /// Formula, with x\[i,j\] the calls from origin i to region j and s\[j\] the hosts that are on:
    ///
    /// ```text
    /// min Σ x[i,j] cost[i,j]
    /// Σ_j x[i,j] = supply[i],  Σ_i x[i,j] <= s[j] calls_per_host[j],  least <= s[j] <= hosts[j],  Σ_j s[j] <= most,  s whole
    /// ```
    ///
    /// For given s it is a transportation problem ([`transport`]). If the deal with all hosts on needs no more than `most`, it is the optimum.
    /// Else the relaxation with fractional s is branched on the region whose need is furthest from a whole number; any of its answers with all
    /// needs rounded up within `most` is feasible, which is how answers are found, and by the deal with those s it is carried out.
    ///
    /// Where not all calls can be placed within the ways that are not too long, as few calls as possible remain unplaced, then the sum of
    /// what is too long is the least, first with all hosts, then, if their number is limited, with hosts taken one by one from where they
    /// carry least. That answer is not proven.
    ///
    /// Example: 10 calls, hosts of 4 calls; the cheap region has one host, the dear one 9; two hosts may be on: 4 and 4 calls, 2 unplaced.
    pub fn solve(&self) -> Planned {
        let regions = self.hosts.len();
        let all = self.deal(self.hosts);
        let needed = self.needed(&all);
        let enough = all.unplaced.iter().all(|&n| n == 0) && all.total(self.cost)[0] == 0;
        let most = self.most_hosts.unwrap_or(u32::MAX);
        if sum(&needed) <= u64::from(most) {
            return self.planned(needed, enough);
        }
        if enough && let Some((hosts, proven)) = self.search(most) {
            return self.planned(hosts, proven);
        }
        // Not everything fits: the least loaded host goes, again and again.
        let mut hosts = needed;
        while sum(&hosts) > u64::from(most) {
            let deal = self.deal(&hosts);
            let carried = |j: &usize| {
                let full = u64::from(hosts[*j] - 1) * self.calls_per_host[*j];
                (deal.arriving(*j, regions).saturating_sub(full), *j)
            };
            let Some(j) = (0..regions).filter(|&j| hosts[j] > self.least_hosts.min(self.hosts[j])).min_by_key(carried)
            else {
                break;
            };
            hosts[j] -= 1;
        }
        self.planned(hosts, false)
    }

    /// The best deal with these hosts, the hosts that it needs.
    fn planned(&self, hosts: Vec<u32>, proven: bool) -> Planned {
        let dealt = self.deal(&hosts);
        Planned { hosts: self.needed(&dealt), dealt, proven }
    }

    fn deal(&self, hosts: &[u32]) -> Dealt {
        let room: Vec<u64> = hosts.iter().zip(self.calls_per_host).map(|(&s, &calls)| u64::from(s) * calls).collect();
        transport(self.supply, &room, self.cost)
    }

    /// The fewest hosts that carry a deal.
    fn needed(&self, dealt: &Dealt) -> Vec<u32> {
        let regions = self.hosts.len();
        let of = |j: usize| {
            let needed = dealt.arriving(j, regions).div_ceil(self.calls_per_host[j].max(1)) as u32;
            needed.max(self.least_hosts).min(self.hosts[j])
        };
        (0..regions).map(of).collect()
    }

    /// The best numbers of hosts within `most`, and whether they are proven to be; `None` if there are none.
    fn search(&self, most: u32) -> Option<(Vec<u32>, bool)> {
        let least = self.hosts.iter().map(|&h| h.min(self.least_hosts)).collect();
        let mut open: Vec<(Vec<u32>, Vec<u32>)> = vec![(least, self.hosts.to_vec())];
        let mut best: Option<(f64, Vec<u32>)> = None;
        let mut nodes = 0;
        while let Some((low, high)) = open.pop() {
            if nodes == MOST_NODES {
                return best.map(|(_, hosts)| (hosts, false));
            }
            nodes += 1;
            if sum(&low) > u64::from(most) {
                continue;
            }
            let Some((value, loads)) = self.relaxed(&low, &high, most) else { continue };
            if best.as_ref().is_some_and(|(known, _)| value >= known - SAME * known.abs().max(1.0)) {
                continue;
            }
            let up: Vec<u32> =
                loads.iter().zip(&low).map(|(l, low)| ((l - WHOLE).ceil().max(0.0) as u32).max(*low)).collect();
            if sum(&up) <= u64::from(most) {
                best = Some((value, up));
                continue;
            }
            let off = |j: &usize| (loads[*j] - loads[*j].round()).abs();
            let between = (0..loads.len()).filter(|j| loads[*j] > f64::from(low[*j]) && off(j) > WHOLE);
            let Some(j) = between.max_by(|a, b| off(a).total_cmp(&off(b)).then(b.cmp(a))) else { continue };
            let (mut more, mut fewer) = (low.clone(), high.clone());
            more[j] = loads[j].ceil() as u32;
            fewer[j] = loads[j].floor() as u32;
            let nearer_up = loads[j] - loads[j].floor() > 0.5;
            let (up, down) = ((more, high), (low, fewer));
            // The last one is looked at first.
            open.extend(if nearer_up { [down, up] } else { [up, down] });
        }
        best.map(|(_, hosts)| (hosts, true))
    }

    /// The program with fractional hosts between two numbers: its objective and the hosts that are in use by region.
    fn relaxed(&self, low: &[u32], high: &[u32], most: u32) -> Option<(f64, Vec<f64>)> {
        let regions = self.hosts.len();
        // Calls count in hosts of the largest, costs in the largest cost, so that numbers are of order 1.
        let unit = self.calls_per_host.iter().copied().max()?.max(1) as f64;
        let on_time = |c: &&Cost| c.0[0] == 0;
        let dearest = self.cost.iter().flatten().filter(on_time).map(|c| c.0[1]).max()?.max(1) as f64;
        let mut program = Problem::new(OptimizationDirection::Minimize);
        let mut carried: Vec<LinearExpr> = (0..regions).map(|_| LinearExpr::empty()).collect();
        let mut ways: Vec<Vec<Variable>> = vec![Vec::new(); regions];
        for (i, &supply) in self.supply.iter().enumerate().filter(|(_, s)| **s > 0) {
            let mut sent = LinearExpr::empty();
            for j in 0..regions {
                let Some(cost) = self.cost[i * regions + j].filter(|c| c.0[0] == 0) else { continue };
                let x = program.add_var(cost.0[1] as f64 / dearest, (0.0, f64::INFINITY));
                sent.add(x, 1.0);
                carried[j].add(x, 1.0);
                ways[j].push(x);
            }
            program.add_constraint(sent, ComparisonOp::Eq, supply as f64 / unit);
        }
        let mut on = LinearExpr::empty();
        for (j, mut carried) in carried.into_iter().enumerate() {
            let hosts = program.add_var(0.0, (f64::from(low[j]), f64::from(high[j])));
            on.add(hosts, 1.0);
            carried.add(hosts, -(self.calls_per_host[j] as f64) / unit);
            program.add_constraint(carried, ComparisonOp::Le, 0.0);
        }
        program.add_constraint(on, ComparisonOp::Le, f64::from(most));
        let solution = program.solve().ok()?.into_solution().ok()?;
        let load = |j: usize| {
            let calls: f64 = ways[j].iter().map(|&x| solution.var_value(x)).sum();
            calls * unit / self.calls_per_host[j].max(1) as f64
        };
        Some((solution.objective(), (0..regions).map(load).collect()))
    }
}

fn sum(hosts: &[u32]) -> u64 {
    hosts.iter().map(|&h| u64::from(h)).sum()
}
