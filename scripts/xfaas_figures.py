#!/usr/bin/env python3
"""Compares a finished run of scenarios/xfaas.toml with XFaaS' published figures; standard library only.

Usage: scripts/xfaas_figures.py [results/xfaas]
"""
import csv
import json
import sys
from collections import defaultdict

result = sys.argv[1] if len(sys.argv) > 1 else "results/xfaas"
WEEK, DAY, WARM_UP = 604_800, 86_400, 2 * 86_400
cores = {r["name"]: sum(h["count"] for h in r["hosts"]) for r in json.load(open(f"{result}/manifest.json"))["scenario"]["regions"]}
received, executed, busy = defaultdict(int), defaultdict(int), defaultdict(float)
hourly = defaultdict(lambda: defaultdict(list))
for row in csv.DictReader(open(f"{result}/timeseries.csv")):
    t = float(row["time_s"])
    received[t] += int(row["received"])
    executed[t] += int(row["executed"])
    busy[t] += float(row["cpu_utilization"]) * cores[row["region"]]
    hourly[int(t // 3600)][row["region"]].append(float(row["cpu_utilization"]))
total = sum(cores.values())
week = [t for t in sorted(received) if t < WEEK]
steady = [t for t in week if t >= WARM_UP]


def span(values):
    return max(values) / min(values)


print(f"received max/min, 15 min, week            {span([received[t] for t in week]):.3f}   published 4.3 (4.409 read off the figure)")
print(f"executed max/min, 15 min, days 3-7        {span([executed[t] for t in steady]):.3f}   published 1.4 (1.405 read off)")
print(f"executed max/min, 15 min, days 2-7        {span([executed[t] for t in week if t >= DAY]):.3f}   (the backlog starts empty: warm-up)")
print(f"peak received / peak executed, days 3-7   {max(received[t] for t in week) / max(executed[t] for t in steady):.3f}   published 1.988 (read off)")
days = [sum(busy[t] for t in week if d * DAY <= t < (d + 1) * DAY) / total / 96 for d in range(7)]
print("daily mean CPU utilization                " + " ".join(f"{d:.3f}" for d in days) + "   published 0.66")
hours = [sum(busy[t] for t in week if h * 3600 <= t < (h + 1) * 3600) / total / 4 for h in range(48, 168)]
print(f"CPU max/min, hourly means, days 3-7       {span(hours):.3f}   published 1.4")
spread = [max(sum(v) / len(v) for v in regions.values()) - min(sum(v) / len(v) for v in regions.values()) for h, regions in hourly.items() if 48 <= h < 168]
print(f"spread between regions, hourly, mean/max  {sum(spread) / len(spread):.3f} / {max(spread):.3f}   published: a narrow band")
shares, counts = defaultdict(float), defaultdict(float)
quota = defaultdict(float)
for row in csv.DictReader(open(f"{result}/functions.csv")):
    if row["function"] == "(unattributed)":
        continue
    work = float(row["cpu_cores"]) * float(row["busy_s"])
    shares[row["trigger"]] += work
    counts[row["trigger"]] += int(row["executed"])
    quota[row["quota"]] += work
for name, table, published in (("calls", counts, "15 / 85 / <1"), ("compute", shares, "86 / 14 / <1")):
    print(f"{name:8} queue / event / timer             " + " / ".join(f"{100 * table[k] / sum(table.values()):.2f}" for k in ("queue", "event", "timer")) + f" %   published {published} %")
print(f"opportunistic share of compute            {quota['opportunistic'] / sum(quota.values()):.3f}   published about 0.11 (see docs/xfaas.md)")
s = json.load(open(f"{result}/summary.json"))
print(f"missed 24 h deadlines                     {s['calls']['missed_deadline']}   published: none reported")
print(f"longest deferral                          {s['deferral_s']['max'] / 3600:.2f} h")
