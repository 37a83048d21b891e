"""The repository: opens a place, and looks up what is recorded there."""

from pathlib import Path

import pytest

from zentfx import Repository
from zentfx.errors import ForeignStoreError, NotFoundError
from zentfx.records import schema


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path)


def test_it_is_where_it_was_opened(repository, tmp_path):
    assert repository.path == tmp_path
    assert repr(repository) == f"Repository({str(tmp_path)!r})"
    assert repository.workspace.root == tmp_path


def test_the_path_may_be_text_and_opening_again_is_the_same_place(repository, tmp_path):
    scope = repository.workspace.writer.cache_scope()
    assert Repository(str(tmp_path)).workspace.writer.cache_scope() == scope


def test_its_stack_says_where_things_are_kept(repository, tmp_path):
    stack = repository.active_stack
    assert stack.metadata_store.path == tmp_path / ".zentfx/metadata.db"
    assert Path(stack.artifact_store.path) == tmp_path / ".zentfx/artifacts"
    assert stack.orchestrator == "local"


def test_a_new_repository_has_no_runs(repository):
    assert repository.get_runs() == []
    with pytest.raises(NotFoundError, match="no run 'x'. There are none"):
        repository.get_pipeline_run("x")


def test_runs_are_listed_and_found(repository, tmp_path):
    writer = repository.workspace.writer
    writer.begin_run("run-1", "A", {schema.Run.VERSION: 1})
    writer.begin_run("run-2", "B", {schema.Run.VERSION: 1})
    writer.end_run("run-2", "completed")
    # Runs of another object on the same place, too.
    runs = Repository(tmp_path).get_runs()
    assert sorted((run.id, run.pipeline, run.status) for run in runs) == [
        ("run-1", "A", "running"),
        ("run-2", "B", "completed"),
    ]
    assert repository.get_pipeline_run("run-2").pipeline == "B"
    with pytest.raises(NotFoundError, match="Did you mean 'run-[12]' or 'run-[12]'"):
        repository.get_pipeline_run("run-3")


def test_a_foreign_file_in_the_place_of_its_store_is_refused(tmp_path):
    Repository(tmp_path)
    store = tmp_path / ".zentfx/metadata.db"
    for item in store.parent.glob("metadata.db*"):
        item.unlink()
    store.write_text("my notes")
    with pytest.raises(ForeignStoreError):
        Repository(tmp_path)
    assert store.read_text() == "my notes"
