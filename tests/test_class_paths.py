"""Dotted names of classes, there and back."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

import zentfx
from zentfx import TrainerStep
from zentfx.class_paths import class_path, find_class
from zentfx.errors import NotFoundError, ZenTFXError


class Outer:
    class Inner:
        pass


def local_class():
    class Local:
        pass

    return Local


CLASSES = [
    getattr(zentfx, name) for name in zentfx.__all__ if isinstance(getattr(zentfx, name), type)
]


@pytest.mark.parametrize("cls", [Outer, Outer.Inner, dict, *CLASSES], ids=lambda cls: cls.__name__)
def test_the_path_of_a_class_finds_it_again(cls):
    assert find_class(class_path(cls)) is cls


def test_a_public_class_goes_by_its_public_name():
    assert class_path(TrainerStep) == "zentfx.TrainerStep"


def test_a_class_of_the_users_that_is_called_like_a_public_one_keeps_its_own_path():
    class TrainerStep:
        pass

    TrainerStep.__qualname__ = "TrainerStep"
    assert class_path(TrainerStep) == f"{__name__}.TrainerStep"


def test_a_private_class_of_zentfx_goes_by_its_module():
    from zentfx.steps.options import StepOptions

    assert class_path(StepOptions) == "zentfx.steps.options.StepOptions"


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        ".x",
        "..x",
        "a..b",
        "x.",
        "TrainerStep",
        "zentfx",
        "zentfx.Trainer",
        "zentfx.trainer_of_mine.T",
        "no_such_module.Step",
        "os.path.join",
        "os.path.join.x",
        "os.sep",
        "a b.c",
        "os\0.x",
        "1.2",
    ],
)
def test_what_is_no_class_is_not_found(path):
    with pytest.raises(NotFoundError, match="There is no class"):
        find_class(path)


def test_a_class_inside_a_function_has_no_name_that_another_process_could_use():
    with pytest.raises(NotFoundError, match="notebook or a script"):
        find_class(class_path(local_class()))


@given(st.text(st.characters(codec="utf-8"), max_size=12))
def test_no_text_breaks_the_look_up(text):
    try:
        found = find_class(text)
    except ZenTFXError:
        return
    assert isinstance(found, type)


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes a module that can be imported, and forgets it afterwards."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(name, text):
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        monkeypatch.delitem(sys.modules, name, raising=False)

    yield write
    for file in tmp_path.glob("*.py"):
        sys.modules.pop(file.stem, None)


def test_a_module_that_needs_what_is_not_installed_says_so(module):
    module("zt_needs", "import not_installed_at_all\nclass S: pass\n")
    with pytest.raises(NotFoundError, match="cannot be imported: No module named 'not_inst"):
        find_class("zt_needs.S")


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("def (:\n", SyntaxError),
        ("1 / 0\n", ZeroDivisionError),
        ("from os import no_such_name\n", ImportError),
    ],
)
def test_a_module_that_fails_to_import_is_named_with_its_error(module, text, cause):
    module("zt_broken", text)
    with pytest.raises(NotFoundError, match=f"zt_broken raises {cause.__name__}") as caught:
        find_class("zt_broken.S")
    assert isinstance(caught.value.__cause__, cause)
