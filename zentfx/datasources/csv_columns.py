"""The kinds of CSV columns, by all their cells, and their values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from zentfx.datasources.csv_format import CSVFormat
from zentfx.datasources.csv_lines import line_of_row
from zentfx.datasources.csv_reader import read_cells, read_names
from zentfx.errors import DataError, near_matches
from zentfx.materializers.cells import Cells
from zentfx.materializers.finite import NonFinite, first_not_finite, without_not_finite

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ScannedColumns", "scan_columns", "typed_batches"]

# Fewer numbers than this among the first cells: nobody takes the column for one of numbers.
_FEW = 0.5
_ENOUGH_CELLS = 1000
# A column of text is probably meant to hold numbers if this share of its cells does.
_NEARLY_ALL = 0.9
_FEWEST_NUMBERS = 3
_SHOWN = 40
_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")


@dataclass(frozen=True)
class ScannedColumns:
    """What was seen in the columns of CSV files.

    Attributes:
        kinds: ``int``, ``float``, ``string`` or ``empty`` by column, in the order of the first
            file.
        warnings: What the user should know: columns that are probably meant to hold numbers.
    """

    kinds: dict[str, str]
    warnings: list[str]


@dataclass(frozen=True)
class _Place:
    """A cell.

    Attributes:
        file: Its file.
        row: Its row below the names, from 0.
        text: What it holds.
    """

    file: Path
    row: int
    text: str

    def describe(self, form: CSVFormat, column: str) -> str:
        line = line_of_row(self.file, form, self.row)
        where = f"{self.file}, line {line}" if line else f"{self.file}, row {self.row + 1}"
        return f"{where}, column {column!r}"

    @property
    def shown(self) -> str:
        return repr(self.text if len(self.text) <= _SHOWN else f"{self.text[:_SHOWN]}…")


@dataclass
class _Column:
    """What was seen in one column so far.

    Attributes:
        kind: The narrowest kind that holds all cells.
        declared: Whether the user has said its kind.
        numbers: How many cells were numbers.
        texts: How many were not.
        commas: How many of those are numbers with a decimal comma.
        examples: Up to two different cells that were not numbers.
        first_text: The first cell that makes the column text.
        odd_number: The first number that is infinite, or too large for float32.
    """

    kind: str = "empty"
    declared: bool = False
    numbers: int = 0
    texts: int = 0
    commas: int = 0
    examples: set[str] = field(default_factory=set)
    first_text: _Place | None = None
    odd_number: _Place | None = None

    def add(self, cells: Cells, file: Path, first_row: int) -> None:
        """Looks at one more batch.

        Args:
            cells: The cells.
            file: Their file.
            first_row: Row of the first of them.
        """
        kind = self.kind if self.declared else _wider(self.kind, cells)
        if self.odd_number is None and kind == "float":
            index = first_not_finite(cells.numbers)
            if index is not None:
                self.odd_number = _place(cells, index, file, first_row)
        if kind != "string":
            self.numbers += cells.present
        elif not self.is_text:
            self._count(cells, file, first_row)
        self.kind = kind

    def _count(self, cells: Cells, file: Path, first_row: int) -> None:
        import pyarrow.compute as pc

        mask = cells.are_numbers
        numbers = pc.sum(mask).as_py() or 0
        self.numbers += numbers
        self.texts += cells.present - numbers
        self.commas += cells.count_matches(_COMMA.pattern)
        index = cells.first_not_number
        if index is None:
            index = cells.first_long_integer
        if self.first_text is None and index is not None:
            self.first_text = _place(cells, index, file, first_row)
        if len(self.examples) < 2:
            others = pc.unique(cells.stripped.filter(pc.invert(mask)))
            self.examples.update(others[:2].to_pylist())

    @property
    def is_text(self) -> bool:
        """Whether so many cells hold text that no more need be counted."""
        seen = self.numbers + self.texts
        return seen >= _ENOUGH_CELLS and self.numbers + self.commas < _FEW * seen

    @property
    def has_commas(self) -> bool:
        """Whether nearly all cells are numbers if a comma is the decimal point."""
        return self.commas >= _FEWEST_NUMBERS and self.commas + self.numbers >= _NEARLY_ALL * (
            self.numbers + self.texts
        )

    @property
    def nearly_numbers(self) -> bool:
        """Whether a text column is probably meant to hold numbers.

        Nearly all its cells do, or the others are all the same: an unknown marker of what is
        missing.
        """
        if self.has_commas:
            return True
        if self.numbers < _FEWEST_NUMBERS:
            return False
        share = self.numbers / (self.numbers + self.texts)
        return share >= _NEARLY_ALL or (len(self.examples) <= 1 and share >= _FEW)


def scan_columns(
    files: Sequence[Path],
    form: CSVFormat,
    types: Mapping[str, str],
    non_finite: NonFinite = "refuse",
) -> ScannedColumns:
    """Finds the kind of each column, by all cells of all files.

    Args:
        files: CSV files with the same columns.
        form: How they are written.
        types: Kinds of columns that the user has said: ``int``, ``float`` or ``string``.
        non_finite: What becomes of numbers that are infinite, or too large for float32.

    Returns:
        The kinds.

    Raises:
        DataError: If a file is malformed or has other columns than the first, a cell is not what
            ``types`` says, or a number is not finite and must be.
    """
    columns: dict[str, _Column] = {}
    rows = 0
    for file in files:
        names = read_names(file, form)
        if not columns:
            columns = {name: _Column(types.get(name, "empty"), name in types) for name in names}
            _check_types(types, columns, files[0])
        elif sorted(names) != sorted(columns):
            odd = sorted(set(names) ^ set(columns))[0]
            raise DataError(
                f"{file}: its columns are not those of {files[0]} ({odd!r} is only in one)."
            )
        first_row = 0
        for batch in read_cells(file, form):
            for index, name in enumerate(names):
                cells = Cells(batch.column(index), form.missing, form.decimal)
                if types.get(name) in ("int", "float"):
                    _check_declared(cells, types[name], _Batch(file, first_row, form, name))
                if types.get(name) != "string":
                    columns[name].add(cells, file, first_row)
            first_row += batch.num_rows
        rows += first_row
    if not rows:
        raise DataError(f"{files[0]} has no rows; expected a line of column names, and data below.")
    if non_finite == "refuse":
        _check_finite(columns, form)
    warnings = [
        _suggestion(name, column, form)
        for name, column in columns.items()
        if column.kind == "string" and column.first_text and column.nearly_numbers
    ]
    return ScannedColumns({name: column.kind for name, column in columns.items()}, warnings)


def typed_batches(
    files: Sequence[Path],
    form: CSVFormat,
    kinds: Mapping[str, str],
    non_finite: NonFinite = "refuse",
) -> Iterator[pa.RecordBatch]:
    """Reads CSV files, each column by its kind.

    Args:
        files: The files.
        form: How they are written.
        kinds: Kinds from :func:`scan_columns`.
        non_finite: What becomes of numbers that are infinite, or too large for float32.

    Yields:
        Batches in the columns' order of ``kinds``: int64, float32, or binary (UTF-8) columns, null
        where a value is missing.

    Raises:
        DataError: If a file cannot be read, or is no longer what it was when it was scanned.
    """
    import pyarrow as pa

    for file in files:
        first_row = 0
        for batch in read_cells(file, form):
            arrays = []
            for name, kind in kinds.items():
                texts = batch.column(batch.schema.get_field_index(name))
                cells = Cells(texts, form.missing, form.decimal)
                arrays.append(_values(cells, kind, _Batch(file, first_row, form, name), non_finite))
            yield pa.RecordBatch.from_arrays(arrays, list(kinds))
            first_row += batch.num_rows


@dataclass(frozen=True)
class _Batch:
    """Where a batch of one column is from."""

    file: Path
    first_row: int
    form: CSVFormat
    column: str

    def describe(self, cells: Cells, index: int) -> tuple[str, str]:
        """Where a cell is, and what it holds."""
        place = _place(cells, index, self.file, self.first_row)
        return place.describe(self.form, self.column), place.shown


def _values(cells: Cells, kind: str, batch: _Batch, non_finite: NonFinite) -> pa.Array:
    import pyarrow as pa

    if kind == "empty":
        return pa.nulls(len(cells.stripped))
    if kind == "string":
        return cells.texts.cast(pa.binary())
    _check_declared(cells, kind, batch)
    if kind == "int":
        return cells.integers
    index = first_not_finite(cells.numbers)
    if index is not None and non_finite == "refuse":
        raise _not_finite(*batch.describe(cells, index))
    return without_not_finite(cells.numbers)


def _check_declared(cells: Cells, kind: str, batch: _Batch) -> None:
    if (cells.integers if kind == "int" else cells.numbers) is not None:
        return
    index = cells.first_not_integer if kind == "int" else cells.first_not_number
    assert index is not None
    where, shown = batch.describe(cells, index)
    wanted = "a 64-bit integer" if kind == "int" else "a number"
    raise DataError(
        f"{where}: expected {wanted}, got {shown}.{_cell_hint(cells, index, kind, batch)}"
    )


def _cell_hint(cells: Cells, index: int, kind: str, batch: _Batch) -> str:
    text = cells.stripped[index].as_py()
    if kind == "int" and cells.are_numbers[index].as_py():
        return f" Write types={{{batch.column!r}: 'float'}}."
    if _COMMA.fullmatch(text) and batch.form.decimal == ".":
        return " If the comma is the decimal point, write decimal=','."
    return " If it marks a missing value, add it to missing=[…]."


def _check_types(types: Mapping[str, str], columns: Mapping[str, _Column], file: Path) -> None:
    for name in types:
        if name not in columns:
            raise DataError(
                f"types names {name!r}, which {file} does not have.{near_matches(name, columns)}"
            )


def _check_finite(columns: Mapping[str, _Column], form: CSVFormat) -> None:
    for name, column in columns.items():
        place = column.odd_number
        if place is not None and column.kind == "float":
            raise _not_finite(place.describe(form, name), place.shown)


def _not_finite(where: str, shown: str) -> DataError:
    return DataError(
        f"{where}: {shown} is infinite, or too large for a 32-bit float; training and evaluation "
        "would give NaN. Fix it, or write non_finite='missing' to take such numbers for missing."
    )


def _wider(kind: str, cells: Cells) -> str:
    """The kind that holds what was seen before and one more batch."""
    order = ["empty", "int", "float", "string"]
    return kind if kind == "string" else max(kind, cells.kind, key=order.index)


def _place(cells: Cells, index: int, file: Path, first_row: int) -> _Place:
    return _Place(file, first_row + index, cells.stripped[index].as_py())


def _suggestion(name: str, column: _Column, form: CSVFormat) -> str:
    place = column.first_text
    assert place is not None
    where = place.describe(form, name)
    if not column.texts:
        return (
            f"{where}: the column is read as strings, because {place.shown} does not fit in 64 "
            f"bits. Write types={{{name!r}: 'float'}} if it counts something, or types={{{name!r}: "
            "'string'} if it names something."
        )
    seen = column.numbers + column.texts
    if column.has_commas and form.decimal == ".":
        return (
            f"{where}: the column is read as strings because of {place.shown}. If the comma is the "
            "decimal point, write decimal=','; if the column is text, "
            f"types={{{name!r}: 'string'}}."
        )
    alone = len(column.examples) == 1
    fix = f"{place.shown} marks a missing value" if alone else "such cells mark missing values"
    return (
        f"{where}: the column is read as strings because of {place.shown}, while {column.numbers} "
        f"of its {seen} cells are numbers. If {fix}, write missing=[{place.shown}, …]; if the "
        f"column is text, types={{{name!r}: 'string'}}."
    )
