"""Every tutorial runs from top to bottom, in a fresh folder, without a stale output in it."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))

# A step that runs, and one that is reused later, where they are not those of a training pipeline.
STEPS = {"04-artifacts-and-function-steps": ("fit", "load_rides")}


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, tmp_path):
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    shown = "".join(str(output) for cell in notebook.cells for output in cell.get("outputs", []))
    completed, cached = STEPS.get(path.stem, ("trainer", "preprocessor"))
    assert f"'{completed}': 'completed'" in shown
    assert f"'{cached}': 'cached'" in shown


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_without_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)
