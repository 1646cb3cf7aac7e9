//! What the tests of jobs stand on, and the rules that hold whatever the source.

mod published;
mod statistics;
mod wrong;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use super::*;
use crate::types::Seed;
use crate::workload::WorkloadError;

/// A folder with files, in which job lists are opened.
struct Lab(TempDir);

impl Lab {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn file(self, name: &str, text: &str) -> Self {
        fs::write(self.0.path().join(name), text).expect("writable");
        self
    }

    fn gz(self, name: &str, text: &str, cut: usize) -> Self {
        let mut gz = GzEncoder::new(Vec::new(), Compression::default());
        gz.write_all(text.as_bytes()).expect("memory");
        let bytes = gz.finish().expect("memory");
        fs::write(self.0.path().join(name), &bytes[..bytes.len() - cut]).expect("writable");
        self
    }

    /// Opens a section given as TOML, in a run of two regions that starts on Wednesday, 2020-01-01.
    fn open(&self, spec: &str) -> Result<JobList, WorkloadError> {
        open_at(self.0.path(), spec, "2020-01-01T00:00:00Z", 7)
    }

    #[track_caller]
    fn jobs(&self, spec: &str) -> JobList {
        self.open(spec).unwrap_or_else(|e| panic!("{spec}: {e}"))
    }

    /// The message with which a section fails, with the folder's name taken out.
    #[track_caller]
    fn fails(&self, spec: &str) -> String {
        let message = self.open(spec).expect_err("the input is wrong").to_string();
        message.replace(&format!("{}/", self.0.path().display()), "")
    }
}

fn open_at(base: &Path, spec: &str, start: &str, seed: u64) -> Result<JobList, WorkloadError> {
    let spec: JobsSpec = toml::from_str(spec).unwrap_or_else(|e| panic!("{spec}: {e}"));
    let regions = ["north".to_owned(), "south".to_owned()];
    let start = start.parse().expect("an instant");
    spec.open(&JobsContext { name: "mine", base_dir: base, regions: &regions, seed: Seed(seed), start })
}

/// A file of the validation data, unless it is absent: then says so.
fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SLACKWATER_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let found = root.join(path);
    if found.exists() {
        return Some(found);
    }
    eprintln!("skipped: {} is absent; set SLACKWATER_SHARED to the folder that holds it", found.display());
    None
}

fn seconds(list: &JobList, of: impl Fn(&Job) -> f64) -> Vec<f64> {
    list.jobs.iter().map(of).collect()
}

const THREE: &str = "arrival_s,length_s\n0,100\n60,7200\n30,7199.5\n";

#[test]
fn every_column_of_the_tidy_format_is_read() {
    let lab = Lab::new().file(
        "jobs.csv",
        "name,arrival_s,length_s,cpu_cores,nodes,memory_mb,deadline_s,estimate_s,class,tenant,region\n\
         a,10,20,1.5,2,512,100,30,short,x,south\n\
         b,11.5,1e1,,,,30,,,,\n",
    );
    let list = lab.jobs(
        "source.csv.path = 'jobs.csv'\ncpu_cores = 4\nmemory_mb = 100\nnodes = 3\ntenant = 'y'\nregion = 'north'",
    );
    let (a, b) = (&list.jobs[0], &list.jobs[1]);
    assert_eq!((&*a.name, a.arrival, a.wanted), ("a", SimTime::from_secs_f64(10.0), SimTime::from_secs_f64(10.0)));
    assert_eq!((a.length, a.slack), (Duration::from_secs(20), Duration::from_secs(70)));
    assert_eq!((a.cpu, a.nodes, a.memory, a.region), (1_500_000, 2, Memory::from_mb(512.0), RegionId(1)));
    assert_eq!((a.estimate, b.estimate), (Some(Duration::from_secs(30)), None));
    assert_eq!((b.cpu, b.nodes, b.memory, b.region), (4_000_000, 3, Memory::from_mb(100.0), RegionId(0)));
    assert_eq!((b.length, b.slack), (Duration::from_secs(10), Duration::from_secs_f64(8.5)));
    assert_eq!(list.classes, ["short".into(), "all".into()]);
    assert_eq!(list.tenants, ["x".into(), "y".into()]);
    let names: Vec<&str> = list.accounts.iter().map(|a| &*a.name).collect();
    assert_eq!((names, a.account.0, b.account.0), (vec!["x/short", "y/all"], 0, 1));
    assert!(
        list.notes.contains(&"1 job without an estimate in the source: nothing is believed of their length".to_owned())
    );
    assert_eq!(list.inputs[0].1, crate::workload::files::sha256(&list.inputs[0].0).expect("readable"));
}

