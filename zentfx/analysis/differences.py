"""Two things side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from zentfx.analysis.compare import ABSENT, cell, same

__all__ = ["Difference", "side_by_side"]


class Difference(NamedTuple):
    """One line of a comparison.

    Attributes:
        name: What is compared.
        first: Its value in the first; ``ABSENT`` where that has none.
        second: Its value in the second, likewise.
        same: Whether they are equal, also in type.
    """

    name: str
    first: Any
    second: Any
    same: bool


def side_by_side(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Difference]:
    """Compares two sets of named values.

    Args:
        first: Value by name.
        second: Value by name.

    Returns:
        A line a name, in the order of the first, then what the second alone has.
    """
    lines = []
    for name in dict.fromkeys([*first, *second]):
        one, other = (values.get(name, ABSENT) for values in (first, second))
        lines.append(Difference(name, cell(one), cell(other), same(one, other)))
    return lines
