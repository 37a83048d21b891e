"""What is reused, and what must not be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zentfx import BaseStep, Pipeline, Pusher, Repository, errors


class Count(BaseStep):
    """Counts the bytes of a file; may change it while it runs."""

    outputs = {"size": "Size"}

    def __init__(self, path: Path, spoil: bool = False):
        self.path = path
        self.spoil = spoil

    def process(self, inputs, outputs):
        outputs["size"].metadata["bytes"] = self.path.stat().st_size
        if self.spoil:
            self.path.write_text("changed")


def run(repository, *steps, name="Reuse", **options):
    pipeline = Pipeline(name, repository=repository, **options)
    for index, step in enumerate(steps):
        pipeline.add_step(step, f"s{index}")
    return pipeline.run(progress=None)


@pytest.fixture
def repository(tmp_path):
    (tmp_path / "data.txt").write_text("12345")
    return Repository(tmp_path)


def test_the_same_content_is_reused_wherever_it_is(repository, tmp_path):
    run(repository, Count(path=tmp_path / "data.txt"))
    (tmp_path / "other.txt").write_text("12345")
    again = run(repository, Count(path=tmp_path / "other.txt"), name="Another pipeline")
    assert again.steps["s0"].status == "cached"
    assert again.steps["s0"].outputs["size"].metadata["bytes"] == 5
    assert again.steps["s0"].environment["python"]
    (tmp_path / "other.txt").write_text("54321")
    assert run(repository, Count(path=tmp_path / "other.txt")).steps["s0"].status == "completed"


def test_nothing_is_reused_with_the_cache_off(repository, tmp_path):
    step = Count(path=tmp_path / "data.txt")
    run(repository, step)
    assert run(repository, step, enable_cache=False).steps["s0"].status == "completed"
    off = step.with_options(enable_cache=False)
    assert run(repository, off).steps["s0"].status == "completed"
    assert run(repository, step).steps["s0"].status == "cached"


def test_data_that_changes_while_a_step_reads_it_fails_the_step(repository, tmp_path):
    with pytest.raises(errors.StepFailedError, match="content of path changed while the step ran"):
        run(repository, Count(path=tmp_path / "data.txt", spoil=True))


def make(number: int) -> type[BaseStep]:
    class Made(BaseStep):
        outputs = {"value": "Value"}

        def __init__(self):
            pass

        def process(self, inputs, outputs):
            outputs["value"].metadata["value"] = number

    return Made


def test_two_classes_of_one_name_each_run_their_own_code(repository):
    steps = run(repository, make(3)(), make(4)()).steps
    values = [step.outputs["value"].metadata["value"] for step in steps.values()]
    assert values == [3, 4]
    # And the values that a class closes over are part of its code.
    again = run(repository, make(4)(), make(5)()).steps
    assert [step.status for step in again.values()] == ["completed", "completed"]


def test_a_component_of_the_users_own_keeps_its_own_parameters(repository, tmp_path):
    run_ = run(repository, Wrapped(path=tmp_path / "data.txt"))
    assert run_.steps["s0"].outputs["report"].metadata["came"] == str(tmp_path / "data.txt")
    assert run_.steps["s0"].parameters["path"] == tmp_path / "data.txt"


class Wrapped(BaseStep):
    outputs = {"report": "Report"}

    def __init__(self, path: Path):
        self.path = path

    def build_component(self, channels: Any) -> Any:
        from tests.e2e.own_component import OwnComponent

        return OwnComponent(str(self.path))


def test_metadata_that_mlmd_cannot_hold_fails_the_step_and_says_so(repository):
    class Odd(BaseStep):
        outputs = {"x": "X"}

        def __init__(self, value: str):
            self.value = value

        def process(self, inputs, outputs):
            outputs["x"].metadata["scalar"] = np.int64(3)
            outputs["x"].metadata["it"] = {"nan": float("nan"), "nul": "\0", "list": [], "fine": 1}[
                self.value
            ]

    for value in ("nan", "nul", "list"):
        with pytest.raises(errors.StepFailedError, match="metadata of an output must"):
            run(repository, Odd(value=value))
    assert {item.steps["s0"].status for item in repository.get_runs()} == {"failed"}
    fine = run(repository, Odd(value="fine")).steps["s0"].outputs["x"].metadata
    assert (fine["it"], fine["scalar"]) == (1, 3)


def test_a_push_to_another_folder_or_an_emptied_one_is_done(taxi, tmp_path):
    import shutil

    def pushed(name, folder):
        pipeline = taxi.pipeline.copy(name)
        pipeline.add_pusher(Pusher(folder=str(folder)))
        status = pipeline.run(progress=None).steps["pusher"].status
        return status, len(list(folder.iterdir()))

    first, second = tmp_path / "first", tmp_path / "second"
    assert pushed("Push 1", first) == ("completed", 1)
    assert pushed("Push 2", second) == ("completed", 1)
    assert pushed("Push 3", first) == ("cached", 1)
    shutil.rmtree(first)
    assert pushed("Push 4", first) == ("completed", 1)
