use proptest::prelude::*;

use super::*;
use crate::types::{Duration, Seed, Stream};

/// Regions on a line, so many milliseconds apart.
fn line(places_ms: &[u64]) -> Network {
    let rtt = places_ms.iter().flat_map(|a| places_ms.iter().map(move |b| Duration(a.abs_diff(*b) * 1_000_000)));
    Network::new(places_ms.len(), rtt.collect())
}

fn traffic(regions: &[(f64, f64)]) -> Vec<Traffic> {
    let of = |&(offered, capacity): &(f64, f64)| Traffic { offered, capacity, utilization: 0.0 };
    regions.iter().map(of).collect()
}

fn conductor(margin: f64) -> Conductor {
    toml::from_str(&format!("margin = {margin:?}")).expect("right keys")
}

fn matrix(margin: f64, regions: &[(f64, f64)], network: &Network) -> Matrix {
    let mut matrix = Matrix::identity(0);
    conductor(margin).conduct(&traffic(regions), network, &mut matrix);
    matrix
}

#[track_caller]
fn rows(matrix: &Matrix, wanted: &[&[f64]]) {
    for (i, row) in wanted.iter().enumerate() {
        for (j, &x) in row.iter().enumerate() {
            assert!((matrix.at(i, j) - x).abs() < 1e-12, "T[{i}][{j}] = {}, not {x}", matrix.at(i, j));
        }
    }
}

/// The loads that a matrix makes of offered work.
fn loads(matrix: &Matrix, regions: &[(f64, f64)]) -> Vec<f64> {
    let pulled = |i: usize| regions.iter().enumerate().map(|(j, r)| matrix.at(i, j) * r.0).sum::<f64>();
    (0..regions.len()).map(|i| pulled(i) / regions[i].1).collect()
}

#[test]
fn nothing_moves_where_nobody_is_overloaded() {
    let network = Network::local(3);
    for regions in [[(5.0, 10.0); 3], [(5.4, 10.0), (5.0, 10.0), (4.7, 10.0)], [(0.0, 10.0); 3], [(1.0, 0.0); 3]] {
        assert_eq!(matrix(0.05, &regions, &network), Matrix::identity(3), "{regions:?}");
    }
    assert_eq!(matrix(0.05, &[], &Network::local(0)), Matrix::identity(0));
}

#[test]
fn the_excess_goes_to_the_nearest_first() {
    // Mean 0.5, limit 0.6: region 1 has 4 too many; region 2 is nearest to it with room for 1, then 0 with room for 2, then 3.
    let network = line(&[0, 100, 150, 300]);
    let regions = [(4.0, 10.0), (10.0, 10.0), (5.0, 10.0), (1.0, 10.0)];
    let m = matrix(0.1, &regions, &network);
    rows(&m, &[&[1.0, 0.2, 0.0, 0.0], &[0.0, 0.6, 0.0, 0.0], &[0.0, 0.1, 1.0, 0.0], &[0.0, 0.1, 0.0, 1.0]]);
    // All equally far: the lowest number first.
    let m = matrix(0.1, &regions, &Network::local(4));
    rows(&m, &[&[1.0, 0.2, 0.0, 0.0], &[0.0, 0.6, 0.0, 0.0], &[0.0, 0.1, 1.0, 0.0], &[0.0, 0.1, 0.0, 1.0]]);
    let swapped = [regions[3], regions[1], regions[2], regions[0]];
    let m = matrix(0.1, &swapped, &Network::local(4));
    rows(&m, &[&[1.0, 0.4, 0.0, 0.0], &[0.0, 0.6, 0.0, 0.0], &[0.0, 0.0, 1.0, 0.0], &[0.0, 0.0, 0.0, 1.0]]);
}

#[test]
fn capacities_may_be_uneven_and_a_region_without_hosts_gives_all_away() {
    // 15 of 20 cores: mean 0.75. Region 0 offers 12 on 8 and keeps 6.
    let m = matrix(0.0, &[(12.0, 8.0), (3.0, 12.0)], &Network::local(2));
    rows(&m, &[&[0.5, 0.0], &[0.5, 1.0]]);
    let m = matrix(0.1, &[(2.0, 0.0), (3.0, 10.0)], &Network::local(2));
    rows(&m, &[&[0.0, 0.0], &[1.0, 1.0]]);
}

#[test]
fn the_most_overloaded_chooses_first() {
    // Limit 0.8: region 0 (load 1) and region 1 (load 2) both have 1 too many on their side; only region 2 is near both.
    let network = line(&[0, 10, 5, 1000]);
    let regions = [(10.0, 10.0), (20.0, 10.0), (0.0, 10.0), (2.0, 10.0)];
    let m = matrix(0.0, &regions, &network);
    // Region 1 fills region 2 with 8 and takes 4 of region 3's 6; region 0 has what is left of it.
    rows(&m, &[&[0.8, 0.0, 0.0, 0.0], &[0.0, 0.4, 0.0, 0.0], &[0.0, 0.4, 1.0, 0.0], &[0.2, 0.2, 0.0, 1.0]]);
}

