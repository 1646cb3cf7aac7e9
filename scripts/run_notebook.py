#!/usr/bin/env python3
"""Executes a notebook from top to bottom without writing anything back; fails where a cell fails.

    python scripts/run_notebook.py notebooks/quickstart.ipynb
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

for name in sys.argv[1:]:
    notebook = nbformat.read(name, as_version=4)
    nbformat.validate(notebook)
    stored = [c for c in notebook.cells if c.cell_type == "code" and (c.outputs or c.execution_count is not None)]
    if stored:
        sys.exit(f"{name}: {len(stored)} cell(s) hold outputs; strip them before committing")
    NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(Path(name).parent)}}
    ).execute()
    print(f"{name}: {sum(c.cell_type == 'code' for c in notebook.cells)} cells executed")
