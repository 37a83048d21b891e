"""A repository that was moved or copied: what it recorded is found, loaded and reused."""

import shutil
from pathlib import Path
from typing import Annotated

import pytest

from tests.conftest import small_taxi_csv, taxi_pipeline
from zentfx import ArtifactConfig, Repository, TrainerStep, pipeline, step
from zentfx.errors import StepFailedError
from zentfx.stores.mlmd import mlmd, pb


@step
def numbers(count: int) -> Annotated[list[int], "numbers"]:
    return list(range(count))


@step
def total(values: list[int]) -> Annotated[int, ArtifactConfig(name="total", version="first")]:
    return sum(values)


@step
def times(value: int, factor: int) -> int:
    return value * factor


@pipeline(progress=False)
def sums(factor: int) -> None:
    times(total(numbers(4)), factor)


def run_in(folder, factor):
    return sums.with_options(repository=folder)(factor)


def statuses(run):
    return [item.status for item in run.steps.values()]


def recorded_places(folder):
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(folder / ".zentfx" / "metadata.db")
    config.sqlite.connection_mode = 1  # to be read alone
    return {item.id: item.uri for item in mlmd.MetadataStore(config).get_artifacts()}


@pytest.fixture
def moved(tmp_path):
    run_in(tmp_path / "old", 1)
    (tmp_path / "old").rename(tmp_path / "new")
    return tmp_path / "new"


class TestMoved:
    def test_everything_is_reused(self, moved):
        run = run_in(moved, 1)
        assert statuses(run) == ["cached"] * 3
        assert run.steps["times"].outputs["output"].load() == 6

    def test_a_step_that_has_to_run_reads_what_came_along(self, moved):
        run = run_in(moved, 10)
        assert statuses(run) == ["cached", "cached", "completed"]
        assert run.steps["times"].outputs["output"].load() == 60
        again = run_in(moved, 10)
        assert statuses(again) == ["cached"] * 3

    def test_versions_are_where_the_files_are(self, moved):
        repository = Repository(moved)
        [version] = repository.list_artifact_versions("numbers")
        assert version.load() == [0, 1, 2, 3]
        assert Path(version.uri).is_relative_to(moved)
        assert version.exists
        graph = repository.get_artifact_version("total", "first").upstream()
        assert [Path(item.uri).is_relative_to(moved) for item in graph.artifacts] == [True, True]

    def test_what_mlmd_has_is_not_changed(self, moved):
        before = recorded_places(moved)
        run_in(moved, 2)
        after = recorded_places(moved)
        assert (len(before), len(after)) == (3, 4)
        assert {key: after[key] for key in before} == before
        assert all(str(moved.with_name("old")) in uri for uri in before.values())

    def test_a_result_whose_files_did_not_come_along_is_made_again(self, moved):
        [run] = Repository(moved).get_runs()
        shutil.rmtree(run.steps["times"].outputs["output"].uri)
        assert statuses(run_in(moved, 1)) == ["cached", "cached", "completed"]

    def test_an_explicit_version_is_still_taken(self, moved):
        @step
        def other(
            values: list[int],
        ) -> Annotated[int, ArtifactConfig(name="total", version="first")]:
            return max(values)

        @pipeline(progress=False, repository=moved)
        def another():
            other(numbers(4))

        with pytest.raises(StepFailedError, match="is there already, and is never changed"):
            another()


def test_a_copy_has_files_of_its_own(tmp_path):
    run_in(tmp_path / "old", 1)
    shutil.copytree(tmp_path / "old", tmp_path / "copy")
    run = run_in(tmp_path / "copy", 1)
    assert statuses(run) == ["cached"] * 3
    for item in run.steps.values():
        [made] = item.outputs.values()
        assert Path(made.uri).is_relative_to(tmp_path / "copy")
    run_in(tmp_path / "copy", 2)
    assert len(Repository(tmp_path / "old").get_runs()) == 1


@pytest.mark.slow
def test_a_training_pipeline_gets_a_new_trainer_in_another_place(tmp_path):
    old = tmp_path / "old"
    old.mkdir()
    data = small_taxi_csv(old, 300)
    taxi_pipeline("Pipeline A", data, Repository(old)).run(progress=None)
    new = old.rename(tmp_path / "new")
    changed = Repository(new).get_pipeline_by_name("Pipeline A").copy("Pipeline B")
    changed.add_trainer(
        TrainerStep(epochs=1, lr=0.02, hidden_layers=[4], last_activation="linear", batch_size=32)
    )
    run = changed.run(progress=None)
    states = {name: item.status for name, item in run.steps.items()}
    assert {states.pop(name) for name in ("trainer", "evaluator", "pusher")} == {"completed"}
    assert set(states.values()) == {"cached"}
    assert len(Repository(new).compare_training_runs()) == 2
