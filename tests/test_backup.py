"""Backups of the metadata."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from zentfx import Repository, pipeline, step
from zentfx.backup import back_up, restore
from zentfx.cli import cli
from zentfx.errors import DataError, DataNotFoundError, StoreError, StoreMismatchError
from zentfx.stores.locks import held
from zentfx.workspace import Workspace


@step
def number(value: int) -> int:
    return value


def run(folder, value):
    @pipeline(name="numbers", progress=None, repository=Repository(folder))
    def numbers():
        number(value)

    return numbers()


def call(*arguments):
    return CliRunner().invoke(cli, [str(item) for item in arguments])


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "repo"
    run(place, 1)
    run(place, 2)
    return place


def values(folder):
    runs = Repository(folder).get_runs()
    return [item.steps["number"].outputs["output"].load() for item in runs]


def test_a_lost_metadata_store_comes_back(folder, tmp_path):
    file = tmp_path / "backup.zip"
    result = call("backup", file, "--repository", folder)
    assert result.exit_code == 0
    assert f"Wrote {file}" in result.output
    for item in (folder / ".zentfx").glob("metadata.db*"):
        item.unlink()
    with pytest.raises(StoreMismatchError):
        values(folder)
    result = call("restore", file, "--repository", folder)
    assert result.exit_code == 0, result.output
    assert values(folder) == [1, 2]
    assert run(folder, 2).steps["number"].status == "cached"


def test_an_older_backup_keeps_the_files_of_newer_runs(folder, tmp_path):
    file = tmp_path / "backup.zip"
    assert back_up(Workspace(folder), file) > 0
    newer = run(folder, 3)
    result = call("restore", file, "--repository", folder)
    assert result.exit_code == 0
    assert "files of artifacts are newer than the backup, and stay" in result.output
    assert "is in the trash" in result.output
    assert values(folder) == [1, 2]
    assert list(Workspace(folder).artifacts.run_folder(newer.id).rglob("value.json"))
    [database] = (folder / ".zentfx/trash").rglob("metadata.db")
    assert database.stat().st_size > 0
    # It is not brought back over the one that was restored, nor is its log.
    result = call("doctor", "--restore", "--repository", folder)
    assert "There is nothing in the trash" in result.output
    assert database.exists()
    assert values(folder) == [1, 2]


def test_a_repository_that_is_gone_but_for_its_artifacts(folder, tmp_path):
    file = tmp_path / "backup.zip"
    back_up(Workspace(folder), file)
    for item in (folder / ".zentfx").iterdir():
        if item.is_file():
            item.unlink()
    assert call("restore", file, "--repository", folder).exit_code == 0
    assert values(folder) == [1, 2]


def test_files_that_are_missing_are_said(folder, tmp_path):
    file = tmp_path / "backup.zip"
    back_up(Workspace(folder), file)
    lost, *_ = (
        Workspace(folder)
        .artifacts.run_folder(Repository(folder).get_runs()[0].id)
        .rglob("value.json")
    )
    lost.unlink()
    result = call("restore", file, "--repository", folder)
    assert result.exit_code == 1
    name = lost.relative_to(folder / ".zentfx/artifacts")
    assert f"missing, or of another size: {name}" in result.output


def test_a_backup_while_runs_go_on_is_of_one_moment(tmp_path):
    code = """if True:
        import sys
        sys.path.insert(0, sys.argv[1])
        from tests.test_backup import run
        for value in range(40):
            run("repo", value)
    """
    root = str(Path(__file__).parents[1])
    run(tmp_path / "repo", -1)
    process = subprocess.Popen([sys.executable, "-c", code, root], cwd=tmp_path)
    backups = []
    while process.poll() is None:
        file = tmp_path / f"{len(backups)}.zip"
        back_up(Workspace(tmp_path / "repo"), file)
        backups.append(file)
    assert process.returncode == 0
    for number, file in enumerate(backups):
        restore(tmp_path / f"restored{number}", file)
        runs = Repository(tmp_path / f"restored{number}").get_runs()
        ended = [item for item in runs if item.status == "completed"]
        assert len(runs) - len(ended) <= 1
        # What the metadata knows is in the list of files.
        listed = json.loads(zipfile.ZipFile(file).read("artifacts.json"))["files"]
        for item in ended:
            uri = item.steps["number"].outputs["output"].uri
            assert f"{uri.partition('/artifacts/')[2]}/value.json" in listed
    assert len(Repository(tmp_path / "repo").get_runs()) == 41


def test_nothing_is_restored_under_a_run(folder, tmp_path):
    file = tmp_path / "backup.zip"
    back_up(Workspace(folder), file)
    lock = folder / ".zentfx/running/20261201-000000-01234567"
    with held(lock), pytest.raises(StoreError, match=f"A run is at work in .*{lock.name}"):
        restore(folder, file)
    assert values(folder) == [1, 2]


def test_what_is_no_backup_changes_nothing(folder, tmp_path):
    before = values(folder)
    text = tmp_path / "text.zip"
    text.write_text("no archive")
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("readme", "")
    damaged = tmp_path / "damaged.zip"
    with zipfile.ZipFile(damaged, "w") as archive:
        archive.writestr("metadata.db", b"SQLite format 3" + bytes(5000))
        archive.writestr("config.yaml", "zentfx: 1")
        archive.writestr("artifacts.json", '{"zentfx": 1, "files": {}}')
    for file in (text, other, damaged):
        with pytest.raises(DataError, match=f"{file.name}.*(is no backup|is damaged)"):
            restore(folder, file)
    with pytest.raises(DataNotFoundError, match="no backup"):
        restore(folder, tmp_path / "none.zip")
    assert values(folder) == before
    assert not list((folder / ".zentfx").glob(".restore-*"))


def test_a_backup_that_cannot_be_written_leaves_the_old_one(folder, tmp_path):
    with pytest.raises(StoreError, match="cannot be written"):
        back_up(Workspace(folder), tmp_path / "nowhere" / "backup.zip")
    assert not list((folder / ".zentfx").glob(".backup-*"))
