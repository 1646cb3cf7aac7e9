use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::*;

const TARGETS: [Target; 3] = [Target::Slurm, Target::Dask, Target::Parallel];

/// What a shell, Python, Slurm or parallel could trip over.
const AWKWARD: &[&str] = &[
    "",
    "plain-1.0_x/y:z",
    "a b",
    "it's",
    "\"quoted\"",
    "$HOME `id` $(id)",
    "back\\slash\\",
    "# no comment",
    "line\nbreak\tand tab",
    "{} {#} {1} {{name}}",
    "*?[a]",
    "~/x",
    "!x;y&z|w<u>v",
    "100%",
    "Küste'n",
    "'''\"\"\"",
];

fn job<'a>(command: &'a [String], overrides: &'a [String]) -> Job<'a> {
    Job {
        command,
        program: "sim",
        sweep: "scenarios/sweeps/keep-alive.toml",
        out: "results/keep-alive",
        name: "keep-alive",
        unset: &[],
        set: overrides,
        shards: NonZeroU32::new(4).expect("not 0"),
        threads: NonZeroU32::new(2).expect("not 0"),
        time_limit_s: None,
        memory_mib: None,
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|w| (*w).to_owned()).collect()
}

/// What a program answers, its last NUL taken away.
fn answer(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap_or_else(|e| panic!("{program}: {e}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8").trim_end_matches('\0').to_owned()
}

#[test]
fn a_word_comes_out_of_bash_as_it_went_in() {
    let quoted: Vec<_> = AWKWARD.iter().map(|w| shell(w)).collect();
    assert!(quoted.iter().all(|q| !q.contains('\n')), "one line each: {quoted:?}");
    let found = answer("bash", &["-c", &format!("printf '%s\\0' {}", quoted.join(" "))]);
    assert_eq!(found.split('\0').collect::<Vec<_>>(), AWKWARD);
}

#[test]
fn a_string_comes_out_of_python_as_it_went_in() {
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("SKIPPED: python3 is not installed");
        return;
    }
    let quoted: Vec<_> = AWKWARD.iter().map(|t| python(t)).collect();
    assert!(quoted.iter().all(|q| !q.contains('\n')), "one line each: {quoted:?}");
    let code = format!("import sys; sys.stdout.buffer.write('\\0'.join([{}]).encode())", quoted.join(", "));
    assert_eq!(answer("python3", &["-c", &code]).split('\0').collect::<Vec<_>>(), AWKWARD);
}

#[test]
fn every_blank_is_filled_and_the_same_job_gives_the_same_bytes() {
    let (command, overrides) = (words(&["sim", "sweep", "a b.toml"]), words(&["seed=7"]));
    for target in TARGETS {
        let text = script(target, &job(&command, &overrides)).expect("a script");
        assert!(!text.contains("{{") && !text.contains("}}\n"), "{text}");
        assert!(text.contains("\n#   sim sweep 'a b.toml'\n"), "the command that made it: {text}");
        assert_eq!(text, script(target, &job(&command, &overrides)).expect("a script"));
    }
}

#[test]
fn what_is_filled_in_is_not_filled_again() {
    assert_eq!(fill("a {{x}} b {{y}}}", |blank| format!("{{{{{blank}}}}}")), "a {{x}} b {{y}}}");
}

#[test]
fn slurm_is_told_what_was_asked_for() {
    let mut wanted = job(&[], &[]);
    wanted.time_limit_s = NonZeroU64::new(90_061);
    wanted.memory_mib = NonZeroU64::new(1500);
    let text = script(Target::Slurm, &wanted).expect("a script");
    let directives: Vec<_> = text.lines().filter(|l| l.starts_with("#SBATCH ")).collect();
    let expected = [
        "#SBATCH --job-name=keep-alive",
        "#SBATCH --array=1-4",
        "#SBATCH --ntasks=1",
        "#SBATCH --cpus-per-task=2",
        "#SBATCH --requeue",
        "#SBATCH --open-mode=append",
        "#SBATCH --output=results/keep-alive/logs/slurm-%A_%a.log",
        "#SBATCH --time=1-01:01:01",
        "#SBATCH --mem=1500M",
    ];
    assert_eq!(directives, expected);
    // Nothing but comments stands before them, or Slurm would not read them.
    let first = text.lines().position(|l| !l.starts_with('#')).expect("commands");
    assert!(text.lines().skip(first).all(|l| !l.starts_with("#SBATCH")));
}

