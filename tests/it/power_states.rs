//! Hosts that shut down, sleep and come back, under the policies of a scenario: joules by cause computed by hand, calls that wait
//! for a host, and the contract of the provisioning catalogue.

use crate::lab::{Lab, Run, repository, run_file};
use crate::scene::{are, each, figures, integral, is, scene};

/// One host of 100 W idle and 20 W per core; off: 10 s at 80 W, 5 W, 60 s at 120 W; asleep: 4 s at 90 W, 15 W, 6 s at 130 W.
const STATES: [&str; 10] = [
    "servers.box.shutdown_s=10",
    "servers.box.shutdown_w=80",
    "servers.box.off_w=5",
    "servers.box.boot_s=60",
    "servers.box.boot_w=120",
    "servers.box.suspend_s=4",
    "servers.box.suspend_w=90",
    "servers.box.sleep_w=15",
    "servers.box.wake_s=6",
    "servers.box.wake_w=130",
];
/// Asked every 10 s; all hosts may go after 30 s; a sandbox goes 20 s after its call; the run ends at 400 s.
const POLICY: [&str; 2] = ["scheduler.keep_alive.fixed.keep_alive_s=20", "time={ duration_s=400, drain_limit_s=500 }"];

/// Two calls of 1 s and 100 MB: one while the host is on, one when it is long gone.
const CALLS: [&str; 2] = ["5,a,1,100", "207,a,1,100"];

fn run(lab: &Lab, idle: &str, more: &[&str]) -> Run {
    let policy =
        format!("scheduler.provisioning.threshold={{ min_hosts=0, period_s=10, hold_s=30, idle_state=\"{idle}\" }}");
    let set: Vec<&str> = STATES.iter().chain(&POLICY).chain(more).copied().chain([policy.as_str()]).collect();
    lab.run(&set)
}

#[test]
fn a_host_that_is_switched_off_books_every_joule_by_hand() {
    let run = run(&scene(&CALLS), "off", &[]);
    // The first call starts at 5 (1 s of start), runs 6 to 7; its sandbox stays until 27. A host that is needed: L = 0.25 of 0.6,
    // so that up to the question at 20 one host is wanted, and none from 50 on: down 50 to 60, off. The second call waits from 207
    // to the question at 210, which boots: up at 270, its start ends at 271, it runs to 272; the sandbox is gone at 292. The
    // question at 290 still sees it, so that none is wanted from 320 on: down 320 to 330, off to 400.
    are("starts", &each(&run, |c| c.start), &[6.0, 271.0]);
    is("wait", run.number("latency_s.max"), 65.0);
    // Two sandboxes of 100 MB, 10 W each.
    let held_w = 2.0 * 10.0;
    figures(
        &run,
        &[
            ("run.simulated_s", 400.0),
            ("calls.executed", 2.0),
            ("calls.waited", 1.0),
            ("energy_j.boot", 10.0 * 80.0 + 60.0 * 120.0 + 10.0 * 80.0),
            ("energy_j.off", (210.0 - 60.0) * 5.0 + (400.0 - 330.0) * 5.0),
            // 1 s of start, 1 s of execution and 20 s of idling, twice; one core-second twice.
            ("energy_j.cold_start", held_w),
            ("energy_j.execution", held_w + 2.0 * 20.0),
            ("energy_j.warm_idle", held_w * 20.0),
            ("energy_j.idle_host", (50.0 + 50.0) * 100.0 - held_w * 22.0),
        ],
    );
    is("hosts on", integral(&run, "hosts.on_mean"), 50.0 + 50.0);
}

