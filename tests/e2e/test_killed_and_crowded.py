"""Many runs that are killed, and many at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from zentfx import Repository

PROCESSES, RUNS = 8, 20


@pytest.mark.slow
def test_killed_at_random_moments_of_every_phase_nothing_is_lost():
    folder = Path(__file__).parents[2] / "benchmarks"
    done = subprocess.run(
        [sys.executable, "killed.py", "--per-phase", "5"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    hits = json.loads(done.stdout.splitlines()[-1])
    assert all(hits[phase] >= 5 for phase in ("driver", "executor", "publish", "rename"))


CROWD = """
import sys
from zentfx import BaseStep, Pipeline, Repository

class Number(BaseStep):
    outputs = {"number": "Number"}
    def __init__(self, value: int = 0):
        self.value = value
    def process(self, inputs, outputs):
        (outputs["number"].path / "number").write_text(str(self.value))

class Twice(BaseStep):
    inputs = {"number": "Number"}
    outputs = {"twice": "Number"}
    def process(self, inputs, outputs):
        value = int((inputs["number"].path / "number").read_text())
        (outputs["twice"].path / "number").write_text(str(2 * value))

me = int(sys.argv[1])
for number in range(int(sys.argv[2])):
    # One pipeline of everybody, whose versions collide; every other run reuses somebody's results.
    pipeline = Pipeline("Crowd", repository=".")
    pipeline.add_step(Number(number // 2 + 100 * (me % 2)), "number")
    pipeline.add_step(Twice(), "twice", {"number": "number.number"})
    run = pipeline.run(progress=None)
    assert run.status == "completed", run
"""


@pytest.mark.slow
def test_processes_that_share_a_repository_lose_nothing_and_see_no_error(tmp_path):
    (tmp_path / "crowd.py").write_text(CROWD)
    # The repository does not exist yet either.
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", "import crowd", str(number), str(RUNS)],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    ended = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * PROCESSES, ended
    seen = {line for pair in ended for text in pair for line in text.splitlines()}
    assert all(line.startswith("zentfx: made a repository") for line in seen), seen

    repository = Repository(tmp_path)
    runs = repository.get_runs()
    assert len(runs) == PROCESSES * RUNS
    assert {run.status for run in runs} == {"completed"}
    # 20 contents: each is one version, and no number is there twice.
    versions = repository.workspace.reader.pipeline_versions("Crowd")
    assert sorted(item.number for item in versions) == list(range(1, RUNS + 1))
    assert len({item.digest for item in versions}) == RUNS
    states: Counter[str] = Counter()
    for run in runs:
        assert list(run.steps) == ["number", "twice"]
        value = run.steps["number"].parameters["value"]
        place = Path(run.steps["twice"].outputs["twice"].uri)
        assert (place / "number").read_text() == str(2 * value)
        assert run.steps["twice"].inputs["number"].id == run.steps["number"].outputs["number"].id
        states.update(step.status for step in run.steps.values())
    assert set(states) == {"completed", "cached"}
    assert repository.workspace.alive() == set()
    assert repository.workspace.dead() == []


KILLED_BEFORE_GROUPING = """
import os, signal
from zentfx import Repository, pipeline, step
from zentfx.records.annotator import Annotator

Annotator.group = lambda *_: os.kill(os.getpid(), signal.SIGKILL)

@step
def one() -> int:
    return 1

@pipeline(progress=None)
def numbers():
    one()

with Repository(".").experiment("sums"):
    numbers()
"""


def test_a_run_that_is_killed_after_its_end_was_recorded_reaches_its_experiment(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(KILLED_BEFORE_GROUPING)
    done = subprocess.run([sys.executable, script.name], cwd=tmp_path, check=False)
    assert done.returncode == -signal.SIGKILL
    repo = Repository(tmp_path)
    [run] = repo.get_runs()
    assert run.status == "completed"

    def members():
        [context] = [item for item in repo.mlmd.get_contexts() if item.name == "sums"]
        return (
            [item.name for item in repo.mlmd.get_children_contexts_by_context(context.id)],
            len(repo.mlmd.get_executions_by_context(context.id)),
            len(repo.mlmd.get_artifacts_by_context(context.id)),
        )

    # The next run settles what the killed one left; so does doctor.
    repo.workspace.record_crashes()
    assert members() == ([run.id], 1, 1)
    assert repo.workspace.dead() == []
