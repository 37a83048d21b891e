"""Steps in worker processes: their logs, their deaths, and whose code they run."""

from __future__ import annotations

import ctypes
import importlib
import json
import logging
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

from zentfx import BaseStep, Pipeline, Repository, Secret
from zentfx.errors import PipelineError, StepFailedError
from zentfx.tfx_backend.worker import pool

TOKEN = uuid.uuid4().hex  # not a literal: this file's source is recorded


class Report(BaseStep):
    """Writes about the process that it runs in."""

    outputs = {"report": "Report"}

    def __init__(self, name: str = "", nap: float = 0.0):
        self.name = name
        self.nap = nap

    def process(self, inputs, outputs):
        started = time.time()
        time.sleep(self.nap)
        print(f"printed by {self.name}")
        sys.stderr.write(f"written by {self.name}\n")
        os.write(2, f"native by {self.name}\n".encode())
        logging.getLogger("own").info("logged by %s", self.name)
        text = json.dumps(
            {
                "pid": os.getpid(),
                "main": threading.current_thread() is threading.main_thread(),
                "cwd": os.getcwd(),  # noqa: PTH109
                "variable": os.environ.get("ZENTFX_TEST_VARIABLE"),
                "span": [started, time.time()],
            }
        )
        (outputs["report"].path / "report.json").write_text(text)


class Join(BaseStep):
    inputs = {"left": "Report", "right": "Report"}
    outputs = {"joined": "Joined"}

    def process(self, inputs, outputs):
        pass


class Fail(BaseStep):
    outputs = {"report": "Report"}

    def __init__(self, how: str, secret: Secret | None = None):
        self.how = how
        self.secret = secret

    def process(self, inputs, outputs):
        (outputs["report"].path / "half").write_text("half")
        secret = self.secret.value() if self.secret else ""
        if self.how == "raise":
            raise ValueError(f"as asked {secret}")
        if self.how == "own":
            raise OwnError("a", "b")
        if self.how == "held":
            error = OwnError("a", "b")
            error.lock = threading.Lock()
            raise error
        if self.how == "exit":
            sys.exit(3)
        if self.how == "segfault":
            ctypes.string_at(0)
        if self.how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)


class OwnError(Exception):
    """One that pickle alone does not make again."""

    def __init__(self, left, right):
        super().__init__(f"{left} and {right}")


def report(run, name):
    folder = Path(run.steps[name].outputs["report"].uri)
    return json.loads((folder / "report.json").read_text())


def reports(repository, names=("a", "b"), nap=0.0, name="Reports", **settings):
    pipeline = Pipeline(name, repository=repository)
    for item in names:
        pipeline.add_step(Report(item, nap=nap), item)
    return pipeline.run(enable_cache=False, progress=None, **settings)


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path)


def test_plain_steps_run_here_unless_side_by_side(repository, capfd):
    run = reports(repository)
    assert {report(run, name)["pid"] for name in ("a", "b")} == {os.getpid()}
    assert report(run, "a")["main"]
    assert "printed by a" in capfd.readouterr().out
    run = reports(repository, max_workers=2)
    pids = [report(run, name)["pid"] for name in ("a", "b")]
    assert os.getpid() not in pids
    assert report(run, "a")["main"]  # of its own process: signals and GUIs work
    assert "printed by a" not in capfd.readouterr().out


def test_a_worker_serves_later_steps_and_later_runs(repository):
    first = reports(repository, names=["a"], max_workers=2)
    second = reports(repository, names=["b"], max_workers=2)
    assert report(first, "a")["pid"] == report(second, "b")["pid"]


@pytest.mark.parametrize("settings", [{}, {"max_workers": 2}])
def test_each_steps_log_is_its_own(repository, settings):
    run = reports(repository, **settings)
    for name, other in (("a", "b"), ("b", "a")):
        log = run.steps[name].log()
        for text in ("printed", "written", "logged"):
            assert f"{text} by {name}" in log
        # What native code of a plain step writes goes where it would without us.
        assert (f"native by {name}" in log) == bool(settings)
        assert f"by {other}" not in log


