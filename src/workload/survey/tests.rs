//! The survey against closed forms and cases made by hand.

use statrs::distribution::DiscreteCDF;

use super::*;
use crate::types::{Memory, MilliCores, Seed, TenantId};
use crate::workload::{Arrival, Poisson, PoissonSpec, Quota, Service, Trigger};

#[test]
fn the_next_arrivals_of_a_pool_are_found_in_their_order() {
    let s = |t: u64| SimTime(t);
    let future = Future::new(1, &[vec![s(1), s(5), s(9)], vec![s(2)]]);
    let next = |pool, now, skip| future.next(PoolId(pool), RegionId(0), s(now), skip);
    assert_eq!(next(0, 0, 0), Some(s(1)));
    assert_eq!(next(0, 1, 0), Some(s(5)));
    assert_eq!(next(0, 1, 1), Some(s(9)));
    assert_eq!(next(0, 9, 0), None);
    assert_eq!(next(1, 0, 0), Some(s(2)));
    assert_eq!(next(7, 0, 0), None);
}

/// Time \[ns\], work \[ns\], function, region, count.
type Call = (u64, u64, u32, u32, u32);
/// How many functions are announced, and calls.
type Calls = (u32, Vec<Call>);

/// A workload made by hand, and how many functions it has announced.
struct Made(Vec<Calls>, u32);

impl Arrivals for Made {
    fn next_batch(&mut self, batch: &mut Batch) -> Result<(), WorkloadError> {
        batch.clear();
        if self.0.is_empty() {
            return Ok(());
        }
        let (functions, calls) = self.0.remove(0);
        if self.1 == 0 {
            batch.tenants.push("t".into());
        }
        batch.functions.extend((self.1..self.1 + functions).map(|f| FunctionProfile {
            name: format!("f{f}").into(),
            tenant: TenantId(0),
            memory: Memory::from_mb(1.0),
            cpu: MilliCores(1000),
            trigger: Trigger::Http,
            criticality: 0,
            quota: Quota::Reserved,
            trust_domain: 0,
            quota_cores: None,
            mean_call: None,
        }));
        self.1 += functions;
        batch.calls.extend(calls.into_iter().map(|(time, work, function, region, count)| Arrival {
            time: SimTime(time),
            start: SimTime(time),
            work: Duration(work),
            deadline: SimTime::NEVER,
            function: FunctionId(function),
            region: RegionId(region),
            count,
        }));
        Ok(())
    }

    fn progress(&self) -> f64 {
        0.0
    }
}

const ALL: SurveyRequest =
    SurveyRequest { quantile: Some(1.0), future: false, factor: 1.0, extra: Duration::ZERO, until: None };

fn own_pool(function: FunctionId, _: &FunctionProfile) -> PoolId {
    PoolId(function.0)
}

fn look(batches: Vec<Calls>, regions: usize, request: &SurveyRequest) -> Survey {
    survey(&mut Made(batches, 0), regions, &mut own_pool, request).unwrap()
}

#[test]
fn levels_of_a_case_made_by_hand() {
    // In execution: 1 during 0..10, 2 during 10..20, 5 during 20..30, 3 during 30..40; the last call arrives at 40.
    let calls = vec![
        (0, 20, 0, 0, 1),
        (10, 20, 0, 0, 1),
        (20, 20, 0, 0, 1),
        (20, 10, 0, 0, 1),
        (20, 20, 0, 0, 2),
        (40, 5, 0, 0, 1),
    ];
    let at = |quantile: f64| look(vec![(1, calls.clone())], 1, &SurveyRequest { quantile: Some(quantile), ..ALL });
    assert_eq!([0.0, 0.25, 0.26, 0.5, 0.51, 0.75, 0.76, 1.0].map(|q| at(q).peaks[0]), [0, 1, 2, 2, 3, 3, 5, 5]);
    let whole = at(1.0);
    assert_eq!((whole.mean, whole.calls, whole.end), (vec![2.75], vec![7], SimTime(40)));
    assert_eq!((whole.pools, whole.regions, whole.profiles.len(), whole.tenants.len()), (1, 1, 1, 1));
}

#[test]
fn an_end_comes_before_an_arrival_of_the_same_instant() {
    let calls = vec![(0, 10, 0, 0, 1), (10, 10, 0, 0, 1), (20, 0, 0, 0, 1), (20, 0, 0, 0, 1)];
    assert_eq!(look(vec![(1, calls.clone())], 1, &ALL).peaks, [1]);
    let longer = SurveyRequest { extra: Duration(1), ..ALL };
    assert_eq!(look(vec![(1, calls)], 1, &longer).peaks, [3]);
}

#[test]
fn factor_and_extra_lengthen_the_stay() {
    let calls = vec![(0, 10, 0, 0, 1), (100, 0, 0, 0, 1)];
    let mean = |factor: f64, extra: u64| {
        look(vec![(1, calls.clone())], 1, &SurveyRequest { factor, extra: Duration(extra), ..ALL }).mean[0]
    };
    assert_eq!([mean(1.0, 0), mean(1.5, 0), mean(1.0, 7), mean(2.0, 30)], [0.1, 0.15, 0.17, 0.5]);
}

