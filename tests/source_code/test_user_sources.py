"""The user's own files, and their texts as Python loaded them."""

import importlib
import subprocess
import sys

import pytest

from zentfx.errors import StepDefinitionError
from zentfx.source_code.user_sources import loaded_text, note_loaded

# Everything whose compiled form might differ between a fresh compilation and a .pyc.
TEXT = '''"""Docstring."""
from __future__ import annotations
import dataclasses, functools, typing

NAMES = ["x"]

def member(x) -> bool:
    """Doc."""
    return x in {"alpha", "beta", "gamma", "delta", "epsilon", ("zeta", frozenset())}

@functools.lru_cache(maxsize=None)
def cached(x=1, *, y=(1, {"a": 2})):
    def inner(z):
        assert z, f"{z!r:>{x}}"
        return lambda q: (q, z, 1.5, 2j, b"x", -0.0)
    return inner

def decorator(function):
    def wrapper(*args):
        return function(*args)
    return wrapper

@decorator
def decorated():
    return 1

@dataclasses.dataclass
class Data:
    x: int = 1
    @property
    def twice(self): return 2 * self.x
    @staticmethod
    def other(): return __class__
    async def later(self):
        async for item in self: yield item

class Child(Data):
    def twice_again(self): return super().twice

def member_again(x): return [i for i in x if i in {1, 2, 3}]
'''


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module that was compiled in another process, with other hashes of strings."""
    (tmp_path / "zt_compiled.py").write_text(TEXT, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    code = "import zt_compiled"
    environment = {"PYTHONPATH": str(tmp_path), "PYTHONHASHSEED": "77", "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, cwd=tmp_path)
    assert list((tmp_path / "__pycache__").iterdir())
    yield importlib.import_module("zt_compiled")
    del sys.modules["zt_compiled"]


def test_a_module_that_was_not_edited_is_taken_as_it_is(module, tmp_path):
    assert loaded_text("zt_compiled", tmp_path / "zt_compiled.py") == TEXT


@pytest.mark.parametrize(
    ("old", "new"),
    [("return 1", "return 2"), ("2 * self.x", "3 * self.x"), ("i in {1, 2, 3}", "i in {1, 2, 4}")],
)
def test_an_edit_of_a_function_before_the_first_look_is_noticed(module, tmp_path, old, new):
    file = tmp_path / "zt_compiled.py"
    file.write_text(TEXT.replace(old, new), encoding="utf-8")
    if old == "return 1":  # behind a decorator that does not say so, it cannot be found
        assert loaded_text("zt_compiled", file) == TEXT.replace(old, new)
    else:
        with pytest.raises(StepDefinitionError, match="zt_compiled was edited"):
            loaded_text("zt_compiled", file)


def test_a_text_stays_that_of_the_loaded_module_until_it_is_loaded_again(module, tmp_path):
    file = tmp_path / "zt_compiled.py"
    note_loaded()
    file.write_text(TEXT + "x = 1\n", encoding="utf-8")
    assert loaded_text("zt_compiled", file) == TEXT
    importlib.reload(module)
    assert loaded_text("zt_compiled", file) == TEXT + "x = 1\n"


def test_modules_that_cannot_be_looked_at_do_not_stand_in_the_way(tmp_path, monkeypatch):
    class Lazy(type(sys)):
        def __getattr__(self, name):
            raise ImportError(name)

    broken = type(sys)("zt_broken")
    broken.__file__ = str(tmp_path / "zt_broken.py")
    (tmp_path / "zt_broken.py").write_bytes(b"# -*- coding: nonsense -*-\n\xff")
    monkeypatch.setitem(sys.modules, "zt_broken", broken)
    monkeypatch.setitem(sys.modules, "zt_lazy", Lazy("zt_lazy"))
    monkeypatch.setitem(sys.modules, "zt_object", object())
    note_loaded()
