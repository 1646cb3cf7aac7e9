//! Controllers of durable queues through the whole: quotas, the utilization controller, the traffic conductor, carbon, future starts.

use slackwater::scenario::{build_loaded, load};
use slackwater::sim::{Finished, Logs, Outcome, simulate};
use slackwater::types::{Duration, FunctionId, Memory, MilliCores, RegionId, SimTime, TenantId};
use slackwater::workload::{Arrival, Arrivals, Batch, FunctionProfile, Quota, Trigger, WorkloadError};

use crate::dispatch::{QUEUES, calls, lab, of, part, world};
use crate::lab::{Lab, Run};
use crate::scene::is;

/// A workload made by hand, given at once.
struct Made(Vec<FunctionProfile>, Vec<Arrival>);

impl Arrivals for Made {
    fn next_batch(&mut self, batch: &mut Batch) -> Result<(), WorkloadError> {
        batch.clear();
        if !self.0.is_empty() {
            batch.tenants.push("t".into());
        }
        batch.functions.append(&mut self.0);
        batch.calls.append(&mut self.1);
        batch.calls.sort_by_key(|c| c.time);
        Ok(())
    }

    fn progress(&self) -> f64 {
        0.5
    }
}

/// A function of one core.
fn function(name: &str, quota: Quota, quota_cores: Option<f64>) -> FunctionProfile {
    FunctionProfile {
        name: name.into(),
        tenant: TenantId(0),
        memory: Memory::from_mb(10.0),
        cpu: MilliCores(1000),
        trigger: Trigger::Queue,
        criticality: 0,
        quota,
        trust_domain: 0,
        quota_cores,
        mean_call: None,
    }
}

/// Calls of a function in the first region, with a deadline after their arrival.
fn made(at: f64, function: u32, length: f64, deadline: Option<f64>, count: u32) -> Arrival {
    let time = SimTime::from_secs_f64(at);
    Arrival {
        time,
        start: time,
        work: Duration::from_secs_f64(length),
        deadline: deadline.map_or(SimTime::NEVER, |d| SimTime::from_secs_f64(at + d)),
        function: FunctionId(function),
        region: RegionId(0),
        count,
    }
}

/// Runs a scenario with a workload made by hand in place of its own.
fn simulate_made(
    text: &str,
    set: &[&str],
    functions: &[FunctionProfile],
    calls: Vec<Arrival>,
) -> (Outcome, Vec<Finished>) {
    let dummy = "[workload.poisson]\nrate_per_s = 1.0\ncalls = 1\nservice.constant = { length_s = 1.0 }\n";
    let lab = Lab::new(&format!("{text}{dummy}"));
    let set: Vec<String> = set.iter().map(|s| (*s).to_owned()).collect();
    let loaded = load(&lab.scenario(), &set).expect("a right scenario");
    let built = build_loaded(&loaded, false).unwrap_or_else(|e| panic!("{e}"));
    let mut finished = Vec::new();
    let mut log = |call: &Finished| {
        finished.push(*call);
        Ok(())
    };
    let logs = Logs { calls: Some(&mut log), ..Logs::default() };
    let arrivals = Box::new(Made(functions.to_vec(), calls));
    let (outcome, _) = simulate(built.setup, arrivals, logs, &mut |_| {}).expect("it runs");
    (outcome, finished)
}

fn s(time: SimTime) -> f64 {
    time.as_secs_f64()
}

/// How many of these were handed out in [from, until).
fn released(calls: &[Finished], from: f64, until: f64) -> usize {
    calls.iter().filter(|c| (from..until).contains(&s(c.released))).count()
}

/// S that stays as it is.
fn fixed_scale(scale: f64) -> String {
    part("utilization", &format!("{{ integral = {{ gain_per_h = 0.0, largest = {scale} }} }}"))
}

