//! Wrong input is refused with file, line, key, what was found, and a remedy.

use super::*;

/// A file and the message with which it fails as a source.
#[track_caller]
fn refused(source: &str, text: &str, message: &str) {
    let found = Lab::new().file("j", text).fails(&format!("source.{source} = {{ path = 'j' }}"));
    assert_eq!(found, message, "{text}");
}

#[test]
fn wrong_rows_of_the_tidy_format_are_refused() {
    let time = "is not a number of seconds from 0 to 3153600000 (100 years)\n  help: correct or remove the row";
    for (value, column) in [
        ("-1,5", "arrival_s = \"-1\""),
        ("nan,5", "arrival_s = \"nan\""),
        ("1,-5", "length_s = \"-5\""),
        ("1,", "length_s = \"\""),
        ("1,4e9", "length_s = \"4e9\""),
        ("1,inf", "length_s = \"inf\""),
    ] {
        refused("csv", &format!("arrival_s,length_s\n0,1\n{value}\n"), &format!("j, line 3: {column} {time}"));
    }
    refused(
        "csv",
        "arrival_s,length_s,cpu_cores\n0,1,0\n",
        "j, line 2: cpu_cores = \"0\" is not a number above 0, up to 4000000\n  help: correct or remove the row",
    );
    refused(
        "csv",
        "arrival_s,length_s,nodes\n0,1,0\n",
        "j, line 2: nodes = \"0\" is not a whole number from 1\n  help: correct or remove the row",
    );
    refused(
        "csv",
        "arrival_s,length_s,region\n0,1,east\n",
        "j, line 2: region = \"east\" is not the name of a region of this scenario: north, south\n  help: correct or remove the row",
    );
    refused(
        "csv",
        "arrival_utc,length_s\nyesterday,1\n",
        "j, line 2: arrival_utc = \"yesterday\" is not an instant in UTC like 2022-06-06T09:00:00Z, within 100 years\n  help: correct or remove the row",
    );
    refused(
        "csv",
        "arrival_s,length_s,name\n0,1,a\n1,1,b\n2,1,a\n",
        "j, line 4: name = \"a\" stands on line 2, too\n  help: give every job an id of its own, or remove the row that is there twice",
    );
    refused(
        "csv",
        "arrival_s,length_s,name\n0,1,\n",
        "j, line 2: name is empty\n  help: give every job a name of its own",
    );
    refused(
        "csv",
        "arrival_s,length_s\n0,1\n5\n",
        "j, line 3: the row has 1 cells instead of 2\n  help: complete or correct the row; a file that was cut off ends like this",
    );
}

#[test]
fn wrong_headers_of_the_tidy_format_are_refused() {
    let of = "length_s, arrival_s, arrival_utc, cpu_cores, nodes, memory_mb, slack_s, deadline_s, deadline_utc, estimate_s, class, tenant, name, region";
    let help = format!("help: the first line names the columns: length_s are required, of {of}");
    refused("csv", "arrival_s,length_s,color\n", &format!("j: column \"color\" is unknown\n  {help}"));
    refused("csv", "arrival_s,length_s,length_s\n", &format!("j: column length_s is there twice\n  {help}"));
    refused("csv", "arrival_s\n", &format!("j: column length_s is missing\n  {help}"));
    for header in ["length_s", "length_s,arrival_s,arrival_utc"] {
        refused(
            "csv",
            header,
            "j: there must be one of the columns arrival_s and arrival_utc\n  help: say when jobs arrive, either in seconds since the run's start or as instants in UTC",
        );
    }
    refused(
        "csv",
        "arrival_s,length_s,slack_s,deadline_s\n",
        "j: slack_s, deadline_s and deadline_utc say the same thing, and more than one of them is there\n  help: keep one of the three columns",
    );
    refused("csv", "arrival_s,length_s\n", "j: there is no job\n  help: check the file");
    refused(
        "csv",
        "arrival_s,length_s\n1,0\n",
        "j: there is no job: 1 job left out: of length 0\n  help: check the file",
    );
}

#[test]
fn a_file_that_is_absent_or_cut_off_is_refused() {
    assert!(Lab::new().fails("source.csv.path = 'none.csv'").starts_with("cannot read none.csv: No such file"));
    let text = "arrival_s,length_s\n".to_owned() + &"1,2\n".repeat(50_000);
    let message = Lab::new().gz("j.gz", &text, 12).fails("source.csv.path = 'j.gz'");
    assert!(
        message.contains("the gzip data are cut off or damaged") && message.contains("compress the file again"),
        "{message}"
    );
}

