"""CSV files as batches of text cells, read by Arrow; and what is wrong where it cannot read one."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from zentfx.datasources.csv_format import CSVFormat
from zentfx.datasources.csv_lines import (
    compression_of,
    decoded_until,
    open_bytes,
    rows_with_lines,
)
from zentfx.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["column_names", "read_cells"]

_BLOCK = 1 << 20  # bytes that Arrow reads at a time
_LARGEST_BLOCK = 1 << 30
_OTHER_SEPARATORS = (";", "\t", "|")
_SHOWN = 80
# How files start that are often taken for CSV.
_OTHER_FILES = {
    b"PK\x03\x04": "a zip archive or an Excel sheet",
    b"PAR1": "a Parquet file",
    b"\xd0\xcf\x11\xe0": "an Excel sheet",
    b"\x1f\x9d": "compressed by compress",
    b"\xfd7zXZ": "compressed by xz",
}


def column_names(file: Path, form: CSVFormat) -> list[str]:
    """Reads the names of a file's columns.

    Args:
        file: The file.
        form: How it is written.

    Returns:
        The names, in the order of the file.

    Raises:
        DataError: If there are none, or one is empty or there twice.
    """
    if form.column_names is not None:
        return list(form.column_names)
    _check_start(file)
    try:
        line, names = next(rows_with_lines(file, form, strict=True), (0, []))
    except (OSError, UnicodeError, csv.Error) as error:
        raise _unreadable(file, form, error) from error
    if not line:
        raise DataError(f"{file} is empty; expected a line of column names, and data below.")
    where = f"{file}, line {line}"
    for position, name in enumerate(names):
        if not name.strip():
            hint = " (pandas writes its index so; to_csv(index=False) does not)"
            raise DataError(
                f"{where}: column {position + 1} has no name; the line is {names!r}."
                f"{hint if position == 0 else ''}{_skip_hint(form)}"
            )
        if names.count(name) > 1:
            raise DataError(f"{where}: two columns are named {name!r}.")
    if len(names) == 1:
        other = next((item for item in _OTHER_SEPARATORS if item in names[0]), None)
        if other is not None and other != form.separator:
            raise DataError(
                f"{where}: there is one column, {names[0]!r}. If it is several, say what separates "
                f"them: separator={other!r}."
            )
    return names


def read_cells(file: Path, form: CSVFormat) -> Iterator[pa.RecordBatch]:
    """Reads a file.

    Args:
        file: The file.
        form: How it is written.

    Yields:
        Batches of strings, as they are in the file; none where it has no rows.

    Raises:
        DataError: If the file is no table, or not in the encoding.
    """
    import pyarrow as pa

    names = column_names(file, form)
    block = _BLOCK
    rows = 0  # that were handed out
    while True:
        again = rows
        try:
            for batch in _batches(file, form, names, block):
                fresh = batch.slice(min(again, batch.num_rows))
                again -= batch.num_rows - fresh.num_rows
                rows += fresh.num_rows
                yield fresh
            return
        except pa.ArrowInvalid as error:
            # A row is longer than a block: read the file once more, with larger ones.
            if "straddling" in str(error) and block < _LARGEST_BLOCK:
                block *= 16
                continue
            raise _unreadable(file, form, error, names) from error
        except (OSError, UnicodeError) as error:
            raise _unreadable(file, form, error, names) from error


def _batches(file: Path, form: CSVFormat, names: list[str], block: int) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa
    from pyarrow import csv as arrow

    with (
        open_bytes(file) as stream,
        arrow.open_csv(
            stream,
            read_options=arrow.ReadOptions(
                block_size=block,
                encoding=form.encoding,
                skip_rows=form.skip_rows,
                column_names=names if form.column_names is not None else None,
            ),
            parse_options=arrow.ParseOptions(
                delimiter=form.separator,
                quote_char=form.quote or False,
                escape_char=form.escape or False,
                newlines_in_values=True,
            ),
            convert_options=arrow.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), null_values=[]
            ),
        ) as reader,
    ):
        yield from reader


def _check_start(file: Path) -> None:
    with file.open("rb") as stream:
        start = stream.read(8)
    for magic, kind in _OTHER_FILES.items():
        if start.startswith(magic):
            raise DataError(f"{file} is {kind}; expected CSV text, perhaps compressed by gzip.")


def _unreadable(
    file: Path, form: CSVFormat, error: Exception, names: list[str] | None = None
) -> DataError:
    """Says where a file cannot be read, and what to do; looks for it in Python, row by row."""
    if isinstance(error, OSError) and compression_of(file) is None:
        return DataError(f"{file} cannot be read: {error}")
    try:
        undecodable = decoded_until(file, form.encoding)
    except OSError as damage:
        return DataError(f"{file} cannot be decompressed; it is cut short or damaged: {damage}")
    if undecodable is not None:
        line, found = undecodable
        return DataError(
            f"{file}, line {line}: the byte 0x{found.object[found.start]:02x} is not "
            f"{form.encoding}. Say which encoding the file has: {_encoding_hint(found.object)}."
        )
    if names is not None:
        for line, cells in rows_with_lines(file, form):
            if len(cells) != len(names):
                return DataError(
                    f"{file}, line {line}: expected {len(names)} cells, one for each column; "
                    f"got {len(cells)}: {_shortened(form.separator.join(cells))!r}."
                    f"{_row_hint(form, names, cells)}"
                )
    return DataError(f"{file} cannot be read as CSV: {error}")


def _encoding_hint(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or data[:64].count(0) > len(data[:64]) // 4:
        return "encoding='utf-16'"
    return "encoding='cp1252' (Windows), 'latin-1', …"


def _row_hint(form: CSVFormat, names: list[str], cells: list[str]) -> str:
    text = form.separator.join(cells)
    if len(cells) < len(names) and any("\n" in cell or "\r" in cell for cell in cells):
        return " Is a quote in it not closed? quote='' reads quotes as they are."
    if form.escape is None and "\\" in text:
        return " If \\ escapes quotes and separators, write escape='\\\\'."
    if form.column_names is not None:
        return f" column_names lists {len(names)} names."
    return _skip_hint(form) if len(names) == 1 else ""


def _skip_hint(form: CSVFormat) -> str:
    return "" if form.skip_rows else " If the table starts further down, write skip_rows=…."


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
