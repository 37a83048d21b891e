"""How runs end: failed, canceled, killed; and what the next run makes of it."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from zentfx import BaseStep, Pipeline, Pusher, Repository, Secret
from zentfx.errors import StepFailedError

TOKEN = uuid.uuid4().hex  # not a literal: this file's source is recorded


class Write(BaseStep):
    """Writes some files."""

    inputs = {"before": "Text"}
    optional_inputs = frozenset({"before"})
    outputs = {"text": "Text"}

    def __init__(self, text: str = "x"):
        self.text = text

    def process(self, inputs, outputs):
        folder = outputs["text"].path / "deep"
        folder.mkdir()
        (folder / "a.txt").write_text(self.text)
        (folder / "b.txt").write_text(self.text * 2)


class Check(BaseStep):
    """Fails as long as a file says so."""

    inputs = {"text": "Text"}
    outputs = {"ok": "Ok"}

    def __init__(self, flag: str, secret: Secret | None = None):
        self.flag = flag
        self.secret = secret

    def process(self, inputs, outputs):
        if Path(self.flag).exists():
            raise ValueError(f"asked to fail{self.secret.value() if self.secret else ''}\nsecond")


def chain(repository, flag, name="Chain", secret=None):
    pipeline = Pipeline(name, repository=repository)
    pipeline.add_step(Write(), "write")
    pipeline.add_step(Check(str(flag), secret), "check", {"text": "write.text"})
    pipeline.add_step(Write("after"), "beside")
    pipeline.add_step(Below(), "below", {"ok": "check.ok"})
    return pipeline


class Below(BaseStep):
    inputs = {"ok": "Ok"}
    outputs = {"text": "Text"}

    def process(self, inputs, outputs):
        pass


def statuses(run):
    return {name: step.status for name, step in run.steps.items()}


@pytest.mark.filterwarnings("ignore:Step 'check'. its argument 'flag'")
class TestFailed:
    @pytest.fixture
    def failed(self, tmp_path, monkeypatch):
        monkeypatch.setenv("TOKEN_OF_TEST", TOKEN)
        (tmp_path / "flag").touch()
        repository = Repository(tmp_path)
        events = []
        with pytest.raises(StepFailedError) as caught:
            chain(repository, tmp_path / "flag", secret=Secret("TOKEN_OF_TEST")).run(
                progress=events.append
            )
        return repository, caught.value, events

    def test_the_users_own_line_comes_first_then_the_text_and_the_log(self, failed):
        _, error, events = failed
        lines = str(error).splitlines()
        assert lines[0] == "The step 'check' (Check) of 'Chain' failed:"
        assert lines[1].startswith(f"{__file__}:")
        assert lines[1].endswith(", in process")
        assert lines[2].strip().startswith("raise ValueError(f")
        assert lines[3:5] == ["ValueError: asked to fail<TOKEN_OF_TEST>", "second"]
        assert lines[5].startswith("Its log: ")
        assert Path(lines[5].removeprefix("Its log: ")).is_file()
        assert error.step == "check"
        assert isinstance(error.__cause__, ValueError)
        [event] = [event for event in events if event.state == "failed"]
        assert event.message.startswith(
            "ValueError: asked to fail<TOKEN_OF_TEST> (test_outcomes.py"
        )

    def test_it_is_recorded_and_what_depends_on_it_was_skipped(self, failed):
        repository, error, _ = failed
        run = repository.get_pipeline_run(error.run_id)
        assert run.status == "failed"
        assert run.error.startswith("The step 'check'")
        assert statuses(run) == {
            "write": "completed",
            "check": "failed",
            "beside": "completed",
            "below": "skipped",
        }
        assert "asked to fail" in run.steps["check"].error
        assert run.steps["below"].error is None
        assert run.steps["below"].outputs == {}
        assert "Traceback" in run.steps["check"].log()
        for file in (repository.path / ".zentfx").rglob("*"):
            if file.is_file():
                assert TOKEN.encode() not in file.read_bytes(), file

    def test_the_text_is_in_mlmd_for_anyone(self, failed):
        client = failed[0].workspace.metadata.connect()
        [execution] = client.get_executions_by_type(f"{__name__}.Check")
        result = json.loads(execution.custom_properties["__execution_result__"].string_value)
        assert "asked to fail<TOKEN_OF_TEST>" in result["resultMessage"]

    def test_after_the_fix_what_finished_is_reused(self, failed, tmp_path):
        (tmp_path / "flag").unlink()
        pipeline = Pipeline("Chain", repository=failed[0])
        pipeline.add_step(Write(), "write")
        pipeline.add_step(Check(str(tmp_path / "flag")), "check", {"text": "write.text"})
        run = pipeline.run(progress=None)
        assert statuses(run) == {"write": "cached", "check": "completed"}


SCRIPT = """
import os, sys, time
from pathlib import Path
from zentfx import BaseStep, Pipeline