#[test]
fn a_host_that_sleeps_books_every_joule_by_hand() {
    let run = run(&scene(&CALLS), "sleep", &["servers.box.lifetime_basis=use"]);
    // As before, but down 50 to 54, awake at 216; its second call runs 217 to 218, the sandbox is gone at 238, none is wanted from
    // 260 on (the question at 230 saw it): down 260 to 264.
    are("starts", &each(&run, |c| c.start), &[6.0, 217.0]);
    let on_s = 50.0 + (260.0 - 216.0);
    figures(
        &run,
        &[
            ("energy_j.boot", 2.0 * 4.0 * 90.0 + 6.0 * 130.0),
            ("energy_j.off", (210.0 - 54.0) * 15.0 + (400.0 - 264.0) * 15.0),
            ("energy_j.idle_host", on_s * 100.0 - 2.0 * 10.0 * 22.0),
            ("energy_j.total", on_s * 100.0 + 40.0 + 1500.0 + 292.0 * 15.0),
        ],
    );
    is("hosts on", integral(&run, "hosts.on_mean"), on_s);
    // By use, embodied emissions count the time on and on the ways, neither off nor asleep: 1 kg over a year.
    is("embodied", run.number("carbon_g.embodied"), 1000.0 * (on_s + 14.0) / 31_536_000.0);
    let existence = run_existence();
    is("by existence", existence, 1000.0 * 400.0 / 31_536_000.0);
}

fn run_existence() -> f64 {
    run(&scene(&CALLS), "sleep", &[]).number("carbon_g.embodied")
}

#[test]
fn a_host_that_goes_down_is_down_before_it_comes_back() {
    // The call comes while the host shuts down, 50 to 60: it is off at 60, where the question boots it, and up at 120.
    let run = run(&scene(&["5,a,1,100", "52,a,1,100"]), "off", &["servers.box.shutdown_s=9.5"]);
    are("starts", &each(&run, |c| c.start), &[6.0, 121.0]);
}

#[test]
fn a_way_that_takes_no_time_is_over_at_once() {
    let none = ["servers.box.shutdown_s=0", "servers.box.boot_s=0"];
    let run = run(&scene(&CALLS), "off", &none);
    are("starts", &each(&run, |c| c.start), &[6.0, 211.0]);
    is("ways", run.number("energy_j.boot"), 0.0);
    is("off", run.number("energy_j.off"), 5.0 * (210.0 - 50.0) + 5.0 * (400.0 - 260.0));
}

#[test]
fn idle_sandboxes_keep_a_host_unless_the_policy_evicts_them() {
    let forever = ["scheduler.keep_alive.fixed.keep_alive_s=inf"];
    let kept = run(&scene(&["5,a,8,100"]), "off", &forever);
    is("kept", kept.number("energy_j.off") + kept.number("energy_j.boot"), 0.0);
    let evicts = [
        "scheduler.keep_alive.fixed.keep_alive_s=inf",
        "scheduler.provisioning={ threshold = { low=0.3, min_hosts=0, period_s=10, hold_s=30, evict_idle=true } }",
    ];
    let set: Vec<&str> = STATES.iter().chain(&POLICY).chain(&evicts).copied().collect();
    // 100 MB of 1000 are held: a load of 0.1 is below the mark, but one host is still needed for it.
    let needed = scene(&["5,a,8,100"]).run(&set);
    is("one host is needed for what is kept", needed.number("energy_j.boot"), 0.0);
    let lab = Lab::new(
        &std::fs::read_to_string(scene(&["5,a,8,100"]).scenario())
            .expect("the scene")
            .replace("count = 1", "count = 3")
            .replace("first-fit", "round-robin"),
    )
    .file("calls.csv", "arrival_time_s,function_id,duration_s,memory_mb\n5,a,8,100\n5,b,8,100\n5,c,8,100\n");
    let gone = lab.run(&set);
    // A sandbox of 100 MB on each of three hosts. At 10 three cores want 0.75 of 0.55 hosts, two; from 20 on 300 MB want one. 30 s
    // after the start one host goes, 30 s after the question at 10 the next, each with its sandbox.
    assert_eq!(gone.number("sandboxes.evicted"), 2.0);
    is("two are off", gone.number("energy_j.off"), 5.0 * ((400.0 - 40.0) + (400.0 - 50.0)));
    is("ways", gone.number("energy_j.boot"), 2.0 * 10.0 * 80.0);
}