#[test]
fn a_name_that_slurm_would_misread_is_made_plain() {
    assert_eq!(job_name("a b,c\n%d"), "a-b-c--d");
    assert_eq!(job_name(""), "sweep");
}

#[test]
fn a_log_goes_into_the_results_folder_whatever_it_is_called() {
    assert_eq!(slurm_log("50% off/it's/logs").expect("a pattern"), r"'50%% off/it'\''s/logs/slurm-%A_%a.log'");
    let refused = slurm_log("a\\b").expect_err("a backslash");
    assert!(refused.to_string().contains("--out"), "{refused}");
}

#[test]
fn cores_are_shared_among_the_parts_that_parallel_runs_at_once() {
    for (threads, share) in [(1, "--jobs 100% "), (2, "--jobs 50% "), (3, "--jobs 33% "), (200, "--jobs 1% ")] {
        let mut wanted = job(&[], &[]);
        wanted.threads = NonZeroU32::new(threads).expect("not 0");
        assert!(script(Target::Parallel, &wanted).expect("a script").contains(share));
    }
}

/// Puts a program into a folder that writes its arguments down, one call a line, and ends well.
fn recorder(folder: &Path) -> (String, String) {
    let (program, calls) = (folder.join("si'm $x"), folder.join("calls"));
    let text = format!(
        "#!/bin/bash\nprintf '%s\\x1f' \"$@\" | tr '\\n' '\\036' >>{0}\necho >>{0}\n",
        shell(&calls.to_string_lossy())
    );
    fs::write(&program, text).expect("a script");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("rights");
    (program.to_string_lossy().into_owned(), calls.to_string_lossy().into_owned())
}

#[test]
fn a_task_of_slurm_runs_its_part_and_task_0_merges() {
    let folder = tempfile::tempdir().expect("a folder");
    let (program, calls) = recorder(folder.path());
    let overrides = words(AWKWARD);
    let mut wanted = job(&[], &overrides);
    (wanted.program, wanted.sweep, wanted.out) = (&program, "s w'e\"e$p.toml", "o u't");
    let unset = words(&["a.b c"]);
    wanted.unset = &unset;
    let text = script(Target::Slurm, &wanted).expect("a script");
    let file = folder.path().join("job.sh");
    fs::write(&file, text).expect("written");
    for task in 0..=4 {
        let status = Command::new("bash")
            .arg(&file)
            .env("SLURM_ARRAY_TASK_ID", task.to_string())
            .env("SLURM_CPUS_PER_TASK", "2")
            .status();
        assert!(status.expect("bash").success());
    }
    let mut expected = vec!["sweep\u{1f}merge\u{1f}o u't\u{1f}".to_owned()];
    for task in 1..=4 {
        let mut call = words(&["sweep", "s w'e\"e$p.toml", "--unset", "a.b c"]);
        for set in AWKWARD {
            call.extend(["--set".to_owned(), set.replace('\n', "\u{1e}")]);
        }
        call.extend(words(&["--out", "o u't", "--shard", &format!("{task}/4"), "--jobs", "2", "--resume"]));
        expected.push(call.join("\u{1f}") + "\u{1f}");
    }
    let found = fs::read_to_string(calls).expect("calls");
    assert_eq!(found.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn scripts_are_free_of_errors_of_syntax() {
    let (command, overrides) = (words(AWKWARD), words(AWKWARD));
    let folder = tempfile::tempdir().expect("a folder");
    for target in TARGETS {
        let file = folder.path().join("script").to_string_lossy().into_owned();
        fs::write(&file, script(target, &job(&command, &overrides)).expect("a script")).expect("written");
        if target != Target::Dask {
            answer("bash", &["-n", &file]);
        } else if Command::new("python3").arg("--version").output().is_ok() {
            answer("python3", &["-c", "import ast, sys; ast.parse(open(sys.argv[1]).read())", &file]);
        }
    }
}
