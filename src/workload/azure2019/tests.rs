//! Tests of the join and of the stream, on small made-up days.

use std::collections::BTreeMap;

use super::*;

const DURATION_HEADER: &str = "HashOwner,HashApp,HashFunction,Average,Count,Minimum,Maximum,percentile_Average_0,\
     percentile_Average_1,percentile_Average_25,percentile_Average_50,percentile_Average_75,percentile_Average_99,\
     percentile_Average_100";
/// 10 to 1000 ms.
const ORDINARY: &str = "300,1000,10,1000,20,30,100,200,400,800,900";

/// A folder with the three files of a day.
struct Day {
    dir: tempfile::TempDir,
}

impl Day {
    fn new(invocations: &str, durations: &str, memory: &str) -> Self {
        let day = Day { dir: tempfile::tempdir().expect("a temporary folder can be made") };
        for (file, text) in [("i.csv", invocations), ("d.csv", durations), ("m.csv", memory)] {
            std::fs::write(day.dir.path().join(file), text).expect("a temporary file can be written");
        }
        day
    }

    /// One owner per function; every function has ordinary durations and 100 MB on average, 150 MB at most.
    fn ordinary(rows: &[(&str, &str, &[u32])]) -> Self {
        let minutes: Vec<String> = (1..=rows[0].2.len()).map(|m| m.to_string()).collect();
        let mut i = format!("HashOwner,HashApp,HashFunction,Trigger,{}\n", minutes.join(","));
        let mut d = format!("{DURATION_HEADER}\n");
        let mut m = String::from("HashOwner,HashApp,HashFunction,AverageAllocatedMb,AverageAllocatedMb_pct100\n");
        for (name, trigger, counts) in rows {
            let counts: Vec<String> = counts.iter().map(u32::to_string).collect();
            i += &format!("o{name},a{name},f{name},{trigger},{}\n", counts.join(","));
            d += &format!("o{name},a{name},f{name},{ORDINARY}\n");
            m += &format!("o{name},a{name},f{name},100,150\n");
        }
        Day::new(&i, &d, &m)
    }

    fn open(&self, spec: Spec) -> Result<Azure2019, WorkloadError> {
        Azure2019::open(spec, self.dir.path(), Seed(5))
    }

    fn trace(&self, spec: Spec) -> Azure2019 {
        self.open(spec).expect("the day is fine")
    }

    fn error(&self) -> String {
        match self.open(spec()) {
            Ok(_) => panic!("the day is wrong, but was accepted"),
            Err(e) => e.to_string(),
        }
    }
}

fn spec() -> Spec {
    toml::from_str("invocations = 'i.csv'\ndurations = 'd.csv'\nmemory = 'm.csv'").expect("the spec is minimal")
}

struct Drained {
    calls: Vec<Arrival>,
    functions: Vec<FunctionProfile>,
    tenants: Vec<Box<str>>,
    largest_batch: usize,
}

fn drain(trace: &mut Azure2019) -> Drained {
    let mut all = Drained { calls: Vec::new(), functions: Vec::new(), tenants: Vec::new(), largest_batch: 0 };
    let mut batch = Batch::default();
    loop {
        trace.next_batch(&mut batch).expect("generating cannot fail");
        if batch.calls.is_empty() && batch.functions.is_empty() {
            return all;
        }
        all.largest_batch = all.largest_batch.max(batch.calls.len());
        all.calls.append(&mut batch.calls);
        all.functions.append(&mut batch.functions);
        all.tenants.append(&mut batch.tenants);
    }
}

/// Times and durations by function name.
fn by_name(all: &Drained) -> BTreeMap<String, Vec<(SimTime, Duration)>> {
    let mut map: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for call in &all.calls {
        let name = all.functions[call.function.index()].name.to_string();
        map.entry(name).or_default().push((call.time, call.work));
    }
    map
}

fn works(all: &Drained) -> Vec<u64> {
    let mut works: Vec<u64> = all.calls.iter().map(|c| c.work.0).collect();
    works.sort_unstable();
    works
}

fn note(trace: &Azure2019, key: &str) -> String {
    let found = trace.notes().into_iter().find(|(k, _)| k == key);
    found.unwrap_or_else(|| panic!("there is no note `{key}`")).1
}

