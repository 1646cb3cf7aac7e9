//! The bounds in space: the fewest grams for a job that may run in other zones, with and without waiting.
//!
//! Every zone has a series of equal steps; a job of J steps with a slack of S steps arrives in each step of each zone. With c\[z,t\] the intensity
//! \[gCO2e/kWh\] of zone z in step t, h the home and A the zones that it may run in (h among them):
//!
//! ```text
//! base(a)          = Σ c[h,a .. a+J-1]
//! defer(a)         = min over k in 0..S of base(a+k)
//! interrupt(a)     = sum of the J smallest of c[h,a .. a+J+S-1]
//! one(a)           = min over z in A of Σ c[z,a .. a+J-1]                        one migration, before the job starts
//! one, fixed       = Σ c[f,a .. a+J-1], f in A with the lowest mean of the series     the same zone for all arrivals
//! free(a)          = Σ_t min over z in A of c[z,t]                               each step in the cheapest zone
//! … and defer      = min over k of the same at a+k
//! … and interrupt  = J smallest of c[z, …] in the best z, or of the cheapest zone's of each step
//! ```
//!
//! All of them know the future, and capacity has no limit but in [`idle`]. No schedule of the same job emits less: one that cannot migrate no less
//! than `interrupt`, one that migrates once no less than `one_interrupt`, any no less than `free_interrupt`.
//!
//! A migration may cost energy: `transfer` is the energy of one over that of the job in one step; half of it is drawn in each of the two zones
//! (assumed), in the step of the arrival for one migration, in the step of the move for free ones.
//!
//! Source: Sukprasert et al., *On the Limitations of Carbon-Aware Temporal and Spatial Workload Shifting in the Cloud*, EuroSys 2024. The cost of
//! a migration and the mean over the job's own run are additions.

pub mod idle;
mod moves;
mod windows;

use std::collections::BTreeMap;

use windows::{minima, smallest, sums};

/// The zones, and who may run where.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    /// The intensities of each zone [gCO2e/kWh], in equal steps; as many of each.
    pub zones: Vec<Vec<f64>>,
    /// The zones in which the jobs of a zone may run, in rising order, itself among them.
    pub allowed: Vec<Vec<usize>>,
    /// Energy of a migration over the energy of a job in one step.
    pub transfer: f64,
}

/// A job, in steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// How many steps it runs; at least one.
    pub length: usize,
    /// How many steps it may wait.
    pub slack: usize,
}

/// The bounds of one home, each a value for every arrival or their mean: intensity per step of the job [gCO2e/kWh].
#[derive(Debug, Clone, PartialEq)]
pub struct Bounds<T> {
    /// At once and at home.
    pub base: T,
    /// Later, at home.
    pub defer: T,
    /// Later and in pieces, at home.
    pub interrupt: T,
    /// At once, in the zone that is best for the run.
    pub one: T,
    /// At once, in the zone that is best over the whole series.
    pub one_fixed: T,
    /// Later, in the best zone.
    pub one_defer: T,
    /// Later and in pieces, in the best zone.
    pub one_interrupt: T,
    /// At once, each step in the best zone.
    pub free: T,
    /// Later, each step in the best zone; `None` where migrations cost energy, as then the optimum is no window's.
    pub free_defer: Option<T>,
    /// Later and in pieces, each step in the best zone; `None` where migrations cost energy.
    pub free_interrupt: Option<T>,
}

impl<T> Bounds<T> {
    fn map<U>(&self, change: impl Fn(&T) -> U) -> Bounds<U> {
        Bounds {
            base: change(&self.base),
            defer: change(&self.defer),
            interrupt: change(&self.interrupt),
            one: change(&self.one),
            one_fixed: change(&self.one_fixed),
            one_defer: change(&self.one_defer),
            one_interrupt: change(&self.one_interrupt),
            free: change(&self.free),
            free_defer: self.free_defer.as_ref().map(&change),
            free_interrupt: self.free_interrupt.as_ref().map(&change),
        }
    }
}

impl Bounds<Vec<f64>> {
    /// Means over arrivals.
    pub fn means(&self) -> Bounds<f64> {
        self.map(|all| mean(all))
    }
}

/// The mean over homes, as if each had as many jobs; `None` of none.
pub fn mean_of(all: &[Bounds<f64>]) -> Option<Bounds<f64>> {
    let first = all.first()?;
    let of = |pick: &dyn Fn(&Bounds<f64>) -> f64| all.iter().map(pick).sum::<f64>() / all.len() as f64;
    let maybe = |pick: &dyn Fn(&Bounds<f64>) -> Option<f64>| {
        all.iter().map(pick).sum::<Option<f64>>().map(|sum| sum / all.len() as f64)
    };
    Some(Bounds {
        base: of(&|b| b.base),
        defer: of(&|b| b.defer),
        interrupt: of(&|b| b.interrupt),
        one: of(&|b| b.one),
        one_fixed: of(&|b| b.one_fixed),
        one_defer: of(&|b| b.one_defer),
        one_interrupt: of(&|b| b.one_interrupt),
        free: of(&|b| b.free),
        free_defer: first.free_defer.and_then(|_| maybe(&|b| b.free_defer)),
        free_interrupt: first.free_interrupt.and_then(|_| maybe(&|b| b.free_interrupt)),
    })
}