#[test]
fn a_reserved_function_starts_its_quota_over_its_mean_cost_and_an_opportunistic_one_that_times_s() {
    // 2 cores of quota over 4 core-seconds a call: 0.5 calls a second, of which 60 s may be saved up. The first call tells the cost.
    let text = world(&[("here", 120)], "");
    for (quota, scale, rate) in [
        (Quota::Reserved, None, 0.5),
        (Quota::Reserved, Some(0.5), 0.5),
        (Quota::Opportunistic, None, 0.5),
        (Quota::Opportunistic, Some(0.5), 0.25),
        (Quota::Opportunistic, Some(1.0), 0.5),
    ] {
        let scale = scale.map(fixed_scale);
        let rules = part("quota", "{}");
        let set: Vec<&str> = [rules.as_str()].into_iter().chain(scale.as_deref()).collect();
        let calls = vec![made(0.0, 0, 4.0, None, 1), made(200.0, 0, 4.0, None, 900)];
        let (_, finished) = simulate_made(&text, &set, &[function("f", quota, Some(2.0))], calls);
        assert_eq!(finished.len(), 901);
        let many: Vec<Finished> = finished.into_iter().filter(|c| s(c.arrival) == 200.0).collect();
        let burst = released(&many, 200.0, 201.5) as f64;
        // What S did not let go is not saved up.
        let saved = if quota == Quota::Opportunistic && scale.is_some() { 1.0 } else { 60.0 * rate };
        assert!((burst - saved).abs() <= 1.0, "{quota:?} {scale:?}: {burst} at once");
        for (from, length) in [(210.0, 1000.0), (500.0, 600.0), (900.0, 100.0)] {
            let count = released(&many, from, from + length) as f64;
            assert!((count - rate * length).abs() <= 1.0, "{quota:?} {scale:?}: {count} in {length} s from {from}");
        }
    }
}

#[test]
fn without_scale_opportunistic_calls_go_only_when_their_deadline_is_near_and_none_is_late() {
    let text = world(&[("here", 120)], "");
    let functions = [function("f", Quota::Opportunistic, Some(2.0)), function("g", Quota::Reserved, Some(2.0))];
    // The second and third call would be due at 5000 - 900 - 2 x 4 and 6000 - 908 s, counted from their arrival.
    let calls = vec![
        made(0.0, 0, 4.0, Some(4000.0), 1),
        made(100.0, 0, 4.0, Some(5000.0), 70),
        made(100.0, 0, 4.0, Some(6000.0), 30),
        made(100.0, 1, 4.0, Some(5000.0), 1),
    ];
    let (outcome, finished) = simulate_made(&text, &[&part("quota", "{}"), &fixed_scale(0.0)], &functions, calls);
    assert_eq!((finished.len(), outcome.functions[0].missed), (102, 0));
    let waited = |deadline: f64, from: f64, until: f64| {
        let due = 100.0 + deadline - 908.0;
        released(&finished, due + from, due + until)
    };
    assert_eq!([waited(5000.0, 0.0, 60.0 + 1.0), waited(6000.0, 0.0, 61.0)], [70, 30]);
    assert_eq!(released(&finished, 100.0, 101.0), 1, "the reserved one does not wait");
    let totals = outcome.dispatch.expect("durable queues");
    assert!(totals.due >= 100 && totals.levels.scale_max == 0.0);
}

/// Four days of two hours each of a rate that follows a sine, four times as high at its peak as in its trough; six in ten calls may wait a day.
fn days() -> Vec<Arrival> {
    let steps = 0..4 * 720;
    let call = |k: i32| {
        let rate = 10.0 * (1.0 + 0.6 * (std::f64::consts::TAU * f64::from(k) / 720.0).sin());
        let at = 10.0 * f64::from(k) + 0.5;
        let count = |share: f64| (share * rate).round() as u32;
        [made(at, 0, 1.0, Some(60.0), count(0.4)), made(at, 1, 1.0, Some(7200.0), count(0.6))]
    };
    steps.flat_map(call).collect()
}

/// Greatest and least count of ten minutes in the third and fourth day.
fn extremes(calls: &[Finished], of: impl Fn(&Finished) -> SimTime) -> (f64, f64) {
    let bin = |b: u32| {
        let from = 14_400.0 + 600.0 * f64::from(b);
        calls.iter().filter(|c| (from..from + 600.0).contains(&s(of(c)))).count() as f64
    };
    let bins: Vec<f64> = (0..24).map(bin).collect();
    (bins.iter().copied().fold(0.0, f64::max), bins.iter().copied().fold(f64::INFINITY, f64::min))
}