#[test]
fn columns_in_any_order_and_every_way_to_label_minutes_give_the_same_functions() {
    let d = format!("{DURATION_HEADER}\no1,a1,f1,{ORDINARY}\n");
    let m = "AverageAllocatedMb,HashFunction,HashApp,HashOwner\n64.5,f1,a1,o1\n";
    for header in ["1,2,3", "480,481,482", "minute_1,minute_2,minute_3", "1_minute,2_minute,3_minute"] {
        let i = format!("HashFunction,{header},HashApp,HashOwner\r\nf1,2,0,1.0,a1,o1");
        let mut trace = Day::new(&i, &d, m).trace(spec());
        assert_eq!(trace.span(), Duration::from_secs(180));
        let all = drain(&mut trace);
        assert_eq!(all.calls.iter().map(|c| c.time.0 / MINUTE_NS).collect::<Vec<_>>(), [0, 0, 2]);
        assert_eq!(&*all.tenants[0], "o1");
        let f = &all.functions[0];
        assert_eq!((&*f.name, f.trigger, f.cpu), ("a1/f1", Trigger::Other, MilliCores(1000)));
        assert_eq!(f.memory, Memory::from_mb(64.5), "without pct100 the average stands in");
    }
}

#[test]
fn the_largest_memory_is_used_where_the_file_has_it() {
    let all = drain(&mut Day::ordinary(&[("1", "http", &[1])]).trace(spec()));
    assert_eq!(all.functions[0].memory, Memory::from_mb(150.0));
    assert_eq!(all.functions[0].trigger, Trigger::Http);
}

#[test]
fn memory_per_app_goes_undivided_to_every_function_of_the_app() {
    let i = "HashOwner,HashApp,HashFunction,1\no,a,f,1\no,a,g,1\n";
    let d = format!("{DURATION_HEADER}\no,a,f,{ORDINARY}\no,a,g,{ORDINARY}\n");
    let mut trace = Day::new(i, &d, "HashOwner,HashApp,AverageAllocatedMb_pct100\no,a,80\n").trace(spec());
    let all = drain(&mut trace);
    assert!(all.functions.iter().all(|f| f.memory == Memory::from_mb(80.0) && f.trust_domain == 0));
    assert_eq!((all.functions.len(), all.tenants.len()), (2, 1));
    assert_eq!(note(&trace, "memory"), "per app, undivided");
}

#[test]
fn rows_that_a_file_lacks_and_duplicates_are_dropped_and_counted() {
    let i =
        "HashOwner,HashApp,HashFunction,1\no,a,f,1\no,a,f,5\np,a,f,5\no,a,nodur,1\no,a,nomem,1\no,a,none,1\no,a,g,0\n";
    let d = format!(
        "{DURATION_HEADER}\no,a,f,{ORDINARY}\no,a,f,{ORDINARY}\no,a,nomem,{ORDINARY}\no,a,g,{ORDINARY}\no,a,x,{ORDINARY}\n"
    );
    let m = "HashOwner,HashApp,HashFunction,AverageAllocatedMb\no,a,f,1\no,a,f,2\no,a,nodur,1\no,a,g,1\n";
    let mut trace = Day::new(i, &d, m).trace(spec());
    let all = drain(&mut trace);
    assert_eq!((all.calls.len(), all.functions.len()), (1, 2));
    assert_eq!(all.functions[0].memory, Memory::from_mb(1.0), "the first row of a key counts");
    let expected = JoinCounts {
        invocation_rows: 7,
        duration_rows: 5,
        memory_rows: 4,
        duplicate_invocation_rows: 2,
        duplicate_duration_rows: 1,
        duplicate_memory_rows: 1,
        dropped_without_durations: 2,
        dropped_without_memory: 1,
        joined: 2,
        never_called: 1,
        ..JoinCounts::default()
    };
    assert_eq!(trace.statistics().join, expected);
    assert_eq!(note(&trace, "functions dropped without durations"), "2");
}