def test_a_worker_sees_what_this_process_sees(repository, tmp_path, monkeypatch):
    monkeypatch.setenv("ZENTFX_TEST_VARIABLE", "one")
    before = reports(repository, names=["a"], max_workers=2)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("ZENTFX_TEST_VARIABLE", "two")
    after = reports(repository, names=["a"], max_workers=2)
    assert report(before, "a")["pid"] == report(after, "a")["pid"]
    assert report(before, "a")["variable"] == "one"
    assert report(after, "a")["variable"] == "two"
    assert report(after, "a")["cwd"] == str(tmp_path / "elsewhere")


def test_steps_that_do_not_need_each_other_run_side_by_side(repository):
    pipeline = Pipeline("Diamond", repository=repository)
    for name in ("a", "b"):
        pipeline.add_step(Report(name, nap=1.0), name)
    pipeline.add_step(Join(), "join", {"left": "a.report", "right": "b.report"})
    run = pipeline.run(progress=None, max_workers=2)
    (start_a, end_a), (start_b, end_b) = (report(run, name)["span"] for name in ("a", "b"))
    assert max(start_a, start_b) < min(end_a, end_b)
    assert run.steps["join"].inputs["left"].uri == run.steps["a"].outputs["report"].uri
    # What was computed side by side is what one after the other finds.
    again = Pipeline("Diamond", repository=repository)
    for name in ("a", "b"):
        again.add_step(Report(name, nap=1.0), name)
    again.add_step(Join(), "join", {"left": "a.report", "right": "b.report"})
    assert {step.status for step in again.run(progress=None).steps.values()} == {"cached"}


@pytest.mark.parametrize("max_workers", [1, 2])
def test_a_branch_that_fails_lets_the_others_finish(repository, max_workers):
    pipeline = Pipeline("Branches", repository=repository)
    pipeline.add_step(Fail("raise"), "bad")
    pipeline.add_step(Report("a", nap=0.5), "a")
    pipeline.add_step(Join(), "fine", {"left": "a.report", "right": "a.report"})
    pipeline.add_step(Join(), "never", {"left": "a.report", "right": "bad.report"})
    events = []
    with pytest.raises(StepFailedError, match="as asked"):
        pipeline.run(progress=events.append, max_workers=max_workers)
    run = repository.get_runs()[-1]
    assert {name: step.status for name, step in run.steps.items()} == {
        "bad": "failed",
        "a": "completed",
        "fine": "completed",
        "never": "skipped",
    }
    assert [event.state for event in events if event.step == "never"] == ["skipped"]


class TestFailures:
    def fail(self, repository, how, secret=None):
        pipeline = Pipeline(f"Fails {how}", repository=repository)
        pipeline.add_step(Fail(how, secret), "fail")
        with pytest.raises(StepFailedError) as caught:
            pipeline.run(progress=None, max_workers=2)
        [run] = repository.get_runs(pipeline.name)
        step = run.steps["fail"]
        assert step.status == "failed"
        assert not list((repository.path / f".zentfx/artifacts/runs/{run.id}").rglob("half"))
        return caught.value, step

    def test_what_a_step_raised_is_the_cause_with_the_workers_traceback(self, repository):
        error, step = self.fail(repository, "raise")
        assert isinstance(error.__cause__, ValueError)
        assert "in process" in str(error.__cause__.__cause__)
        assert "test_worker.py" in step.error
        assert 'raise ValueError(f"as asked {secret}")' in step.error
        assert "Traceback" in step.log()

    def test_an_exception_whose_class_makes_its_text_comes_as_it_was(self, repository):
        error, _ = self.fail(repository, "own")
        assert "OwnError: a and b" in str(error)
        assert type(error.__cause__).__name__ == "OwnError"
        assert str(error.__cause__) == "a and b"

    def test_an_exception_that_cannot_be_made_again_is_told_as_text(self, repository):
        error, _ = self.fail(repository, "held")
        assert "OwnError: a and b" in str(error)
        assert "OwnError: a and b" in str(error.__cause__)

    def test_sys_exit_is_a_failure(self, repository):
        error, _ = self.fail(repository, "exit")
        assert "SystemExit: 3" in str(error)

    @pytest.mark.parametrize(("how", "name"), [("segfault", "SIGSEGV"), ("kill", "SIGKILL")])
    def test_the_death_of_the_process_fails_the_step_alone(self, repository, how, name):
        error, step = self.fail(repository, how)
        assert f"died of {name}" in str(error)
        if how == "segfault":
            assert "Segmentation fault" in step.log()
            assert "in process" in step.log()  # where Python was
        assert reports(repository, max_workers=2).status == "completed"

    def test_secrets_are_left_out(self, repository, monkeypatch):
        monkeypatch.setenv("TOKEN_OF_TEST", TOKEN)
        error, step = self.fail(repository, "raise", Secret("TOKEN_OF_TEST"))
        for text in (str(error), step.error, step.log(), str(error.__cause__.__cause__)):
            assert TOKEN not in text
            assert "<TOKEN_OF_TEST>" in text


