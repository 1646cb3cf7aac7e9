//! Job lists as published: their counts, and the schedules that published rules make of them.

use super::*;

const DAY_S: f64 = 86_400.0;

#[test]
fn the_jobs_of_lets_wait_awhile_are_as_published() {
    let Some(path) = shared("data/traces/lwa-ml-jobs.csv") else { return };
    let list = lwa(&path, "");
    let steps: f64 = seconds(&list, |j| j.length.as_secs_f64() / 1800.0).iter().sum();
    assert_eq!((list.jobs.len(), steps), (3387, 311_252.0));
    let hours = seconds(&list, |j| j.wanted.as_secs_f64() % DAY_S / 3600.0);
    assert!(hours.iter().all(|h| (9.0..=16.5).contains(h)) && hours.contains(&9.0) && hours.contains(&16.5));
    let minutes = seconds(&list, |j| j.length.as_secs_f64() / 60.0);
    assert!(
        minutes.iter().all(|m| (240.0..=5370.0).contains(m)) && minutes.contains(&240.0) && minutes.contains(&5370.0)
    );
    // 2020-01-01 was a Wednesday; jobs arrive on workdays only.
    assert!(seconds(&list, |j| (j.wanted.as_secs_f64() / DAY_S).floor() + 2.0).iter().all(|day| day % 7.0 < 5.0));
}

fn lwa(path: &Path, rules: &str) -> JobList {
    let spec = format!("source.lets-wait-awhile.path = '{}'\n{rules}", path.display());
    open_at(Path::new("/"), &spec, "2020-01-01T00:00:00Z", 1).expect("the published jobs")
}

/// Intensity of 2020 in half hours, as the study reads it.
fn intensity(path: &Path) -> Vec<f64> {
    let text = fs::read_to_string(path).expect("readable");
    let rows = text.lines().skip(1).filter_map(|l| l.split_once(','));
    let kept = rows.filter(|(t, _)| *t >= "2020-01-01" && (&t[14..16] == "00" || &t[14..16] == "30"));
    kept.map(|(_, v)| v.parse().expect("a number")).collect()
}

#[test]
fn calendar_rules_give_the_published_totals_of_lets_wait_awhile() {
    let Some(path) = shared("data/traces/lwa-ml-jobs.csv") else { return };
    let Some(grid) = shared("data/grid/lwa2020/ger_ci.csv") else { return };
    let c = intensity(&grid);
    assert_eq!(c.len(), 17_999);
    // Gram per kW of all jobs, published code at e = 0: one point more than the slack, which is one of its quirks.
    for (rules, non_interrupting, interrupting) in [
        ("slack.none = {}", 49_508_982.336_299_43, None),
        ("slack.next-workday.published_friday = true", 46_574_976.257_985_87, Some(45_471_174.577_258_274)),
        ("slack.semi-weekly = {}", 42_513_266.593_595_445, Some(40_350_921.659_875_266)),
    ] {
        let list = lwa(&path, rules);
        let [mut whole, mut parts] = [0.0, 0.0];
        for job in &list.jobs {
            let step = |ns: u64| (ns / 1_800_000_000_000) as usize;
            let (s, d, slack) = (step(job.wanted.0), step(job.length.0), step(job.slack.0));
            let f = &c[s..(s + d + slack + 1).min(c.len())];
            whole += f.windows(d).map(|w| w.iter().sum::<f64>()).fold(f64::INFINITY, f64::min) / 2.0;
            let mut sorted = f.to_vec();
            sorted.sort_by(f64::total_cmp);
            // Ties at the d-th smallest value all run: another quirk.
            parts += f.iter().filter(|x| **x <= sorted[d - 1]).sum::<f64>() / 2.0;
        }
        assert!((whole / non_interrupting - 1.0).abs() < 1e-9, "{rules}: {whole} instead of {non_interrupting}");
        if let Some(wanted) = interrupting {
            assert!((parts / wanted - 1.0).abs() < 1e-9, "{rules}, interrupting: {parts} instead of {wanted}");
        }
    }
    // The clean rule gives a job that would end on Friday evening until Monday, and no other job anything else.
    let [published, clean] = [true, false].map(|p| lwa(&path, &format!("slack.next-workday.published_friday = {p}")));
    let mut fridays = 0;
    for (p, c) in published.jobs.iter().zip(&clean.jobs) {
        let more = (c.slack.0 - p.slack.0) as f64 / 1e9 / DAY_S;
        assert!(more == 0.0 || more == 2.0, "{more} days");
        fridays += u32::from(more == 2.0);
    }
    assert!(fridays > 100, "{fridays} jobs would end on a Friday evening");
}

#[test]
fn a_list_with_dates_says_when_the_run_is_at_another_time() {
    let lab = Lab::new().file("j.csv", "job_id,arrival_min,duration_min\n0,570,30\n1,2010,60\n");
    let spec = "source.lets-wait-awhile = { path = 'j.csv' }";
    let message = open_at(lab.0.path(), spec, "2022-06-06T00:00:00Z", 1).expect_err("two years later").to_string();
    assert!(
        message.contains(
            "no job is left: the list counts from 2020-01-01T00:00:00Z, and the run starts at 2022-06-06T00:00:00Z"
        ),
        "{message}"
    );
    for (start, wanted) in [("zero", [34_200.0, 120_600.0]), ("first", [0.0, 86_400.0])] {
        let spec = format!("source.lets-wait-awhile = {{ path = 'j.csv', start = '{start}' }}");
        let list = open_at(lab.0.path(), &spec, "2022-06-06T00:00:00Z", 1).expect("placed");
        assert_eq!(seconds(&list, |j| j.wanted.as_secs_f64()), wanted, "{start}");
    }
    let spec = "source.lets-wait-awhile = { path = 'j.csv', start = '2020-01-02T00:00:00Z' }";
    let list = open_at(lab.0.path(), spec, "2022-06-06T00:00:00Z", 1).expect("placed");
    assert_eq!(seconds(&list, |j| j.wanted.as_secs_f64()), [34_200.0]);
    assert_eq!(list.notes[1], "1 job left out: before the run's start");
}

