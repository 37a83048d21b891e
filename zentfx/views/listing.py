"""Lists that print as tables, and that pandas takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any, TypeVar

from zentfx.analysis.printable import printable
from zentfx.light_imports import uncollected
from zentfx.views.terminal import terminal_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Listing", "cell_text", "exact_text", "is_number"]

_Item = TypeVar("_Item")
_WHOLE = ("id", "name")  # columns whose texts are never cut: they are there to be copied


class Listing(list[_Item]):
    """A list that prints as a table, also in a notebook; :meth:`to_dataframe` is for pandas.

    Args:
        items: The items.
        columns: What to show of an item, by column.
        empty: What to print if there are none.
        shown: How many rows to print, the last ones.
        text: How a value is printed.
    """

    def __init__(
        self,
        items: Iterable[_Item],
        columns: Mapping[str, Callable[[_Item], Any]],
        empty: str,
        shown: int = 60,
        text: Callable[[Any], str] | None = None,
    ) -> None:
        super().__init__(items)
        self._columns = dict(columns)
        self._empty = empty
        self._shown = shown
        self._text = text or cell_text

    def to_records(self) -> list[dict[str, Any]]:
        """The items as plain data: value by column."""
        return [{name: told(item) for name, told in self._columns.items()} for item in self]

    def to_dataframe(self) -> pd.DataFrame:
        """Makes a DataFrame of it, one row an item; times are in UTC."""
        with uncollected():
            import pandas as pd
        return pd.DataFrame(self.to_records(), columns=list(self._columns))

    def __repr__(self) -> str:
        if not self:
            return self._empty
        columns, rows = self._shown_rows()
        cells = [
            [{"text": text, "best": False, "number": number} for text, number in row]
            for row in rows
        ]
        return terminal_text(columns, cells, max(0, len(self) - self._shown), _WHOLE)

    def _repr_html_(self) -> str:
        if not self:
            return f"<p>{escape(self._empty)}</p>"
        columns, rows = self._shown_rows()
        head = "".join(f"<th>{escape(name)}</th>" for name in columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(text)}</td>" for text, _ in row) + "</tr>"
            for row in rows
        )
        left_out = len(self) - self._shown
        more = f"<p>… and {left_out} earlier ones.</p>" if left_out > 0 else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"

    def _shown_rows(self) -> tuple[list[str], list[list[tuple[str, bool]]]]:
        """Names of the columns in which there is anything, and the last rows: text, is a number."""
        items = self[-self._shown :]
        columns = {}
        for name, told in self._columns.items():
            values = [told(item) for item in items]
            texts = [self._text(value) for value in values]
            if any(texts):
                columns[name] = list(zip(texts, map(is_number, values), strict=True))
        return list(columns), [list(row) for row in zip(*columns.values(), strict=True)]


def cell_text(value: Any) -> str:
    """A value as people read it in a table."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (list, tuple)):
        return printable(", ".join(map(str, value)))
    return printable(str(value))


def exact_text(value: Any) -> str:
    """A value so that any two that differ are seen to."""
    return repr(value) if isinstance(value, float) else cell_text(value)


def is_number(value: Any) -> bool:
    """Whether a value is a number, to stand on the right of its column."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