def test_a_class_that_cannot_be_sent_is_refused_with_the_remedy(repository):
    lock = threading.Lock()

    class Holds(BaseStep):
        outputs = {"report": "Report"}

        def process(self, inputs, outputs):
            with lock:
                pass

    pipeline = Pipeline("Holds", repository=repository)
    pipeline.add_step(Holds().with_options(code_version="1"), "holds")
    with pytest.raises(StepFailedError, match=r"cannot be pickled.*\n.*in_process=True"):
        pipeline.run(progress=None, max_workers=2)
    pipeline = Pipeline("Holds", repository=repository)
    pipeline.add_step(Holds().with_options(code_version="1"), "holds")
    assert pipeline.run(progress=None, in_process=True).status == "completed"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_workers": 0}, "at least 1; 0 came"),
        ({"max_workers": "2"}, "must be an int; '2' came"),
        ({"max_workers": True}, "must be an int; True came"),
        ({"max_workers": 2, "in_process": True}, "one at a time"),
    ],
)
def test_settings_that_make_no_sense_are_refused_before_anything_runs(
    repository, settings, message
):
    with pytest.raises(PipelineError, match=message):
        reports(repository, **settings)
    assert repository.get_runs() == []


MODULE = """
from zentfx import BaseStep
import helper_of_edited

class Says(BaseStep):
    outputs = {{"said": "Said"}}
    def process(self, inputs, outputs):
        (outputs["said"].path / "said").write_text("{text}" + helper_of_edited.TEXT)
"""


def test_a_worker_runs_the_code_that_was_fingerprinted_and_not_the_files(
    repository, tmp_path, monkeypatch
):
    folder = tmp_path / "code"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    (folder / "helper_of_edited.py").write_text("TEXT = ' and helped'")
    (folder / "edited_module.py").write_text(MODULE.format(text="old"))
    import edited_module

    def said(recorded):
        pipeline = Pipeline("Says", repository=repository)
        pipeline.add_step(edited_module.Says(), "says")
        run = pipeline.run(progress=None, max_workers=2)
        step = run.steps["says"]
        assert f'"{recorded}"' in step.source_code["edited_module"]
        return step.status, (Path(step.outputs["said"].uri) / "said").read_text()

    (folder / "edited_module.py").write_text(MODULE.format(text="much newer"))
    with pytest.warns(match="edited_module"):
        assert said("old") == ("completed", "old and helped")
    importlib.reload(edited_module)
    # The worker has the old module: it is replaced by one that has not.
    assert said("much newer") == ("completed", "much newer and helped")
    (folder / "edited_module.py").write_text(MODULE.format(text="old"))
    importlib.reload(edited_module)
    assert said("old") == ("cached", "old and helped")
    for name in ("edited_module", "helper_of_edited"):
        del sys.modules[name]


SCRIPT = """
import os, sys, time
from pathlib import Path
from zentfx import BaseStep, Pipeline

class Slow(BaseStep):
    outputs = {"text": "Text"}
    def __init__(self, name: str):
        self.name = name
    def process(self, inputs, outputs):
        (outputs["text"].path / "half").write_text("half")
        aside = Path(f"started-{self.name}.new")
        aside.write_text(str(os.getpid()))
        aside.rename(f"started-{self.name}")
        try:
            time.sleep(120)
        except KeyboardInterrupt:
            Path(f"cleaned-{self.name}").touch()
            raise

if __name__ == "__main__":
    pipeline = Pipeline("Slow")
    for name in ("a", "b"):
        pipeline.add_step(Slow(name), name)
    pipeline.run(max_workers=2)
"""


