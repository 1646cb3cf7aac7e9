#!/usr/bin/env python3
"""A sweep in parts under a real Slurm, Dask and GNU parallel, with parts killed in the middle, against the same sweep on one machine.

    python3 scripts/test_cluster.py [--sim PROGRAM] [PART ...]      PART: slurm, dask, parallel, merge; all if none is named

Makes 24 short runs of scenarios/quickstart.toml once on one machine and once under each. Every merged table has to be that of the one
machine byte by byte, and no run may have been made twice. Slurm comes from scripts/with_slurm.sh, Dask into a venv below target/, GNU
parallel from apt-get. What cannot be had here is skipped with a message; in CI (CI=true) that is a failure.
"""

import argparse
import collections
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
TARGET = REPOSITORY / os.environ.get("CARGO_TARGET_DIR", "target")
TABLES = ["runs.csv", "columns.csv", "points.csv", "runs.parquet"]
RUNS, SHARDS = 24, 4
OVERRIDES = ["--set", "description=it's \"a\" $small {} sweep"]
BEGAN = time.monotonic()

SWEEP = """\
name = "cluster check"
scenario = "{scenario}"
set = ["workload.poisson.calls={calls}"]
replications = 3
metrics = ["sci.g_per_unit", "latency_s.p99"]

[[axes]]
name = "keep_alive"
key = "scheduler.keep_alive.fixed.keep_alive_s"
list = [10.0, 60.0, 300.0, 600.0]

[[axes]]
name = "rate"
key = "workload.poisson.rate_per_s"
list = [4.0, 8.0]
"""


class Failed(Exception):
    """What had to hold does not."""


class Skipped(Exception):
    """What is needed cannot be had here."""


def say(text):
    print(f"--- {text} (at {time.monotonic() - BEGAN:.0f} s)", flush=True)


def need(holds, otherwise):
    if not holds:
        raise Failed(otherwise)


def wait_for(what, holds, seconds=90):
    """Wait until something holds and give what it is."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        need(time.monotonic() < end, f"within {seconds} s it did not come about that {what}")
        time.sleep(0.02)
    return found


def run(*command, code=0, **more):
    """Run a command that has to end with this exit code; give what it said."""
    ended = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **more)
    need(ended.returncode == code, f"exit code {ended.returncode} instead of {code}: {' '.join(map(str, command))}\n{ended.stdout}")
    return ended.stdout


def install(package, program):
    """See to a program of a Debian package."""
    if shutil.which(program):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Skipped(f"{program} is missing; help: apt-get install {package}")
    say(f"installing {package}")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        run("apt-get", "update", env=quiet)
        run("apt-get", "install", "-y", "--no-install-recommends", package, env=quiet)
    except Failed as error:
        raise Skipped(str(error)) from error


class Part:
    """The part of a sweep: what is written of it, and who works on it."""

    def __init__(self, out, shard):
        self.out, self.shard = out, f"{shard}/{SHARDS}"
        self.journal = Path(out) / "parts" / f"{shard}-of-{SHARDS}" / "journal.jsonl"

    def text(self):
        """The whole lines of its journal."""
        text = self.journal.read_bytes() if self.journal.exists() else b""
        return text[:text.rfind(b"\n") + 1]

    def runs(self):
        """How often each run is in its journal."""
        lines = [json.loads(line) for line in self.text().splitlines()]
        return collections.Counter((r["run"]["point"], r["run"]["replication"]) for r in lines if "run" in r)

    def in_the_middle(self):
        """Wait until two of its runs are done and give its journal as it is then."""
        wait_for(f"part {self.shard} has done two runs", lambda: len(self.runs()) >= 2)
        text = self.text()
        need(len(self.runs()) < RUNS // SHARDS, f"part {self.shard} was done before it could be killed")
        return text

    def process(self):
        """The id of the sim that works on it."""
        words = f"\0--out\0{self.out}\0--shard\0{self.shard}\0".encode()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if words in (folder / "cmdline").read_bytes() and (folder / "exe").resolve() == Path(SIM).resolve():
                    return int(folder.name)
            except OSError:
                continue  # It has ended meanwhile.
        raise Failed(f"no process works on part {self.shard}")

    def goes_on_from(self, before):
        need(self.text().startswith(before), f"the journal of part {self.shard} lost what it had when it was killed")


def same_as_reference(out):
    """Hold a merged sweep to the one machine's."""
    for table in TABLES:
        need(Path(out, table).read_bytes() == Path("reference", table).read_bytes(), f"{out}/{table} is not what one machine writes")
    runs = sum((Part(out, shard).runs() for shard in range(1, SHARDS + 1)), collections.Counter())
    need(len(runs) == RUNS, f"{len(runs)} runs instead of {RUNS}")
    twice = [run for run, times in runs.items() if times > 1]
    need(not twice, f"made more than once: {twice}")
    print(f"{', '.join(TABLES)}: byte by byte those of one machine; each of {RUNS} runs was made once", flush=True)


