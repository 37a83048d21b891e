"""Annotations that name what is not imported at run time."""

from __future__ import annotations

import typing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import pytest

from zentfx.steps.outputs import ArtifactConfig, declared_outputs
from zentfx.steps.type_checks import checked
from zentfx.type_hints import Unresolved, is_unresolved, resolved_hints

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.base import BaseEstimator


def split(
    frame: pd.DataFrame, rows: int, extra: list[pd.Series] | None = None
) -> tuple[Annotated[pd.DataFrame, "train"], Annotated[BaseEstimator, ArtifactConfig("best")]]:
    return frame, frame


def test_the_rest_of_an_annotation_is_read():
    hints = resolved_hints(split)
    assert hints["rows"] is int
    assert hints["frame"].text == "pd.DataFrame"
    assert typing.get_origin(hints["return"]) is tuple
    assert [is_unresolved(hints[name]) for name in ("frame", "rows", "extra", "return")] == [
        True,
        False,
        True,
        True,
    ]


def test_outputs_of_such_types_have_their_names():
    assert [(output.key, output.name) for output in declared_outputs(split)] == [
        ("train", "train"),
        ("best", "best"),
    ]


def constructs(
    a: Optional[Missing],  # noqa: F821, UP007 - the subject, as all below
    b: Missing | None,  # noqa: F821
    c: None | Missing,  # noqa: F821
    d: dict[str, Missing.Inner[int]],  # noqa: F821
    e: Annotated[Missing, "e"],  # noqa: F821
    f: typing.Callable[[Missing], int],  # noqa: F821
):
    pass


@pytest.mark.parametrize("name", "abcdef")
def test_wherever_the_name_stands(name):
    # In the parameters of a callable nothing is looked at.
    assert is_unresolved(resolved_hints(constructs)[name]) is (name != "f")


@pytest.mark.parametrize("name", "abcde")
def test_every_value_is_taken_for_it(name):
    assert checked(3, resolved_hints(constructs)[name], "f: x") == 3


def test_what_cannot_be_evaluated_at_all_is_unresolved_as_a_whole():
    def wrong(a: 1 / 0, b: int):
        pass

    hints = resolved_hints(wrong)
    assert hints["a"] == Unresolved("1 / 0", "division by zero")
    assert hints["b"] is int


def test_values_in_a_literal_are_not_names():
    def literal(a: typing.Literal["Missing", 1], b: Missing) -> Any:  # noqa: F821
        pass

    assert not is_unresolved(resolved_hints(literal)["a"])


def test_what_is_not_there_in_one_module_is_there_in_another():
    # `typing` keeps one `List["Path"]` for all modules, with what its name once was.
    space = {}
    text = "from typing import List\ndef f(paths: List['Path'], more: 'List[\"Path\"]'): pass"
    exec(text, space)
    assert is_unresolved(resolved_hints(space["f"])["paths"])
    assert is_unresolved(resolved_hints(space["f"])["more"])
    other = {"Path": Path}
    exec(text, other)
    wanted = {"paths": list[Path], "more": list[Path]}
    assert typing.get_type_hints(other["f"]) == resolved_hints(other["f"])
    assert {name: typing.get_args(hint) for name, hint in resolved_hints(other["f"]).items()} == {
        name: typing.get_args(hint) for name, hint in wanted.items()
    }


def test_one_name_in_two_modules_is_two_things():
    text = "from typing import List\nclass Table: pass\ndef f(tables: List['Table']): pass"
    first, second = {}, {}
    for space in (first, second):
        exec(text, space)
        assert typing.get_args(resolved_hints(space["f"])["tables"]) == (space["Table"],)