#[test]
fn the_paced_law_flattens_what_is_executed_and_misses_no_deadline() {
    let text = world(&[("here", 40)], "");
    let functions = [function("urgent", Quota::Reserved, None), function("patient", Quota::Opportunistic, None)];
    let law = part("utilization", "{ paced = { window_s = 7200.0, prior_rate_per_s = 1.0 } }");
    let reserve = part("reserve_s", "300");
    let step = part("period_s", "10");
    let (outcome, finished) = simulate_made(&text, &[&law, &reserve, &step], &functions, days());
    let (received, executed) = (extremes(&finished, |c| c.arrival), extremes(&finished, |c| c.ended));
    assert!(received.0 / received.1 > 3.3, "{received:?}");
    assert!(executed.0 / executed.1 < 1.45 && executed.0 < 0.75 * received.0, "{executed:?} of {received:?}");
    assert_eq!(outcome.functions.iter().map(|f| f.missed).sum::<u64>(), 0);
    assert_eq!(outcome.dispatch.as_ref().map(|t| t.due), Some(0), "the guard does nothing where the law suffices");
    let urgent = finished.iter().filter(|c| c.function == FunctionId(0));
    assert!(urgent.into_iter().all(|c| c.released == c.arrival));
    let (_, at_once) = simulate_made(&text, &[], &functions, days());
    assert_eq!(extremes(&at_once, |c| c.released), received);
}

#[test]
fn a_fixed_target_holds_utilization_while_there_is_a_backlog() {
    // 40 cores; a tenth is wanted; calls of 1 s and a start: 2000 at once, 4 a second.
    let text = world(&[("here", 40)], "");
    let functions = [function("urgent", Quota::Reserved, None), function("patient", Quota::Opportunistic, None)];
    let mut calls = vec![made(200.0, 1, 1.0, None, 4000)];
    calls.extend((0..1200).map(|k| made(f64::from(k) + 0.25, 0, 1.0, None, 1)));
    let law = part("utilization", "{ fixed-target = { target = 0.1, window_s = 100.0 } }");
    let (outcome, finished) = simulate_made(&text, &[&law], &functions, calls);
    let rate = released(&finished, 400.0, 1000.0) as f64 / 600.0;
    assert!((rate - 4.0).abs() < 0.04, "{rate} calls a second make {} of 40 cores", rate / 40.0);
    assert!(outcome.dispatch.expect("durable queues").levels.scale_max >= 1.0, "S is 1 before anything was started");
}

#[test]
fn what_controllers_said_last_holds_while_they_are_down() {
    // Idle: S = 1 + 10 x 0.66 h per hour. It is asked every second, up to 600 s.
    let rows = [calls(0.5, "f", 0.1, "here", 1), calls(3600.5, "f", 0.1, "here", 1)];
    let lab = lab(&[("here", 1000)], "", &rows);
    let law = part("utilization", "{ integral = {} }");
    let down = part("controllers_down", "[{ from_s = 600.5, until_s = 9000 }]");
    let quiet = "output.against_run_now=false";
    let run = lab.run(&[&law, &down, quiet]);
    // One call takes up to 1/1000 of utilization for a second.
    let wanted = 1.0 + 6.6 * 600.0 / 3600.0;
    assert!((run.number("dispatch.scale_max") - wanted).abs() < 1e-4, "{}", run.number("dispatch.scale_max"));
    let polls = run.number("run.simulated_s").floor();
    assert!((run.number("dispatch.blind_share") - (polls - 600.0) / polls).abs() < 1e-3);
    let run = lab.run(&[&law, quiet]);
    assert!(run.number("dispatch.scale_max") > 7.0);
    // Quota: calls cost a quarter from 1000 s on, which the rate limiter sees only if it is up.
    let text = world(&[("here", 120)], "");
    let quota = part("quota", "{ mean_over_calls = 20.0 }");
    let down = part("controllers_down", "[{ from_s = 900.0, until_s = 3000.0 }]");
    for (set, rate) in [(vec![quota.as_str(), &down], 0.5), (vec![quota.as_str()], 2.0)] {
        let calls = vec![made(0.0, 0, 4.0, None, 1), made(1000.0, 0, 1.0, None, 6000)];
        let (_, finished) = simulate_made(&text, &set, &[function("f", Quota::Reserved, Some(2.0))], calls);
        let count = released(&finished, 1500.0, 2500.0) as f64;
        assert!((count - 1000.0 * rate).abs() <= 2.0, "{count} in 1000 s with {set:?}");
    }
}