def emit(target, out, file):
    script = run(SIM, "sweep", FILE, *OVERRIDES, "--out", out, "--jobs", "1", "--emit", target, "--shards", SHARDS)
    Path(file).write_text(script)
    return file


class Broken:
    """A sweep file that cannot be read, for a while."""

    def __enter__(self):
        os.rename(FILE, "aside.toml")
        Path(FILE).write_text("no sweep\n", encoding="utf-8")

    def __exit__(self, *_):
        os.replace("aside.toml", FILE)


def calls_of_a_run():
    """As many calls as keep this machine busy for half a second, so that a run is long enough to be killed in the middle."""
    began, calls = time.monotonic(), 20_000
    run(SIM, "run", REPOSITORY / "scenarios" / "quickstart.toml", "--set", f"workload.poisson.calls={calls}", "--quiet", "--out", "one run")
    return int(calls * 0.5 / (time.monotonic() - began)) // 1000 * 1000 + 1000


def reference():
    say(f"reference: {RUNS} runs on one machine")
    print(run(SIM, "sweep", FILE, *OVERRIDES, "--out", "reference").splitlines()[-2], flush=True)
    need(Path("reference/runs.csv").read_text().count("\n") == RUNS + 1, "not one row for each run")


def slurm():
    """Start a Slurm and go on below it, in `below_slurm`."""
    command = [REPOSITORY / "scripts" / "with_slurm.sh", sys.executable, __file__, "--sim", SIM, "--below-slurm", os.getcwd(), "--began", BEGAN]
    code = subprocess.call([str(c) for c in command])
    if code == 77:
        raise Skipped("no Slurm; the reason is above")
    need(code == 0, f"the tests under Slurm ended with exit code {code}")


def submit(script, *options):
    """Submit by the script itself; give the ids of the array and of the merge."""
    said = run("bash", script, *options)
    print(said, end="", flush=True)
    ids = re.search(r"^submitted: array (\d+)\b.*\bmerge (\d+)\b", said, re.MULTILINE)
    need(ids, "the script did not say what it submitted")
    return ids.groups()


def task(job, number):
    """What Slurm knows of a task, and a line of it for the reader."""
    for line in run("scontrol", "--oneliner", "show", "job", job).splitlines():
        known = dict(re.findall(r"(\w+)=(\S*)", line))
        if known.get("ArrayTaskId") == str(number):
            print(f"task {job}_{number}:", " ".join(f"{k}={known[k]}" for k in ["JobState", "ExitCode", "Restarts", "RunTime"]), flush=True)
            return known
    raise Failed(f"Slurm does not know task {job}_{number}")


