"""``zentfx doctor`` and ``zentfx logs``, after runs that ended well and runs that did not."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import pytest
from click.testing import CliRunner

from zentfx import Repository
from zentfx.cli import cli
from zentfx.errors import NotFoundError
from zentfx.leftovers import Leftover, leftovers, remove
from zentfx.stores.locks import held

SCRIPT = """
import logging, sys, time
from pathlib import Path
from zentfx import BaseStep, Pipeline

class Write(BaseStep):
    outputs = {"text": "Text"}
    def __init__(self, nap: float = 0.0):
        self.nap = nap
    def process(self, inputs, outputs):
        logging.getLogger("own").info("before the nap")
        (outputs["text"].path / "half").write_text("half")
        if self.nap:
            Path("started").touch()
        time.sleep(self.nap)

pipeline = Pipeline("Writes")
pipeline.add_step(Write(), "first")
pipeline.add_step(Write(nap=float(sys.argv[1])), "second")
pipeline.run(progress=None)
"""


def start(folder, nap):
    (folder / "script.py").write_text(SCRIPT, encoding="utf-8")
    return subprocess.Popen([sys.executable, "script.py", str(nap)], cwd=folder)


def start_and_wait(folder, nap):
    process = start(folder, nap)
    deadline = time.monotonic() + 60
    while not (folder / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert process.poll() is None
    return process


@pytest.fixture
def killed(tmp_path):
    """A repository with one good run, and one that was killed in its second step."""
    assert start(tmp_path, 0).wait(60) == 0
    process = start_and_wait(tmp_path, 60)
    process.send_signal(signal.SIGKILL)
    process.wait(60)
    return Repository(tmp_path)


def call(*arguments):
    return CliRunner().invoke(cli, [str(item) for item in arguments])


def test_nothing_is_left_of_a_good_run(tmp_path):
    assert start(tmp_path, 0).wait(60) == 0
    result = call("doctor", "--repository", tmp_path)
    assert result.exit_code == 0
    assert "Nothing is left over" in result.output


def test_what_a_killed_run_left_is_listed_and_cleaned(killed, tmp_path):
    good, crashed = killed.get_runs()
    result = call("doctor", "--repository", tmp_path)
    assert result.exit_code == 1
    assert "a run whose process is gone" in result.output
    assert f"runs/{crashed.id}" in result.output
    assert good.id not in result.output
    assert killed.workspace.reader.run(crashed.id).status == "running"  # looking changes nothing

    result = call("doctor", "--clean", "--repository", tmp_path)
    assert result.exit_code == 0
    assert "Cleaned: 2 leftovers" in result.output
    assert killed.workspace.reader.run(crashed.id).status == "crashed"
    assert not list((tmp_path / f".zentfx/artifacts/runs/{crashed.id}/second").rglob("half"))
    assert (Path(good.steps["second"].outputs["text"].uri) / "half").exists()
    # What was killed had reused the first step of the good run.
    assert crashed.steps["first"].status == "cached"
    assert call("doctor", "--repository", tmp_path).exit_code == 0


def test_what_was_cleaned_can_be_brought_back_or_deleted_for_good(tmp_path):
    workspace = Repository(tmp_path).workspace
    log, output = workspace.logs / "unknown/log", workspace.artifacts.run_folder("unknown") / "a/b"
    for file in (log, output):
        file.parent.mkdir(parents=True)
        file.write_text("12345")
    result = call("doctor", "--clean", "--repository", tmp_path)
    assert "Cleaned: 2 leftovers, 10 bytes; zentfx doctor --restore" in result.output
    assert not log.exists()
    assert not output.exists()
    assert call("doctor", "--repository", tmp_path).exit_code == 0
    result = call("doctor", "--restore", "--repository", tmp_path)
    assert result.output.count("restored: ") == 2
    assert log.read_text() == output.read_text() == "12345"
    assert call("doctor", "--clean", "--repository", tmp_path).exit_code == 0
    result = call("doctor", "--empty-trash", "--repository", tmp_path)
    assert "Deleted for good: 2 entries" in result.output
    assert not list(tmp_path.rglob("unknown"))
    result = call("doctor", "--restore", "--repository", tmp_path)
    assert "There is nothing in the trash" in result.output
    assert call("doctor", "--clean", "--restore", "--repository", tmp_path).exit_code == 2


def test_nothing_that_a_link_leads_to_is_cleaned(tmp_path):
    """Somebody moved an output to another disk, and left a link in its place."""
    assert start(tmp_path, 0).wait(60) == 0
    [run] = Repository(tmp_path).get_runs()
    folder = Repository(tmp_path).workspace.artifacts.run_folder(run.id)
    elsewhere = tmp_path / "elsewhere"
    (folder / "first").rename(elsewhere)
    (elsewhere / "of others").write_text("kept")
    (folder / "first").symlink_to(elsewhere)
    unpublished = folder / "more"
    unpublished.symlink_to(elsewhere)
    result = call("doctor", "--clean", "--repository", tmp_path)
    assert result.exit_code == 0, result.output
    assert "Cleaned: 1 leftovers" in result.output
    assert not unpublished.is_symlink()
    assert (elsewhere / "of others").read_text() == "kept"
    assert (folder / "first").is_symlink()
    assert (run.steps["first"].outputs["text"].load() / "half").read_text() == "half"


def test_one_failure_does_not_keep_the_rest(tmp_path):
    workspace = Repository(tmp_path).workspace
    runs = workspace.artifacts.run_folder("x").parent
    for name in ("one/step/file", "two/file"):
        (runs / name).parent.mkdir(parents=True)
        (runs / name).touch()
    found = [Leftover("an output", runs / name, 0, name[:3]) for name in ("one/step", "two")]
    # Exchanged for a link between the look and the act.
    (runs / "one").rename(tmp_path / "one")
    (runs / "one").symlink_to(tmp_path / "one")
    [problem] = remove(workspace, found)
    assert problem.startswith(f"{runs / 'one/step'} cannot be removed: ")
    assert (tmp_path / "one/step/file").exists()
    assert not (runs / "two").exists()


@pytest.mark.slow
def test_what_is_alive_is_left_alone(tmp_path):
    process = start_and_wait(tmp_path, 20)
    try:
        assert leftovers(Repository(tmp_path).workspace) == []
        assert call("doctor", "--clean", "--repository", tmp_path).exit_code == 0
    finally:
        assert process.wait(60) == 0
    [run] = Repository(tmp_path).get_runs()
    assert run.status == "completed"


def test_logs_and_folders_of_a_run_that_was_never_recorded_are_leftovers(tmp_path):
    workspace = Repository(tmp_path).workspace
    for folder in (workspace.logs / "unknown", Path(workspace.artifacts.path) / "runs/unknown/a"):
        folder.mkdir(parents=True)
        (folder / "file").write_text("12345")
    with held(workspace.folder / "running/unknown"):
        assert leftovers(workspace) == []
    found = {item.what: item.size for item in leftovers(workspace) if item.removable}
    assert found == {
        "an output that was never published": 5,
        "logs of a run that was never recorded": 5,
    }


def test_old_files_that_were_never_finished_are_leftovers(tmp_path):
    workspace = Repository(tmp_path).workspace
    aside = uuid.uuid4().hex
    names = (f"memos/.a.json-{aside}", f"artifacts/manifests/.b.json-{aside}", ".new-3")
    for theirs in (".hidden", "artifacts/manifests/.keep"):
        file = workspace.folder / theirs
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        os.utime(file, (0, 0))
    for name in names:
        file = workspace.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    assert leftovers(workspace) == []  # somebody may be writing them
    for name in names:
        os.utime(workspace.folder / name, (0, 0))
    assert len(leftovers(workspace)) == 3
    assert call("doctor", "--clean", "--repository", tmp_path).exit_code == 0
    assert not any((workspace.folder / name).exists() for name in names)


def test_results_are_found_whatever_path_leads_to_the_repository(tmp_path):
    """They are recorded with the path of then; by another one they must not look unpublished."""
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    link = str(tmp_path / "link")
    script = SCRIPT.replace('"Writes"', f'"Writes", repository={link!r}')
    (real / "script.py").write_text(script)
    subprocess.run([sys.executable, "script.py", "0"], cwd=real, check=True)
    workspace = Repository(real).workspace
    [run] = Repository(real).get_runs()
    text = run.steps["first"].outputs["text"]
    assert text.uri.startswith(f"{real}/")
    [recorded] = Repository(real).mlmd.get_artifacts_by_id([text.id])
    assert recorded.uri.startswith(f"{link}/")
    assert leftovers(workspace) == []
    real.rename(tmp_path / "moved")
    assert leftovers(Repository(tmp_path / "moved").workspace) == []


def test_a_run_that_begins_while_leftovers_are_listed_is_left_alone(tmp_path, monkeypatch):
    workspace = Repository(tmp_path).workspace
    found = []

    def begin(reader):
        with held(workspace.folder / "running/new"):
            for folder in (workspace.logs / "new", workspace.artifacts.run_folder("new")):
                folder.mkdir(parents=True)
                (folder / "file").touch()
        return []

    monkeypatch.setattr(type(workspace.reader), "all_artifacts", begin)
    found = leftovers(workspace)
    assert found == []


def test_doctor_makes_no_repository(tmp_path):
    result = call("doctor", "--repository", tmp_path)
    assert result.exit_code != 0
    assert list(tmp_path.iterdir()) == []


class TestLogs:
    def test_a_steps_log_and_which_there_are(self, killed, tmp_path):
        first, last = killed.get_runs()
        result = call("logs", "second", "--repository", tmp_path)
        assert result.exit_code == 0
        assert "before the nap" in result.output
        result = call("logs", "--repository", tmp_path)
        assert f"Run {last.id} of 'Writes' (crashed)" in result.output
        assert "second" in result.output
        assert "first" not in result.output  # it was reused
        result = call("logs", "first", "--run", first.id, "--repository", tmp_path)
        assert "before the nap" in result.output
        result = call("logs", "first", "--repository", tmp_path)
        assert "'first' logged nothing in the run" in result.output

    def test_following_ends_with_the_run(self, tmp_path):
        process = start_and_wait(tmp_path, 2)
        results = []
        thread = threading.Thread(
            target=lambda: results.append(call("logs", "second", "-f", "--repository", tmp_path))
        )
        thread.start()
        assert process.wait(60) == 0
        thread.join(30)
        assert "before the nap" in results[0].output

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["secnod"], "no step 'secnod'.*second"),
            (["second", "--run", "nope"], "no run 'nope'"),
        ],
    )
    def test_what_is_not_there_is_said(self, killed, tmp_path, arguments, message):
        result = call("logs", *arguments, "--repository", tmp_path)
        assert isinstance(result.exception, NotFoundError)
        assert re.search(message, str(result.exception))
