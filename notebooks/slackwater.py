"""What the notebooks share: finding and reading results folders, and one style of figures. Nothing is simulated here.

    import slackwater as sw
    run = sw.result("quickstart", "sim run scenarios/quickstart.toml")
    sw.about(run)                      # version, seed, signal, from manifest.json
    series = run.csv("timeseries.csv") # a polars frame

Folders are looked for in the environment variable SLACKWATER_RESULTS, or in ../results (seen from notebooks/).
"""

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import polars as pl
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

ROOT = Path(__file__).resolve().parent.parent

# Okabe and Ito (2008): eight colours that the colour-blind can tell apart; yellow is for areas only.
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
GREY = "#999999"
COLOURS = [BLUE, ORANGE, GREEN, VERMILION, SKY, PURPLE, BLACK, YELLOW]
MARKERS = ["o", "s", "^", "D", "v", "P", "X", "*"]
OPERATIONAL, EMBODIED = BLUE, ORANGE  # O and M have these colours in every notebook

plt.rcParams.update({
    "axes.prop_cycle": plt.cycler(color=COLOURS, marker=MARKERS),
    "axes.grid": True, "axes.axisbelow": True, "axes.spines.top": False, "axes.spines.right": False,
    "axes.titlesize": 10, "axes.titlelocation": "left", "font.size": 9, "grid.color": "#DDDDDD", "grid.linewidth": 0.6,
    "legend.frameon": False, "lines.markersize": 4.5, "figure.dpi": 110, "figure.constrained_layout.use": True,
})


class Missing(Exception):
    """Ends a notebook with a message and without a traceback's noise."""

    def _render_traceback_(self):
        return str(self).splitlines()


@dataclass(frozen=True)
class Result:
    """One results folder: of a run, a comparison or a sweep."""

    name: str
    folder: Path
    manifest: dict

    def csv(self, file="compare.csv"):
        """A table of the folder; types are inferred from all rows."""
        return pl.read_csv(self.folder / file, infer_schema_length=None)

    def json(self, file="summary.json"):
        return json.loads((self.folder / file).read_text())


def _places():
    return [Path(os.environ["SLACKWATER_RESULTS"])] if os.environ.get("SLACKWATER_RESULTS") else [ROOT / "results", Path("results")]


def found(name):
    """The results folder `name`, or None where there is none."""
    for place in _places():
        manifest = place / name / "manifest.json"
        if manifest.is_file():
            return Result(name, place / name, json.loads(manifest.read_text()))
    return None


def result(name, command):
    """The results folder `name`; where it is missing, ends the notebook with the command that makes it."""
    run = found(name)
    if run is None:
        looked = " and ".join(str(place.resolve() / name) for place in _places())
        raise Missing(f"The results are missing: looked for {looked}.\nMake them, in the project's folder, with:\n\n    {command}\n\nor let SLACKWATER_RESULTS name the folder that holds the results folders.")
    return run


def replications(run):
    """The run and its repetitions under other seeds: folders NAME-seed-N beside it, in order of N."""
    others = [found(path.name) for path in run.folder.parent.glob(f"{run.name}-seed-*")]
    return [run] + sorted((other for other in others if other), key=lambda other: int(other.name.rsplit("-", 1)[1]))


def about(*runs):
    """Prints what the figures rest on: program, seed, simulated time, signal, overrides."""
    for run in runs:
        manifest, scenario = run.manifest, run.manifest.get("scenario", {})
        print(f"{run.name}: {scenario.get('description', '')}".rstrip(": "))
        print(f"  {manifest['program']} {manifest['version']}, seed {seed(run)}; grid {signal(run)}")
        if manifest.get("set"):
            print("  not the file's own values: " + "; ".join(f"{key[:60]}…" if len(key) > 61 else key for key in manifest["set"]))


def seed(run):
    """The root of the run's random streams; of a comparison, the file's."""
    return run.manifest.get("seed", run.manifest.get("scenario", {}).get("seed"))


def signal(run):
    """The carbon-intensity signals in words, as the program states them."""
    if signals := run.manifest.get("signals"):
        zones = {}
        for s in signals:
            zones.setdefault(f"{s['kind']}, {s['factor_basis']}; {s['source']}", []).append(s["zone"])
        texts = [f"{', '.join(dict.fromkeys(names))}: {what}" for what, names in zones.items()]
    else:
        keys = ["sci.signal", "sci.signal_kind", "sci.factor_basis"]
        tables = [path for path in (run.folder / "compare.csv", run.folder / "runs.csv") if path.is_file()]
        frames = [pl.read_csv(path, infer_schema=False) for path in tables]
        texts = ["{}: {}, {}".format(*row) for frame in frames if set(keys) <= set(frame.columns) for row in frame.select(keys).drop_nulls().rows()]
    return " | ".join(dict.fromkeys(texts)) or "not stated"


def plain(axis):
    """A logarithmic axis with ticks at 1, 2, 5, 10, … and numbers without powers."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=12))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_locator(NullLocator())


def mg(column):
    """A column of grams, in milligrams."""
    return pl.col(column) * 1000.0


def adds_up(parts, total, what):
    """Stops where parts do not add up to their total (relative 1e-9, the promise of docs/outputs.md)."""
    assert math.isclose(math.fsum(parts), total, rel_tol=1e-9, abs_tol=1e-9), f"{what}: {math.fsum(parts)} is not {total}"


def table(frame, digits=3):
    """Prints a frame without its types and shape."""
    with pl.Config(tbl_rows=-1, tbl_cols=-1, fmt_str_lengths=90, tbl_width_chars=220, tbl_hide_dataframe_shape=True,
                   tbl_hide_column_data_types=True, float_precision=digits, tbl_formatting="MARKDOWN"):
        print(frame)