def below_slurm():
    out = "slurm's \"results\" #1 100%"
    script = emit("slurm", out, "job's script.sh")

    def queue_is_empty():
        return not run("squeue", "--noheader")

    with Broken():
        run("bash", script, code=2)
    need(queue_is_empty(), "a sweep that cannot run was submitted")

    say("slurm: an array; task 2 is killed, task 3 is requeued, both in the middle")
    array, merge = submit(script)
    second, third = Part(out, 2), Part(out, 3)
    before_second = second.in_the_middle()
    run("scancel", "--signal=KILL", "--batch", f"{array}_2")
    before_third = third.in_the_middle()
    run("scontrol", "requeue", f"{array}_3")
    print(f"task 2 killed after {len(second.runs())}, task 3 requeued after {len(third.runs())} of {RUNS // SHARDS} runs", flush=True)
    wait_for("the queue is empty", queue_is_empty)
    known = {number: task(array, number) for number in range(1, SHARDS + 1)}
    need(known[2]["JobState"] == "FAILED" and known[2]["ExitCode"] == "0:9", "task 2 was not killed by signal 9")
    need(known[3]["JobState"] == "COMPLETED" and known[3]["Restarts"] == "1", "task 3 did not come back and end well")
    second.goes_on_from(before_second)
    third.goes_on_from(before_third)
    need(task(merge, 0)["JobState"] == "FAILED", "the merge behind the array did not see that runs are missing")
    need(not Path(out, "runs.csv").exists(), "there is a table although runs are missing")
    print("the merge behind it said:", Path(out, "logs", f"slurm-{merge}_0.log").read_text().strip(), flush=True)

    say("slurm: the same script once more")
    array, merge = submit(script)
    wait_for("the queue is empty", queue_is_empty)
    for number in range(1, SHARDS + 1):
        need(task(array, number)["JobState"] == "COMPLETED", f"task {number} failed")
    need(task(merge, 0)["JobState"] == "COMPLETED", "the merge failed")
    second.goes_on_from(before_second)
    third.goes_on_from(before_third)
    same_as_reference(out)

    say("slurm: once more, only part 2")
    Path(out, "runs.csv").unlink()
    array, merge = submit(script, "--array=2")
    wait_for("the queue is empty", queue_is_empty)
    need(task(array, 2)["JobState"] == "COMPLETED" and task(merge, 0)["JobState"] == "COMPLETED", "task 2 or the merge failed")
    need(f"ArrayTaskId={SHARDS} " not in run("scontrol", "--oneliner", "show", "job", array), "other parts were submitted, too")
    same_as_reference(out)


def venv():
    """A Python with Dask."""
    place = TARGET / "dask-venv"
    if not (place / "ready").exists():
        say("installing Dask below target/")
        shutil.rmtree(place, ignore_errors=True)
        try:
            run(sys.executable, "-m", "venv", place)
            run(place / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "dask[distributed]")
        except Failed as error:
            raise Skipped(f"Dask cannot be installed: {error}") from error
        (place / "ready").touch()
    return place / "bin" / "python"


def watched(command, meanwhile):
    """Run a command that has to end well, and do something while it runs."""
    with open("said", "w+", encoding="utf-8") as said:
        child = subprocess.Popen([str(c) for c in command], stdout=said, stderr=subprocess.STDOUT)
        try:
            meanwhile()
            code = child.wait(timeout=120)
        finally:
            child.terminate()
        text = Path("said").read_text(encoding="utf-8")
        need(code == 0, f"exit code {code}: {command}\n{text}")
    return text


