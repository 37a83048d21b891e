"""Training runs side by side: as a table in a terminal or a notebook, a DataFrame, or a page."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zentfx.analysis.compare import ABSENT, Table
from zentfx.light_imports import uncollected
from zentfx.stores.files import write_whole
from zentfx.views.listing import is_number
from zentfx.views.terminal import terminal_text

if TYPE_CHECKING:
    import jinja2
    import pandas as pd

__all__ = ["Comparison"]

_ROWS_ON_A_TERMINAL = 60
_ROWS_IN_A_NOTEBOOK = 500
_EMPTY = "No training runs yet: a run with a trainer shows here."


class Comparison:
    """Training runs side by side, one row a run.

    Printed it is a table, in a notebook an HTML one; :meth:`to_dataframe` gives it to pandas, and
    :meth:`save` makes a page of it. The columns are those of the run (``run``, ``pipeline``,
    ``version``, ``status``, ``cached``, ``started``, ``duration``), then parameters as
    ``<step>.<parameter>``, then metrics as ``metrics.<step>.<name>``.

    Args:
        table: The comparison as plain data.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    @property
    def table(self) -> Table:
        """The comparison as plain data."""
        return self._table

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return self._table.columns

    def __len__(self) -> int:
        return len(self._table)

    def to_records(self) -> list[dict[str, Any]]:
        """The rows as plain data: value by column, without those that do not apply to a run."""
        return list(self._table.rows)

    def to_dataframe(self) -> pd.DataFrame:
        """Makes a DataFrame of it.

        Returns:
            One row a run. ``started`` is a time in UTC, ``duration`` in seconds (NaN while it
            runs), metrics are float64 (NaN where there is none). Parameters are as they were
            bound, lists and dicts as JSON text, and None where a run has no such parameter.
        """
        with uncollected():
            return self._frame()

    def _frame(self) -> pd.DataFrame:
        import pandas as pd

        data: dict[str, Any] = {  # marks and annotations as texts, None where there are none
            name: pd.Series([None if value is ABSENT else value for value in column], dtype=object)
            for name, column in self._table.cells.items()
        }
        for name in ("duration", *self._table.metrics):
            data[name] = pd.to_numeric(data[name]).astype("float64")
        for name, kind in (("version", "int64"), ("cached", "bool")):
            data[name] = data[name].astype(kind)
        data["started"] = pd.to_datetime(data["started"], utc=True)
        for name in self._table.parameters:
            if not data[name].isna().any():  # pandas would make floats of ints and None
                data[name] = data[name].infer_objects()
        return pd.DataFrame(data)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes a page that needs nothing else: sortable, with the best values marked.

        Args:
            path: The HTML file.

        Returns:
            The file.

        Raises:
            OSError: If it cannot be written; then an earlier file of that name is as it was.
        """
        target = Path(path)
        count = len(self)
        summary = f"{count} training runs. A click on a column sorts." if count else _EMPTY
        text = _rendered("comparison.html.j2", summary=summary, **self._layout(count))
        write_whole(target, text)
        return target

    def _repr_html_(self) -> str:
        if not len(self):
            return f"<p>{_EMPTY}</p>"
        shown = _rendered("comparison_table.html.j2", **self._layout(_ROWS_IN_A_NOTEBOOK))
        left_out = len(self) - _ROWS_IN_A_NOTEBOOK
        return f"{shown}<p>… and {left_out} earlier ones.</p>" if left_out > 0 else shown

    def __repr__(self) -> str:
        if not len(self):
            return _EMPTY
        return terminal_text(
            self.columns,
            self._cells(_ROWS_ON_A_TERMINAL),
            left_out=max(0, len(self) - _ROWS_ON_A_TERMINAL),
        )

    def _layout(self, newest: int) -> dict[str, Any]:
        """What the templates show of the newest runs."""
        groups = [
            {"title": title, "width": width}
            for title, width in (
                ("run", len(self._table.about)),
                ("parameters", len(self._table.parameters)),
                ("metrics", len(self._table.metrics)),
            )
            if width
        ]
        columns = [{"name": name, "title": name.removeprefix("metrics.")} for name in self.columns]
        rows = [
            {
                "repeat": row["cached"],
                "cells": [
                    {
                        "text": cell["text"],
                        "sort": cell["sort"],
                        "kind": " ".join(
                            kind for kind in ("number", "best", "absent") if cell[kind]
                        ),
                    }
                    for cell in cells
                ],
            }
            for row, cells in zip(self._newest(newest), self._cells(newest), strict=True)
        ]
        return {"groups": groups, "columns": columns, "rows": rows}

    def _newest(self, newest: int) -> list[dict[str, Any]]:
        return [self._table.row(index) for index in range(len(self))[-newest:]] if newest else []

    def _cells(self, newest: int) -> list[list[dict[str, Any]]]:
        none: frozenset[int] = frozenset()
        rows = list(enumerate(self._newest(newest), start=max(0, len(self) - newest)))
        return [
            [
                _cell(name, row) | {"best": index in self._table.best.get(name, none)}
                for name in self.columns
            ]
            for index, row in rows
        ]


def _cell(name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """One value: as people read it, and as it is sorted."""
    absent = name not in row or (name == "duration" and row[name] is None)
    value = row.get(name)
    number = is_number(value)
    if absent:
        text, sort = "", ""
    elif name == "cached":
        text, sort = ("repeat" if value else ""), str(int(bool(value)))
    elif isinstance(value, datetime):
        text, sort = f"{value:%Y-%m-%d %H:%M:%S}", str(value.timestamp())
    elif name == "duration":
        text, sort = f"{value:.1f} s", repr(value)
    elif isinstance(value, float):
        text, sort = f"{value:.6g}", repr(value)
    else:
        text = sort = str(value)
    return {"text": text, "sort": sort, "number": number, "absent": absent}


def _rendered(template: str, **values: Any) -> str:
    return _templates().get_template(template).render(**values)


@cache
def _templates() -> jinja2.Environment:
    import jinja2

    # Names of pipelines, parameters and metrics are anybody's: all that is inserted is escaped.
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
