#!/usr/bin/env python3
"""Makes the results that notebooks read, by `sim` on small overrides, and executes the notebooks; fails where a cell fails.

    python scripts/run_notebook.py --sim target/release/sim notebooks/*.ipynb
    python scripts/run_notebook.py --results results notebooks/quickstart.ipynb     on results that are there
    python scripts/run_notebook.py --strip notebooks/*.ipynb                        takes outputs out, executes nothing

A notebook says in its metadata what it reads; what several read is made once:

    "slackwater": {"runs": [{"out": "multitenancy", "run": "scenarios/multitenancy.toml", "set": ["seed=43"]}]}

`out` is the name of the results folder; `run` a scenario or `sweep` a sweep file; `set` the overrides that make it small, so that the text
of a notebook holds for a full run and its cells for both. Nothing is written to the notebooks but by --strip.
"""

import argparse
import base64
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parent.parent


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def stored(notebook):
    """Cells with outputs, execution counts or what an editor left in their metadata."""
    return [cell for cell in code_cells(notebook) if cell.outputs or cell.execution_count is not None or cell.metadata.get("execution")]


def strip(path, notebook):
    for cell in code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
        cell.metadata.pop("execution", None)
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n")


def declared(notebooks):
    """All results that the notebooks read, each once; two that differ under one name are an error."""
    runs = {}
    for path, notebook in notebooks:
        for run in notebook.metadata.get("slackwater", {}).get("runs", []):
            kinds = [kind for kind in ("run", "sweep") if kind in run]
            unknown = set(run) - {"out", "run", "sweep", "set"}
            if len(kinds) != 1 or "out" not in run or unknown:
                sys.exit(f"{path}: metadata.slackwater.runs: needs out, and one of run and sweep, and may have set; found {dict(run)}")
            command = [kinds[0], run[kinds[0]], *(part for override in run.get("set", []) for part in ("--set", override))]
            if runs.setdefault(run["out"], command) != command:
                sys.exit(f"{path}: results \"{run['out']}\" are declared in two ways:\n  {command}\n  {runs[run['out']]}")
    return runs


def make(sim, results, runs):
    for out, command in runs.items():
        began = time.monotonic()
        line = [str(Path(sim).resolve()), *command, "--quiet", "--out", str(results / out)]
        done = subprocess.run(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(line)}\nended with exit code {done.returncode}:\n{done.stdout}")
        print(f"    sim {command[0]} {command[1]} -> {out} ({time.monotonic() - began:.1f} s)", flush=True)


def figures_of(notebook):
    return [output["data"]["image/png"] for cell in code_cells(notebook) for output in cell.outputs
            if "image/png" in output.get("data", {})]


def keep(folder, path, notebook):
    """Writes what a reader would see: the figures and the printed text."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(figures_of(notebook), 1):
        (folder / f"{path.stem}-{number}.png").write_bytes(base64.b64decode(data))
    printed = ["".join(output.get("text", "")) for cell in code_cells(notebook) for output in cell.outputs]
    (folder / f"{path.stem}.txt").write_text("\n".join(printed))


def execute(path, notebook, results, figures):
    began = time.monotonic()
    os.environ["SLACKWATER_RESULTS"] = str(results.resolve())
    os.environ.pop("MPLBACKEND", None)  # the notebook's own, so that figures become outputs
    client = NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}})
    try:
        client.execute()
    except CellExecutionError as error:
        sys.exit(f"{path}: a cell failed:\n{error}")
    if not figures_of(notebook):
        sys.exit(f"{path}: not one figure was drawn")
    if figures:
        keep(figures, path, notebook)
    print(f"{path}: {len(code_cells(notebook))} cells, {len(figures_of(notebook))} figures ({time.monotonic() - began:.1f} s)", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("--sim", help="the program that makes the declared results, in a temporary folder")
    parser.add_argument("--results", type=Path, help="folder with results folders that are there already")
    parser.add_argument("--figures", type=Path, help="folder to write figures (PNG) and printed text to")
    parser.add_argument("--strip", action="store_true", help="take outputs and execution counts out of the files")
    asked = parser.parse_args()
    notebooks = [(path, nbformat.read(path, as_version=4)) for path in asked.notebooks]
    if asked.strip:
        for path, notebook in notebooks:
            strip(path, notebook)
        return
    if (asked.sim is None) == (asked.results is None):
        parser.error("give either --sim or --results")
    for path, notebook in notebooks:
        nbformat.validate(notebook)
        if stored(notebook):
            sys.exit(f"{path}: {len(stored(notebook))} cell(s) hold outputs or execution counts\nhelp: python scripts/run_notebook.py --strip {path}")
    with tempfile.TemporaryDirectory() as temporary:
        results = asked.results or Path(temporary)
        if asked.sim:
            make(asked.sim, results, declared(notebooks))
        for path, notebook in notebooks:
            execute(path, notebook, results, asked.figures)


main()