@pytest.fixture
def interrupted(tmp_path, request):
    """A script that was ended by a signal while two steps were running side by side."""
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "script.py"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    started = [tmp_path / f"started-{name}" for name in ("a", "b")]
    deadline = time.monotonic() + 120
    while not all(map(Path.exists, started)) and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(request.param)
    _, error = process.communicate(timeout=60)
    return Repository(tmp_path), [int(file.read_text()) for file in started], error


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("interrupted", [signal.SIGINT], indirect=True)
def test_ctrl_c_stops_all_and_lets_steps_clean_up(interrupted, tmp_path):
    repository, pids, error = interrupted
    assert "KeyboardInterrupt" in error
    [run] = repository.get_runs()
    assert run.status == "canceled"
    assert {step.status for step in run.steps.values()} == {"canceled"}
    assert all((tmp_path / f"cleaned-{name}").exists() for name in ("a", "b"))
    assert not list((tmp_path / ".zentfx/artifacts").rglob("half"))
    assert not any(map(is_alive, pids))


@pytest.mark.parametrize("interrupted", [signal.SIGKILL], indirect=True)
def test_workers_do_not_outlive_their_parent(interrupted):
    repository, pids, _ = interrupted
    deadline = time.monotonic() + 30
    while any(map(is_alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_alive, pids))
    [run] = repository.get_runs()
    assert run.status == "crashed"


def test_a_forked_child_leaves_the_parents_workers_alone(repository):
    before = reports(repository, names=["a"], max_workers=2)
    child = os.fork()
    if child == 0:
        os._exit(len(pool._pool._idle))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    after = reports(repository, names=["a"], max_workers=2)
    assert report(before, "a")["pid"] == report(after, "a")["pid"]


class TestCanceled:
    SCRIPT = """
import sys, threading, time
from pathlib import Path
from zentfx import BaseStep, Pipeline
from zentfx.tfx_backend.worker import pool

pool.GRACE = 1.0

class Deaf(BaseStep):
    outputs = {"text": "Text"}
    def __init__(self, name: str):
        self.name = name
    def process(self, inputs, outputs):
        Path(f"started-{self.name}").touch()
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                time.sleep(60)
            except KeyboardInterrupt:
                pass

if __name__ == "__main__":
    pipeline = Pipeline("Deaf")
    for name in ("a", "b"):
        pipeline.add_step(Deaf(name), name)
    pipeline.run(max_workers=2)
"""

    def test_steps_that_do_not_stop_are_ended(self, tmp_path):
        (tmp_path / "script.py").write_text(self.SCRIPT)
        process = subprocess.Popen([sys.executable, "script.py"], cwd=tmp_path)
        started = [tmp_path / f"started-{name}" for name in ("a", "b")]
        deadline = time.monotonic() + 60
        while not all(map(Path.exists, started)) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        process.wait(50)  # they would take 60 seconds
        [run] = Repository(tmp_path).get_runs()
        assert run.status == "canceled"
        assert {step.status for step in run.steps.values()} == {"canceled"}

    def test_a_step_that_is_about_to_start_does_not(self, repository):
        canceled = threading.Event()
        canceled.set()
        with pytest.raises(KeyboardInterrupt):
            pool.run_in_worker(None, canceled)


class Forks(BaseStep):
    outputs = {"report": "Report"}

    def process(self, inputs, outputs):
        child = os.fork()
        if child == 0:
            time.sleep(300)
            os._exit(0)
        print(f"child {child}")
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.timeout(60)
def test_a_death_is_noticed_though_a_child_of_the_step_lives_on_and_that_is_ended(repository):
    pipeline = Pipeline("Forks", repository=repository)
    pipeline.add_step(Forks(), "forks")
    with pytest.raises(StepFailedError, match="died of SIGKILL"):
        pipeline.run(progress=None, max_workers=2)
    log = repository.get_runs()[-1].steps["forks"].log()
    child = int(re.search(r"child (\d+)", log)[1])
    deadline = time.monotonic() + 10
    while is_alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(child)


class Prints(BaseStep):
    outputs = {"report": "Report"}

    def __init__(self, secret: Secret):
        self.secret = secret

    def process(self, inputs, outputs):
        print("printed", self.secret.value())
        sys.stderr.write(f"written {self.secret.value()}\n")