/// All demand in the smallest of three regions, as much as it can bear.
fn lopsided(rtt: &str) -> Lab {
    let rows: Vec<String> = (0..1200).map(|k| calls(f64::from(k) + 0.3, "f", 1.0, "a", 4)).collect();
    lab(&[("a", 5), ("b", 8), ("c", 7)], &format!("[network]\nrtt_ms = {rtt}\n"), &rows)
}
const B_IS_NEAR: &str = "[[0.0, 10.0, 80.0], [10.0, 0.0, 50.0], [80.0, 50.0, 0.0]]";
const C_IS_NEAR: &str = "[[0.0, 80.0, 10.0], [80.0, 0.0, 50.0], [10.0, 50.0, 0.0]]";

/// Time in execution over cores and time, by region, from 600 s to the end of arrivals.
fn utilization(run: &Run) -> [f64; 3] {
    let mut busy = [0.0; 3];
    for call in run.calls().iter().filter(|c| c.start >= 600.0 && c.start < 1200.0) {
        busy[usize::from(call.host >= 5) + usize::from(call.host >= 13)] += call.end - call.start;
    }
    [busy[0] / 5.0, busy[1] / 8.0, busy[2] / 7.0].map(|s| s / 600.0)
}

#[test]
fn the_conductor_spreads_what_one_region_is_asked_for_and_the_nearest_take_it_first() {
    let lab = lopsided(B_IS_NEAR);
    let idle = lab.run(&[]);
    assert_eq!(utilization(&idle)[1..], [0.0, 0.0]);
    assert_eq!(idle.number("dispatch.abroad_share"), 0.0);
    for pull in ["by-share", "where-room"] {
        let run = lab.run(&[&part("conductor", "{ margin = 0.0 }"), &part("pull", pull)]);
        let u = utilization(&run);
        // 4 of 20 cores.
        assert!(u.iter().all(|u| (u - 0.2).abs() < 0.03), "{pull}: {u:?}");
        assert!((run.number("dispatch.abroad_share") - 0.75).abs() < 0.1, "{pull}");
    }
    // Overloaded is what is above 0.2 + 0.3: a keeps 2.5 cores, the nearer of the others has room for the rest.
    for (rtt, wanted) in [(B_IS_NEAR, [0.5, 1.5 / 8.0, 0.0]), (C_IS_NEAR, [0.5, 0.0, 1.5 / 7.0])] {
        let u = utilization(&lopsided(rtt).run(&[&part("conductor", "{ margin = 0.3 }")]));
        assert!(u.iter().zip(wanted).all(|(u, w)| (u - w).abs() < 0.04), "{u:?} is not {wanted:?}");
        assert!(u.iter().zip(wanted).all(|(u, w)| (*u == 0.0) == (w == 0.0)), "{u:?} is not {wanted:?}");
    }
    let stays = "network.residency=[{ functions = [\"f\"], regions = [\"a\", \"c\"] }]";
    for pull in ["by-share", "where-room"] {
        let u = utilization(&lab.run(&[&part("conductor", "{ margin = 0.0 }"), &part("pull", pull), stays]));
        assert!(u[1] == 0.0 && u[2] > 0.1, "{pull}: {u:?}");
    }
}

#[test]
fn the_matrix_stays_as_it_was_while_controllers_are_down_and_forgets_nothing_afterwards() {
    let lab = lopsided(B_IS_NEAR);
    let conductor = part("conductor", "{ margin = 0.0 }");
    let blind = lab.run(&[&conductor, &part("controllers_down", "[{ from_s = 0.0, until_s = 5000.0 }]")]);
    assert_eq!(blind.number("dispatch.abroad_share"), 0.0);
    let late = lab.run(&[&conductor, &part("controllers_down", "[{ from_s = 500.0, until_s = 5000.0 }]")]);
    assert!(utilization(&late).iter().all(|u| (u - 0.2).abs() < 0.04), "{:?}", utilization(&late));
    // A region at 0.8 where the mean is 0.2 is not overloaded with a margin of 0.7, however long nobody has looked.
    let margin = part("conductor", "{ margin = 0.7, measured_weight = 0.0 }");
    assert_eq!(lab.run(&[&margin]).number("dispatch.abroad_share"), 0.0);
    let blind = lab.run(&[&margin, &part("controllers_down", "[{ from_s = 100.0, until_s = 900.0 }]")]);
    assert_eq!(blind.number("dispatch.abroad_share"), 0.0);
}

