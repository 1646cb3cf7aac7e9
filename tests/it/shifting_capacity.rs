//! Shifting on finite hosts: queues, ceilings, evictions and bills, computed by hand.

use crate::lab::{Lab, Run, Table, close};
use crate::shifting::{WORLD, hourly};

const H: f64 = 3600.0;

/// Jobs of a file on one host with so many cores, in hours of so much intensity from the run's start on; the last one lasts.
fn lab(cores: u32, g_per_kwh: &[f64], jobs: &str, more: &str) -> Lab {
    let last = *g_per_kwh.last().expect("an hour");
    let hours: Vec<f64> = g_per_kwh.iter().copied().chain(std::iter::repeat(last)).take(20 * 24).collect();
    let world = WORLD.replace("cores = 1000", &format!("cores = {cores}"));
    assert!(world != WORLD || cores == 1000);
    Lab::new(&format!("{world}[jobs.work]\nsource.csv.path = \"jobs.csv\"\n{more}"))
        .file("grid.csv", &hourly(0, &hours))
        .file("jobs.csv", &format!("name,arrival_s,length_s,cpu_cores,memory_mb,slack_s\n{jobs}"))
}

/// A line of jobs.csv: when it arrives, its length and its slack in hours, and its cores.
fn job(name: &str, at_h: f64, length_h: f64, cores: f64, slack_h: f64) -> String {
    format!("{name},{},{},{cores},600,{}\n", at_h * H, length_h * H, slack_h * H)
}

/// So many jobs alike, of one hour.
fn alike(count: usize, at_h: f64, cores: f64, slack_h: f64) -> String {
    (0..count).map(|i| job(&format!("at{at_h}-{cores}-{i}"), at_h, 1.0, cores, slack_h)).collect()
}

const WINDOW: &str = "scheduler.shifting={ lowest-window = { reserve_s = 0.0, min_slack_s = 0.0 } }";
const AWHILE: &str = "scheduler.shifting={ wait-awhile = {} }";

/// Start and end of the jobs in hours, by name.
fn times(run: &Run) -> Vec<(String, f64, f64)> {
    let table = run.table("jobs.csv");
    let hours = |name: &str| table.column(name).into_iter().map(|s| s / H).collect::<Vec<_>>();
    let (started, ended) = (hours("started_s"), hours("ended_s"));
    let mut rows: Vec<_> =
        table.text("job").into_iter().zip(started).zip(ended).map(|((job, from), to)| (job, from, to)).collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    rows
}

/// The most cores that jobs run on together in the middle of an hour, from one hour on.
fn peak_after(table: &Table, from_h: u32) -> f64 {
    let [started, ended, cores] = ["started_s", "ended_s", "cores"].map(|name| table.column(name));
    let busy = |at: f64| (0..cores.len()).filter(|&i| started[i] <= at && at < ended[i]).map(|i| cores[i]).sum::<f64>();
    (from_h * 60..400 * 60).map(|minute| busy(f64::from(minute) * 60.0 + 30.0)).fold(0.0, f64::max)
}

#[test]
fn jobs_that_chase_one_hour_queue_on_a_finite_fleet_and_miss_their_deadlines() {
    // Hour 6 is the cleanest; eight jobs may wait for it, and one fits at a time.
    let lab = lab(4, &[300.0, 300.0, 300.0, 300.0, 300.0, 300.0, 100.0, 300.0], &alike(8, 0.0, 4.0, 6.0), "");
    let run = lab.run(&[WINDOW]);
    let mut starts: Vec<f64> = times(&run).into_iter().map(|t| t.1).collect();
    starts.sort_by(f64::total_cmp);
    assert_eq!(starts, [6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0]);
    for (key, wanted) in [
        ("jobs.queued", 7.0),
        ("jobs.queued_mean_s", 3.5 * H),
        ("jobs.queued_max_s", 7.0 * H),
        // All but the first end after hour 7. At once, the k-th ends after k hours: one is late.
        ("shifting.missed_deadline", 7.0),
        ("shifting.run_now_missed_deadline", 1.0),
        ("shifting.queued_mean_s", 3.5 * H),
        ("shifting.run_now_queued_mean_s", 3.5 * H),
        ("jobs.delay_max_s", 13.0 * H),
        ("jobs.peak_cores", 4.0),
    ] {
        close(key, run.number(key), wanted, 1e-12);
    }
    // At once, the seventh runs in the clean hour; shifted, the first does, and all others in equally dirty hours.
    assert!(run.number("shifting.saved_operational_g").abs() < 1e-9);
    // One that knows the capacity spreads them over the hours that they may use: the last one is forced.
    let greedy = lab.run(&["scheduler.shifting={ greedy-capacity = {} }"]);
    assert_eq!(greedy.number("shifting.missed_deadline"), 1.0);
}

