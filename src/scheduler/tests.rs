//! Samples for the tests of policies: a function, a pool, an idle sandbox, a call, and what is known.

use super::keep_alive::{IdleView, KeepAlive, Plan};
use super::*;
use crate::grid::{PerfectForecast, Signal};
use crate::types::{Memory, MilliCores, TenantId};
use crate::workload::{Quota, Trigger};

/// A function of one core and 100 MB, called over HTTP.
pub(crate) fn profile() -> FunctionProfile {
    FunctionProfile {
        name: "f".into(),
        tenant: TenantId(0),
        memory: Memory::from_mb(100.0),
        cpu: MilliCores(1000),
        trigger: Trigger::Http,
        criticality: 0,
        quota: Quota::Reserved,
        trust_domain: 0,
        quota_cores: None,
        mean_call: None,
    }
}

/// A pool without sandboxes or calls, of one slot each.
pub(crate) fn pool(pool: u32, region: u32) -> PoolView {
    PoolView {
        pool: PoolId(pool),
        region: RegionId(region),
        sandboxes: 0,
        idle: 0,
        starting: 0,
        running: 0,
        waiting: 0,
        slots: 1,
        last_end: None,
        mean_demand: 0.0,
        peak: None,
    }
}

/// Machines of 100 W idle for 100 GB and 2 W per busy core, PUE 1, no embodied emissions, in so many regions.
pub(crate) fn known(regions: usize) -> Known {
    let facts = SiteFacts { idle_w_per_byte: 1e-9, dynamic_w_per_core: 2.0, embodied_g_per_s_per_byte: 0.0, pue: 1.0 };
    Known { seed: Seed(1), sites: vec![facts; regions].into(), future: Some(Future::default().into()) }
}

/// Forecasts of a constant intensity [g/kWh].
pub(crate) fn forecasts(regions: usize, g_per_kwh: f64) -> Vec<Box<dyn Forecast>> {
    let one = || {
        let signal = Signal::constant("X", g_per_kwh).expect("a constant signal");
        Box::new(PerfectForecast::new(signal)) as Box<dyn Forecast>
    };
    (0..regions).map(|_| one()).collect()
}

/// A call arrives at a pool: of 1 s of expected work.
pub(crate) fn arrive(policy: &mut dyn KeepAlive, pool: &PoolView, now_s: f64) {
    let (profile, now) = (profile(), SimTime::from_secs_f64(now_s));
    let call = CallView {
        token: WorkToken::Call(0),
        function: FunctionId(pool.pool.0),
        profile: &profile,
        arrival: now,
        deadline: SimTime::NEVER,
        expected_work: Duration::from_secs(1),
        region: pool.region,
    };
    policy.arrived(
        &call,
        pool,
        &View {
            now,
            regions: &[],
            forecasts: &[],
            observed: &[],
            reserved: Default::default(),
            network: &crate::network::NOWHERE,
        },
    );
}

/// What happens to a sandbox of 100 MB that becomes idle; its start took 2 s and 1 core·s; intensity is 360 g/kWh.
pub(crate) fn idle(policy: &mut dyn KeepAlive, pool: &PoolView, now_s: f64) -> Plan {
    let (profile, now) = (profile(), SimTime::from_secs_f64(now_s));
    let sandbox = IdleView {
        function: FunctionId(pool.pool.0),
        profile: &profile,
        pool: *pool,
        memory: Memory::from_mb(100.0),
        start: Duration::from_secs(2),
        start_core_s: 1.0,
        start_energy_j: None,
        now,
    };
    let forecasts = forecasts(pool.region.index() + 1, 360.0);
    policy.keep(
        &sandbox,
        &View {
            now,
            regions: &[],
            forecasts: &forecasts,
            observed: &[],
            reserved: Default::default(),
            network: &crate::network::NOWHERE,
        },
    )
}

/// Feeds a policy the idle times of a pool \[s\], one call after another from `start_s` on; the end of the last call \[s\].
pub(crate) fn feed(policy: &mut dyn KeepAlive, pool: &mut PoolView, start_s: f64, gaps_s: &[f64]) -> f64 {
    let mut end = start_s;
    for gap in gaps_s {
        pool.last_end = Some(SimTime::from_secs_f64(end));
        arrive(policy, pool, end + gap);
        end += gap + 1.0;
    }
    pool.last_end = Some(SimTime::from_secs_f64(end));
    end
}

/// The names in a catalogue, read from its schema, with the keys that have no default.
pub(crate) fn catalogue<T: JsonSchema>(required: &[(&str, &str)]) -> Vec<String> {
    let schema = serde_json::to_value(schemars::schema_for!(T)).expect("a schema is JSON");
    let variants = schema["oneOf"].as_array().expect("a catalogue is one of several tables");
    let entry = |variant: &serde_json::Value| {
        let name = variant["properties"].as_object().and_then(|p| p.keys().next()).expect("a table with a name");
        let keys = required.iter().find(|(n, _)| n == name).map_or("", |(_, keys)| keys);
        format!("[{name}]\n{keys}\n")
    };
    variants.iter().map(entry).collect()
}