#[test]
fn instants_are_placed_in_the_run_and_what_was_before_is_left_out() {
    let lab = Lab::new().gz(
        "jobs.csv.gz",
        "arrival_utc,length_s,deadline_utc\n2019-12-31T23:59:59Z,60,2020-01-02T00:00:00Z\n\
         2020-01-01T01:00:00Z,60,2020-01-01T02:00:00Z\n2020-01-01T02:00:00+01:00,60,2020-01-01T01:00:30Z\n",
        0,
    );
    let list = lab.jobs("source.csv.path = 'jobs.csv.gz'");
    assert_eq!(seconds(&list, |j| j.wanted.as_secs_f64()), [3600.0, 3600.0]);
    assert_eq!(seconds(&list, |j| j.slack.as_secs_f64()), [3540.0, 0.0]);
    assert_eq!(
        list.notes,
        [
            "2 jobs from csv",
            "1 job left out: before the run's start",
            "1 job with a deadline that even an immediate start would miss: taken as without slack"
        ]
    );
}

#[test]
fn jobs_come_in_order_of_arrival_and_a_note_says_so() {
    let list = Lab::new().file("j.csv", THREE).jobs("source.csv.path = 'j.csv'");
    assert_eq!(list.jobs.iter().map(|j| &*j.name).collect::<Vec<_>>(), ["j0", "j2", "j1"]);
    assert!(
        list.notes.iter().any(|n| n.starts_with("1 job that stood after one which arrives later")),
        "{:?}",
        list.notes
    );
}

#[test]
fn jobs_without_length_are_left_out_and_counted() {
    let lab = Lab::new().file("j.csv", "arrival_s,length_s\n7,0\n8,4.9\n9,11\n");
    let list = lab.jobs("source.csv.path = 'j.csv'\nquantum_s = 5");
    assert_eq!(list.jobs.len(), 1);
    assert_eq!((list.jobs[0].wanted, list.jobs[0].length), (SimTime::from_secs_f64(5.0), Duration::from_secs(10)));
    assert_eq!(list.notes[1..], ["1 job left out: of length 0", "1 job left out: shorter than quantum_s"]);
}

#[test]
fn queues_by_length_name_classes_and_accounts() {
    let rule = "slack.by-length.classes = [{ name = 'short', shorter_than_s = 7200, wait_s = 21600 }]\n\
                slack.by-length.else = { name = 'long', wait_s = 86400 }";
    let list = Lab::new().file("j.csv", THREE).jobs(&format!("source.csv.path = 'j.csv'\n{rule}"));
    assert_eq!(seconds(&list, |j| j.slack.as_secs_f64()), [21_600.0, 21_600.0, 86_400.0]);
    assert_eq!(list.jobs.iter().map(|j| j.class).collect::<Vec<_>>(), [0, 0, 1]);
    assert_eq!(list.accounts.iter().map(|a| &*a.name).collect::<Vec<_>>(), ["mine/short", "mine/long"]);
    // The class is that of the truncated length: 7204 s is cut to 7200 s, which is not below 7200 s, and 7199.5 s to 7195 s.
    let means = format!("source.csv.path = 'j.csv'\n{rule}\nquantum_s = 5\nestimate.class-mean = {{}}");
    let list = Lab::new().file("j.csv", "arrival_s,length_s\n0,7199.5\n1,7204\n2,104\n3,7214").jobs(&means);
    assert_eq!(list.jobs.iter().map(|j| j.class).collect::<Vec<_>>(), [0, 1, 0, 1]);
    // (7199.5 + 104) / 2 = 3651.75, cut to 3650; (7204 + 7214) / 2 = 7209, cut to 7205.
    let estimates = seconds(&list, |j| j.estimate.expect("known").as_secs_f64());
    assert_eq!(estimates, [3650.0, 7205.0, 3650.0, 7205.0]);
}

