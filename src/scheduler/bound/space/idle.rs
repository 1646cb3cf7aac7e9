//! What idle capacity leaves of the gain from migration: load moves only into room that is free.

use crate::scheduler::spatial::{Cost, transport};

/// How finely capacity is cut: parts of the capacity of a zone of weight 1.
const PARTS: f64 = 1e6;
/// How finely intensity is cut, where zones are told apart by it [parts of 1 g/kWh].
const FINE: f64 = 1e6;

/// Zones of which the same share is idle.
#[derive(Debug, Clone, PartialEq)]
pub struct Idle<'a> {
    /// Capacity of each zone, in any unit; load is the part of it that is not idle.
    pub capacity: &'a [f64],
    /// The idle share of each zone's capacity \[0 to 1\].
    pub idle: f64,
    /// The zones in which the load of a zone may run.
    pub allowed: &'a [Vec<usize>],
}

impl Idle<'_> {
    /// The lowest mean intensity of all load, when zones have these intensities [gCO2e/kWh].
    ///
    /// Formula, with K\[z\] the capacity, L\[z\] = (1 - idle) K\[z\] the load and x\[h,z\] the load of h that runs in z:
    ///
    /// ```text
    /// min Σ x[h,z] c[z] / Σ L    Σ_z x[h,z] = L[h],  Σ_h x[h,z] <= K[z],  x[h,z] = 0 where h may not run in z
    /// ```
    ///
    /// Load that leaves a zone makes room for other load there. Where every zone may run everything, this is greedy: the zones are filled in order of
    /// their intensity until all load has a place. Else it is a transportation problem. `idle` = 0 moves nothing that helps; with `idle` = 1 - 1/n
    /// of n equal zones all load fits into the cleanest one.
    ///
    /// Example: 100 and 300 g/kWh, equal capacities of which 20 % are idle: 1.0 and 0.6 of 1.6, hence 175 g/kWh, of 200 without migration.
    pub fn mean(&self, intensity: &[f64]) -> f64 {
        let load: f64 = self.load().sum();
        if self.allowed.iter().all(|set| set.len() == self.capacity.len()) {
            return self.greedy(intensity, load) / load;
        }
        let whole = |share: f64| (share * PARTS).round() as u64;
        let scale = self.capacity.iter().fold(0.0, |most: f64, k| most.max(*k));
        let supply: Vec<u64> = self.load().map(|l| whole(l / scale)).collect();
        let room: Vec<u64> = self.capacity.iter().zip(&supply).map(|(k, own)| whole(k / scale).max(*own)).collect();
        let zones = self.capacity.len();
        let mut cost = vec![None; zones * zones];
        for (home, set) in self.allowed.iter().enumerate() {
            for &zone in set {
                let whole = (intensity[zone] * FINE).round() as i64;
                cost[home * zones + zone] = Some(Cost([0, whole, i64::from(home != zone)]));
            }
        }
        let dealt = transport(&supply, &room, &cost);
        let grams: f64 = (0..zones).map(|zone| dealt.arriving(zone, zones) as f64 * intensity[zone]).sum();
        grams / supply.iter().sum::<u64>() as f64
    }

    fn load(&self) -> impl Iterator<Item = f64> + '_ {
        self.capacity.iter().map(|k| (1.0 - self.idle) * k)
    }

    fn greedy(&self, intensity: &[f64], load: f64) -> f64 {
        let mut order: Vec<usize> = (0..intensity.len()).collect();
        order.sort_by(|&a, &b| intensity[a].total_cmp(&intensity[b]).then(a.cmp(&b)));
        let (mut left, mut grams) = (load, 0.0);
        for zone in order {
            let here = self.capacity[zone].min(left);
            grams += here * intensity[zone];
            left -= here;
        }
        grams
    }

    /// The mean intensity without migration.
    pub fn at_home(&self, intensity: &[f64]) -> f64 {
        let grams: f64 = self.load().zip(intensity).map(|(l, c)| l * c).sum();
        grams / self.load().sum::<f64>()
    }
}