@pytest.mark.parametrize("max_workers", [1, 2])
def test_secrets_that_are_printed_are_not_in_the_log(repository, monkeypatch, max_workers):
    monkeypatch.setenv("TOKEN_OF_TEST", TOKEN)
    pipeline = Pipeline("Prints", repository=repository)
    pipeline.add_step(Prints(Secret("TOKEN_OF_TEST")), "prints")
    log = pipeline.run(progress=None, max_workers=max_workers).steps["prints"].log()
    assert "printed <TOKEN_OF_TEST>" in log
    assert "written <TOKEN_OF_TEST>" in log
    assert TOKEN not in log


class Lazy(BaseStep):
    outputs = {"report": "Report"}

    def __init__(self, number: int, use: bool):
        self.number = number
        self.use = use

    def process(self, inputs, outputs):
        if self.use:
            import helper_of_lazy

            (outputs["report"].path / "text").write_text(helper_of_lazy.TEXT)


def test_a_module_that_was_dropped_is_read_anew_in_a_worker_too(repository, tmp_path, monkeypatch):
    folder = tmp_path / "lazy"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    (folder / "helper_of_lazy.py").write_text("TEXT = 'old'")
    import helper_of_lazy  # noqa: F401

    def run(number, use):
        pipeline = Pipeline("Lazy", repository=repository)
        pipeline.add_step(Lazy(number, use).with_options(code_version="1"), "lazy")
        return pipeline.run(progress=None, max_workers=2).steps["lazy"].outputs["report"]

    run(1, use=False)  # the worker is told of it, and does not load it
    del sys.modules["helper_of_lazy"]
    (folder / "helper_of_lazy.py").write_text("TEXT = 'much newer'")
    assert (Path(run(2, use=True).uri) / "text").read_text() == "much newer"


def test_two_runs_in_two_threads_take_turns_and_leave_stdout_alone(repository, capsys):
    before = sys.stdout, sys.stderr, logging.getLogger().handlers[:]
    runs = []

    def run(name):
        pipeline = Pipeline(name, repository=repository)
        for item in ("a", "b"):
            pipeline.add_step(Report(f"{item} of {name}", nap=0.2), item)
        runs.append(pipeline.run(progress=None))

    threads = [threading.Thread(target=run, args=(name,)) for name in ("left", "right")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert {run.status for run in runs} == {"completed"}
    assert (sys.stdout, sys.stderr, logging.getLogger().handlers[:]) == before
    for run in runs:
        other = {"left": "right", "right": "left"}[run.pipeline]
        assert f"printed by a of {run.pipeline}" in run.steps["a"].log()
        assert other not in run.steps["a"].log()


class Handles(BaseStep):
    outputs = {"report": "Report"}

    def process(self, inputs, outputs):
        logger = logging.getLogger("library.of.test")
        logger.propagate = False
        logger.setLevel("INFO")
        logger.addHandler(logging.StreamHandler(sys.stdout))
        logger.warning("while it runs")
        logging.getLogger("another").warning("a warning")


def test_what_a_step_wires_to_stdout_goes_on_after_it_and_warnings_are_shown(repository, capsys):
    pipeline = Pipeline("Handles", repository=repository)
    pipeline.add_step(Handles(), "handles")
    run = pipeline.run(progress=None)
    logger = logging.getLogger("library.of.test")
    logger.warning("afterwards")
    logger.handlers.clear()
    out, err = capsys.readouterr()
    assert out.splitlines() == ["while it runs", "afterwards"]
    assert "Logging error" not in err
    assert "a warning" in run.steps["handles"].log()


def test_what_is_no_text_in_sys_path_is_passed_over(repository, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", [*sys.path, tmp_path])
    assert reports(repository, names=["a"], max_workers=2).status == "completed"


def test_a_step_that_changes_the_working_directory_changes_it_for_itself(repository, tmp_path):
    class Moves(BaseStep):
        outputs = {"report": "Report"}

        def process(self, inputs, outputs):
            os.chdir("/")

    before = Path.cwd()
    pipeline = Pipeline("Moves", repository=repository)
    pipeline.add_step(Moves(), "moves")
    pipeline.run(progress=None)
    assert Path.cwd() == before
