"""What is said of a step that raised."""

import pytest

from zentfx import Secret
from zentfx.records.encoding import cut
from zentfx.tfx_backend.failures import Failure


def raised(function):
    with pytest.raises(BaseException) as caught:  # noqa: PT011
        function()
    return caught.value


def test_the_users_line_comes_first():
    def broken():
        return {}["x"]

    failure = Failure.of(raised(broken), {})
    place, line, text = failure.text.splitlines()
    assert place.startswith(f"{__file__}:")
    assert place.endswith(", in broken")
    assert line == '    return {}["x"]'
    assert text == "KeyError: 'x'"
    assert failure.summary.startswith("KeyError: 'x' (test_failures.py:")


def test_a_line_behind_that_of_a_library_is_found():
    import json

    failure = Failure.of(raised(lambda: json.loads("{")), {})
    assert __file__ in failure.text.splitlines()[0]
    assert "JSONDecodeError: Expecting" in failure.text


def test_the_line_of_a_cause_is_found_where_the_last_has_none():
    error = RuntimeError("wrapped")
    error.__context__ = raised(lambda: {}["handled before"])
    error.__cause__ = raised(lambda: 1 / 0)
    failure = Failure.of(error, {})
    assert failure.text.splitlines()[1].strip() == "error.__cause__ = raised(lambda: 1 / 0)"
    assert failure.text.splitlines()[2] == "RuntimeError: wrapped"


def test_without_a_line_of_the_users_there_is_the_text_alone():
    failure = Failure.of(ValueError("first\nsecond"), {})
    assert (failure.summary, failure.text) == ("ValueError: first", "ValueError: first\nsecond")
    assert Failure.of(SystemExit(), {}).text == "SystemExit"


def test_an_exception_that_cannot_be_printed_is_named():
    class MuteError(Exception):
        def __str__(self):
            raise TypeError("no text")

    assert "MuteError" in Failure.of(MuteError(), {}).text
    surrogate = Failure.of(FileNotFoundError("a\udcff.csv"), {}).text
    assert cut(surrogate) == "FileNotFoundError: a\\udcff.csv"  # what can be stored and shown


def test_values_of_secrets_are_left_out(monkeypatch):
    monkeypatch.setenv("A_TOKEN", "hunter2")
    arguments = {"a": [{"b": Secret("A_TOKEN")}], "c": Secret("NOT_SET")}
    failure = Failure.of(ValueError("url?token=hunter2&x"), arguments)
    assert failure.text == "ValueError: url?token=<A_TOKEN>&x"
    monkeypatch.setenv("A_TOKEN", "hun\\ter")
    assert Failure.of(KeyError("hun\\ter"), arguments).text == "KeyError: '<A_TOKEN>'"
