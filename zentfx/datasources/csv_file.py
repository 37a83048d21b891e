"""CSV files as a datasource, read by Arrow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zentfx.datasources.base import Datasource
from zentfx.errors import DataError, DataNotFoundError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["CSVDatasource", "csv_batches", "csv_files", "csv_kinds"]

# What an empty cell may look like. Not "NA" or "null": those are values in somebody's data.
_MISSING = ["", "NaN", "nan"]


class CSVDatasource(Datasource):
    """Reads a CSV file, or all ``*.csv`` files of a folder; wraps TFX's CsvExampleGen.

    The first line names the columns. A column whose values are all integers is ``int`` (64 bit),
    one whose values are all numbers ``float`` (32 bit), any other ``string``. An empty cell, or
    ``NaN``, is a missing value. What counts for the cache is the content of the files, not their
    names, places or times.

    Args:
        name: What the data is called, in this repository.
        path: The file or folder.
    """

    wraps = "CsvExampleGen"
    reserved = frozenset(
        {
            "input_base",
            "input_config",
            "output_config",
            "output_data_format",
            "output_file_format",
            "custom_config",
            "range_config",
        }
    )

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.path = path

    def check(self) -> None:
        """Checks that the data has a name."""
        super().check()
        if not self.name:
            raise self.refuse("name", "must not be empty.")

    def content_files(self, path: Path) -> list[Path]:
        """The CSV files; see :meth:`~zentfx.steps.base.BaseStep.content_files`."""
        return csv_files(path)

    def columns(self) -> dict[str, str]:
        """Reads the files once; see :meth:`Datasource.columns`."""
        return csv_kinds(csv_files(self.path))


def csv_files(path: Path) -> list[Path]:
    """Lists the files that a path stands for.

    Args:
        path: A file, or a folder with ``*.csv`` files.

    Returns:
        The files, sorted by name.

    Raises:
        DataNotFoundError: If there is nothing.
    """
    if path.is_dir():
        files = sorted(item for item in path.glob("*.csv") if item.is_file())
        if not files:
            raise DataNotFoundError(f"The folder {path} has no *.csv files.")
        return files
    if not path.exists():
        raise DataNotFoundError(
            f"There is no file {path}. A relative path starts from the working directory; "
            f"that is {Path.cwd()} now."
        )
    return [path]


def csv_kinds(files: list[Path]) -> dict[str, str]:
    """Finds the kind of each column, by all values of all files.

    Args:
        files: CSV files with the same columns.

    Returns:
        ``int``, ``float``, ``string`` or ``empty`` by column.

    Raises:
        DataError: If a file is empty, malformed, or has other columns than the first.
    """
    import pyarrow as pa

    kinds: dict[str, str] = {}
    rows = 0
    for file in files:
        for batch in _read(file, pa.string()):
            names = batch.schema.names
            if not kinds:
                kinds = dict.fromkeys(names, "empty")
            elif sorted(names) != sorted(kinds):
                odd = sorted(set(names) ^ set(kinds))[0]
                raise DataError(
                    f"{file}: its columns are not those of {files[0]} ({odd!r} is only in one)."
                )
            rows += batch.num_rows
            for name, column in zip(names, batch.columns, strict=False):
                kinds[name] = _widened(kinds[name], column)
    if not rows:
        raise DataError(f"{files[0]} has no rows; expected a line of column names, and data below.")
    return kinds


def csv_batches(files: list[Path], kinds: dict[str, str]) -> Iterator[pa.RecordBatch]:
    """Reads CSV files, each column by its kind.

    Args:
        files: The files.
        kinds: Kinds from :func:`csv_kinds`.

    Yields:
        Batches in the columns' order of ``kinds``: int64, float32, or binary (UTF-8) columns, null
        where a value is missing.
    """
    import pyarrow as pa

    arrow = {"int": pa.int64(), "float": pa.float32(), "string": pa.binary(), "empty": pa.null()}
    for file in files:
        types = {name: arrow[kind] for name, kind in kinds.items()}
        for batch in _read(file, types):
            columns = [batch.column(batch.schema.get_field_index(name)) for name in kinds]
            yield pa.RecordBatch.from_arrays(columns, list(kinds))


def _read(file: Path, types: Any) -> Iterator[pa.RecordBatch]:
    """Batches of one file, with one type for all columns or one for each."""
    import pyarrow as pa
    from pyarrow import csv

    if file.stat().st_size == 0:
        raise DataError(f"{file} is empty; expected a line of column names, and data below.")
    if not isinstance(types, dict):
        types = dict.fromkeys(_header(file), types)
    try:
        with csv.open_csv(
            file,
            parse_options=csv.ParseOptions(newlines_in_values=True),
            convert_options=csv.ConvertOptions(
                column_types=types, null_values=_MISSING, strings_can_be_null=True
            ),
        ) as reader:
            yield from reader
    except pa.ArrowInvalid as error:
        raise DataError(f"{file} cannot be read as CSV: {error}") from error


def _header(file: Path) -> list[str]:
    import csv

    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            # Empty lines count as little here as they do for Arrow.
            names = next((row for row in csv.reader(stream) if row), [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file} cannot be read as CSV: {error}") from error
    for name in names:
        if not name.strip():
            raise DataError(f"{file}: a column has no name; the first line is {names!r}.")
        if names.count(name) > 1:
            raise DataError(f"{file} has two columns named {name!r}.")
    return names


def _widened(kind: str, column: pa.Array) -> str:
    """The kind that holds what was seen before and the strings of one more batch."""
    import pyarrow as pa

    if kind == "string" or column.null_count == len(column):
        return kind
    if kind in ("empty", "int"):
        try:
            column.cast(pa.int64())
            return "int"
        except pa.ArrowInvalid:
            pass
    try:
        column.cast(pa.float32())
        return "float"
    except pa.ArrowInvalid:
        return "string"