def dask():
    python, out = venv(), "dask's \"results\" {}"
    script = emit("dask", out, "tasks.py")
    second = Part(out, 2)

    def kill_worker():
        nonlocal before
        before = second.in_the_middle()
        sim = second.process()
        status = Path(f"/proc/{sim}/status").read_text()
        worker = int(re.search(r"^PPid:\t(\d+)$", status, re.MULTILINE).group(1))
        print(f"killing the worker of part 2, process {worker}, after {len(second.runs())} of {RUNS // SHARDS} runs", flush=True)
        os.kill(worker, signal.SIGKILL)
        wait_for("sim goes with its worker", lambda: not Path(f"/proc/{sim}").exists(), seconds=10)

    before = b""
    say("dask: a LocalCluster of two workers; one is killed in the middle of part 2")
    said = watched([python, script, "--workers", "2"], kill_worker)
    need(all(f"part {shard} done" in said for shard in range(1, SHARDS + 1)), f"not all parts were reported:\n{said}")
    second.goes_on_from(before)
    same_as_reference(out)

    say("dask: a sweep file that cannot be read")
    with Broken():
        said = run(python, script, code=1)
    need(all(f"part {shard} failed: exit code 2" in said for shard in range(1, SHARDS + 1)), f"not all parts are said to have failed:\n{said}")

    say("dask: once more, through the address of a scheduler")
    serve = "import sys; from dask.distributed import LocalCluster; c = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None); " \
        "print(c.scheduler_address, flush=True); sys.stdin.read()"
    with subprocess.Popen([str(python), "-c", serve], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as cluster:
        run(python, script, cluster.stdout.readline().strip())
        cluster.stdin.close()
    same_as_reference(out)


def parallel():
    install("parallel", "parallel")
    out = "parallel's \"results\" {} {#}"
    script = emit("parallel", out, "run all.sh")
    second = Part(out, 2)

    def kill_part():
        nonlocal before
        before = second.in_the_middle()
        print(f"killing part 2 after {len(second.runs())} of {RUNS // SHARDS} runs", flush=True)
        os.kill(second.process(), signal.SIGKILL)

    before = b""
    say("parallel: part 2 is killed in the middle and started again")
    watched(["bash", script], kill_part)
    second.goes_on_from(before)
    same_as_reference(out)
    with Broken():
        run("bash", script, code=1)


def merge():
    """Parts that are missing or double are said, with the exit code that belongs to it."""
    out, parts = "by hand", Path("by hand", "parts")
    say("merge: four parts by hand; one is missing, one is double, one is changed")
    for shard in range(1, SHARDS + 1):
        run(SIM, "sweep", FILE, *OVERRIDES, "--out", out, "--shard", f"{shard}/{SHARDS}")

    (parts / f"2-of-{SHARDS}").rename("aside")
    said = run(SIM, "sweep", "merge", out, code=3)
    need(f"{RUNS // SHARDS} runs are missing" in said, f"it does not say that part 2 is missing:\n{said}")
    need(not Path(out, "runs.csv").exists(), "there is a table although runs are missing")
    print(f"missing: {said.strip()}", flush=True)
    Path("aside").rename(parts / f"2-of-{SHARDS}")

    copy = parts / "a copy of 3"
    shutil.copytree(parts / f"3-of-{SHARDS}", copy)
    said = run(SIM, "sweep", "merge", out)
    need(f"{RUNS // SHARDS} are double" in said, f"it does not say that part 3 is double:\n{said}")
    print(f"double: {said.strip()}", flush=True)
    same_as_reference(out)

    # A digit of a figure, in the copy alone.
    lines = [json.loads(line) for line in (copy / "journal.jsonl").read_text(encoding="utf-8").splitlines()]
    values = next(line["run"] for line in lines if "run" in line)["values"]
    at = next(i for i, value in enumerate(values) if isinstance(value, float))
    values[at] *= 1.5
    (copy / "journal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    said = run(SIM, "sweep", "merge", out, code=3)
    need("twice with different figures" in said, f"it does not say that two parts contradict each other:\n{said}")
    print(f"contradiction: {said.strip()}", flush=True)


PARTS = {"slurm": slurm, "dask": dask, "parallel": parallel, "merge": merge}
SIM = FILE = None


def main():
    global SIM, FILE, BEGAN
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sim", default=str(TARGET / "release" / "sim"), help="the program [%(default)s]")
    parser.add_argument("--calls", type=int, help="calls in a run [as many as take half a second]")
    parser.add_argument("--below-slurm", metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("--began", type=float, default=BEGAN, help=argparse.SUPPRESS)
    parser.add_argument("parts", nargs="*", metavar="PART", choices=[*PARTS, []], help="what to test [all]")
    arguments = parser.parse_args()
    FILE = "it's $a sweep.toml"
    SIM, BEGAN = os.path.abspath(arguments.sim), arguments.began
    if arguments.below_slurm:
        os.chdir(arguments.below_slurm)
        below_slurm()
        return 0

    need(os.access(SIM, os.X_OK), f"there is no {SIM}; help: cargo build --release --bin sim")
    skipped = []
    with tempfile.TemporaryDirectory(prefix="slackwater's cluster ") as folder:
        os.chdir(folder)
        # Its path, too, has to be quoted.
        os.mkdir("it's bin")
        os.symlink(SIM, "it's bin/sim")
        SIM = os.path.join(folder, "it's bin", "sim")
        calls = arguments.calls or calls_of_a_run()
        scenario = REPOSITORY / "scenarios" / "quickstart.toml"
        Path(FILE).write_text(SWEEP.format(scenario=scenario, calls=calls), encoding="utf-8")
        reference()
        for name in arguments.parts or PARTS:
            try:
                PARTS[name]()
            except Skipped as reason:
                need(os.environ.get("CI") != "true", f"in CI nothing is skipped: {reason}")
                print(f"SKIPPED: {reason}", flush=True)
                skipped.append(name)
        os.chdir(REPOSITORY)
    print(f"parts of a sweep, killed and resumed: all well in {time.monotonic() - BEGAN:.0f} s"
          + (f"; skipped: {', '.join(skipped)}" if skipped else ""))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as failure:
        print(f"FAILED: {failure}", file=sys.stderr)
        sys.exit(1)
