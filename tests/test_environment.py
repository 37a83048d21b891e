"""Facts about the process that are recorded with a run."""

import platform
import subprocess
from importlib import metadata

import pytest

from zentfx import environment


def git(folder, *arguments):
    command = ["git", "-C", folder, "-c", "user.name=t", "-c", "user.email=t@t", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path):
    git(tmp_path, "init", "-q")
    (tmp_path / "code.py").write_text("a = 1\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def test_versions_are_those_of_what_is_installed():
    versions = environment.package_versions()
    assert versions["python"] == platform.python_version()
    assert versions["ml-metadata"] == metadata.version("ml-metadata")
    assert all(isinstance(value, str) and value for value in versions.values())


def test_the_user_is_whoever_is_logged_in(monkeypatch):
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LOGNAME", "ada")
    assert environment.user() == "ada"


def test_the_machine_has_a_name():
    assert environment.host() == platform.node()


def test_the_revision_of_a_checkout_is_its_commit(checkout):
    assert environment.code_revision(checkout) == git(checkout, "rev-parse", "HEAD")


def test_a_changed_file_makes_the_revision_dirty_and_a_new_one_does_not(checkout):
    commit = git(checkout, "rev-parse", "HEAD")
    (checkout / "new.txt").write_text("x")
    assert environment.code_revision(checkout) == commit
    (checkout / "code.py").write_text("a = 2\n")
    assert environment.code_revision(checkout) == f"{commit}-dirty"


def test_a_tag_does_not_hide_the_commit(checkout):
    git(checkout, "tag", "-a", "v1", "-m", "v1")
    assert environment.code_revision(checkout) == git(checkout, "rev-parse", "HEAD")


def test_a_checkout_without_a_commit_has_no_revision(tmp_path):
    git(tmp_path, "init", "-q")
    assert environment.code_revision(tmp_path) is None


def test_a_folder_outside_a_checkout_has_no_revision(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert environment.code_revision(tmp_path) is None


def test_without_git_there_is_no_revision(checkout, monkeypatch):
    monkeypatch.setenv("PATH", str(checkout))
    assert environment.code_revision(checkout) is None
