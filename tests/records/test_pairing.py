"""A metadata store and its artifact store know each other."""

import shutil
import sqlite3
from contextlib import closing

import pytest
from click.testing import CliRunner

from zentfx import Repository, pipeline, step
from zentfx.cli import cli
from zentfx.errors import StoreError, StoreMismatchError


@step
def number() -> int:
    return 1


@step
def twice(value: int) -> int:
    return 2 * value


def run(folder, name="numbers", cache=False):
    @pipeline(name=name, progress=None, repository=Repository(folder), enable_cache=cache)
    def numbers():
        twice(number())

    return numbers()


def doctor(folder, *options):
    return CliRunner().invoke(cli, ["doctor", *options, "--repository", str(folder)])


def files(folder):
    store = folder / ".zentfx/artifacts"
    return sorted(path for path in store.rglob("*") if path.is_file())


@pytest.fixture
def folder(tmp_path):
    run(tmp_path)
    return tmp_path


@pytest.fixture
def database(folder):
    return folder / ".zentfx/metadata.db"


def copy(database, target):
    """A consistent copy, as a backup would have it."""
    with closing(sqlite3.connect(database)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def remove(database):
    for file in database.parent.glob("metadata.db*"):
        file.unlink()


def assert_refused(folder, message):
    """Nothing is opened, run or cleaned, by Python or the command line, and nothing is changed."""
    before = files(folder)
    for act in (
        lambda: Repository(folder).get_runs(),
        lambda: run(folder),
        lambda: Repository(folder).mlmd,
    ):
        with pytest.raises(StoreMismatchError, match=message):
            act()
    for command in (["doctor", "--clean"], ["runs"]):
        result = CliRunner().invoke(cli, [*command, "--repository", str(folder)])
        assert isinstance(result.exception, StoreMismatchError)
    assert files(folder) == before


def test_a_store_that_is_gone_is_not_made_anew(folder, database):
    latest = Repository(folder).get_runs()[-1].id
    remove(database)
    assert_refused(folder, f"no metadata store at {database}, but .* recorded the run {latest}")
    assert not database.exists()


def test_another_store_is_refused(folder, database, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    run(other)
    remove(database)
    copy(other / ".zentfx/metadata.db", database)
    assert_refused(folder, "is not the metadata store that .* belongs to")


def test_an_empty_mlmd_store_is_another(folder, database, tmp_path_factory):
    remove(database)
    new = Repository(tmp_path_factory.mktemp("new"))
    assert new.get_runs() == []
    copy(new.path / ".zentfx/metadata.db", database)
    assert_refused(folder, "is not the metadata store that")


def test_an_earlier_state_is_refused_until_it_is_accepted(folder, database, tmp_path):
    backup = tmp_path / "backup.db"
    copy(database, backup)
    newer = run(folder)
    remove(database)
    copy(backup, database)
    assert_refused(folder, f"earlier state of the metadata store: .* the run {newer.id}")

    result = doctor(folder, "--accept-store")
    assert result.exit_code == 0
    assert f"(their latest run was {newer.id})" in result.output
    assert len(Repository(folder).get_runs()) == 1
    # Now the newer run's files are leftovers, and the trash keeps them.
    before = files(folder)
    assert doctor(folder, "--clean").exit_code == 0
    assert doctor(folder, "--restore").exit_code == 0
    assert files(folder) == before


def test_a_later_state_is_fine(folder, database, tmp_path):
    note = folder / ".zentfx/artifacts/store.json"
    early = note.read_text()
    run(folder)
    note.write_text(early)  # the process was killed before it was written
    assert len(Repository(folder).get_runs()) == 2
    run(folder)
    assert note.read_text() != early


def test_a_repository_that_was_moved_or_copied_is_whole(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "copy"
    shutil.copytree(folder, elsewhere)
    assert len(Repository(elsewhere).get_runs()) == 1
    assert run(elsewhere, cache=True).status == "completed"
    assert doctor(elsewhere).exit_code == 0


def test_without_its_artifacts_a_store_begins_anew_with_them(folder):
    shutil.rmtree(folder / ".zentfx/artifacts")
    assert len(Repository(folder).get_runs()) == 1
    run(folder)
    assert (folder / ".zentfx/artifacts/store.json").exists()


def test_a_damaged_note_is_said(folder):
    (folder / ".zentfx/artifacts/store.json").write_text("{")
    with pytest.raises(StoreError, match="store.json cannot be read"):
        Repository(folder).get_runs()


def test_a_process_that_has_read_makes_no_new_store_either(folder, database):
    repo = Repository(folder)
    assert len(repo.get_runs()) == 1
    remove(database)
    with pytest.raises(StoreError):
        repo.workspace.metadata.connect()
    assert not database.exists()