#[test]
fn wrong_rows_of_published_formats_are_refused() {
    refused(
        "lets-wait-awhile",
        "job_id,arrival_min,duration_min\n0,-3,30\n",
        "j, line 2: arrival_min = \"-3\" is not a number of minutes from 0 to 52560000 (100 years)\n  help: correct or remove the row",
    );
    refused(
        "lets-wait-awhile",
        "job_id,arrival_min,duration_min\n0,3,30\n0,4,30\n",
        "j, line 3: job_id = \"0\" stands on line 2, too\n  help: give every job an id of its own, or remove the row that is there twice",
    );
    refused(
        "gaia",
        "arrival_time,length,cpus\n0,5,0\n",
        "j, line 2: cpus = \"0\" is not a number above 0, up to 4000000\n  help: correct or remove the row",
    );
    refused(
        "gaia",
        "arrival_time,length\n",
        "j: column cpus is missing\n  help: the first line names the columns: arrival_time, length, cpus are required, of arrival_time, length, cpus",
    );
    let lab = Lab::new().file("j", "job_id,arrival_min,duration_min\n0,3,30\n");
    assert_eq!(
        lab.fails("source.lets-wait-awhile = { path = 'j', start = 'monday' }"),
        "source.lets-wait-awhile.start = \"monday\" is neither zero nor first nor run nor an instant in UTC\n  help: write \"zero\", \"first\", \"run\", or an instant like \"2020-01-01T00:00:00Z\""
    );
}

#[test]
fn wrong_lines_of_a_log_are_refused_and_missing_values_are_counted() {
    let line = "1 0 -1 10 4 -1 -1 -1 -1 -1 1 3 1 -1 0 -1 -1 -1";
    refused(
        "swf",
        "; x\n1 0 -1 10 4\n",
        "j, line 2: the line has 5 fields instead of 18\n  help: complete or correct the line; a file that was cut off ends like this",
    );
    refused(
        "swf",
        &line.replace("10 4", "ten 4"),
        "j, line 1: field 4, run time = \"ten\", is not a number\n  help: correct or remove the line; a header line begins with a semicolon",
    );
    refused(
        "swf",
        &line.replace("10 4", "-7 4"),
        "j, line 1: field 4, run time = -7, is not from 0 to 3153600000 s\n  help: correct or remove the line; -1 stands for a missing value",
    );
    refused(
        "swf",
        &format!("{line}\n{line}\n"),
        "j, line 2: job number = \"1\" stands on line 1, too\n  help: give every job an id of its own, or remove the row that is there twice",
    );
    refused(
        "swf",
        &format!("; UnixStartTime: soon\n{line}\n"),
        "j, line 1: UnixStartTime = \"soon\" is not a number of seconds since 1970\n  help: correct or remove the header line",
    );
    let lab = Lab::new().file("j", line);
    assert_eq!(
        lab.fails("source.swf = { path = 'j', start = 'run' }"),
        "source.swf.start = \"run\" needs to know when the list begins, and its header has no UnixStartTime\n  help: write \"zero\" or \"first\", or add the header line `; UnixStartTime: SECONDS`"
    );
    let lab = Lab::new().file(
        "j",
        &["1 0 -1 10 4", "2 1 -1 -1 4", "3 -1 -1 10 4", "4 2 -1 10 0", "5 3 -1 0 4", "6 4 -1 10 -1"]
            .map(|l| line.replace("1 0 -1 10 4", l))
            .join("\n")
            .replace("6 4 -1 10 -1 -1 -1 -1", "6 4 -1 10 -1 -1 2048 8"),
    );
    let list = lab.jobs("source.swf = { path = 'j', memory = 'used' }\nmemory_mb = 1");
    assert_eq!(
        list.jobs.iter().map(|j| (&*j.name, j.nodes, j.memory.0)).collect::<Vec<_>>(),
        [("1", 4, 1_000_000), ("6", 8, 2048 * 1024)]
    );
    assert_eq!(
        list.notes[1..],
        [
            "1 job left out: without a run time",
            "1 job left out: without a submit time",
            "1 job left out: without processors",
            "1 job without the number of processors asked for: the other one was taken",
            "1 job left out: of length 0"
        ]
    );
}

