"""Writes the table of docs/multitenancy.md: our figures beside those of data/multitenancy/mean_over_p99.csv and the exact ones.

    sim run scenarios/multitenancy.toml
    python3 scripts/multitenancy_table.py results/multitenancy/compare.csv
"""

import csv
import math
import sys
from pathlib import Path

REPEATED = Path(__file__).parent.parent / "data/multitenancy/mean_over_p99.csv"


def gamma_quantile(n, p):
    """Of a sum of n exponential loads of mean 1: P(sum > q) = exp(-q) sum over i < n of q^i / i!."""
    low, high = 0.0, 20.0 * n + 50.0
    for _ in range(200):
        q = 0.5 * (low + high)
        above = sum(math.exp(i * math.log(q) - q - math.lgamma(i + 1)) for i in range(n))
        low, high = (q, high) if above > 1.0 - p else (low, q)
    return low


def main():
    figures, tails = {}, {}
    with open(sys.argv[1], newline="") as f:
        for row in csv.DictReader(f):
            key = (row["distribution"], int(row["tenants"]))
            figures[key] = float(row["multiplexing.mean_over_p99"])
            tails[key] = float(row["multiplexing.p9999_over_mean"])
    print("| N | exponential: ours | exact | error | p99.99 / mean: ours | exact | Weibull 2: ours | 10,000 draws | Weibull 3 | 10,000 draws | Weibull 4 | 10,000 draws |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    with open(REPEATED, newline="") as f:
        for row in csv.DictReader(f):
            n = int(row["tenants"])
            ours, exact = figures["exponential", n], n / gamma_quantile(n, 0.99)
            cells = [str(n), f"{ours:.4f}", f"{exact:.4f}", f"{100 * (ours / exact - 1):+.2f} %"]
            cells += [f"{tails['exponential', n]:.3f}", f"{gamma_quantile(n, 0.9999) / n:.3f}"]
            for name in ("weibull-2", "weibull-3", "weibull-4"):
                cells += [f"{figures[name, n]:.4f}", row[name]]
            print("| " + " | ".join(cells) + " |")


main()