fn mean(all: &[f64]) -> f64 {
    all.iter().sum::<f64>() / all.len() as f64
}

impl World {
    /// Zones that may all run each other's jobs, and moves that cost nothing.
    pub fn open(zones: Vec<Vec<f64>>) -> Self {
        let all: Vec<usize> = (0..zones.len()).collect();
        Self { allowed: vec![all; zones.len()], zones, transfer: 0.0 }
    }

    /// The steps of each series.
    pub fn steps(&self) -> usize {
        self.zones.first().map_or(0, Vec::len)
    }

    /// Arrivals from which a job can wait its whole slack: a = 0 … steps - J - S.
    pub fn arrivals(&self, job: Shape) -> usize {
        (self.steps() + 1).saturating_sub(job.length + job.slack)
    }

    /// The zone with the lowest mean of the series among those where the jobs of `home` may run; of equals home, then the first.
    pub fn cleanest(&self, home: usize) -> usize {
        let mut best = home;
        for &zone in &self.allowed[home] {
            if mean(&self.zones[zone]) < mean(&self.zones[best]) {
                best = zone;
            }
        }
        best
    }

    /// The bounds of every home and arrival.
    ///
    /// Time: steps × (zones + log steps) for each home; where a migration costs energy, steps × J × zones for each set of allowed zones.
    ///
    /// Example: zones of (100, 100) and (300, 20) g/kWh, a job of two steps from the first: base 100, one 100, free 60.
    ///
    /// Panics if the series differ in length, a home is not allowed in itself, or a job has no step.
    pub fn bounds(&self, job: Shape) -> Vec<Bounds<Vec<f64>>> {
        assert!(job.length > 0, "a job runs for one step at least");
        assert!(self.zones.iter().all(|z| z.len() == self.steps()), "series of equal length");
        assert!((0..self.zones.len()).all(|home| self.allowed[home].contains(&home)), "a home is allowed in itself");
        let arrivals = self.arrivals(job);
        if arrivals == 0 {
            let none = Vec::new;
            let empty = Bounds {
                base: none(),
                defer: none(),
                interrupt: none(),
                one: none(),
                one_fixed: none(),
                one_defer: none(),
                one_interrupt: none(),
                free: none(),
                free_defer: None,
                free_interrupt: None,
            };
            return vec![empty; self.zones.len()];
        }
        let window = job.length + job.slack;
        let run: Vec<Vec<f64>> = self.zones.iter().map(|z| sums(z, job.length)).collect();
        let defer: Vec<Vec<f64>> = run.iter().map(|r| minima(r, job.slack + 1)).collect();
        let interrupt: Vec<Vec<f64>> = self.zones.iter().map(|z| smallest(z, job.length, window)).collect();
        let mut free: BTreeMap<&[usize], moves::Free> = BTreeMap::new();
        let per_step = |mut all: Vec<f64>| {
            all.truncate(arrivals);
            all.iter_mut().for_each(|sum| *sum /= job.length as f64);
            all
        };
        (0..self.zones.len())
            .map(|home| {
                let best = |of: &[Vec<f64>]| -> Vec<f64> { (0..arrivals).map(|a| self.best(home, of, a)).collect() };
                let fixed = self.cleanest(home);
                let of_fixed = (0..arrivals).map(|a| run[fixed][a] + self.moving(home, fixed, a)).collect();
                let set = &self.allowed[home][..];
                let roams = free.entry(set).or_insert_with(|| moves::Free::of(self, set, job));
                Bounds {
                    base: per_step(run[home].clone()),
                    defer: per_step(defer[home].clone()),
                    interrupt: per_step(interrupt[home].clone()),
                    one: per_step(best(&run)),
                    one_fixed: per_step(of_fixed),
                    one_defer: per_step(best(&defer)),
                    one_interrupt: per_step(best(&interrupt)),
                    free: per_step(roams.from(self, home, arrivals)),
                    free_defer: roams.defer.clone().map(per_step),
                    free_interrupt: roams.interrupt.clone().map(per_step),
                }
            })
            .collect()
    }

    /// The best zone's value at an arrival, its move counted.
    fn best(&self, home: usize, of: &[Vec<f64>], at: usize) -> f64 {
        let values = self.allowed[home].iter().map(|&zone| of[zone][at] + self.moving(home, zone, at));
        values.fold(f64::INFINITY, f64::min)
    }

    /// What a move costs in a step, in the unit of a job's sum.
    fn moving(&self, from: usize, to: usize, at: usize) -> f64 {
        if from == to || self.transfer == 0.0 {
            return 0.0;
        }
        self.transfer * (self.zones[from][at] + self.zones[to][at]) / 2.0
    }
}

#[cfg(test)]
mod tests;