/// Two regions of several hosts of two sizes, bursts with long pauses.
fn world() -> Lab {
    Lab::new(
        r#"
[time]
drain_limit_s = 3000
[servers.box]
cores = 3
memory_mb = 1600
power.linear = { idle_w = 100.0, max_w = 160.0 }
embodied_kg = 900
lifetime_years = 5
boot_s = 40
wake_s = 5
[servers.big]
cores = 6
memory_mb = 4000
power.linear = { idle_w = 150.0, max_w = 300.0 }
embodied_kg = 900
lifetime_years = 5
lifetime_basis = "use"
boot_s = 70
wake_s = 8
[[regions]]
name = "here"
pue = 1.2
pue_idle = 1.25
grid.constant.g_per_kwh = 360.0
hosts = [{ server = "box", count = 3 }, { server = "big", count = 2 }]
[[regions]]
name = "there"
pue = 1.2
grid.constant.g_per_kwh = 360.0
hosts = [{ server = "box", count = 4 }]
[isolation.microvm]
[scheduler.keep_alive.fixed]
keep_alive_s = 15.0
[workload.tenants]
tenants = 6
requests_per_hour = 700.0
duration_s = 900.0
service.lognormal = { median_s = 2.0, sigma = 0.8 }
memory_mb = 300.0
memory_sigma = 0.5
shape.bursty = { on_share = 0.15, on_mean_s = 40.0 }
"#,
    )
}

const PROVISIONING: [(&str, &str); 4] = [
    ("always-on", "{}"),
    ("threshold", "{ period_s = 5, hold_s = 10, min_hosts = MIN, idle_state = \"IDLE\", evict_idle = EVICT }"),
    (
        "predictive",
        "{ period_s = 5, season_s = 200, hold_s = 10, min_hosts = MIN, idle_state = \"IDLE\", evict_idle = EVICT }",
    ),
    ("casper", "{ period_s = 20, check_s = 5, min_hosts = MIN, idle_state = \"IDLE\", evict_idle = EVICT }"),
];

#[test]
fn every_policy_loses_no_call_and_no_joule() {
    let lab = world();
    let mixes: [&[&str]; 6] = [
        &[],
        &["model.queue.scope=host", "scheduler.packing.least-loaded={}"],
        &["scheduler.routing.least-loaded={}", "scheduler.packing.first-fit={}"],
        &["scheduler.scaling.autoscaled={ period_s = 5.0, stabilisation_s = 20.0 }"],
        &["scheduler.scaling.provisioned={ sandboxes = 1 }", "model.cpu=isolated"],
        &[
            "scheduler.keep_alive.greedy-dual={ budget_mb = 500.0 }",
            "isolation={ microvm = { calls_per_sandbox = 2 } }",
        ],
    ];
    let (mut rested, mut waited, mut runs) = (0, 0, 0);
    for (turn, mix) in mixes.iter().enumerate() {
        for (name, keys) in PROVISIONING {
            for idle in ["off", "sleep"] {
                let keys = keys.replace("IDLE", idle).replace("MIN", ["0", "1"][turn % 2]);
                let keys = keys.replace("EVICT", ["true", "false"][(turn / 2) % 2]);
                let own = format!("scheduler.provisioning={{ {name} = {keys} }}");
                let set: Vec<&str> = mix.iter().copied().chain([own.as_str()]).collect();
                let run = lab.run(&set);
                let n = |key: &str| run.number(key);
                let what = format!("{set:?}");
                assert_eq!(n("calls.received"), n("calls.executed"), "{what}: calls are lost");
                assert!(n("calls.received") > 300.0, "{what}: too little to do");
                let functions = run.table("functions.csv");
                let hosts = run.table("hosts.csv");
                let causes = ["execution", "cold_start", "warm_idle", "idle_host", "boot", "off"];
                let it: f64 = causes.iter().map(|c| n(&format!("energy_j.{c}"))).sum();
                let total = n("energy_j.total");
                for (part, ours, wanted) in [
                    ("sum of causes", it + n("energy_j.pue_overhead"), total),
                    ("hosts, IT", hosts.sum("it_energy_j"), it),
                    ("hosts, all", hosts.sum("energy_j"), total),
                    ("functions", functions.sum("energy_j"), total),
                    ("M", functions.sum("embodied_g"), n("carbon_g.embodied")),
                    ("O", n("carbon_g.operational"), total * 1e-4),
                ] {
                    assert!((ours - wanted).abs() <= 1e-9 * wanted, "{what}: {part}: {ours} is not {wanted}");
                }
                let moved = n("energy_j.boot") + n("energy_j.off");
                assert_eq!(moved > 0.0, name != "always-on", "{what}");
                rested += usize::from(n("energy_j.off") > 0.0);
                waited += usize::from(name != "always-on" && n("calls.waited") > 0.0);
                runs += 1;
                assert!(run.files() == lab.run(&set).files(), "{what} is not the same twice");
            }
        }
    }
    assert!(
        rested == runs * 3 / 4 && waited > runs / 3,
        "{rested} runs with hosts that rest, {waited} where calls waited"
    );
}

