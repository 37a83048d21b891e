"""Two things side by side, printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zentfx.cli.output import echo_json, echo_table, exact, note

if TYPE_CHECKING:
    from zentfx.analysis.differences import Difference

__all__ = ["echo_differences"]


def echo_differences(
    lines: Sequence[Difference], names: Sequence[str | int], all_values: bool, as_json: bool
) -> None:
    """Prints a comparison of two.

    Args:
        lines: Its lines.
        names: What the two are called.
        all_values: Whether values are among them that are the same.
        as_json: Whether to print JSON.
    """
    from zentfx.analysis.compare import ABSENT

    if as_json:
        values = [
            {
                "name": line.name,
                **{
                    side: value
                    for side, value in (("first", line.first), ("second", line.second))
                    if value is not ABSENT
                },
                "same": line.same,
            }
            for line in lines
        ]
        echo_json({"first": names[0], "second": names[1], "values": values})
    elif lines:
        rows = [
            [line.name, *("" if item is ABSENT else exact(item) for item in line[1:3])]
            + (["" if line.same else "≠"] if all_values else [])
            for line in lines
        ]
        echo_table(["what", *map(str, names), *(["differs"] if all_values else [])], rows)
    else:
        note("Nothing differs.")
