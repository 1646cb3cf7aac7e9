//! Free migration: each step of a job where it is cheapest, moves counted.

use super::windows::{minima, smallest, sums};
use super::{Shape, World};

/// What jobs emit that may move among a set of zones at every step.
pub(super) struct Free {
    /// The zones.
    set: Vec<usize>,
    /// By arrival: the sum from each zone of the set, or one for all where moves cost nothing.
    runs: Vec<Vec<f64>>,
    /// The same for a job that may wait; only where moves cost nothing.
    pub defer: Option<Vec<f64>>,
    /// The same for one that may be suspended; only where moves cost nothing.
    pub interrupt: Option<Vec<f64>>,
}

impl Free {
    /// Formula where moves cost energy, going back from the last step; V is what the rest emits for a job that runs step t in z:
    ///
    /// ```text
    /// V[t,z] = c[z,t] + min( V[t+1,z], min over y of V[t+1,y] + transfer (c[z,t+1] + c[y,t+1]) / 2 )
    /// ```
    pub fn of(world: &World, set: &[usize], job: Shape) -> Self {
        let steps = world.steps();
        if world.transfer == 0.0 {
            let least: Vec<f64> =
                (0..steps).map(|t| set.iter().map(|&z| world.zones[z][t]).fold(f64::INFINITY, f64::min)).collect();
            let runs = sums(&least, job.length);
            let defer = Some(minima(&runs, job.slack + 1));
            let interrupt = Some(smallest(&least, job.length, job.length + job.slack));
            return Self { set: set.to_vec(), runs: runs.into_iter().map(|sum| vec![sum]).collect(), defer, interrupt };
        }
        let half = world.transfer / 2.0;
        let runs = (0..world.arrivals(job))
            .map(|arrival| {
                let mut rest = vec![0.0; set.len()];
                for t in (arrival..arrival + job.length).rev() {
                    if t + 1 < arrival + job.length {
                        let c = |z: usize| world.zones[z][t + 1];
                        let moved = rest.iter().zip(set).map(|(v, &z)| v + half * c(z)).fold(f64::INFINITY, f64::min);
                        rest.iter_mut().zip(set).for_each(|(v, &z)| *v = v.min(moved + half * c(z)));
                    }
                    rest.iter_mut().zip(set).for_each(|(v, &z)| *v += world.zones[z][t]);
                }
                rest
            })
            .collect();
        Self { set: set.to_vec(), runs, defer: None, interrupt: None }
    }

    /// The sums of the jobs that arrive in `home`.
    pub fn from(&self, world: &World, home: usize, arrivals: usize) -> Vec<f64> {
        let own = self.set.iter().position(|&z| z == home).expect("a home is allowed in itself");
        let from = |(a, run): (usize, &Vec<f64>)| match &run[..] {
            [one] => *one,
            all => {
                let starts = all.iter().zip(&self.set).map(|(v, &z)| v + world.moving(home, z, a));
                starts.fold(all[own], f64::min)
            }
        };
        self.runs.iter().enumerate().take(arrivals).map(from).collect()
    }
}
