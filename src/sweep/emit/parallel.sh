#!/bin/bash
# The sweep {{name}} in {{shards}} parts, run by GNU parallel. Made by
#
#   {{command}}
#
# Paths are as seen from the folder where it is started. With THIS for the name of this file:
#
#   bash THIS                    runs all parts, as many at once as there are cores for, and merges them
#   bash THIS --jobs 2           the same with options for parallel: two parts at once
#   bash THIS --sshlogin n1,n2 --workdir .
#                                on other machines, which see the same files under the same names
#   bash THIS                    once more: goes on where it stopped, runs that are done are not repeated
#   {{merge}}
#                                merges only: says which parts or runs are missing or double
#
# A killed part loses the runs it was in the middle of; it is started once again. The log of the parts is
# {{joblog}}
# It is not used for resuming (--resume-failed): it would call a part done whose sweep file has changed since. sim knows better.
set -euo pipefail

sim={{program}}
sweep={{sweep}}
out={{out}}
overrides=({{overrides}})
shards={{shards}}

if ! [[ $(parallel --version 2>/dev/null) == *GNU* ]]; then
    echo "GNU parallel is missing; help: apt-get install parallel" >&2
    exit 2
fi
mkdir -p "$out/logs"
log=$out/logs/parallel.tsv

# One command a line: nothing in it is taken for a replacement string of parallel, not even the {} of an empty table. Exit code 3 says that
# every run of the part failed; each is a row with its error, so the part is done.
commands() {
    local part
    for ((part = 1; part <= shards; part++)); do
        printf '%q ' "$sim" sweep "$sweep" ${overrides[@]+"${overrides[@]}"} --out "$out" --shard "$part/$shards" --jobs {{threads}} --resume
        echo '|| test $? -eq 3'
    done
}

code=0
commands | parallel --jobs {{share}}% --retries 2 --line-buffer --tagstring 'part {#}' --joblog "$log" "$@" || code=$?
if [[ $code -ne 0 ]]; then
    echo "parts failed, so nothing is merged; help: see $log and the messages above, then start this once more" >&2
    exit 1
fi
exec "$sim" sweep merge "$out"