#[test]
fn hosts_at_the_peak_and_what_is_embodied_in_them() {
    // Four hosts of one core; four jobs, one an hour, that all wait for hour 4: the peak fills four hosts rather than one.
    let jobs: String = (0..4).map(|i| job(&format!("j{i}"), f64::from(i), 1.0, 1.0, 4.0 - f64::from(i))).collect();
    let lab = lab(1, &[300.0, 300.0, 300.0, 300.0, 100.0, 300.0], &jobs, "");
    let run = lab.run(&[WINDOW, "regions[0].hosts[0].count=4"]);
    assert_eq!(times(&run).iter().map(|t| t.1).collect::<Vec<_>>(), [4.0; 4]);
    // Drained for four days after the last arrival, at hour 3.
    let run_s = 4.0 * 86_400.0 + 3.0 * H;
    let embodied_g = 1000.0 * 1000.0 * run_s / (4.0 * 365.0 * 86_400.0);
    // A busy core draws 10,000 W more than an idle host: 10 kWh a job at PUE 1.25, 200 g/kWh cleaner.
    let saved_g = 4.0 * 10.0 * 1.25 * 200.0;
    for (key, wanted) in [
        ("shifting.peak_cores", 4.0),
        ("shifting.run_now_peak_cores", 1.0),
        ("shifting.hosts_at_peak", 4.0),
        ("shifting.run_now_hosts_at_peak", 1.0),
        ("shifting.extra_embodied_g", 3.0 * embodied_g),
        ("shifting.saved_operational_g", saved_g),
        ("shifting.saved_net_g", saved_g - 3.0 * embodied_g),
        ("shifting.run_now_work_g", 4.0 * 10.0 * 1.25 * 300.0),
        ("shifting.saved_of_work_share", 2.0 / 3.0),
        ("shifting.bound_saved_share", 2.0 / 3.0),
        ("shifting.saved_of_bound_share", 1.0),
        ("shifting.delay_mean_s", 2.5 * H),
        ("shifting.saved_g_per_delayed_h", saved_g / 2.5),
    ] {
        close(key, run.number(key), wanted, 1e-9);
    }
}

#[test]
fn the_cap_holds_jobs_to_what_is_guaranteed_in_the_dirtiest_hours_and_starves_none() {
    // A dirty day, then clean ones: of ten cores, two in the dirty day (its intensity is the highest in sight), all afterwards.
    let mut day = [400.0; 25];
    day[24] = 100.0;
    let big = job("big", 0.0, 1.0, 5.0, 100.0);
    let jobs = alike(10, 0.0, 1.0, 100.0) + &big + &alike(10, 24.0, 1.0, 100.0);
    let lab = lab(10, &day, &jobs, "");
    let run = lab.run(&["scheduler.admission={ cap = { guaranteed_share = 0.2 } }"]);
    let rows = times(&run);
    let starts = |prefix: &str| {
        let mut own: Vec<f64> = rows.iter().filter(|r| r.0.starts_with(prefix)).map(|r| r.1).collect();
        own.sort_by(f64::total_cmp);
        own
    };
    assert_eq!(starts("at0-"), [0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0]);
    // Larger than the ceiling: it runs where none else does, rather than wait for a day.
    assert_eq!(starts("big"), [5.0]);
    assert_eq!(starts("at24-"), [24.0; 10]);
    assert_eq!((run.number("jobs.finished"), run.number("jobs.unfinished")), (21.0, 0.0));
    // Nine waited: two ran at once; the big one did, too.
    assert_eq!(run.number("jobs.queued"), 9.0);
    close("queued", run.number("jobs.queued_mean_s"), (2.0 * (1.0 + 2.0 + 3.0 + 4.0) + 5.0) * H / 21.0, 1e-12);
    // Without the cap, the big one alone waits until the ten are done.
    close("at once", run.number("shifting.run_now_queued_mean_s"), H / 21.0, 1e-12);
}

