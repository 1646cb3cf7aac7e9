#!/usr/bin/env python3
"""Draws docs/keep-alive-azure-2019.svg from a finished run of scenarios/external/keep-alive-azure-2019.toml; needs matplotlib.

Usage: scripts/keep_alive_figure.py [results/keep-alive-azure-2019 [docs/keep-alive-azure-2019.svg]]

Left: over apps, the share of an app's calls that are cold (runs/POLICY/functions.csv, functions added up by app). Right: the 75th
percentile of that share against idle time, over that of the fixed 10 minutes (compare.csv).
"""
import csv
import sys
from collections import defaultdict

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

result = sys.argv[1] if len(sys.argv) > 1 else "results/keep-alive-azure-2019"
target = sys.argv[2] if len(sys.argv) > 2 else "docs/keep-alive-azure-2019.svg"

# Policy, colour, line. Colours of Okabe and Ito, told apart by readers who do not see all of them.
LINES = [
    ("fixed-10min", "#D55E00", "-"),
    ("fixed-20min", "#E69F00", "-"),
    ("fixed-60min", "#009E73", "-"),
    ("fixed-120min", "#56B4E9", "-"),
    ("hybrid-4h", "#0072B2", "--"),
    ("oracle", "#000000", ":"),
]
FIXED = ["fixed-5min", "fixed-10min", "fixed-20min", "fixed-30min", "fixed-45min", "fixed-60min", "fixed-90min", "fixed-120min"]
HYBRID = ["hybrid-1h", "hybrid-2h", "hybrid-4h"]
OTHERS = ["hybrid-4h-production", "faascache-hist", "for-ever", "oracle"]


def cold_shares(policy):
    """The share of cold calls of each app, sorted."""
    executed, cold = defaultdict(int), defaultdict(int)
    for row in csv.DictReader(open(f"{result}/runs/{policy}/functions.csv")):
        if row["function"] != "(unattributed)":
            app = (row["tenant"], row["function"].split("/")[0])
            executed[app] += int(row["executed"])
            cold[app] += int(row["cold"])
    return sorted(cold[app] / executed[app] for app in executed if executed[app])


rows = {row["policy"]: row for row in csv.DictReader(open(f"{result}/compare.csv"))}


def point(policy):
    return float(rows[policy]["relative.sandboxes.idle_mean"]), 100 * float(rows[policy]["cold_share_by_app.p75"])


plt.rcParams.update({
    "svg.fonttype": "none", "svg.hashsalt": "keep-alive", "font.family": "sans-serif", "font.size": 9,
    "font.sans-serif": ["DejaVu Sans", "Helvetica", "Arial"], "axes.spines.top": False, "axes.spines.right": False,
})
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), width_ratios=[1.15, 1])
for policy, colour, style in LINES:
    shares = cold_shares(policy)
    apps = len(shares)
    left.step([0] + [100 * s for s in shares], [i / apps for i in range(apps + 1)], where="post", color=colour, linestyle=style,
              label=policy, linewidth=1.6)
left.axhline(0.75, color="#999999", linewidth=0.7)
left.text(101, 0.75, "75 %", va="center", color="#666666", fontsize=8)
left.set(xlim=(0, 100), ylim=(0, 1), xlabel="cold calls of the app [%]", ylabel=f"share of the {apps} apps with at most that")
left.set_title("Cold starts by app", fontsize=10, loc="left")
left.legend(frameon=False, loc="lower right", fontsize=8.5)
left.grid(color="#EEEEEE")
for names, colour, marker, label in ((FIXED, "#D55E00", "o-", "fixed"), (HYBRID, "#0072B2", "s--", "hybrid histogram"), (OTHERS, "#000000", "^", None)):
    right.plot(*zip(*map(point, names)), marker, color=colour, label=label, markersize=5, linewidth=1.2)
OFFSETS = {
    "fixed-5min": (0, -12), "fixed-10min": (4, 6), "hybrid-1h": (-8, 7), "hybrid-2h": (-22, -12), "hybrid-4h": (-3, -13),
    "hybrid-4h-production": (7, 6), "faascache-hist": (5, 5), "for-ever": (-12, -13), "oracle": (-24, -13), "fixed-60min": (-34, -3),
    "fixed-120min": (7, 3), "fixed-90min": (-16, -22),
}
for policy in FIXED + HYBRID + OTHERS:
    text = policy.removeprefix("fixed-").removeprefix("hybrid-").removeprefix("4h-").replace("min", " min")
    right.annotate(text, point(policy), xytext=OFFSETS.get(policy, (5, 5)), textcoords="offset points", fontsize=7.5)
right.set(ylim=(0, 108), xlim=(0.75, 1.75), xlabel="idle time of loaded apps, fixed 10 min = 1", ylabel="75th percentile over apps of cold calls [%]")
right.set_title("Cold starts against idle memory", fontsize=10, loc="left")
right.legend(frameon=False, loc="upper right", fontsize=8.5)
right.grid(color="#EEEEEE")
figure.text(0.01, 0.01, "8 hours, 500 functions of the Microsoft Azure Functions Trace 2019 (CC-BY 4.0; Shahrad et al., ATC 2020)", fontsize=7,
            color="#666666")
figure.tight_layout(rect=(0, 0.03, 1, 1))
figure.savefig(target, metadata={"Date": None, "Creator": "scripts/keep_alive_figure.py"})
