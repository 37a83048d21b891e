"""A repository that was moved or copied: what it recorded is found, loaded and reused."""

import shutil
from pathlib import Path
from typing import Annotated

import pytest

from tests.conftest import small_taxi_csv, taxi_pipeline
from zentfx import ArtifactConfig, Pipeline, Repository, TrainerStep, pipeline, step
from zentfx.errors import StepFailedError, ZenTFXWarning
from zentfx.leftovers import leftovers
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


def opened(folder):
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(folder / ".zentfx" / "metadata.db")
    config.sqlite.connection_mode = 1  # to be read alone
    return mlmd.MetadataStore(config)


def recorded_places(folder):
    return {item.id: item.uri for item in opened(folder).get_artifacts()}


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

    def test_a_version_from_before_is_an_input(self, moved):
        @pipeline(progress=False, repository=moved)
        def later():
            times(Repository(moved).get_artifact_version("total"), 7)

        assert later().steps["times"].outputs["output"].load() == 42

    def test_a_link_to_its_store_finds_its_files(self, moved, tmp_path):
        (tmp_path / "link.db").symlink_to(moved / ".zentfx" / "metadata.db")
        [version] = Repository(metadata=tmp_path / "link.db").list_artifact_versions("numbers")
        assert version.load() == [0, 1, 2, 3]

    def test_nothing_in_it_is_a_leftover(self, moved):
        assert leftovers(Repository(moved).workspace) == []

    def test_what_is_registered_again_with_other_content_is_told_of(self, tmp_path):
        repository = Repository(tmp_path / "old")
        file = tmp_path / "old" / ".zentfx" / "artifacts" / "notes.txt"
        file.parent.mkdir(exist_ok=True)
        file.write_text("one", encoding="utf-8")
        repository.register_artifact(file, "notes")
        (tmp_path / "link").symlink_to(tmp_path / "old")
        file.write_text("two", encoding="utf-8")
        with pytest.warns(ZenTFXWarning, match="have changed since they were registered"):
            Repository(tmp_path / "link").register_artifact(file, "notes")


@pytest.mark.parametrize("in_process", [True, False])
def test_a_driver_finds_its_inputs(tmp_path, in_process):
    """Of a node that only the Launcher can decide it is not known that it was moved: it runs."""

    def run(folder):
        from tests.e2e.component_with_driver import Counted, Reported

        made = Pipeline("driven", repository=folder)
        made.add_step(Counted(), "counted")
        made.add_step(Reported(), "reported", {"statistics": "counted.statistics"})
        return statuses(made.run(progress=None, in_process=in_process))

    assert run(tmp_path / "old") == ["completed", "completed"]
    (tmp_path / "old").rename(tmp_path / "new")
    assert run(tmp_path / "new") == ["cached", "completed"]
    assert run(tmp_path / "new") == ["cached", "cached"]


def test_what_is_deleted_in_a_copy_is_not_taken_from_the_original(tmp_path):
    run_in(tmp_path / "old", 1)
    shutil.copytree(tmp_path / "old", tmp_path / "copy")
    [run] = Repository(tmp_path / "copy").get_runs()
    output = run.steps["times"].outputs["output"]
    shutil.rmtree(output.uri)
    assert not output.exists
    assert statuses(run_in(tmp_path / "copy", 1)) == ["cached", "cached", "completed"]


def test_a_store_that_was_opened_elsewhere_is_not_answered_from_the_folder_one_is_in(
    tmp_path, monkeypatch
):
    run_in(tmp_path / "old", 1)
    shutil.copytree(tmp_path / "old", tmp_path / "copy")
    for file in (tmp_path / "old" / ".zentfx").glob("metadata.db*"):  # and its log
        shutil.copy(file, tmp_path / "copy" / file.name.replace("metadata", "backup"))
    monkeypatch.chdir(tmp_path / "copy")
    for source in (opened(tmp_path / "old"), "backup.db"):
        versions = Repository(metadata=source).list_artifact_versions()
        assert len(versions) == 3
        assert all(Path(item.uri).is_relative_to(tmp_path / "old") for item in versions)


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
