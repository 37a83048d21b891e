"""The public door: what it names, where it leads, and what going through it costs."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import zentfx

DOOR = ast.parse(Path(zentfx.__file__).read_text(encoding="utf-8"))


def type_checking_imports():
    """Name to module, as type checkers see the door."""
    [block] = [node for node in DOOR.body if isinstance(node, ast.If)]
    return {
        alias.asname or alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def in_a_new_process(code, cwd):
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(zentfx.__file__).parents[1])},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_type_checkers_and_python_find_the_same_things_behind_the_door():
    assert type_checking_imports() == zentfx._HOMES


def test_all_lists_what_the_door_leads_to_and_the_version():
    assert sorted(zentfx.__all__) == sorted([*zentfx._HOMES, "__version__"])
    assert zentfx.__all__ == sorted(zentfx.__all__)


@pytest.mark.parametrize("name", sorted(zentfx._HOMES))
def test_every_public_name_leads_to_its_home(name):
    assert getattr(zentfx, name) is getattr(importlib.import_module(zentfx._HOMES[name]), name)


@pytest.mark.parametrize("name", sorted(zentfx._HOMES))
def test_every_home_says_that_the_name_is_public(name):
    assert name in importlib.import_module(zentfx._HOMES[name]).__all__


@pytest.mark.parametrize("name", sorted(zentfx._HOMES))
def test_every_public_thing_has_a_docstring(name):
    assert getattr(zentfx, name).__doc__.strip()


def test_dir_lists_the_public_names_before_they_are_loaded(tmp_path):
    code = "import zentfx; print(set(zentfx.__all__) <= set(dir(zentfx)))"
    assert in_a_new_process(code, tmp_path).strip() == "True"


def test_an_unknown_name_is_an_attribute_error_that_says_which():
    with pytest.raises(AttributeError, match="'zentfx' has no attribute 'Repo'"):
        zentfx.Repo  # noqa: B018 - looking it up is the test


def test_importing_zentfx_loads_nothing_that_is_not_needed_yet(tmp_path):
    code = (
        "import sys; before = set(sys.modules); import zentfx\n"
        "print({name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    loaded = ast.literal_eval(in_a_new_process(code, tmp_path))
    assert "zentfx" in loaded
    assert loaded <= {"zentfx", *sys.stdlib_module_names}


def test_import_star_brings_exactly_what_all_lists(tmp_path):
    code = (
        "from zentfx import *\nprint(sorted(name for name in dir() if not name.startswith('__')))"
    )
    public = sorted(name for name in zentfx.__all__ if name != "__version__")
    assert ast.literal_eval(in_a_new_process(code, tmp_path)) == public
