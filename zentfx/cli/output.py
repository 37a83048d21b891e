"""What commands print: tables for people, JSON for programs."""

from __future__ import annotations

import dataclasses
import io
import json
import math
import os
import shutil
import sys
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click

__all__ = [
    "Best",
    "clean_lines",
    "echo",
    "echo_json",
    "echo_table",
    "exact",
    "note",
    "plain",
    "shown",
]

_PIPE_CLOSED = 141  # what shells say of a process that SIGPIPE ended
_LONGEST = 40  # characters of a text in a table that is not there to be copied
_NARROWEST = 10  # what a column beside the first is given, however narrow the terminal

# As the progress of a run has them.
_STYLES = {
    "running": "cyan",
    "completed": "green",
    "cached": "blue",
    "failed": "red",
    "crashed": "red",
    "canceled": "yellow",
    "skipped": "yellow",
}


@dataclasses.dataclass(frozen=True)
class Best:
    """The best value of a column.

    Attributes:
        value: The value.
    """

    value: Any


def echo(text: str | bytes, newline: bool = True) -> None:
    """Prints to stdout; if nobody reads it any more, the process ends, without a word.

    Args:
        text: The text, or bytes to be written as they are.
        newline: Whether to end the line.
    """
    try:
        click.echo(text, nl=newline)
    except OSError as error:
        # Python would try again at its end, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            sys.exit(_PIPE_CLOSED)
        raise


def note(text: str) -> None:
    """Tells people something beside the output, on stderr.

    Args:
        text: A sentence.
    """
    click.echo(clean_lines(text), err=True)


def echo_json(data: Any) -> None:
    """Prints data as JSON.

    Args:
        data: Anything; see :func:`plain`.
    """
    echo(json.dumps(plain(data), indent=2, allow_nan=False))


def plain(value: Any) -> Any:
    """A value as JSON can hold it.

    Args:
        value: Anything.

    Returns:
        The data: times in UTC as ISO text; paths and secrets as in YAML, ``{"$path": …}`` and
        ``{"$secret": …}``; numbers that are none as ``"NaN"``, ``"Infinity"`` and ``"-Infinity"``.
    """
    from zentfx.parameters import Secret, encode

    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat()
    if isinstance(value, (Path, Secret)):
        return encode(value)
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain(dataclasses.asdict(value))
    return str(value)


def clean_lines(text: str) -> str:
    """The same for a text of several lines.

    Args:
        text: The text.

    Returns:
        It, line by line as :func:`printable` makes it, without tabs.
    """
    from zentfx.analysis.printable import printable  # help needs none of it

    return "\n".join(printable(line.expandtabs()) for line in text.split("\n"))


def shown(value: Any) -> str:
    """A value as people read it.

    Args:
        value: Anything.

    Returns:
        One line of text.
    """
    from zentfx.views.listing import cell_text

    if isinstance(value, Best):
        return f"{shown(value.value)} ★"
    return cell_text(value.astimezone(timezone.utc) if isinstance(value, datetime) else value)


def exact(value: Any) -> str:
    """A value so that two that differ look different.

    Args:
        value: Anything; lists and dicts are shown as JSON.

    Returns:
        One line of text.
    """
    from zentfx.analysis.compare import cell
    from zentfx.analysis.printable import printable

    if isinstance(value, datetime):
        return f"{shown(value)}.{value.microsecond // 1000:03d}"
    text = cell(value)
    return printable(text if isinstance(text, str) else repr(text))


def echo_table(
    titles: Sequence[str],
    rows: Sequence[Sequence[Any]],
    cut: Collection[str] = (),
    optional: Collection[str] = (),
) -> None:
    """Prints a table: drawn, as wide as the terminal; elsewhere one line a row, however long.

    Args:
        titles: Titles of the columns. On a terminal the first column stands in every part of a
            table that is too wide.
        rows: The rows, a value a column.
        cut: Titles of columns whose texts may be cut; all others are whole.
        optional: Titles of columns that are left out where nothing is in them.
    """
    from zentfx.analysis.printable import printable

    heads, columns, right = [], [], []
    for title, values in zip(titles, zip(*rows, strict=True), strict=True):
        texts = [_cut(shown(value)) if title in cut else shown(value) for value in values]
        if title in optional and not any(texts):
            continue
        heads.append(printable(title))
        columns.append(texts)
        right.append(any(map(_is_number, values)))
    cells = list(zip(*columns, strict=True))
    if sys.stdout is not None and sys.stdout.isatty():
        echo(_drawn(heads, cells, right, shutil.get_terminal_size().columns), newline=False)
    else:
        echo(_aligned(heads, cells, right))


def _is_number(value: Any) -> bool:
    from zentfx.views.listing import is_number

    value = value.value if isinstance(value, Best) else value
    return is_number(value)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _widths(titles: Sequence[str], cells: Sequence[Sequence[str]]) -> list[int]:
    from rich.cells import cell_len  # of wide characters

    return [
        max(cell_len(line) for text in column for line in text.split("\n"))
        for column in zip(titles, *cells, strict=True)
    ]


def _aligned(titles: Sequence[str], cells: Sequence[Sequence[str]], right: Sequence[bool]) -> str:
    from rich.cells import cell_len

    widths = _widths(titles, cells)
    lines = []
    for row in (titles, *cells):
        parts = []
        for text, width, to_the_right in zip(row, widths, right, strict=True):
            space = " " * (width - cell_len(text))
            parts.append(space + text if to_the_right else text + space)
        lines.append("  ".join(parts).rstrip())
    return "\n".join(lines)


def _drawn(
    titles: Sequence[str], cells: Sequence[Sequence[str]], right: Sequence[bool], width: int
) -> str:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from zentfx.views.terminal import BORDERS, blocks

    titles = [title.replace(".", ".\n") for title in titles]
    widths = _widths(titles, cells)
    narrowest = widths[0] + 1 + BORDERS + (BORDERS + _NARROWEST if len(titles) > 1 else 0)
    file = io.StringIO()
    console = Console(file=file, width=max(width, narrowest), force_terminal=True)
    for block in blocks(widths, width):
        table = Table()
        for index in block:
            table.add_column(
                # As Text: brackets in a name are not rich's markup.
                Text(titles[index]),
                justify="right" if right[index] else "left",
                no_wrap=index == 0,
                overflow="fold",
            )
        for row in cells:
            table.add_row(*(Text(row[index], _STYLES.get(row[index], "")) for index in block))
        console.print(table)
    return file.getvalue()