#[test]
fn no_call_begins_before_its_future_start() {
    let text = world(&[("here", 40)], "");
    let direct = text.replace(&format!("[{QUEUES}]\nperiod_s = 1.0\n"), "");
    let functions = [function("f", Quota::Reserved, None), function("g", Quota::Opportunistic, None)];
    let calls: Vec<Arrival> = (0..200_u32)
        .map(|k| {
            let call = made(f64::from(k), k % 2, 1.0, Some(20_000.0), 1);
            Arrival { start: call.time + Duration::from_secs(u64::from(k * 37 % 500)), ..call }
        })
        .collect();
    let law = part("utilization", "{ paced = { window_s = 600.0 } }");
    for (text, set) in [(&direct, vec![]), (&text, vec![]), (&text, vec![law.as_str()])] {
        let (_, finished) = simulate_made(text, &set, &functions, calls.clone());
        assert_eq!(finished.len(), 200);
        for call in &finished {
            let k = s(call.arrival).round() as u64;
            let start = k + k * 37 % 500;
            assert!(s(call.released) >= start as f64 && call.began >= call.released, "{call:?}");
            if set.is_empty() {
                is("release", s(call.released), start as f64);
            }
        }
    }
}

const HOURS: &str = "zone = \"X\"\nkind = \"average\"\nfactor_basis = \"made up\"\nsource = \"here\"\nlicence = \"MIT\"\ndataset_version = \"1\"\npast_end = \"repeat\"\n";

