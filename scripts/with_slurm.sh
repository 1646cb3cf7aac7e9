#!/usr/bin/env bash
# Runs a command with a Slurm of its own: a controller and one node on this machine, started from Debian packages, gone afterwards.
#
#   scripts/with_slurm.sh COMMAND [ARGUMENT…]
#
# COMMAND finds sbatch, squeue, scontrol, … in PATH and this Slurm by SLURM_CONF. Missing packages are installed if we are root and
# there is apt-get; the daemons themselves run as whoever starts this, without systemd, with ports, keys, sockets and logs in a
# temporary folder, beside any other Slurm. The exit code is that of COMMAND; 77 says that Slurm cannot be had here (in CI that is 1).
set -euo pipefail

if [[ $# -eq 0 ]]; then
    sed -n '2,4s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
fi

PATH=$PATH:/usr/sbin:/sbin
packages=(slurm-wlm munge)

skip() {
    if [[ ${CI:-} == true ]]; then
        echo "FAILED: $1" >&2
        exit 1
    fi
    echo "SKIPPED: $1" >&2
    exit 77
}

install() {
    [[ $(id -u) -eq 0 ]] || skip "Slurm is not installed and we are not root; help: apt-get install ${packages[*]}"
    command -v apt-get >/dev/null || skip "Slurm is not installed and there is no apt-get; help: install Slurm and munge"
    echo "installing ${packages[*]}"
    export DEBIAN_FRONTEND=noninteractive
    local log
    log=$(mktemp)
    if ! { apt-get update && apt-get install -y --no-install-recommends "${packages[@]}"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        skip "apt-get could not install ${packages[*]}"
    fi
    rm -f "$log"
}

for program in slurmctld slurmd munged sbatch; do
    command -v $program >/dev/null || { install; break; }
done

# munged refuses a socket below a folder that others may write to, unless it is sticky as /tmp is.
place=$(mktemp -d /tmp/slurm.XXXXXX)
chmod 755 "$place"
mkdir -m 755 "$place/munge" "$place/state" "$place/spool" "$place/log"
started=()

# Ends one daemon: asked at first, killed when it is not gone after five seconds.
end() {
    kill "$1" 2>/dev/null || return 0
    local tenths
    for ((tenths = 0; tenths < 50; tenths++)); do
        kill -0 "$1" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -KILL "$1" 2>/dev/null || true
}

finish() {
    local code=$? daemon
    trap '' INT TERM
    if [[ -f $place/up ]]; then
        scancel --user="$(id -un)" 2>/dev/null || true
        local tenths
        for ((tenths = 0; tenths < 100; tenths++)); do
            [[ -n $(squeue --noheader 2>/dev/null) ]] || break
            sleep 0.1
        done
    fi
    for ((daemon = ${#started[@]} - 1; daemon >= 0; daemon--)); do
        end "${started[daemon]}"
    done
    if [[ $code -ne 0 && $code -ne 77 && ! -f $place/up ]]; then
        tail -n 20 "$place"/log/* >&2 || true
    fi
    rm -rf "$place"
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# A port that nothing listens on.
free_port() {
    local port
    while true; do
        port=$((20000 + RANDOM % 12000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && [[ $port -ne ${1:-0} ]]; then
            echo "$port"
            return
        fi
    done
}

node=$(hostname -s)
user=$(id -un)
cpus=$(nproc)
memory_mb=$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)
controller_port=$(free_port)
node_port=$(free_port "$controller_port")
export SLURM_CONF=$place/slurm.conf

# One node whose cores are handed out one by one. cred_expire is how long a requeued job waits (120 s if left out, at least 5 s).
cat >"$SLURM_CONF" <<END
ClusterName=check
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=$controller_port
SlurmdPort=$node_port
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$place/munge/socket,cred_expire=5
CryptoType=crypto/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1
SlurmdParameters=config_overrides
JobRequeue=1
KillWait=2
MinJobAge=600
ReturnToService=2
StateSaveLocation=$place/state
SlurmdSpoolDir=$place/spool
SlurmctldPidFile=$place/slurmctld.pid
SlurmdPidFile=$place/slurmd.pid
SlurmctldLogFile=$place/log/slurmctld
SlurmdLogFile=$place/log/slurmd
NodeName=$node NodeAddr=127.0.0.1 CPUs=$((cpus < 2 ? 2 : cpus)) RealMemory=$memory_mb State=UNKNOWN
PartitionName=main Nodes=$node Default=YES MaxTime=INFINITE State=UP
END

(umask 077 && head -c 1024 /dev/urandom >"$place/munge/key")
munged --foreground --force --key-file="$place/munge/key" --socket="$place/munge/socket" --pid-file="$place/munge/pid" \
    --log-file="$place/log/munged" --seed-file="$place/munge/seed" >"$place/log/munged.out" 2>&1 &
started+=($!)
for ((tenths = 0; tenths < 100; tenths++)); do
    [[ ! -S $place/munge/socket ]] || break
    sleep 0.1
done
slurmctld -D >"$place/log/slurmctld.out" 2>&1 &
started+=($!)
slurmd -D -N "$node" >"$place/log/slurmd.out" 2>&1 &
started+=($!)

for ((tenths = 0; tenths < 300; tenths++)); do
    for daemon in "${started[@]}"; do
        kill -0 "$daemon" 2>/dev/null || { echo "FAILED: a daemon of Slurm ended; its log follows" >&2; exit 1; }
    done
    if [[ $(sinfo --noheader --format=%T 2>/dev/null) == idle ]]; then
        touch "$place/up"
        break
    fi
    sleep 0.1
done
[[ -f $place/up ]] || { echo "FAILED: the node did not become idle within 30 s; the logs follow" >&2; exit 1; }
echo "Slurm $(sbatch --version | awk '{ print $2 }') is up: one node, $cpus CPUs (after $((SECONDS)) s)"

"$@"