#[test]
fn anomalies_are_counted_and_zero_durations_are_lifted_to_the_floor() {
    let i = "HashOwner,HashApp,HashFunction,1\no,a,zero,900\no,a,out,1\no,a,gaps,1\n";
    let d = format!(
        "{DURATION_HEADER}\no,a,zero,0,899,0,0,0,0,0,0,0,0,0\no,a,out,2000,5,10,1000,20,30,100,200,400,800,900\n\
         o,a,gaps,300,5,0,0,20,30,100,90,400,800,900\n"
    );
    let m = "HashOwner,HashApp,HashFunction,AverageAllocatedMb\no,a,zero,1\no,a,out,1\no,a,gaps,1\n";
    let mut trace = Day::new(i, &d, m).trace(Spec { duration_floor_s: 0.002, ..spec() });
    let c = trace.statistics().join;
    assert_eq!((c.percentile_0_is_zero, c.average_is_zero, c.floored_percentiles), (1, 1, 7));
    assert_eq!((c.average_outside_extremes, c.count_below_minutes), (2, 1));
    assert_eq!((c.minimum_unrecorded, c.maximum_unrecorded, c.unordered_percentiles), (1, 1, 1));
    let all = drain(&mut trace);
    let zero = all.calls.iter().filter(|c| c.function == FunctionId(0));
    assert!(zero.clone().count() == 900 && zero.clone().all(|c| c.work == Duration::from_secs_f64(0.002)));
}

#[test]
fn durations_follow_the_percentiles_between_minimum_and_maximum() {
    let n = 100_000;
    let all = drain(&mut Day::ordinary(&[("1", "http", &[n])]).trace(spec()));
    let works = works(&all);
    let near = |q: f64, seconds: f64, slope: f64| {
        let x = works[((f64::from(n) - 1.0) * q) as usize] as f64 / 1e9;
        let error = 4.0 * (q * (1.0 - q) / f64::from(n)).sqrt() * slope;
        assert!((x - seconds).abs() < error, "quantile {q} is {x} s, not {seconds} s");
    };
    // The slopes are those of the steeper neighbouring piece [s per unit of quantile].
    for (q, seconds, slope) in
        [(0.01, 0.03, 2.0), (0.25, 0.1, 0.4), (0.5, 0.2, 0.8), (0.75, 0.4, 1.67), (0.99, 0.8, 20.0)]
    {
        near(q, seconds, slope);
    }
    near(0.625, 0.3, 0.8);
    assert!(works[0] >= 10_000_000 && works[works.len() - 1] <= 1_000_000_000);
    assert!(works[0] < 11_000_000 && works[works.len() - 1] > 990_000_000, "the extremes are Minimum and Maximum");
}

#[test]
fn calls_come_in_order_of_time_and_function_in_batches_of_limited_size() {
    let day = Day::ordinary(&[("1", "http", &[3000, 0, 5000]), ("2", "queue", &[3000, 1, 5000])]);
    for spread in [Spread::Uniform {}, Spread::Start {}] {
        let mut trace = day.trace(Spec { spread, ..spec() });
        assert_eq!(trace.progress(), 0.0);
        let all = drain(&mut trace);
        assert_eq!((all.calls.len(), all.largest_batch), (16_001, BATCH_CALLS));
        assert!(all.calls.is_sorted_by_key(|c| (c.time, c.function)));
        assert_eq!(trace.progress(), 1.0);
        assert_eq!(note(&trace, "calls generated"), "16001");
    }
}

#[test]
fn changing_the_spread_keeps_every_duration() {
    let day = Day::ordinary(&[("1", "http", &[30, 2]), ("2", "timer", &[7, 7])]);
    let run = |spread| works(&drain(&mut day.trace(Spec { spread, ..spec() })));
    let uniform = run(Spread::Uniform {});
    for spread in [Spread::Equidistant {}, Spread::Start {}, Spread::Clustered { iod: 5.0 }] {
        assert_eq!(run(spread), uniform);
    }
}

#[test]
fn leaving_functions_out_moves_no_other_call_and_samples_nest() {
    let rows: Vec<(String, [u32; 2])> = (0..200_u32).map(|i| (i.to_string(), [i % 7, 1])).collect();
    let rows: Vec<(&str, &str, &[u32])> = rows.iter().map(|(name, c)| (name.as_str(), "http", c.as_slice())).collect();
    let day = Day::ordinary(&rows);
    let run = |share| by_name(&drain(&mut day.trace(Spec { sample_functions: share, ..spec() })));
    let (all, most, some) = (run(None), run(Some(0.6)), run(Some(0.3)));
    assert_eq!(all, run(Some(1.0)));
    assert!((90..150).contains(&most.len()) && (35..85).contains(&some.len()), "{} {}", most.len(), some.len());
    assert!(most.iter().all(|(name, calls)| all[name] == *calls));
    assert!(some.iter().all(|(name, calls)| most[name] == *calls));
    let text = day.open(Spec { sample_functions: Some(0.0), ..spec() }).err().expect("nothing is left").to_string();
    assert!(text.contains("200 not sampled") && text.contains("raise sample_functions"), "{text}");
}