#[test]
fn pools_and_regions_are_counted_apart() {
    // Functions 0 and 2 share pool 0; the third function is announced in a later batch, with a new pool.
    let batches = vec![
        (2, vec![(0, 100, 0, 0, 1), (5, 100, 1, 1, 2), (6, 100, 0, 1, 1)]),
        (2, vec![(7, 100, 2, 0, 1), (8, 100, 3, 1, 4), (50, 1, 0, 0, 1)]),
    ];
    let mut asked = Vec::new();
    let mut pool_of = |function: FunctionId, profile: &FunctionProfile| {
        asked.push((function.0, profile.name.to_string()));
        PoolId([0, 1, 0, 2][function.index()])
    };
    let found = survey(&mut Made(batches, 0), 2, &mut pool_of, &SurveyRequest { future: true, ..ALL }).unwrap();
    assert_eq!(found.peaks, [3, 1, 0, 2, 0, 4]);
    assert_eq!(found.calls, [3, 1, 0, 2, 0, 4]);
    assert_eq!((found.pools, found.regions), (3, 2));
    assert_eq!(asked, [(0, "f0".into()), (1, "f1".into()), (2, "f2".into()), (3, "f3".into())]);
    let future = found.future.unwrap();
    let next = |pool, region, now, skip| future.next(PoolId(pool), RegionId(region), SimTime(now), skip);
    assert_eq!([next(0, 0, 0, 0), next(0, 0, 0, 1), next(0, 0, 50, 0)], [Some(SimTime(7)), Some(SimTime(50)), None]);
    assert_eq!([next(2, 1, 0, 3), next(2, 1, 0, 4), next(2, 0, 0, 0)], [Some(SimTime(8)), None, None]);
}

#[test]
fn the_cut_ends_the_look() {
    let calls = vec![(0, 50, 0, 0, 1), (20, 1000, 0, 0, 3), (100, 5, 0, 0, 9)];
    let cut = |until: u64, quantile: f64| {
        let request = SurveyRequest { until: Some(SimTime(until)), quantile: Some(quantile), ..ALL };
        look(vec![(1, calls.clone())], 1, &request)
    };
    let at_the_arrival = cut(100, 1.0);
    assert_eq!(
        (&at_the_arrival.peaks[..], &at_the_arrival.calls[..], at_the_arrival.end),
        (&[4][..], &[4][..], SimTime(100))
    );
    assert_eq!(at_the_arrival.mean, [(20.0 + 4.0 * 30.0 + 3.0 * 50.0) / 100.0]);
    assert_eq!(cut(101, 1.0).peaks, [12]);
    // Beyond the last arrival the calls go on to end: 3 until 1020, then none.
    let late = cut(4000, 0.7);
    assert_eq!((&late.peaks[..], late.calls[0], late.end), (&[0][..], 13, SimTime(4000)));
    let nothing = cut(0, 0.5);
    assert_eq!((nothing.peaks, nothing.mean, nothing.calls), (vec![0], vec![0.0], vec![0]));
}

#[test]
fn without_a_quantile_or_without_calls_nothing_is_made_up() {
    let none = look(vec![(1, vec![(0, 1, 0, 0, 1)])], 1, &SurveyRequest { quantile: None, ..ALL });
    assert!(none.peaks.is_empty() && none.future.is_none());
    let empty = look(Vec::new(), 3, &ALL);
    assert_eq!((empty.pools, empty.end, empty.peaks.len()), (0, SimTime::ZERO, 0));
    // All at the start: no time passes, so the maximum stands for every quantile.
    let burst = look(vec![(1, vec![(0, 9, 0, 0, 7)])], 1, &SurveyRequest { quantile: Some(0.5), ..ALL });
    assert_eq!((burst.peaks, burst.mean), (vec![7], vec![0.0]));
}

#[test]
fn poisson_arrivals_with_endless_capacity_are_poisson_in_execution() {
    // M/G/infinity: the number in execution is Poisson with mean rate × mean work, for every distribution of work.
    for service in [Service::Exponential { mean_s: 4.0 }, Service::Constant { length_s: 4.0 }] {
        let spec = PoissonSpec {
            rate_per_s: 10.0,
            calls: 400_000,
            service,
            functions: 1,
            zipf_exponent: 1.0,
            memory_mb: 128.0,
            cpu_cores: 1.0,
            deadline_s: None,
        };
        let law = statrs::distribution::Poisson::new(20.0).expect("a right mean");
        for quantile in [0.1, 0.5, 0.9, 0.99, 0.999] {
            // Two regions share the calls: 5/s each.
            let request = SurveyRequest { quantile: Some(quantile), ..ALL };
            let found = survey(&mut Poisson::new(&spec, 2, Seed(5)), 2, &mut own_pool, &request).unwrap();
            let wanted = law.inverse_cdf(quantile) as i64;
            for region in 0..2 {
                let (peak, mean) = (i64::from(found.peaks[region]), found.mean[region]);
                assert!((peak - wanted).abs() <= 1, "{:?} {quantile}: {peak} for {wanted}", spec.service);
                // Standard error about sqrt(2 × 20 × 4 s / 40 000 s) = 0.06.
                assert!((mean - 20.0).abs() < 0.2, "{:?}: mean {mean}", spec.service);
            }
        }
    }
}
