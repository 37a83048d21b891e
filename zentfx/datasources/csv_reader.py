"""CSV files as batches of text cells, read by Arrow; and what is wrong where it cannot read one."""

from __future__ import annotations

import codecs
import csv
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from zentfx.datasources.csv_format import CSVFormat
from zentfx.datasources.csv_lines import (
    Row,
    detect_compression,
    find_undecodable,
    open_bytes,
    read_rows,
)
from zentfx.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["read_cells", "read_names"]

_BLOCK = 1 << 20  # bytes that Arrow reads at a time
_LARGEST_BLOCK = 1 << 30
# What Arrow says of rows, and of lines above them, that are longer than what it reads at a time.
_TOO_LONG = ("straddling", "larger than block size", "Empty CSV file or block")
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


class _Header(NamedTuple):
    """What is above the rows.

    Attributes:
        names: The columns' names.
        lines: How many lines of the file are above the rows.
    """

    names: list[str]
    lines: int


def read_names(file: Path, form: CSVFormat) -> list[str]:
    """Reads the names of a file's columns.

    Args:
        file: The file.
        form: How it is written.

    Returns:
        The names, in the order of the file.

    Raises:
        DataError: If there are none, or one is empty or there twice.
    """
    return _read_header(file, form).names


def _read_header(file: Path, form: CSVFormat) -> _Header:
    _check_start(file, form)
    try:
        first, second = itertools.islice(
            itertools.chain(read_rows(file, form, strict=True), [None, None]), 2
        )
    except (OSError, UnicodeError) as error:
        raise _explain(file, form, error) from error
    except csv.Error:  # a quote further down: the rows will tell
        first, second = itertools.islice(itertools.chain(read_rows(file, form), [None, None]), 2)
    if first is None:
        above = f" below the {form.skip_rows} lines that skip_rows leaves out"
        raise DataError(
            f"{file} is empty{above if form.skip_rows else ''}; expected a line of column names, "
            "and data below."
        )
    if form.column_names is not None:
        if first.cells == list(form.column_names):
            raise DataError(
                f"{file}, line {first.start}: the file has the names of column_names itself. Leave "
                "column_names out, or skip that line: skip_rows=1."
            )
        return _Header(list(form.column_names), form.skip_rows)
    _check_names(first, f"{file}, line {first.start}", form)
    if len(first.cells) == 1 and second is not None:
        _check_separator(first, second, file, form)
    return _Header(first.cells, first.end)


def _check_names(header: Row, where: str, form: CSVFormat) -> None:
    seen = set()
    for position, name in enumerate(header.cells):
        if "\ufffd" in name:
            raise DataError(
                f"{where}: the name of column {position + 1} has a NUL or a broken character: "
                f"{name!r}. Perhaps the file has another encoding: encoding='utf-16'."
            )
        if not name.strip():
            hint = (
                " pandas and R write row names so: to_csv(index=False), row.names=FALSE. As the "
                f"file is: column_names=['row', …], skip_rows={header.end}."
            )
            raise DataError(
                f"{where}: column {position + 1} has no name; the line is {header.cells!r}."
                f"{hint if position == 0 and len(header.cells) > 1 else _skip_hint(form)}"
            )
        if name in seen:
            raise DataError(f"{where}: two columns are named {name!r}.")
        seen.add(name)


def _check_separator(header: Row, row: Row, file: Path, form: CSVFormat) -> None:
    """Refuses one column in which the same other separator is in name and cell."""
    for other in _OTHER_SEPARATORS:
        count = header.cells[0].count(other)
        if other != form.separator and count and row.cells[0].count(other) == count:
            raise DataError(
                f"{file}, line {header.start}: there is one column, {header.cells[0]!r}. If it is "
                f"several, say what separates them: separator={other!r}."
            )


def read_cells(file: Path, form: CSVFormat) -> Iterator[pa.RecordBatch]:
    """Reads a file.

    Args:
        file: The file.
        form: How it is written.

    Yields:
        Batches of strings, as they are in the file; none where it has no rows.

    Raises:
        DataError: If the file is not a table, or not in the encoding.
    """
    import pyarrow as pa

    header = _read_header(file, form)
    block = _BLOCK
    rows = 0  # that were handed out
    last = None
    while True:
        again = rows
        try:
            for batch in _batches(file, form, header, block):
                fresh = batch.slice(min(again, batch.num_rows))
                again -= batch.num_rows - fresh.num_rows
                rows += fresh.num_rows
                last = fresh if fresh.num_rows else last
                yield fresh
            break
        except pa.ArrowInvalid as error:
            # A row, or what is above the rows, is longer than a block: read with larger ones.
            if any(text in str(error) for text in _TOO_LONG) and block < _LARGEST_BLOCK:
                if _has_rows(file, form):
                    block *= 16
                    continue
                return
            raise _explain(file, form, error, header.names) from error
        except (OSError, UnicodeError) as error:
            raise _explain(file, form, error, header.names) from error
    if last is not None and any("\n" in (cell or "") for cell in _last_row(last)):
        _check_quotes(file, form)


