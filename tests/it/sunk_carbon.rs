//! Embodied carbon as an objective (scenarios/sunk-carbon.toml): runs against closed forms, and against what was published.

use std::path::PathBuf;

use crate::lab::{Run, close, repository, run_file};

const DAY_S: f64 = 86_400.0;
const PUE: f64 = 1.1;
const JOB_CORES: f64 = 16.0;
/// Hosts, cores, power at no and full load \[W\], jobs that a host holds.
const OLD: Server = Server { hosts: 63, cores: 128.0, idle_w: 92.9, max_w: 425.0, jobs: 8 };
const NEW: Server = Server { hosts: 31, cores: 256.0, idle_w: 117.0, max_w: 685.0, jobs: 16 };
/// What is embodied in a new server.
const NEW_KG: f64 = 1610.79;
const YEAR_S: f64 = 365.0 * DAY_S;

const OPERATIONAL: &str = "scheduler.packing.lowest-carbon.objective=\"operational\"";
const SCI: &str = "scheduler.packing.lowest-carbon.objective=\"sci\"";
const ON: &str = "scheduler.provisioning.always-on={}";
const OFF: &str =
    "scheduler.provisioning.threshold={ low = 1.0, high = 1000.0, min_hosts = 0, period_s = 60.0, hold_s = 60.0 }";
const BY_USE: &str = "servers.new.lifetime_basis=\"use\"";
const SIX_YEARS: [&str; 3] =
    ["servers.new.lifetime_years=6.0", "servers.old.lifetime_years=6.0", "servers.old.embodied_kg=1433.125"];

#[derive(Clone, Copy)]
struct Server {
    hosts: u32,
    cores: f64,
    idle_w: f64,
    max_w: f64,
    jobs: u32,
}

impl Server {
    fn dynamic_w_per_core(&self) -> f64 {
        (self.max_w - self.idle_w) / self.cores
    }

    fn full_w_per_core(&self) -> f64 {
        self.max_w / self.cores
    }

    /// Energy of all, for a day, with so many jobs \[J\]; `off` says whether empty ones go: after the minute that the policy holds
    /// them and the 7 s of a shutdown, both at idle power, they draw 5 W.
    fn energy_j(&self, jobs: u32, off: bool) -> f64 {
        let hosts = f64::from(self.hosts);
        let used = f64::from(jobs.div_ceil(self.jobs));
        let awake_s = if off { used * DAY_S + (hosts - used) * 67.0 } else { hosts * DAY_S };
        let resting_s = hosts * DAY_S - awake_s;
        let dynamic_w = f64::from(jobs) * JOB_CORES * self.dynamic_w_per_core();
        PUE * (self.idle_w * awake_s + 5.0 * resting_s + dynamic_w * DAY_S)
    }
}

fn scenario() -> PathBuf {
    repository("scenarios/sunk-carbon.toml")
}

fn run(jobs: u32, set: &[&str]) -> Run {
    let count = format!("instances.jobs.synthetic.count={jobs}");
    let set: Vec<&str> = set.iter().copied().chain([count.as_str()]).collect();
    let run = run_file(&scenario(), &set, 1);
    assert_eq!(run.number("instances.waited"), 0.0, "every job has room at once");
    run
}

/// What the accounts of the jobs say: O and M without what nobody is charged.
fn claimed_g(run: &Run) -> f64 {
    run.number("carbon_g.total")
        - run.number("carbon_g.unattributed_operational")
        - run.number("carbon_g.unattributed_embodied")
}

/// Old and new servers are filled in this order: jobs on each.
fn filled(first: Server, jobs: u32) -> (u32, u32) {
    let on_first = jobs.min(first.hosts * first.jobs);
    (on_first, jobs - on_first)
}

#[test]
fn energy_under_both_objectives_is_that_of_the_servers_filled_in_order() {
    for off in [false, true] {
        for jobs in [1, 100, 270, 496, 500, 504, 505, 780, 1000] {
            let hosts = if off { OFF } else { ON };
            let (new, old) = filled(NEW, jobs);
            let wanted = NEW.energy_j(new, off) + OLD.energy_j(old, off);
            let ours = run(jobs, &[OPERATIONAL, hosts]).number("energy_j.total");
            close(&format!("operational, {jobs} jobs, {hosts}"), ours, wanted, 1e-9);
            let (old, new) = filled(OLD, jobs);
            let wanted = NEW.energy_j(new, off) + OLD.energy_j(old, off);
            let ours = run(jobs, &[SCI, hosts]).number("energy_j.total");
            close(&format!("sci, {jobs} jobs, {hosts}"), ours, wanted, 1e-9);
        }
    }
}