#[test]
fn rules_that_contradict_themselves_or_the_source_are_refused() {
    let lab = Lab::new().file("j", "arrival_s,length_s,cpu_cores,nodes\n0,1,2,9\n");
    let csv = |rest: &str| lab.fails(&format!("source.csv.path = 'j'\n{rest}"));
    for (rules, message) in [
        (
            "slack.by-length = { classes = [{ name = 'a', shorter_than_s = 9, wait_s = 1 }, { name = 'b', shorter_than_s = 9, wait_s = 1 }], else = { name = 'c', wait_s = 1 } }",
            "slack.by-length.classes: shorter_than_s = 9 comes after 9, so that no job is ever \"b\"\n  help: order the classes from the shortest jobs to the longest",
        ),
        (
            "slack.by-length = { classes = [{ name = 'a', shorter_than_s = 9, wait_s = 1 }], else = { name = 'a', wait_s = 1 } }",
            "slack.by-length: two classes are called \"a\"\n  help: give every class a name of its own",
        ),
        (
            "slack.next-workday = { open_hour = 17, close_hour = 9 }",
            "slack.next-workday: work from open_hour = 17 to close_hour = 9\n  help: let work begin before it ends, both from 0 to 24",
        ),
        (
            "slack.share-of-length = { factor = 1, min_s = 5, max_s = 2 }",
            "slack.share-of-length: min_s = 5 is above max_s = 2\n  help: choose a min_s up to max_s",
        ),
        ("slack.fixed.wait_s = -1", "slack.fixed.wait_s = -1\n  help: write a finite number from 0 to 3153600000"),
        (
            "slack.from-file = {}",
            "j, line 2: slack.from-file, and nothing says how long this job may wait\n  help: fill the column slack_s, deadline_s or deadline_utc, give slack.from-file.else_s, or choose another rule",
        ),
        (
            "estimate.requested = {}",
            "estimate.requested: the source says of no job how long it would take\n  help: fill the column estimate_s (of an SWF log: field 9, requested time), or choose another estimate",
        ),
        (
            "estimate.noisy.relative_sd = nan",
            "estimate.noisy.relative_sd = NaN\n  help: write a finite number from 0 to 10",
        ),
        (
            "cpu_cores = 2",
            "cpu_cores is for jobs of which the source does not say it, and it says it of every job\n  help: leave the key out",
        ),
        ("region = 'east'", "region = \"east\" is not a region of this scenario\n  help: name one of: north, south"),
        (
            "region = 'north'\nspread = 'by-tenant'",
            "region and spread say where jobs run, and both are there\n  help: name one region, or let spread choose among all of them",
        ),
        (
            "scale.profile.name = 'nbody10k'\npower_w = 5",
            "power_w and scale both say what power jobs draw\n  help: leave power_w out, or give a scale.measured without power_w",
        ),
        (
            "scale.profile.name = 'nbody'",
            "scale.profile.name = \"nbody\" is not a known profile\n  help: name one of nbody10k, nbody100k, or give your own with scale.measured",
        ),
        (
            "scale.profile.name = 'nbody10k'",
            "j, line 2: the job has 9 nodes, and scale knows only up to 7\n  help: give scale one number for every number of nodes, or the jobs fewer nodes",
        ),
        (
            "scale.measured = { throughput = [1, 2], power_w = [1] }",
            "scale.measured: 2 of throughput, but 1 of power_w\n  help: give as many of both, or leave power_w out",
        ),
        (
            "scale.measured = { throughput = [0] }",
            "scale.measured: throughput and power_w must be numbers above 0\n  help: give one number for 1, 2, … nodes",
        ),
    ] {
        assert_eq!(csv(rules), message, "{rules}");
    }
    let made = |rest: &str| lab.fails(&format!("source.synthetic = {{ arrivals.rate_per_h = 1, {rest} }}"));
    assert_eq!(
        made("length.constant.length_s = 1"),
        "source.synthetic: there is neither duration_s nor count\n  help: say until when jobs arrive with duration_s, or how many with count"
    );
    assert_eq!(
        made("count = 1, length.uniform = { low_s = 3, high_s = 2 }"),
        "source.synthetic.length.uniform: low_s = 3 is above high_s = 2\n  help: choose a low_s up to high_s"
    );
    assert_eq!(
        made("count = 1, length.list.values = []"),
        "source.synthetic.length.list.values is empty\n  help: give at least one"
    );
    assert_eq!(
        made("count = 1, length.list.values = [{ length_s = 1, weight = 0 }]"),
        "source.synthetic.length.list.values: all weights are 0\n  help: give at least one of them a weight above 0"
    );
    assert_eq!(
        made("duration_s = 0.001, length.constant.length_s = 1"),
        "there is no job: made jobs, no trace\n  help: let source.synthetic make at least one"
    );
    assert_eq!(
        lab.fails("source.periodic = { every_s = 3153600000, count = 9, length_s = 1 }"),
        "source.periodic: arrival of the last job = 25228800000\n  help: write a finite number from 0 to 3153600000"
    );
}
