"""Registering files: all of it, or nothing."""

import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

from zentfx import Repository, register_artifact
from zentfx.cli import cli
from zentfx.errors import DataError
from zentfx.leftovers import leftovers

REGISTER = """
import sys
from pathlib import Path
from zentfx import Repository, register_artifact
from zentfx.errors import DataError

me = sys.argv[1]
Path(f"{me}.txt").write_text(me)
while not Path("go").exists():
    pass
for number in range(30):
    try:
        register_artifact(f"{me}.txt", "model", version=f"v{number}")
        print("registered", number, me)
    except DataError:
        print("refused", number, me)
"""
# Killed at the call of one function of the way.
KILLED = """
import os, signal
import zentfx.registration as registration
from zentfx import register_artifact
from zentfx.records.versions import Versions

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

{place} = die
register_artifact("files", "model", version="1")
"""


@pytest.fixture
def repo(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "files").mkdir()
    (tmp_path / "files/one").write_text("1")
    return Repository(tmp_path)


def versions(repo):
    return {item.version: item for item in repo.list_artifact_versions() if item.name == "model"}


def test_of_processes_that_register_one_version_one_succeeds(repo, tmp_path):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", REGISTER, name], cwd=tmp_path, stdout=subprocess.PIPE, text=True
        )
        for name in ("a", "b", "c")
    ]
    (tmp_path / "go").touch()
    lines = [line.split() for item in processes for line in item.communicate()[0].splitlines()]
    assert [item.returncode for item in processes] == [0, 0, 0]
    for number in range(30):
        [winner] = [name for what, n, name in lines if what == "registered" and n == str(number)]
        path = versions(repo)[f"v{number}"].load()
        assert path.read_text() == winner
    assert leftovers(repo.workspace) == []


@pytest.mark.parametrize(
    ("place", "left"),
    [
        ("registration.copy_of", 0),  # nothing is copied yet
        ("registration.digest_of", 1),
        ("Versions.register", 1),
    ],
)
def test_a_registration_that_was_killed_leaves_nothing_that_stays(repo, tmp_path, place, left):
    code = KILLED.format(place=place)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False)
    assert done.returncode == -signal.SIGKILL
    assert versions(repo) == {}
    found = leftovers(repo.workspace)
    assert [item.what for item in found] == ["a copy that was never published"] * left
    assert CliRunner().invoke(cli, ["doctor", "--clean", "--repository", "."]).exit_code == 0
    assert leftovers(repo.workspace) == []
    # Who died has no claim to the version.
    register_artifact("files", "model", version="1")
    assert (versions(repo)["1"].load() / "one").read_text() == "1"
    assert leftovers(repo.workspace) == []


def test_whoever_lost_the_version_publishes_nothing(repo, monkeypatch):
    claimed = repo.workspace.versions.claim("model", "1", "registration-of-the-dead")
    assert claimed == "1"
    register_artifact("files", "model", version="1")
    before = versions(repo)["1"].id
    with pytest.raises(DataError, match="'1' of the artifact 'model' was taken over"):
        repo.workspace.versions.publish("model", "1", before, (), "registration-of-the-dead")
    assert versions(repo)["1"].id == before


def test_a_version_that_somebody_registers_is_not_taken_over(repo):
    with repo.workspace.hold_registration() as token:
        repo.workspace.versions.claim("model", "1", token)
        with pytest.raises(DataError, match=f"is being made by {token}"):
            register_artifact("files", "model", version="1")
    register_artifact("files", "model", version="1")
