"""Exceptions come from a worker as they were raised."""

import threading

import pytest

from zentfx.tfx_backend.worker.exceptions import pack_exception, unpack_exception


class ComposedError(Exception):
    def __init__(self, code, *, why="unknown"):
        super().__init__(f"code {code}: {why}")
        self.code = code


class DerivedError(ComposedError):
    pass


class OwnError(OSError):
    def __init__(self, name):
        super().__init__(2, "not there", name)
        self.name = name


class DecodingError(UnicodeDecodeError):
    def __init__(self, data):
        super().__init__("utf-8", data, 0, 1, "odd byte")


class ReducingError(Exception):
    def __init__(self, one, two):
        super().__init__(one + two)
        self.parts = one, two

    def __reduce__(self):
        return ReducingError, self.parts


@pytest.mark.parametrize(
    "error",
    [
        ValueError("one", 2),
        KeyError("name"),
        ComposedError(5),
        DerivedError(7, why="so"),
        OwnError("file"),
        FileNotFoundError(2, "no", "file"),
        DecodingError(b"\xff"),
        SystemExit(3),
    ],
)
def test_class_text_arguments_and_attributes_are_the_same(error):
    error.noted = ["by the step"]
    again = unpack_exception(pack_exception(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.args == error.args
    assert vars(again) == vars(error)
    for name in ("errno", "filename", "code", "object", "reason"):
        assert getattr(again, name, None) == getattr(error, name, None)


def test_a_class_that_says_how_it_is_pickled_is_believed():
    again = unpack_exception(pack_exception(ReducingError(1, 2)))
    assert (type(again), again.args, again.parts) == (ReducingError, (3,), (1, 2))


def test_what_cannot_be_pickled_does_not_come():
    error = ValueError("x")
    error.lock = threading.Lock()
    assert pack_exception(error) is None