class Quick(BaseStep):
    outputs = {"text": "Text"}
    def process(self, inputs, outputs):
        (outputs["text"].path / "done").write_text("done")

class Slow(BaseStep):
    inputs = {"text": "Text"}
    outputs = {"text2": "Text"}
    def process(self, inputs, outputs):
        (outputs["text2"].path / "half").write_text("half")
        if Path("go").exists():
            (outputs["text2"].path / "half").write_text("whole")
            return
        Path("started").write_text(str(outputs["text2"].path))
        time.sleep(120)

class Last(BaseStep):
    inputs = {"text": "Text"}
    outputs = {"text3": "Text"}
    def process(self, inputs, outputs):
        pass

def make():
    p = Pipeline("Interrupted")
    p.add_step(Quick(), "quick")
    p.add_step(Slow(), "slow", {"text": "quick.text"})
    p.add_step(Last(), "last", {"text": "slow.text2"})
    return p

if __name__ == "__main__":
    make().run()
"""


@pytest.fixture
def interrupted(tmp_path, request):
    """A process that was ended by a signal while its second step had written half of its output."""
    (tmp_path / "steps_of_script.py").write_text(SCRIPT, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-c", "import steps_of_script as s; s.make().run()"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not (tmp_path / "started").exists() and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    running = Repository(tmp_path).get_runs()[0]
    assert running.status == "running"
    assert statuses(running) == {"quick": "completed", "slow": "running"}
    process.send_signal(request.param)
    _, error = process.communicate(timeout=60)
    half = Path((tmp_path / "started").read_text(encoding="utf-8"))
    return Repository(tmp_path), half, error


def run_again(folder):
    (folder / "go").touch()
    subprocess.run(
        [sys.executable, "-c", "import steps_of_script as s; s.make().run(progress=None)"],
        cwd=folder,
        check=True,
    )


@pytest.mark.parametrize("interrupted", [signal.SIGINT], indirect=True)
def test_ctrl_c_cancels_the_run_and_leaves_nothing_half(interrupted, tmp_path):
    repository, half, error = interrupted
    assert "KeyboardInterrupt" in error
    [run] = repository.get_runs()
    assert run.status == "canceled"
    assert statuses(run) == {"quick": "completed", "slow": "canceled", "last": "skipped"}
    assert not half.exists()
    run_again(tmp_path)
    again = repository.get_runs()[1]
    assert statuses(again) == {"quick": "cached", "slow": "completed", "last": "completed"}


@pytest.mark.parametrize("interrupted", [signal.SIGKILL], indirect=True)
def test_a_killed_process_is_a_crash_when_next_seen(interrupted, tmp_path):
    repository, half, _ = interrupted
    [run] = repository.get_runs()
    assert run.status == "crashed"
    assert statuses(run) == {"quick": "completed", "slow": "crashed", "last": "skipped"}
    assert 0 <= run.duration < 60
    assert Repository(tmp_path).get_runs()[0].duration == run.duration  # it does not grow
    # Nothing was written by looking; the next run records it.
    assert repository.workspace.reader.run(run.id).status == "running"
    run_again(tmp_path)
    dead, again = repository.get_runs()
    assert repository.workspace.reader.run(run.id).status == "crashed"
    assert dead.error == "Its process is gone."
    assert dead.duration == pytest.approx(run.duration, abs=0.01)
    assert statuses(dead) == {"quick": "completed", "slow": "crashed", "last": "skipped"}
    assert statuses(again) == {"quick": "cached", "slow": "completed", "last": "completed"}
    # What was half written is no artifact, and the new output lies elsewhere.
    assert (half / "half").read_text(encoding="utf-8") == "half"
    uris = {a.uri for a in repository.workspace.metadata.connect().get_artifacts()}
    assert str(half) not in uris
    whole = Path(again.steps["slow"].outputs["text2"].uri)
    assert (whole / "half").read_text(encoding="utf-8") == "whole"


class TestOutputsThatAreGone:
    @pytest.fixture
    def run(self, tmp_path):
        pipeline = chain(Repository(tmp_path), tmp_path / "flag")
        return pipeline.run(progress=None)

    def again(self, tmp_path, name):
        return statuses(chain(Repository(tmp_path), tmp_path / "flag", name).run(progress=None))

    def test_with_all_files_there_it_is_reused(self, run, tmp_path):
        assert set(self.again(tmp_path, "B").values()) == {"cached"}

    def test_a_folder_that_is_gone_is_made_again(self, run, tmp_path):
        shutil.rmtree(run.steps["beside"].outputs["text"].uri)
        found = self.again(tmp_path, "B")
        assert found.pop("beside") == "completed"
        assert set(found.values()) == {"cached"}
        assert set(self.again(tmp_path, "C").values()) == {"cached"}

    def test_a_file_that_is_gone_inside_a_folder_is_noticed(self, run, tmp_path):
        folder = Path(run.steps["beside"].outputs["text"].uri)
        (folder / "deep/a.txt").unlink()
        found = self.again(tmp_path, "B")
        assert found.pop("beside") == "completed"
        assert set(found.values()) == {"cached"}
        later = Repository(tmp_path).get_runs()[-1].steps["beside"]
        assert "1 files are gone or cut, as deep/a.txt" in later.log()

    def test_a_file_that_was_cut_is_noticed_and_one_that_was_added_does_not_matter(
        self, run, tmp_path
    ):
        folder = Path(run.steps["write"].outputs["text"].uri)
        (folder / ".DS_Store").touch()
        assert set(self.again(tmp_path, "B").values()) == {"cached"}
        (folder / "deep/b.txt").write_text("")
        assert self.again(tmp_path, "C") == {
            "write": "completed",
            "check": "completed",
            "beside": "cached",
            "below": "completed",
        }

    def test_a_list_of_files_that_is_gone_or_damaged_is_no_proof(self, run, tmp_path):
        lists = list((tmp_path / ".zentfx/artifacts/manifests").iterdir())
        for file in lists:
            file.write_text("")
        assert set(self.again(tmp_path, "B").values()) == {"completed"}
        for file in lists:
            file.unlink(missing_ok=True)
        assert "completed" in self.again(tmp_path, "C").values()

    def test_a_new_store_over_old_files_takes_none_of_them(self, run, tmp_path):
        old = {step.outputs[name].uri for step in run.steps.values() for name in step.outputs}
        for file in (tmp_path / ".zentfx").glob("metadata.db*"):
            file.unlink()
        # The note by which the artifacts would refuse a store that is not theirs.
        (tmp_path / ".zentfx/artifacts/store.json").unlink()
        again = chain(Repository(tmp_path), tmp_path / "flag").run(progress=None)
        assert set(statuses(again).values()) == {"completed"}
        new = {step.outputs[name].uri for step in again.steps.values() for name in step.outputs}
        assert not old & new


def test_the_pusher_brings_a_model_back_that_another_replaced(taxi, tmp_path):
    def push(name, *, other=False):
        pipeline = taxi.pipeline.copy(name)
        if other:
            pipeline.add_trainer(type(pipeline.steps["trainer"])(last_activation="linear", lr=0.5))
        pipeline.add_pusher(Pusher(folder=str(tmp_path / "serving")))
        return pipeline.run(progress=None)

    def newest():
        folder = max((tmp_path / "serving").iterdir(), key=lambda item: int(item.name))
        return (folder / "saved_model.pb").read_bytes(), (
            folder / "variables/variables.data-00000-of-00001"
        ).read_bytes()

    push("A")
    model_a = newest()
    push("B", other=True)
    assert newest() != model_a
    third = push("A again")
    assert statuses(third) == {**dict.fromkeys(statuses(third), "cached"), "pusher": "completed"}
    assert newest() == model_a
    assert statuses(push("And again"))["pusher"] == "cached"
    (tmp_path / "serving" / "99999999999").mkdir()
    with pytest.raises(StepFailedError, match="99999999999, which is a second in the future"):
        push("Never")