#[test]
fn the_contract_runs_every_policy_of_the_schema() {
    let schema = slackwater::scenario::schema();
    let variants = schema["$defs"]["ProvisioningSpec"]["oneOf"].as_array().expect("a catalogue").clone();
    let names: Vec<&str> = variants.iter().map(|v| v["required"][0].as_str().expect("a name")).collect();
    assert_eq!(names, PROVISIONING.map(|p| p.0));
}

#[test]
fn a_scenario_of_always_on_does_not_depend_on_power_states() {
    let lab = world();
    let other = ["servers.box.boot_s=1", "servers.box.sleep_w=70", "servers.big.off_w=50", "servers.big.suspend_s=3"];
    assert!(lab.run(&[]).files() == lab.run(&other).files());
}

#[test]
fn marks_that_cross_and_keys_that_do_not_exist_are_refused() {
    let lab = world();
    let crossed = lab.fails(&["scheduler.provisioning.threshold={ low = 0.9 }"]);
    assert!(crossed.contains("low = 0.9 is not below high = 0.8"), "{crossed}");
    let uneven = lab.fails(&["scheduler.provisioning.predictive={ period_s = 7 }"]);
    assert!(uneven.contains("not a whole multiple of period_s = 7"), "{uneven}");
    for wrong in
        ["low = nan", "low = -0.1", "hold_s = -1", "period_s = 0", "min_hosts = 1.5", "idle_state = \"nap\"", "hi = 1"]
    {
        lab.fails(&[&format!("scheduler.provisioning.threshold={{ {wrong} }}")]);
    }
    let nobody_waits = ["scheduler.provisioning.threshold={ min_hosts = 0 }", "model.queue.scope=none"];
    let asleep_for_ever = lab.fails(&nobody_waits);
    assert!(asleep_for_ever.contains("min_hosts = 0"), "{asleep_for_ever}");
    lab.fails(&["servers.box.sleep_w=nan"]);
    lab.fails(&["servers.box.wake_s=-1"]);
}

#[test]
fn the_example_saves_energy_for_waiting_and_no_embodied_emissions() {
    let half_day = ["workload.tenants.duration_s=43200", "time.duration_s=43200"];
    let run = |policy: &str| {
        let own = format!("scheduler.provisioning={{ {policy} }}");
        let set: Vec<&str> = half_day.iter().copied().chain([own.as_str()]).collect();
        run_file(&repository("scenarios/power-off.toml"), &set, 1)
    };
    let all = run("always-on = {}");
    let off = run("threshold = { low = 0.8, high = 0.98 }");
    let sleep = run("threshold = { low = 0.8, high = 0.98, idle_state = \"sleep\" }");
    let of = |key: &str| [&all, &off, &sleep].map(|run| run.number(key));
    let [energy, m, waited] = [of("energy_j.total"), of("carbon_g.embodied"), of("calls.waited")];
    assert!(energy[1] < energy[2] && energy[2] < 0.9 * energy[0], "{energy:?}");
    assert!(waited[0] == 0.0 && waited[1] > waited[2] && waited[2] > 0.0, "{waited:?}");
    assert!(m[1] == m[0] && m[2] == m[0], "{m:?}");
    let worst = of("latency_s.max");
    assert!(worst[1] > worst[0] && worst[2] > worst[0], "{worst:?}");
}
