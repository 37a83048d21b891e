"""Tables for terminals: wide ones in blocks, each as wide as the terminal."""

from __future__ import annotations

import io
import shutil
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["BORDERS", "blocks", "terminal_text"]

_WIDEST_CELL = 40
BORDERS = 3  # around each column: a line and two spaces


def terminal_text(
    columns: Sequence[str],
    rows: Sequence[Sequence[Mapping[str, Any]]],
    left_out: int = 0,
    whole: Sequence[str] = (),
) -> str:
    """Draws a table.

    Args:
        columns: Names of the columns; the first stands in every block.
        rows: For each row its cells, with ``text``, ``best`` and ``number``.
        left_out: How many earlier rows are not among them.
        whole: Columns whose texts are not cut.

    Returns:
        The text, without colours.
    """
    from rich.console import Console

    width = shutil.get_terminal_size((160, 24)).columns
    heads = [name.replace(".", ".\n") for name in columns]
    texts = [
        [_text(cell, cut=name not in whole) for name, cell in zip(columns, row, strict=True)]
        for row in rows
    ]
    widths = [
        max(len(line) for line in [*head.split("\n"), *(row[index] for row in texts)])
        for index, head in enumerate(heads)
    ]
    file = io.StringIO()
    console = Console(file=file, width=width, color_system=None)
    for block in blocks(widths, width):
        console.print(_table(heads, texts, rows, block))
    if left_out:
        console.print(f"… and {left_out} earlier ones.")
    return file.getvalue().rstrip("\n")


def _text(cell: Mapping[str, Any], cut: bool) -> str:
    text = str(cell["text"])
    if cut and len(text) > _WIDEST_CELL:
        text = f"{text[: _WIDEST_CELL - 1]}…"
    return f"{text} ★" if cell["best"] else text


def blocks(widths: Sequence[int], width: int) -> list[list[int]]:
    """Which columns of a table stand side by side.

    Args:
        widths: Widths of the columns; the first column stands in every block.
        width: That of the terminal.

    Returns:
        Indexes of the columns of each block.
    """
    first = widths[0] + BORDERS + 1
    found = [[0]]
    used = first
    for index in range(1, len(widths)):
        needed = widths[index] + BORDERS
        if used + needed > width and len(found[-1]) > 1:
            found.append([0])
            used = first
        found[-1].append(index)
        used += needed
    return found


def _table(
    heads: Sequence[str],
    texts: Sequence[Sequence[str]],
    rows: Sequence[Sequence[Mapping[str, Any]]],
    block: Sequence[int],
) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for index in block:
        numbers = any(row[index]["number"] for row in rows)
        # As Text: brackets in a name are not rich's markup.
        table.add_column(Text(heads[index]), justify="right" if numbers else "left")
    for row in texts:
        table.add_row(*(Text(row[index]) for index in block))
    return table
