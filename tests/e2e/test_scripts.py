"""What a script or notebook defines, seen from other processes: by a fresh kernel, say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SCRIPT = """
import enum, sys, warnings
from dataclasses import dataclass
from zentfx import BaseMaterializer, pipeline, step

warnings.simplefilter("ignore")

class Unit(str, enum.Enum):
    METRE = "m"

@dataclass
class Point:
    x: int

@dataclass
class Pickled:
    x: int
    unit: Unit = Unit.METRE

class PointMaterializer(BaseMaterializer):
    handles = (Point,)

    def save(self, value, folder):
        (folder / "x.txt").write_text(str(value.x))

    def load(self, folder, type):
        return type(int((folder / "x.txt").read_text()))

@step
def point(x: int = 3, unit: Unit = Unit.METRE) -> Point:
    assert unit is Unit.METRE
    return Point(x)

@step
def pickled(x: int = 4) -> Pickled:
    return Pickled(x)

@step
def read(point: Point, pickled: Pickled, added: int) -> int:
    assert pickled.unit is Unit.METRE
    return added + point.x + pickled.x

@pipeline(progress=None)
def p():
    read(point(), pickled(), int(sys.argv[1]))

if __name__ == "__main__":
    run = p.with_options(max_workers=int(sys.argv[2]))()
    print(*(step.status for step in run.steps.values()), run.steps["read"].outputs["output"].load())
"""


def python(folder, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def script(folder, added, workers=1):
    """Runs the script; returns the states of its steps, and the sum."""
    *statuses, total = python(folder, "script.py", str(added), str(workers))
    return sorted(statuses), int(total)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the script has run."""
    folder = tmp_path_factory.mktemp("scripts")
    (folder / "script.py").write_text(SCRIPT)
    assert script(folder, 0) == (["completed"] * 3, 7)
    return folder


def fresh(folder, code):
    """Runs code in another process, and returns what it prints as JSON."""
    code = "from zentfx import Repository\nimport json\nrepo = Repository()\n" + textwrap.dedent(
        code
    )
    return json.loads(" ".join(python(folder, "-W", "ignore", "-c", code)))


def test_a_script_that_runs_again_has_its_own_classes(folder):
    # What was saved before is of classes of another process: `read` takes them all the same.
    assert script(folder, 10) == (["cached", "cached", "completed"], 17)


@pytest.mark.slow
def test_so_has_a_worker(folder):
    assert script(folder, 20, workers=2) == (["cached", "cached", "completed"], 27)


def test_values_load_in_a_process_without_the_script(folder):
    code = """
        found = [repo.get_artifact_version(f"p::{name}::output") for name in ("point", "pickled")]
        values = [item.load() for item in found]
        print(json.dumps([[type(v).__qualname__, v.x] for v in values] + [values[1].unit.value]))
    """
    assert fresh(folder, code) == [["Point", 3], ["Pickled", 4], "m"]


def test_the_pipeline_can_be_looked_at_without_the_script(folder):
    code = """
        p = repo.get_pipeline_by_name("p")
        b = p.copy("b")
        try:
            p.run(progress=None)
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
        run = repo.get_runs()[0]
        print(json.dumps({
            "arguments": p.steps["point"].arguments,
            "run": run.steps["point"].parameters,
            "missing": list(p.missing),
            "wiring": {k: str(v) for k, v in p.wiring()["read"].items()},
            "copy": b.to_yaml().partition("type:")[2] == p.to_yaml().partition("type:")[2],
            "all": [item.name for item in repo.get_pipelines()],
            "said": said,
            "text": "assert unit is" in str(run.steps["point"].source_code),
            "runs": len(repo.get_runs()),
        }))
    """
    before = fresh(folder, "print(len(repo.get_runs()))")
    found = fresh(folder, code)
    said = found.pop("said")
    assert "PipelineError: The step 'point' cannot run here:" in said
    assert "There is no class '__main__.point'" in said
    assert found == {
        "arguments": {"unit": "m", "x": 3},
        "run": {"unit": "m", "x": 3},
        "missing": ["point", "pickled", "read"],
        "wiring": {"point": "point.output", "pickled": "pickled.output"},
        "copy": True,
        "all": ["p"],
        "text": True,
        "runs": before,
    }


def test_a_file_of_such_a_pipeline_says_who_can_read_it(folder):
    code = """
        import warnings
        from zentfx import Pipeline, step
        def own() -> int: return 1
        made = Pipeline("q")
        made.add_step(step(own).as_step())
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            made.to_yaml("q.yaml")
            made.to_yaml()
        print(json.dumps([str(item.message) for item in caught]))
    """
    [said] = fresh(folder, code)
    assert said.startswith("'own': defined in a script or notebook, so q.yaml can be read by")