proptest! {
    #[test]
    fn traffic_is_kept_and_nobody_ends_above_the_limit(
        regions in prop::collection::vec((0.0..50.0_f64, 0.5..30.0_f64), 1..9),
        margin in prop::sample::select(vec![0.0, 0.02, 0.2]),
        places in prop::collection::vec(0_u64..300, 9),
    ) {
        let network = line(&places[..regions.len()]);
        let m = matrix(margin, &regions, &network);
        for j in 0..regions.len() {
            let column: f64 = (0..regions.len()).map(|i| m.at(i, j)).sum();
            prop_assert!((column - 1.0).abs() < 1e-12);
            prop_assert!((0..regions.len()).all(|i| (0.0..=1.0).contains(&m.at(i, j))));
        }
        let capacity: f64 = regions.iter().map(|r| r.1).sum();
        let mean = regions.iter().map(|r| r.0).sum::<f64>() / capacity;
        let after = loads(&m, &regions);
        let kept: f64 = after.iter().zip(&regions).map(|(l, r)| l * r.1).sum();
        prop_assert!((kept / capacity - mean).abs() < 1e-9 * mean.max(1.0));
        for (i, (&load, r)) in after.iter().zip(&regions).enumerate() {
            prop_assert!(load <= mean + margin + 1e-9);
            let before = r.0 / r.1;
            // Who was overloaded ends at the limit and takes nothing; who was not gives nothing.
            if before > mean + margin + 1e-9 {
                prop_assert!((load - mean - margin).abs() < 1e-9);
                prop_assert!((0..regions.len()).all(|j| j == i || m.at(i, j) == 0.0));
            } else {
                prop_assert!(m.at(i, i) > 1.0 - 1e-9 && load >= before - 1e-9);
            }
            if margin == 0.0 {
                prop_assert!((load - mean).abs() < 1e-9, "with no margin all are equal");
            }
        }
        // Nothing goes past a nearer region that has room left.
        for j in 0..regions.len() {
            for far in (0..regions.len()).filter(|&i| i != j && m.at(i, j) > 1e-9) {
                for (near, load) in after.iter().enumerate() {
                    let id = RegionId::from_index;
                    let nearer = near != j && network.rtt(id(j), id(near)) < network.rtt(id(j), id(far));
                    prop_assert!(!nearer || *load > mean + margin - 1e-9);
                }
            }
        }
    }
}

#[test]
fn observations_are_averaged_exponentially() {
    let spec = Conductor { window_s: 600.0, ..conductor(0.0) };
    let mut c = Conducting::new(spec, 2);
    c.observe(&traffic(&[(4.0, 10.0), (4.0, 10.0)]), 60.0);
    c.observe(&traffic(&[(8.0, 10.0), (4.0, 10.0)]), 300.0);
    c.observe(&traffic(&[(8.0, 10.0), (4.0, 10.0)]), 600.0);
    assert!((c.traffic[0].offered - (8.0 - 4.0 * f64::exp(-1.5))).abs() < 1e-12);
    assert_eq!(c.traffic[1].offered, 4.0);
}

#[test]
fn what_offered_work_does_not_explain_is_moved_away_too() {
    // Both offer 5 on 10, but region 0 is measured at 0.7 (old calls still run): mean 0.6, 1 of its 5 goes.
    let seen = [
        Traffic { offered: 5.0, capacity: 10.0, utilization: 0.7 },
        Traffic { offered: 5.0, capacity: 10.0, utilization: 0.5 },
    ];
    let network = Network::local(2);
    let mut m = Matrix::identity(2);
    let mut c = Conducting::new(conductor(0.0), 2);
    c.observe(&seen, 60.0);
    c.conduct(&network, &mut m);
    rows(&m, &[&[0.8, 0.0], &[0.2, 1.0]]);
    // That is what it takes: from then on both are at 0.6, and the matrix stays as it is.
    for _ in 0..200 {
        let level = seen.map(|t| Traffic { utilization: 0.6, ..t });
        c.observe(&level, 60.0);
        c.conduct(&network, &mut m);
    }
    rows(&m, &[&[0.8, 0.0], &[0.2, 1.0]]);
    // Open loop sees nothing of it.
    let open = Conductor { measured_weight: 0.0, ..conductor(0.0) };
    let mut c = Conducting::new(open, 2);
    c.observe(&seen, 60.0);
    c.conduct(&network, &mut m);
    assert_eq!(m, Matrix::identity(2));
}

/// A fleet of uneven regions in steps of 10 s: calls share their region's cores evenly, at most one core each.
struct Fleet {
    capacity: Vec<f64>,
    running: Vec<Vec<f64>>,
}