#[test]
fn the_virtual_capacity_curve_holds_a_day_s_work_to_its_mean_and_starves_none() {
    // 49 core-h on the first day, learnt from its first hour on, of which samples see 48.8: the first two are not seen before the second
    // sample. With a dear peak the second day's curve is flat, 48.8 / 24 cores each hour: two jobs at a time.
    let jobs = alike(2, 0.1, 1.0, 200.0)
        + &alike(47, 8.1, 1.0, 200.0)
        + &alike(47, 32.1, 1.0, 200.0)
        + &job("big", 33.1, 1.0, 5.0, 200.0);
    let wave: Vec<f64> = (0..20 * 24).map(|h| 300.0 + 100.0 * f64::from(h % 24 / 12)).collect();
    let lab = lab(100, &wave, &jobs, "");
    let vcc = "scheduler.admission={ virtual-capacity-curve = { training_days = 1, quantile = 1.0, peak_weight_g_per_kw = 1e9 } }";
    let run = lab.run(&[vcc]);
    let table = run.table("jobs.csv");
    assert_eq!(peak_after(&table, 0), 47.0, "the first day is not shaped");
    assert_eq!(run.number("jobs.finished"), 97.0);
    // All but the big one, which is larger than the curve, and runs where none else does.
    let big = table.text("job").iter().position(|j| j == "big").expect("it is there");
    let mut others = Table::read(&run.folder().join("jobs.csv"));
    let gone = others.rows.remove(big);
    assert!(gone.contains(&"finished".to_owned()), "{gone:?}");
    let peak = peak_after(&others, 24);
    assert_eq!(peak, 2.0, "cores of the second day");
    // Of its 47 core-h, 32 run on the second day and the others spill into the third.
    assert!(run.number("jobs.queued_max_s") > 16.0 * H);
    assert_eq!(run.number("shifting.run_now_queued_mean_s"), 0.0);
}

/// Two jobs of 600 MB on a host of 1,000 MB that promises twice as much; who goes is asked for again after half a minute.
const EVICTING: [&str; 4] = [
    "servers.box.memory_mb=1000",
    "scheduler.overcommit.static-ratio={ memory_ratio = 2.0 }",
    "model.memory.exhaustion=evict",
    "model.instances.restart_delay_s=1800",
];

#[test]
fn exhausted_memory_evicts_a_job_that_begins_and_it_comes_back() {
    // b is asked for last and goes each time it comes, in the instant in which it begins: at 1, 1.5, … 3.5. This kept it away for ever.
    let jobs = job("a", 0.0, 4.0, 1.0, 0.0) + &job("b", 1.0, 1.0, 1.0, 0.0);
    let run = lab(10, &[100.0], &jobs, "").run(&EVICTING);
    assert_eq!(times(&run)[0], ("a".to_owned(), 0.0, 4.0));
    assert_eq!(run.number("jobs.evicted"), 6.0);
    assert_eq!((run.number("jobs.finished"), run.number("jobs.unfinished")), (2.0, 0.0));
    let b = times(&run)[1].2;
    assert!((5.0..=5.5 + 1e-9).contains(&b), "b ends at {b}");
    assert_eq!(run.number("jobs.missed_deadline"), 1.0);
}