def _last_row(batch: pa.RecordBatch) -> list[str | None]:
    return [column[-1].as_py() for column in batch.columns]


def _has_rows(file: Path, form: CSVFormat) -> bool:
    needed = 1 if form.column_names is not None else 2
    return len(list(itertools.islice(read_rows(file, form), needed))) == needed


def _check_quotes(file: Path, form: CSVFormat) -> None:
    """Refuses a quote that is never closed: the rest of the file would be one cell."""
    try:
        for _ in read_rows(file, form, strict=True):
            pass
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            *_, row = read_rows(file, form)
            raise DataError(
                f"{file}, line {row.start}: a quote is opened in this row and never closed. Close "
                "it, or write quote='' to read quotes as they are."
            ) from error


def _batches(file: Path, form: CSVFormat, header: _Header, block: int) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa
    from pyarrow import csv as arrow

    with (
        open_bytes(file) as stream,
        arrow.open_csv(
            stream,
            # Names are those that Python has read: Arrow sees others where the encoding is odd.
            read_options=arrow.ReadOptions(
                block_size=block,
                encoding=form.encoding.removesuffix("-sig"),
                skip_rows=header.lines,
                column_names=header.names,
            ),
            parse_options=arrow.ParseOptions(
                delimiter=form.separator,
                quote_char=form.quote or False,
                escape_char=form.escape or False,
                newlines_in_values=True,
            ),
            convert_options=arrow.ConvertOptions(
                column_types=dict.fromkeys(header.names, pa.string()), null_values=[]
            ),
        ) as reader,
    ):
        yield from reader


def _check_start(file: Path, form: CSVFormat) -> None:
    try:
        with file.open("rb") as stream:
            start = stream.read(8)
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error}") from error
    for magic, kind in _OTHER_FILES.items():
        if start.startswith(magic):
            raise DataError(f"{file} is {kind}; expected CSV text, perhaps compressed by gzip.")
    if start.startswith(codecs.BOM_UTF8) and not form.encoding.startswith("utf"):
        raise DataError(f"{file} begins with the mark of UTF-8; write encoding='utf-8'.")


def _explain(
    file: Path, form: CSVFormat, error: Exception, names: list[str] | None = None
) -> DataError:
    """Says where a file cannot be read, and what to do; looks for it in Python, row by row."""
    if isinstance(error, OSError) and detect_compression(file) is None:
        return DataError(f"{file} cannot be read: {error}")
    try:
        undecodable = find_undecodable(file, form.encoding)
    except OSError as damage:
        return DataError(f"{file} cannot be decompressed; it is cut short or damaged: {damage}")
    if undecodable is not None:
        line, found = undecodable
        name = form.encoding.removesuffix("-sig")
        return DataError(
            f"{file}, line {line}: the byte 0x{found.object[found.start]:02x} is not {name}. "
            f"Say which encoding the file has: {_encoding_hint(found.object, name)}."
        )
    if names is not None:
        for row in read_rows(file, form):
            if len(row.cells) != len(names):
                cells = "1 cell" if len(names) == 1 else f"{len(names)} cells"
                return DataError(
                    f"{file}, line {row.start}: expected {cells}, one for each column; "
                    f"got {len(row.cells)}: {_shorten(form.separator.join(row.cells))!r}."
                    f"{_row_hint(form, names, row.cells)}"
                )
    return DataError(f"{file} cannot be read as CSV: {error}")


def _encoding_hint(data: bytes, tried: str) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or data[:64].count(0) > len(data[:64]) // 4:
        return "encoding='utf-16'"
    usual = {"utf-8": "'utf-8'", "cp1252": "'cp1252' (Windows)", "iso8859-1": "'latin-1'"}
    return f"encoding={', '.join(text for name, text in usual.items() if name != tried)}, …"


def _row_hint(form: CSVFormat, names: list[str], cells: list[str]) -> str:
    text = form.separator.join(cells)
    if len(cells) < len(names) and any("\n" in cell or "\r" in cell for cell in cells):
        return " Is a quote in it not closed? quote='' reads quotes as they are."
    if form.escape is None and "\\" in text:
        return " If \\ escapes quotes and separators, write escape='\\\\'."
    if form.column_names is not None:
        other = next((x for x in _OTHER_SEPARATORS if text.count(x) == len(names) - 1 > 0), None)
        hint = "" if other is None else f" Is the separator {other!r}? Write separator={other!r}."
        return f" column_names has {len(names)}.{hint}"
    return _skip_hint(form) if len(names) == 1 else ""


def _skip_hint(form: CSVFormat) -> str:
    return "" if form.skip_rows else " If the table starts further down, write skip_rows=…."


def _shorten(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