#[test]
fn what_is_embodied_is_the_same_and_operation_never_emits_less_by_sci() {
    let m = f64::from(NEW.hosts) * NEW_KG * 1000.0 * DAY_S / (4.0 * YEAR_S);
    for hosts in [ON, OFF] {
        for jobs in (100..=1000).step_by(100) {
            let (a, b) = (run(jobs, &[OPERATIONAL, hosts]), run(jobs, &[SCI, hosts]));
            close("M by existence", a.number("carbon_g.embodied"), m, 1e-9);
            assert_eq!(a.number("carbon_g.embodied"), b.number("carbon_g.embodied"), "{jobs} jobs, {hosts}");
            let (o, more) = (a.number("carbon_g.operational"), b.number("carbon_g.operational"));
            // A full fleet leaves no choice; its sums are added in another order.
            assert!(more > o || jobs == 1000 && more >= o * (1.0 - 1e-12), "{jobs} jobs, {hosts}: {more} < {o}");
            close("the same work", a.number("sci.units"), b.number("sci.units"), 1e-12);
        }
    }
}

#[test]
fn the_order_flips_at_the_intensity_at_which_both_cost_the_same() {
    let watts = OLD.full_w_per_core() - NEW.full_w_per_core();
    for years in [2.0, 4.0, 6.0] {
        let g_per_core_s = NEW_KG * 1000.0 / NEW.cores / (years * YEAR_S);
        let flips_at = g_per_core_s * 3.6e6 / (watts * PUE);
        if years == 4.0 {
            close("at 4 years [g/kWh]", flips_at, 253.3, 1e-3);
        }
        let life = format!("servers.new.lifetime_years={years}");
        let energy = |objective: &str, share: f64| {
            let grid = format!("regions[0].grid.constant.g_per_kwh={}", flips_at * share);
            run(300, &[objective, &life, &grid]).number("energy_j.total")
        };
        let least = energy(OPERATIONAL, 1.0);
        assert!(energy(SCI, 0.999) > 1.01 * least, "{years} years: old servers come first below {flips_at} g/kWh");
        assert_eq!(energy(SCI, 1.001), least, "{years} years: new ones above");
    }
}

#[test]
fn with_six_years_for_all_both_objectives_agree() {
    let set = |objective| [OPERATIONAL, ON, SIX_YEARS[0], SIX_YEARS[1], SIX_YEARS[2], objective];
    for jobs in [100, 500, 900] {
        let (a, b) = (run(jobs, &set(OPERATIONAL)), run(jobs, &set(SCI)));
        assert_eq!(a.number("carbon_g.total"), b.number("carbon_g.total"));
    }
}

#[test]
fn with_empty_hosts_off_total_carbon_rises_as_published() {
    // SoCC 2024: more than 5 % at 27 to 78 %, up to nearly 30 %. Hosts that stay on are below that from 66 % on: docs/sunk-carbon.md.
    for jobs in [270, 300, 400, 500, 600, 700, 780] {
        let (a, b) = (run(jobs, &[OPERATIONAL, OFF]), run(jobs, &[SCI, OFF]));
        let rise = b.number("carbon_g.total") / a.number("carbon_g.total") - 1.0;
        assert!((0.05..=0.30).contains(&rise), "{jobs} jobs: {rise}");
    }
}

#[test]
fn by_use_the_accounts_claim_a_saving_where_total_carbon_rises() {
    // Per core at full load: 0.6534 g/h of operation and 0.1796 g/h embodied on new servers, 0.8108 g/h on old ones.
    for hosts in [ON, OFF] {
        let (a, b) = (run(400, &[OPERATIONAL, hosts]), run(400, &[SCI, hosts]));
        let intensity = a.number("carbon_g.mean_intensity") / 3.6e6;
        let grams = |s: Server| s.full_w_per_core() * PUE * intensity;
        let embodied = NEW_KG * 1000.0 / NEW.cores / (4.0 * YEAR_S);
        let wanted = grams(OLD) / (grams(NEW) + embodied) - 1.0;
        let claimed = claimed_g(&b) / claimed_g(&a) - 1.0;
        // Memory leaves 13 MB of a new and 8 MB of an old server to nobody.
        assert!((claimed - wanted).abs() < 2e-4, "claimed {claimed}, by hand {wanted}");
        assert!(claimed < -0.02 && b.number("carbon_g.total") > a.number("carbon_g.total"));
    }
}

#[test]
fn lifetimes_counted_in_use_turn_the_rise_into_a_saving() {
    let total = |objective: &str, more: &[&str]| run(500, &[&[objective, OFF], more].concat()).number("carbon_g.total");
    assert!(total(SCI, &[]) > 1.05 * total(OPERATIONAL, &[]));
    assert!(total(SCI, &[BY_USE]) < 0.98 * total(OPERATIONAL, &[BY_USE]));
}