#[test]
fn a_timer_keeps_one_phase_in_every_minute_and_on_every_day() {
    let day = Day::ordinary(&[("1", "timer", &[1, 1, 2, 1]), ("2", "timer", &[1, 1, 1, 1])]);
    let phases = |spec: Spec| -> Vec<u64> {
        let all = drain(&mut day.trace(spec));
        let first = all.calls.iter().filter(|c| c.function == FunctionId(0));
        first.map(|c| c.time.0 % (MINUTE_NS / 2)).collect()
    };
    let fixed = phases(spec());
    assert!(fixed.iter().all(|p| p.abs_diff(fixed[0]) <= 1), "{fixed:?}");
    assert_eq!(fixed, phases(Spec { day: 3, ..spec() }));
    assert_eq!(fixed, phases(Spec { spread: Spread::Poisson {}, ..spec() }), "a timer's count is not redrawn");
    let free = phases(Spec { timer_fixed_phase: false, ..spec() });
    assert!(free[0].abs_diff(free[1]) > 1, "{free:?}");
    assert_eq!(phases(Spec { spread: Spread::Start {}, ..spec() }), [0; 5]);
    let all = drain(&mut day.trace(spec()));
    assert_ne!(all.calls[0].time.0, all.calls[1].time.0, "two timers have different phases");
}

#[test]
fn another_day_or_seed_draws_other_times_and_durations_and_the_same_ones_repeat() {
    let day = Day::ordinary(&[("1", "http", &[5, 5])]);
    let run = |spec, seed| {
        let mut trace = Azure2019::open(spec, day.dir.path(), seed).expect("the day is fine");
        drain(&mut trace).calls
    };
    let first = run(spec(), Seed(1));
    assert_eq!(first, run(spec(), Seed(1)));
    for other in [run(Spec { day: 1, ..spec() }, Seed(1)), run(spec(), Seed(2))] {
        assert!(other.iter().zip(&first).all(|(a, b)| a.time != b.time && a.work != b.work));
    }
}

#[test]
fn a_factor_keeps_the_mean_and_the_first_durations() {
    let day = Day::ordinary(&[("1", "http", &[10; 4000])]);
    let run = |multiply| drain(&mut day.trace(Spec { multiply, ..spec() })).calls;
    assert_eq!(run(1.0).len(), 40_000);
    assert_eq!(run(2.0).len(), 80_000);
    assert!(run(0.0).is_empty());
    // 4000 Bernoulli draws of variance 3/16: standard deviation 27.
    let quarter = run(0.125).len();
    assert!((4890..5110).contains(&quarter), "{quarter}");
    let (single, double) = (run(1.0), run(2.0));
    assert_eq!(
        single[..10].iter().map(|c| c.work).collect::<Vec<_>>(),
        double[..10].iter().map(|c| c.work).collect::<Vec<_>>()
    );
}

