#!/bin/bash
# The sweep {{name}} in {{shards}} parts, as an array of tasks for Slurm. Made by
#
#   {{command}}
#
# Paths are as seen from the folder where it is submitted. With THIS for the name of this file:
#
#   bash THIS                    submits the array, and behind it a task that merges the parts
#   bash THIS --partition=NAME   the same with options for sbatch
#   squeue --name={{job}}
#                                what waits and what runs; the logs are in {{logs}}
#   scancel --name={{job}}
#                                stops it
#   bash THIS                    once more: goes on where it stopped, runs that are done are not repeated
#   bash THIS --array=2,3        once more, only these parts
#   sbatch --array=0 THIS        merges only: says which parts or runs are missing or double
#
# A task that Slurm requeues (its node failed, it was preempted) goes on likewise. A killed task loses the runs it was in the middle of.
#
#SBATCH --job-name={{job}}
#SBATCH --array=1-{{shards}}
#SBATCH --ntasks=1
#SBATCH --cpus-per-task={{threads}}
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output={{log}}
{{time}}
{{memory}}
#
# To have at most 10 tasks at the same time, take away one #:
##SBATCH --array=1-{{shards}}%10
set -euo pipefail

sim={{program}}
sweep={{sweep}}
out={{out}}
overrides=({{overrides}})
shards={{shards}}

# Started by hand: submit. The tasks get this script again; task 0 merges.
if [[ -z ${SLURM_ARRAY_TASK_ID:-} ]]; then
    # What is wrong with the files is said here and now, not by the tasks.
    "$sim" sweep "$sweep" ${overrides[@]+"${overrides[@]}"} --out "$out" --dry-run
    # Without the folder of its log a task fails, and cannot say so.
    mkdir -p "$out/logs"
    array=$(sbatch --parsable "$@" "${BASH_SOURCE[0]}")
    array=${array%%;*}
    # After all tasks, failed or not: the merge tells what is missing, where "afterok" would leave it waiting for ever.
    merge=$(sbatch --parsable "$@" --array=0 --dependency="afterany:$array" "${BASH_SOURCE[0]}")
    echo "submitted: array $array, merge ${merge%%;*} after it"
    exit
fi

if [[ $SLURM_ARRAY_TASK_ID -eq 0 ]]; then
    exec "$sim" sweep merge "$out"
fi
exec "$sim" sweep "$sweep" ${overrides[@]+"${overrides[@]}"} --out "$out" --shard "$SLURM_ARRAY_TASK_ID/$shards" \
    --jobs "${SLURM_CPUS_PER_TASK:-{{threads}}}" --resume
