"""CSV files row by row, in Python: slow, and knows on which lines of the file a row is."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from zentfx.datasources.csv_format import CSVFormat

__all__ = [
    "Row",
    "detect_compression",
    "find_undecodable",
    "line_of_row",
    "open_bytes",
    "read_rows",
]

# The csv module refuses longer cells; its own default is 128 KiB.
_LONGEST_CELL = 2**31 - 1
_MAGIC = {b"\x1f\x8b": "gzip", b"BZh9": "bz2", b"\x28\xb5\x2f\xfd": "zstd"}
_MARK = "\ufeff"  # the byte order mark, where a codec leaves it


class Row(NamedTuple):
    """A row of a file, its line of names included.

    Attributes:
        start: The line on which it starts, from 1.
        end: The line on which it ends.
        cells: Its cells.
    """

    start: int
    end: int
    cells: list[str]


def open_bytes(file: Path) -> IO[bytes]:
    """Opens a file; what is compressed by gzip, bzip2 or zstd is decompressed.

    Args:
        file: The file, whatever its name.

    Returns:
        A stream.
    """
    import pyarrow as pa

    stream: IO[bytes] = pa.input_stream(str(file), compression=detect_compression(file))
    return stream


def detect_compression(file: Path) -> str | None:
    """Finds how a file is compressed.

    Args:
        file: The file, whatever its name.

    Returns:
        ``gzip``, ``bz2`` or ``zstd``; None where it is not.
    """
    with file.open("rb") as stream:
        start = stream.read(4)
    return next((name for magic, name in _MAGIC.items() if start.startswith(magic)), None)


def read_rows(file: Path, form: CSVFormat, *, strict: bool = False) -> Iterator[Row]:
    """Reads a file as Arrow does; empty lines do not count.

    Args:
        file: The file.
        form: How it is written.
        strict: Whether bytes that the encoding does not have are an error (else they are escaped),
            and quotes that are not closed.

    Yields:
        The rows.

    Raises:
        UnicodeDecodeError: If ``strict``, for such bytes.
        csv.Error: If ``strict``, for such a quote.
    """
    with _long_cells(), open_bytes(file) as stream:
        errors = "strict" if strict else "backslashreplace"
        text = io.TextIOWrapper(stream, form.encoding, errors, newline="")
        lines = (line.replace("\0", "\ufffd") for line in text)  # csv refuses it before Python 3.11
        first = next(lines, "").removeprefix(_MARK)
        reader = csv.reader(
            itertools.islice(itertools.chain([first], lines), form.skip_rows, None),
            delimiter=form.separator,
            quotechar=form.quote or None,
            escapechar=form.escape,
            quoting=csv.QUOTE_MINIMAL if form.quote else csv.QUOTE_NONE,
            strict=strict,
        )
        start = form.skip_rows + 1
        for cells in reader:
            end = form.skip_rows + reader.line_num
            if cells:
                yield Row(start, end, cells)
            start = end + 1


def line_of_row(file: Path, form: CSVFormat, row: int) -> int | None:
    """Finds the line on which a row starts.

    Args:
        file: The file.
        form: How it is written.
        row: Number of the row below the names, from 0.

    Returns:
        The line, from 1; None where there are fewer rows.
    """
    index = row if form.column_names is not None else row + 1
    found = next(itertools.islice(read_rows(file, form), index, None), None)
    return None if found is None else found.start


def find_undecodable(file: Path, encoding: str) -> tuple[int, UnicodeDecodeError] | None:
    """Finds the first bytes that an encoding does not have.

    Args:
        file: The file.
        encoding: The encoding.

    Returns:
        The line that they are on, from 1, and the error; None where all can be decoded.
    """
    with open_bytes(file) as stream:
        data = stream.read()
    try:
        data.decode(encoding)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(encoding, errors="replace")
        return len(re.findall(r"\r\n|\r|\n", before)) + 1, error
    return None


@contextlib.contextmanager
def _long_cells() -> Iterator[None]:
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)