#[test]
fn names_are_short_unless_they_collide() {
    let ids = [("abcdefgh1", "f"), ("abcdefgh2", "f"), ("ABCDEFGHIJ", "0123456789")];
    let mut i = String::from("HashOwner,HashApp,HashFunction,1\n");
    let mut d = format!("{DURATION_HEADER}\n");
    let mut m = String::from("HashOwner,HashApp,HashFunction,AverageAllocatedMb\n");
    for (app, function) in ids {
        i += &format!("o,{app},{function},1\n");
        d += &format!("o,{app},{function},{ORDINARY}\n");
        m += &format!("o,{app},{function},1\n");
    }
    let all = drain(&mut Day::new(&i, &d, &m).trace(spec()));
    let names: Vec<&str> = all.functions.iter().map(|f| &*f.name).collect();
    assert_eq!(names, ["abcdefgh1/f", "abcdefgh2/f", "ABCDEFGH/01234567"]);
    assert_eq!(all.functions.iter().map(|f| f.trust_domain).collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn wrong_files_are_refused_with_the_place_and_a_remedy() {
    let i = "HashOwner,HashApp,HashFunction,1,2\no,a,f,1,1\n";
    let d = format!("{DURATION_HEADER}\no,a,f,{ORDINARY}\n");
    let m = "HashOwner,HashApp,HashFunction,AverageAllocatedMb\no,a,f,1\n";
    let negative = d.replace("300,", "-300,");
    let no_average = d.replace("Average,Count", "Mean,Count");
    for (i, d, m, expected) in [
        ("", d.as_str(), m, vec!["i.csv", "empty"]),
        ("HashOwner,HashApp,HashFunction,1\n", &d, m, vec!["i.csv", "no function is left", "no rows"]),
        ("HashOwner,HashApp,HashFunction,Trigger\no,a,f,http\n", &d, m, vec!["i.csv", "no minute columns"]),
        ("HashOwner,HashApp,1\no,a,1\n", &d, m, vec!["i.csv", "no column HashFunction", "its columns are HashOwner"]),
        ("HashOwner,HashApp,HashFunction,1,2\no,a,f,1,-2\n", &d, m, vec!["i.csv", "line 2", "column 2", "`-2`"]),
        ("HashOwner,HashApp,HashFunction,1,2\no,a,f,1,0.5\n", &d, m, vec!["line 2", "whole number", "`0.5`"]),
        ("HashOwner,HashApp,HashFunction,1,2\no,a,f,1,1\no,a,g,1", &d, m, vec!["line 3", "truncated"]),
        (i, &negative, m, vec!["d.csv", "line 2", "column Average", "`-300`"]),
        (i, &no_average, m, vec!["d.csv", "no column Average"]),
        (i, &d, "HashOwner,HashApp,HashFunction,Mb\no,a,f,1\n", vec!["m.csv", "AverageAllocatedMb_pct100 or"]),
        (i, &d, "HashOwner,HashApp,HashFunction,AverageAllocatedMb\no,a,f,NaN\n", vec!["m.csv", "line 2", "`NaN`"]),
        (i, &d, "HashOwner,HashApp,HashFunction,AverageAllocatedMb\no,a,x,1\n", vec!["1 without memory", "same day"]),
    ] {
        let text = Day::new(i, d, m).error();
        assert!(expected.iter().all(|part| text.contains(part)), "{text}\nlacks one of {expected:?}");
        assert!(text.contains("help: "), "{text}");
    }
    assert!(matches!(
        Azure2019::open(spec(), Path::new("/no/such/folder"), Seed(1)).err(),
        Some(WorkloadError::Io { .. })
    ));
}

#[test]
fn wrong_parameters_are_refused_by_name() {
    let day = Day::ordinary(&[("1", "http", &[1])]);
    for (wrong, key) in [
        (Spec { duration_floor_s: 0.0, ..spec() }, "duration_floor_s"),
        (Spec { cpu_cores: f64::NAN, ..spec() }, "cpu_cores"),
        (Spec { multiply: -1.0, ..spec() }, "multiply"),
        (Spec { sample_functions: Some(1.5), ..spec() }, "sample_functions"),
        (Spec { spread: Spread::Clustered { iod: 0.5 }, ..spec() }, "iod"),
    ] {
        let text = day.open(wrong).err().expect("the parameter is wrong").to_string();
        assert!(text.contains(key), "{text}");
    }
}

#[test]
fn a_minimal_spec_has_the_documented_defaults_and_rejects_unknown_keys() {
    let s = spec();
    assert_eq!((s.spread.clone(), s.timer_fixed_phase, s.duration_floor_s), (Spread::Uniform {}, true, 0.001));
    assert_eq!((s.cpu_cores, s.sample_functions, s.day, s.multiply), (1.0, None, 0, 1.0));
    let text = toml::to_string(&s).expect("a spec can be written");
    assert_eq!(toml::from_str::<Spec>(&text).expect("what was written can be read"), s);
    assert!(toml::from_str::<Spec>(&format!("seed = 1\n{text}")).is_err());
}

#[test]
fn first_calls_of_a_small_day_never_change() {
    let all = drain(&mut Day::ordinary(&[("1", "http", &[2]), ("2", "timer", &[1])]).trace(spec()));
    let calls: Vec<(u32, u64, u64)> = all.calls.iter().map(|c| (c.function.0, c.time.0, c.work.0)).collect();
    assert_eq!(calls, GOLDEN);
}
const GOLDEN: [(u32, u64, u64); 3] =
    [(0, 3_783_106_612, 512_186_807), (0, 19_390_537_622, 525_100_703), (1, 34_934_127_192, 605_317_393)];
