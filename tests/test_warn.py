"""Warnings stand at the user's line, however deep in zentfx they are given."""

import contextlib
import inspect
import subprocess
import sys
import warnings

import pytest

from zentfx import Repository, pipeline, register_artifact, step
from zentfx.errors import ZenTFXWarning


class Odd:
    """What has no materializer; a type of its own, because each is warned of once."""


@step
def make():
    return Odd()


@pipeline(progress=None)
def odd():
    make()


def line():
    """The number of the line that calls this."""
    return inspect.currentframe().f_back.f_lineno


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Repository(tmp_path)


@contextlib.contextmanager
def one_warning_at(number):
    with pytest.warns(ZenTFXWarning) as told:
        yield
    [told] = told
    assert (told.filename, told.lineno) == (__file__, number)


def test_through_layers_of_zentfx_and_tfx(repository):
    where = line()
    with one_warning_at(where + 2):
        odd.with_options(repository=repository, in_process=True)()


def test_of_a_public_function(repository):
    folder = repository.path / ".zentfx" / "artifacts" / "own"
    folder.mkdir(parents=True)
    for text in ("one", "two"):
        (folder / "file").write_text(text)
        if text == "one":
            register_artifact(folder, "own")
    where = line()
    with one_warning_at(where + 2):
        register_artifact(folder, "own")


def test_of_one_place_it_is_said_once(repository):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("default")
        for _ in range(2):
            _give("the same")
    assert [str(item.message) for item in told] == ["the same"]


def _give(text):
    from zentfx.warn import warn

    warn(text)


def test_without_any_line_of_the_users_it_is_given_all_the_same():
    code = (
        "import threading; from zentfx.warn import warn; "
        "thread = threading.Thread(target=warn, args=['from a thread']); "
        "thread.start(); thread.join()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "threading.py" in done.stderr
    assert "ZenTFXWarning: from a thread" in done.stderr