#[test]
fn waits_by_class_are_those_of_the_sources_classes() {
    let lab = Lab::new().file("j.csv", "arrival_s,length_s,class\n0,1,a\n1,1,b\n2,1,\n");
    let rule = "source.csv.path = 'j.csv'\nslack.by-class.classes = [{ name = 'b', wait_s = 5 }]";
    let list = lab.jobs(&format!("{rule}\nslack.by-class.else_s = 9"));
    assert_eq!(seconds(&list, |j| j.slack.as_secs_f64()), [9.0, 5.0, 9.0]);
    assert_eq!(
        lab.fails(rule),
        "j.csv, line 2: class = \"a\", of which slack.by-class says nothing\n  help: add the class to \
         slack.by-class.classes, or give slack.by-class.else_s for all others"
    );
}

#[test]
fn a_window_announces_jobs_beforehand_and_is_clipped_at_the_start() {
    let source = "source.periodic = { first_s = 3600, every_s = 86400, count = 3, length_s = 1800 }";
    let lab = Lab::new();
    let clamped = lab.jobs(&format!("{source}\nslack.window = {{ before_s = 7200, after_s = 5400 }}"));
    assert_eq!(seconds(&clamped, |j| j.arrival.as_secs_f64()), [0.0, 82_800.0, 169_200.0]);
    assert_eq!(seconds(&clamped, |j| j.wanted.as_secs_f64()), [3600.0, 90_000.0, 176_400.0]);
    assert_eq!(seconds(&clamped, |j| j.slack.as_secs_f64()), [5400.0; 3]);
    let dropped = lab.jobs(&format!("{source}\nslack.window = {{ before_s = 7200, after_s = 5400, clip = 'drop' }}"));
    assert_eq!(dropped.jobs, clamped.jobs[1..]);
    assert!(dropped.notes[1].starts_with("1 job left out: their window reaches before the run's start"));
    // A window that reaches exactly to the start is whole.
    let whole = lab.jobs(&format!("{source}\nslack.window = {{ before_s = 3600, after_s = 0, clip = 'drop' }}"));
    assert_eq!(whole.jobs.len(), 3);
}

#[test]
fn slack_in_proportion_to_length_has_its_bounds() {
    let list = Lab::new().file("j.csv", "arrival_s,length_s\n0,10\n1,100\n2,1000\n").jobs(
        "source.csv.path = 'j.csv'\nslack.share-of-length = { factor = 0.5, min_s = 20, max_s = 300 }\nestimate.scaled.factor = 3",
    );
    assert_eq!(seconds(&list, |j| j.slack.as_secs_f64()), [20.0, 50.0, 300.0]);
    assert_eq!(seconds(&list, |j| j.estimate.expect("known").as_secs_f64()), [30.0, 300.0, 3000.0]);
}

#[test]
fn an_explicit_rule_takes_the_place_of_the_files_slack_and_says_so() {
    let lab = Lab::new().file("j.csv", "arrival_s,length_s,slack_s\n0,10,5\n1,10,\n");
    let list = lab.jobs("source.csv.path = 'j.csv'\nslack.fixed.wait_s = 60\nestimate.unknown = {}");
    assert_eq!(seconds(&list, |j| j.slack.as_secs_f64()), [60.0, 60.0]);
    assert!(list.jobs.iter().all(|j| j.estimate.is_none()));
    assert!(list.notes.iter().any(|n| n.starts_with("slack and deadlines of the source are not used")));
    let list = lab.jobs("source.csv.path = 'j.csv'\nslack.from-file.else_s = 7");
    assert_eq!(seconds(&list, |j| j.slack.as_secs_f64()), [5.0, 7.0]);
}