const STEP_S: f64 = 10.0;

impl Fleet {
    /// Runs one step; the CPU in use of each region over its capacity.
    fn step(&mut self) -> Vec<f64> {
        let step = |(calls, &cores): (&mut Vec<f64>, &f64)| {
            let share = (cores / calls.len().max(1) as f64).min(1.0) * STEP_S;
            let used: f64 = calls.iter().map(|left| left.min(share)).sum();
            calls.iter_mut().for_each(|left| *left -= share);
            calls.retain(|&left| left > 1e-9);
            used / (cores * STEP_S)
        };
        self.running.iter_mut().zip(&self.capacity).map(step).collect()
    }
}

/// Work of one call [core·s]: most are short, and most of the work is in a few of minutes; mean 21.
fn work(random: &mut Stream) -> f64 {
    if random.uniform() < 0.9 { random.exponential(1.0) } else { random.exponential(200.0) }
}

/// A day of 12 regions of the published relative capacities and equal demand at a mean of 66 %: the spread of hourly means over regions (largest
/// less smallest), mean over hours, and the root mean square of their deviations from the hour's mean.
fn spread(spec: Option<&Conductor>, largest_cores: f64) -> (f64, f64) {
    let shape = [1.0, 0.926, 0.917, 0.827, 0.664, 0.591, 0.577, 0.492, 0.411, 0.396, 0.244, 0.145];
    let capacity: Vec<f64> = shape.iter().map(|s| s * largest_cores).collect();
    let (regions, cores) = (capacity.len(), capacity.iter().sum::<f64>());
    let per_region = 0.66 * cores / regions as f64 / 20.9 * STEP_S;
    let mut random = Seed(11).stream("fleet", 0);
    let mut fleet = Fleet { running: vec![Vec::new(); regions], capacity };
    let mut conducting = spec.map(|s| Conducting::new(s.clone(), regions));
    let (network, mut matrix) = (Network::local(regions), Matrix::identity(regions));
    let (mut hour, mut hours) = (vec![0.0; regions], Vec::new());
    let mut minute = vec![Traffic::default(); regions];
    for step in 1..=24 * 360_u32 {
        for (j, minute) in minute.iter_mut().enumerate() {
            for _ in 0..random.poisson(per_region) {
                let (call, mut draw) = (work(&mut random), random.uniform());
                minute.offered += call / 60.0;
                let to = (0..regions).find(|&i| {
                    draw -= matrix.at(i, j);
                    draw < 0.0
                });
                fleet.running[to.unwrap_or(j)].push(call);
            }
        }
        for (r, u) in fleet.step().into_iter().enumerate() {
            hour[r] += u / 360.0;
            minute[r].utilization += u / 6.0;
            minute[r].capacity = fleet.capacity[r];
        }
        if step % 6 == 0 {
            if let Some(c) = &mut conducting {
                c.observe(&minute, 60.0);
                c.conduct(&network, &mut matrix);
            }
            minute.fill(Traffic::default());
        }
        if step % 360 == 0 {
            if step > 3 * 360 {
                hours.push(hour.clone());
            }
            hour.fill(0.0);
        }
    }
    let range = |h: &Vec<f64>| h.iter().copied().fold(0.0, f64::max) - h.iter().copied().fold(1.0, f64::min);
    let n = hours.len() as f64;
    let deviation = |h: &Vec<f64>| {
        let mean = h.iter().zip(&fleet.capacity).map(|(u, c)| u * c).sum::<f64>() / cores;
        h.iter().map(|u| (u - mean) * (u - mean)).sum::<f64>() / regions as f64
    };
    (hours.iter().map(range).sum::<f64>() / n, (hours.iter().map(deviation).sum::<f64>() / n).sqrt())
}

#[test]
fn regions_come_into_a_narrow_band_although_calls_are_large_and_capacity_is_uneven() {
    let cores = 40.0;
    let with = |text: &str| spread(Some(&toml::from_str(text).expect(text)), cores);
    let (alone, open) = (spread(None, cores), with("margin = 0.0\nmeasured_weight = 0.0"));
    let (closed, level, wide) = (with(""), with("margin = 0.0"), with("margin = 0.05"));
    println!(
        "alone {alone:.3?}, open loop {open:.3?}, closed {closed:.3?}, margin 0 {level:.3?}, margin 0.05 {wide:.3?}"
    );
    assert!(alone.0 > 0.5 && alone.1 > 0.2, "the demand does not fit the capacity: {alone:?}");
    assert!(closed.0 < 0.13 && closed.1 < 0.035, "{closed:?}");
    assert!(level.1 < wide.1 && closed.1 < wide.1, "a margin widens the band: {closed:?} {wide:?}");
    assert!(level.1 < 0.7 * open.1, "what is measured helps: {level:?} {open:?}");
}