#[test]
fn the_jobs_of_gaia_have_the_published_queue_means() {
    let Some(path) = shared("data/traces/gaia-pai/pai_1k.csv") else { return };
    let spec = format!(
        "source.gaia.path = '{}'\nquantum_s = 5\nestimate.class-mean = {{}}\n\
         slack.by-length.classes = [{{ name = 'short', shorter_than_s = 7200, wait_s = 21600 }}]\n\
         slack.by-length.else = {{ name = 'long', wait_s = 86400 }}",
        path.display()
    );
    let list = open_at(Path::new("/"), &spec, "2022-10-19T16:00:00Z", 1).expect("the published jobs");
    assert_eq!(list.jobs.len(), 1000);
    let core_hours: f64 = seconds(&list, |j| j.length.as_secs_f64() * j.cpu as f64 / 1e6 / 3600.0).iter().sum();
    assert!((core_hours - 3191.92).abs() < 0.005, "{core_hours}");
    for job in &list.jobs {
        let (length, steps) = (job.length.as_secs_f64(), job.estimate.expect("known").as_secs_f64() / 5.0);
        assert_eq!(steps, if length < 7200.0 { 454.0 } else { 5221.0 });
        assert!(job.length.0 % 5_000_000_000 == 0 && job.wanted.0 % 5_000_000_000 == 0);
    }
    assert_eq!(list.classes, ["short".into(), "long".into()]);
}

#[test]
fn the_nasa_log_is_read_whole() {
    let Some(path) = shared("data/traces/swf/NASA-iPSC-1993-3.1-cln.swf.gz") else { return };
    let spec = format!("source.swf = {{ path = '{}' }}", path.display());
    let list = open_at(Path::new("/"), &spec, "1993-10-01T00:00:00Z", 1).expect("the log");
    // Counted with awk: 18,239 lines, of which 173 have a run time of 0 s and no other misses anything.
    assert_eq!(list.jobs.len(), 18_239 - 173);
    assert!(list.notes.contains(&"173 jobs left out: of length 0".to_owned()), "{:?}", list.notes);
    assert_eq!(
        (list.jobs[0].nodes, list.jobs[0].length, list.jobs[0].cpu),
        (128, Duration::from_secs(1451), 1_000_000)
    );
    let work: u64 = list.jobs.iter().map(|j| j.length.0 / 1_000_000_000 * u64::from(j.nodes)).sum();
    assert_eq!(work, 474_238_015);
    assert_eq!(list.tenants.len(), 69);
    assert_eq!(list.classes, ["all".into()]);
    // UnixStartTime: 749458803 is 1993-10-01T07:00:03Z.
    let spec = format!(
        "source.swf = {{ path = '{}', start = 'run', processor_is = 'core', tenant_by = 'group' }}",
        path.display()
    );
    let dated = open_at(Path::new("/"), &spec, "1993-10-01T07:00:00Z", 1).expect("the log");
    assert_eq!(
        (dated.jobs[0].wanted, dated.jobs[0].cpu, dated.jobs[0].nodes),
        (SimTime::from_secs_f64(3.0), 128_000_000, 1)
    );
    assert_eq!(dated.tenants, ["group-1".into(), "group-2".into()]);
}

#[test]
fn an_excerpt_with_floats_and_blanks_is_read() {
    let Some(path) = shared("data/traces/swf/CTC-SP2-1996-3.1-cln.excerpt.swf") else { return };
    let open = |more: &str| {
        let spec = format!("source.swf = {{ path = '{}'{more} }}", path.display());
        open_at(Path::new("/"), &spec, "2020-01-01T00:00:00Z", 1).expect("the excerpt")
    };
    let list = open("");
    assert_eq!(seconds(&list, |j| j.length.as_secs_f64()), [937.0, 75.0, 35_268.0, 29_493.0, 29_063.0]);
    assert_eq!(
        seconds(&list, |j| j.estimate.expect("requested").as_secs_f64()),
        [35_100.0, 300.0, 35_100.0, 64_800.0, 64_800.0]
    );
    assert_eq!(list.classes, ["queue-3".into(), "queue-1".into()]);
    assert_eq!(list.accounts[0].name, "user-97/queue-3".into());
    assert!(
        list.notes.contains(&"1 job that had failed or been cancelled, taken as they ran".to_owned()),
        "{:?}",
        list.notes
    );
    let completed = open(", statuses = [1], class_by_queue = false, tenant_by = 'none'");
    assert_eq!((completed.jobs.len(), &*completed.accounts[0].name), (4, "mine"));
    assert!(completed.notes.contains(&"1 job left out: their status is not in source.swf.statuses".to_owned()));
}