#[test]
fn jobs_are_spread_over_regions_as_asked() {
    let lab = Lab::new().file("j.csv", "arrival_s,length_s,tenant\n0,1,a\n1,1,a\n2,1,b\n3,1,a\n");
    let regions = |spec: &str| {
        lab.jobs(&format!("source.csv.path = 'j.csv'\n{spec}")).jobs.iter().map(|j| j.region.0).collect::<Vec<_>>()
    };
    assert_eq!(regions(""), [0, 0, 0, 0]);
    assert_eq!(regions("region = 'south'"), [1, 1, 1, 1]);
    assert_eq!(regions("spread = 'round-robin'"), [0, 1, 0, 1]);
    assert_eq!(regions("spread = 'by-tenant'"), [0, 0, 1, 0]);
}

#[test]
fn interruption_scale_and_power_make_a_kind() {
    let source = "source.periodic = { every_s = 10, count = 2, length_s = 5 }";
    let list = Lab::new().jobs(&format!(
        "{source}\ninterruption = {{ checkpoint_s = 1.5 }}\nscale.measured = {{ throughput = [2, 3] }}\npower_w = 40"
    ));
    let kind = &list.kinds[0];
    let interruption = Interruption { checkpoint: Duration::from_secs_f64(1.5), restart: Duration::ZERO };
    assert_eq!((kind.interruption, kind.power_w), (Some(interruption), Some(40.0)));
    let scale = kind.scale.as_ref().expect("elastic");
    assert_eq!((scale.most(), scale.speed(2, 1), scale.speed(0, 1)), (2, 1.5, 0.0));
    let list = Lab::new().jobs(&format!("{source}\nscale.profile.name = 'nbody100k'"));
    let scale = list.kinds[0].scale.as_ref().expect("elastic");
    assert_eq!((scale.most(), scale.throughput[3], scale.power_w[6]), (7, 6661.952186308102, 390.73159215346425));
}

#[test]
fn every_published_profile_is_whole() {
    let profiles = scaling_profiles();
    assert!(profiles.source.contains("CarbonScaler") && profiles.profile.len() == 2);
    for p in &profiles.profile {
        let measured = ScaleSpec::Measured { throughput: p.throughput.clone(), power_w: p.power_w.clone() };
        assert_eq!(
            measured.build().expect("valid"),
            ScaleSpec::Profile { name: p.name.clone() }.build().expect("known")
        );
        for column in [&p.throughput, &p.power_w] {
            assert!(column.windows(2).all(|w| w[0] < w[1]), "{}: more nodes do more and draw more", p.name);
        }
    }
}

#[test]
fn lists_are_merged_in_order_of_arrival_and_names_stay_one() {
    let lab = Lab::new()
        .file("a.csv", "arrival_s,length_s,tenant,class\n1,1,x,q\n3,1,y,r\n")
        .file("b.csv", "arrival_s,length_s,tenant,class\n0,2,y,r\n1,2,z,s\n3,2,x,q\n");
    let [a, b] = ["a", "b"].map(|f| lab.jobs(&format!("source.csv.path = '{f}.csv'")));
    let list = JobList::merge(vec![("a".to_owned(), a), ("b".to_owned(), b)]);
    let shown: Vec<_> = list
        .jobs
        .iter()
        .map(|j| {
            let account = &list.accounts[j.account.index()];
            let tenant = &*list.tenants[account.tenant.index()];
            (j.arrival.as_secs_f64(), &*account.name, tenant, &*list.classes[j.class as usize], j.kind)
        })
        .collect();
    let wanted = [
        (0.0, "y/r", "y", "r", 1),
        (1.0, "x/q", "x", "q", 0),
        (1.0, "z/s", "z", "s", 1),
        (3.0, "y/r", "y", "r", 0),
        (3.0, "x/q", "x", "q", 1),
    ];
    assert_eq!(shown, wanted);
    assert_eq!((list.kinds.len(), list.accounts.len(), list.inputs.len()), (2, 3, 2));
    assert!(list.accounts.iter().all(|a| a.trust_domain == a.tenant.0));
    assert_eq!(list.notes, ["a: 2 jobs from csv", "b: 3 jobs from csv"]);
}