#[test]
fn what_was_saved_by_a_suspension_survives_an_eviction_and_the_rest_is_lost() {
    // A VM of half a GiB comes at 2.5 and goes at 3 h 25 min. It is latency-sensitive: the job makes room, and tries again at 3, in vain, and at 3.5.
    let vm = "[instances.vm.azure-vm]\nvmtable = \"vms.csv\"\n";
    let hours = [100.0, 900.0, 200.0, 200.0, 200.0, 200.0, 900.0];
    let lab = lab(10, &hours, &job("b", 0.0, 3.0, 1.0, 9.0), vm)
        .file("vms.csv", "vm,s,d,9000,12300,100,100,100,Interactive,1,0.5\n");
    let run = |more: &[&str]| {
        let run = lab.run(&[&EVICTING[..], more].concat());
        let starts = run.table("jobs.csv").column("starts")[0];
        (
            times(&run)[0].2,
            starts,
            run.number("jobs.evicted"),
            run.number("jobs.lost_core_h"),
            run.number("jobs.core_h"),
        )
    };
    // In one piece: 2.5 h are lost, and three more are run from 3.5 on.
    let (end, starts, evicted, lost, core_h) = run(&[]);
    assert_eq!((end, starts, evicted), (6.5, 3.0, 2.0));
    close("lost", lost, 2.5, 1e-12);
    close("computed", core_h, 5.5, 1e-12);
    // In the clean hours 0, 2 and 3: the first is saved by the suspension after it, half an hour is lost, two hours are left at 3.5.
    let (end, starts, evicted, lost, core_h) = run(&[AWHILE, "jobs.work.interruption={}"]);
    assert_eq!((end, starts, evicted), (5.5, 4.0, 2.0));
    close("lost", lost, 0.5, 1e-12);
    close("computed", core_h, 3.5, 1e-12);
}

#[test]
fn bills_are_the_prices_of_reserved_spot_and_on_demand_cores() {
    // Short ones to spot, the others early onto two reserved cores, the rest on demand.
    let jobs = job("a-long", 0.0, 4.0, 2.0, 0.0)
        + &job("b-short", 0.0, 1.0, 3.0, 0.0)
        + &job("c-long", 1.0, 3.0, 1.0, 0.0)
        + &job("d-waits", 1.0, 3.0, 1.0, 9.0);
    let purchase = "[model.jobs.purchase]\nreserved_cores = 2.0\non_demand_per_core_h = 1.0\nspot_per_core_h = 0.25\nreserved_per_core_h = 0.5\n";
    let lab = lab(100, &[300.0, 300.0, 300.0, 300.0, 300.0, 300.0, 100.0, 100.0, 100.0, 300.0], &jobs, purchase);
    let run =
        lab.run(&["scheduler.shifting={ spot-reserved = { spot_up_to_s = 7200.0, inner = { lowest-slot = {} } } }"]);
    let starts: Vec<f64> = times(&run).into_iter().map(|t| t.1).collect();
    // d would wait for hour 6, but a gives back its cores at hour 4.
    assert_eq!(starts, [0.0, 0.0, 1.0, 4.0]);
    for (key, wanted) in [
        ("jobs.reserved_core_h", 8.0 + 3.0),
        ("jobs.spot_core_h", 3.0),
        ("jobs.on_demand_core_h", 3.0),
        // Two reserved cores for the four hours up to the last start.
        ("jobs.cost", 2.0 * 4.0 * 0.5 + 3.0 * 1.0 + 3.0 * 0.25),
    ] {
        close(key, run.number(key), wanted, 1e-12);
    }
    let spot = lab.run(&["scheduler.shifting={ spot-first = { spot_up_to_s = 7200.0, inner = { run-now = {} } } }"]);
    close("spot", spot.number("jobs.spot_core_h"), 3.0, 1e-12);
    close("cost", spot.number("jobs.cost"), 2.0 * 1.0 * 0.5 + (3.0 + 3.0) * 1.0 + 3.0 * 0.25, 1e-12);
}

#[test]
fn a_suspended_job_that_is_held_for_reserved_cores_goes_on() {
    // Clean in hours 1 and 4: it runs in both, with no reserved core ever free. This kept jobs waiting for ever.
    let jobs = job("a", 0.0, 2.0, 1.0, 6.0);
    let lab = lab(10, &[300.0, 100.0, 300.0, 300.0, 100.0, 300.0], &jobs, "interruption = {}\n");
    let run = lab.run(&["scheduler.shifting={ reserved-first = { inner = { wait-awhile = {} } } }"]);
    assert_eq!(times(&run), [("a".to_owned(), 1.0, 5.0)]);
    assert_eq!((run.number("jobs.suspensions"), run.number("jobs.starts")), (1.0, 2.0));
}
