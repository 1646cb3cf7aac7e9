#!/usr/bin/env python3
# The sweep {{name}} in {{shards}} parts, as tasks of Dask. Made by
#
#   {{command}}
#
# Needs: python -m pip install "dask[distributed]". Paths are as seen from the
# folder where it is started. With THIS for the name of this file:
#
#   python THIS                        on this machine, with a cluster of its own
#   python THIS --workers 2            the same, two parts at once
#   python THIS tcp://10.0.0.1:8786    on the cluster of this scheduler; its
#                                      workers see the same files under the
#                                      same names, and each runs as many parts
#                                      at once as it has threads
#   python THIS                        once more: goes on where it stopped,
#                                      runs that are done are not repeated
#   {{merge}}
#                                      merges only: says which parts or runs
#                                      are missing or double
#
# A part that failed or lost its worker is started again, RETRIES times; it
# loses the runs it was in the middle of.
"""Run the parts of a sweep on a Dask cluster and merge them."""

import argparse
import os
import shutil
import subprocess
import sys

from dask.distributed import Client, LocalCluster, as_completed

SIM = {{program}}
SWEEP = {{sweep}}
OUT = {{out}}
OVERRIDES = [{{overrides}}]
SHARDS = {{shards}}
JOBS = {{threads}}
RETRIES = 2


def run_shard(shard, folder):
    """Run one part to its end, from where it stopped the last time."""
    command = [SIM, "sweep", SWEEP, *OVERRIDES, "--out", OUT,
               "--shard", f"{shard}/{SHARDS}", "--jobs", str(JOBS), "--resume"]
    # A part whose worker is killed goes with it (where Linux can do that), or
    # it would work on beside the one that is started in its place.
    if shutil.which("setpriv"):
        command = ["setpriv", "--pdeathsig", "KILL", *command]
    log = os.path.join(folder, OUT, "logs", f"dask-{shard}.log")
    with open(log, "ab") as lines:
        ended = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL,
                               stdout=lines, stderr=subprocess.STDOUT,
                               check=False)
    # 3: every run of the part failed; each is a row with its error.
    if ended.returncode not in (0, 3):
        raise RuntimeError(f"exit code {ended.returncode}; its log: {log}")


def run_all(client):
    """Run all parts; give the exceptions of those that failed, by part."""
    folder = os.getcwd()
    tasks = {
        client.submit(run_shard, shard, folder, pure=False,
                      retries=RETRIES): shard
        for shard in range(1, SHARDS + 1)
    }
    failed = {}
    for done, task in enumerate(as_completed(tasks), start=1):
        shard = tasks[task]
        if task.status == "finished":
            verdict = "done"
        else:
            failed[shard] = task.exception()
            verdict = "FAILED"
        print(f"part {shard} {verdict} ({done} of {SHARDS})", flush=True)
    return failed


def main():
    """Run what is left of the sweep, then merge; the exit code tells how."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scheduler", nargs="?",
                        help="address of a scheduler [default: this machine]")
    parser.add_argument("--workers", type=int, metavar="N",
                        default=max(1, (os.cpu_count() or 1) // JOBS),
                        help="parts at once on this machine [%(default)s]")
    arguments = parser.parse_args()

    os.makedirs(os.path.join(OUT, "logs"), exist_ok=True)
    if arguments.scheduler:
        with Client(arguments.scheduler) as client:
            failed = run_all(client)
    else:
        with LocalCluster(n_workers=arguments.workers, threads_per_worker=1,
                          dashboard_address=None) as cluster:
            with Client(cluster) as client:
                failed = run_all(client)

    for shard, error in sorted(failed.items()):
        print(f"part {shard} failed: {error}", file=sys.stderr)
    if failed:
        print("nothing is merged; help: mend the cause, then start this once "
              "more", file=sys.stderr)
        return 1
    merge = subprocess.run([SIM, "sweep", "merge", OUT], check=False)
    return merge.returncode


if __name__ == "__main__":
    sys.exit(main())