#[test]
fn carbon_pulls_opportunistic_calls_to_the_clean_region_and_urgent_ones_not() {
    let stamp = |h: u32, g: u32| format!("2022-06-06T{h:02}:00:00Z,{g}\n");
    let file = |odd: u32, even: u32| {
        let rows: String = (0..12).map(|h| stamp(h, if h % 2 == 1 { odd } else { even })).collect();
        format!("time_utc,g_per_kwh\n{rows}")
    };
    let grid = |name: &str| format!("[regions.grid.csv]\npath = \"{name}.csv\"\n{HOURS}");
    let text = world(
        &[("home", 2), ("a", 10), ("b", 10)],
        "[network]\nrtt_ms = [[0.0, 9.0, 9.0], [9.0, 0.0, 9.0], [9.0, 9.0, 0.0]]\n",
    );
    let constant = "grid.constant.g_per_kwh = 360.0\n";
    let hosts = |text: &str, name: &str| {
        let (before, after) = text.split_once(&format!("name = \"{name}\"")).expect("a region");
        let after = after.replacen(constant, "", 1);
        let (own, rest) = after.split_once("}]\n").expect("hosts");
        format!("{before}name = \"{name}\"{own}}}]\n{}{rest}", grid(name))
    };
    let text = format!("time.start=2022-06-06T00:00:00Z\n{}", hosts(&hosts(&text, "a"), "b"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, odd, even) in [("a", 100, 500), ("b", 500, 100)] {
        std::fs::write(folder.path().join(format!("{name}.csv")), file(odd, even)).expect("writable");
    }
    let text = text
        .replace("path = \"a.csv\"", &format!("path = \"{}\"", folder.path().join("a.csv").display()))
        .replace("path = \"b.csv\"", &format!("path = \"{}\"", folder.path().join("b.csv").display()));
    let functions = [function("urgent", Quota::Reserved, None), function("patient", Quota::Opportunistic, None)];
    let calls: Vec<Arrival> = (0..7200)
        .flat_map(|k| {
            [made(f64::from(k) * 2.0 + 0.5, 0, 1.0, None, 1), made(f64::from(k) * 2.0 + 0.5, 1, 1.0, Some(3000.0), 1)]
        })
        .collect();
    for pull in ["by-share", "where-room"] {
        let set = [
            part("conductor", "{ margin = 0.0 }"),
            part("pull", pull),
            part("carbon", "{ floor = 0.0, normalize = \"instant\" }"),
            fixed_scale(1.0),
        ];
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        let (_, finished) = simulate_made(&text, &set, &functions, calls.clone());
        let mut count = [[0, 0], [0, 0]];
        for call in finished.iter().filter(|c| s(c.released) > 300.0 && c.host.0 >= 2) {
            // Even hours are clean in b, odd ones in a.
            let clean = (s(call.released) / 3600.0) as u64 % 2 == u64::from(call.host.0 < 12);
            count[call.function.index()][usize::from(clean)] += 1;
        }
        // What a region was allowed in the hour before is kept for some polls.
        assert!(count[1][0] <= count[1][1] / 200 && count[1][1] > 4000, "{pull}: {count:?}");
        // Urgent ones never follow the grid.
        let [dirty, clean] = count[0].map(f64::from);
        assert!(dirty + clean > 4000.0 && clean < 1.1 * dirty, "{pull}: {count:?}");
    }
}

#[test]
fn carbon_scales_the_rate_of_opportunistic_calls_from_hour_to_hour() {
    // 2 cores of quota over 4 core-seconds: 0.5 calls a second while electricity is clean, a quarter of that while it is dirty.
    let rows: String = (0..8).map(|h| format!("2022-06-06T0{h}:00:00Z,{}\n", [500, 100][h % 2])).collect();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("here.csv");
    std::fs::write(&path, format!("time_utc,g_per_kwh\n{rows}")).expect("writable");
    let grid = format!("grid.csv.path = \"{}\"\n{}", path.display(), HOURS.replace("zone =", "grid.csv.zone ="));
    let grid = ["kind", "factor_basis", "source", "licence", "dataset_version", "past_end"]
        .iter()
        .fold(grid, |text, key| text.replace(&format!("\n{key} ="), &format!("\ngrid.csv.{key} =")));
    let text = world(&[("here", 40)], "").replace("grid.constant.g_per_kwh = 360.0\n", &grid);
    let text = format!("time.start=2022-06-06T00:00:00Z\n{text}");
    let calls = vec![made(0.0, 0, 4.0, None, 1), made(100.0, 0, 4.0, None, 9000)];
    let functions = [function("f", Quota::Opportunistic, Some(2.0))];
    for (normalize, mean) in [("none", 1.0), ("window", 0.625)] {
        let carbon =
            format!("{{ floor = 0.25, across_regions = false, window_s = 7200.0, normalize = \"{normalize}\" }}");
        let set = [part("quota", "{}"), fixed_scale(1.0), part("carbon", &carbon)];
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        let (_, finished) = simulate_made(&text, &set, &functions, calls.clone());
        for (hour, factor) in [(0.0, 0.25), (1.0, 1.0), (2.0, 0.25), (3.0, 1.0)] {
            let count = released(&finished, 3600.0 * hour + 600.0, 3600.0 * (hour + 1.0)) as f64;
            let wanted = 3000.0 * 0.5 * factor / mean;
            assert!((count - wanted).abs() <= 2.0, "{normalize}, hour {hour}: {count} is not {wanted}");
        }
    }
}

#[test]
fn carbon_of_one_constant_intensity_changes_nothing() {
    let rows: Vec<String> = (0..600).map(|k| calls(f64::from(k) + 0.3, "f", 1.0, "a", 4)).collect();
    let lab = lab(&[("a", 5), ("b", 8)], "", &rows);
    let law = part("utilization", "{ paced = { window_s = 600.0 } }");
    for conductor in [None, Some(part("conductor", "{ measured_weight = 0.0 }"))] {
        for normalize in ["none", "instant", "window"] {
            let set: Vec<&str> =
                [law.as_str(), "output.against_run_now=false"].into_iter().chain(conductor.as_deref()).collect();
            let without = lab.run(&set);
            let carbon = part("carbon", &format!("{{ normalize = \"{normalize}\" }}"));
            let with = lab.run(&[&set[..], &[&carbon]].concat());
            let (a, b) = (without.files(), with.files());
            for name in ["invocations.parquet", "regions.csv", "functions.csv", "timeseries.csv"] {
                assert!(a[name] == b[name], "{name} moves with {normalize} and {conductor:?}");
            }
            assert_eq!(of(&with, "f").len(), 2400);
        }
    }
}
