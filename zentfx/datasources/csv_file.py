"""CSV files as a datasource."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Literal

from zentfx.datasources.base import Datasource
from zentfx.datasources.csv_columns import scan_columns
from zentfx.datasources.csv_format import CSVFormat, csv_files
from zentfx.materializers.cells import MISSING_MARKERS
from zentfx.materializers.finite import NonFinite
from zentfx.warn import warn

__all__ = ["CSVDatasource"]

_MOST_LINES = 2**31


class CSVDatasource(Datasource):
    """Reads CSV files; wraps TFX's CsvExampleGen.

    A column whose cells are all integers is ``int`` (64 bit), one whose cells are all numbers
    ``float`` (32 bit), any other ``string``; blanks around a number do not count
    (:mod:`zentfx.materializers.cells` has the grammar). What counts for the cache is the content of
    the files, not their names, places or times.

    Args:
        name: What the data is called, in this repository.
        path: A file; a folder, for all its ``*.csv`` files; or a pattern, as ``data/2024-*.csv``.
            Files may be compressed by gzip, bzip2 or zstd.
        types: ``int``, ``float`` or ``string`` by column, where not its cells shall decide.
        missing: Cells that mark a missing value, besides the empty one; None for those that pandas
            knows: ``NA``, ``NaN``, ``null``, ``None``, ``N/A``, ….
        separator: The character between cells.
        decimal: The decimal point.
        quote: The character around cells that hold separators or line ends; ``""`` for none.
        escape: The character before quotes and separators that are part of a cell; None for none:
            then a quote within quotes is written twice.
        encoding: The files' encoding, by Python's name.
        column_names: Names of the columns, where the first line does not have them.
        skip_rows: Lines before the line of names.
        non_finite: What becomes of numbers that are infinite, or too large for 32 bits:
            ``refuse``, or ``missing`` to take them for missing values.
    """

    wraps = "CsvExampleGen"
    code_version = "2"
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

    def __init__(
        self,
        name: str,
        path: Path,
        types: dict[str, Literal["int", "float", "string"]] | None = None,
        missing: list[str] | None = None,
        separator: str = ",",
        decimal: str = ".",
        quote: str = '"',
        escape: str | None = None,
        encoding: str = "utf-8",
        column_names: list[str] | None = None,
        skip_rows: int = 0,
        non_finite: NonFinite = "refuse",
    ) -> None:
        self.name = name
        self.path = path
        self.types = types
        self.missing = missing
        self.separator = separator
        self.decimal = decimal
        self.quote = quote
        self.escape = escape
        self.encoding = encoding
        self.column_names = column_names
        self.skip_rows = skip_rows
        self.non_finite = non_finite

    def check(self) -> None:
        """Checks that the data has a name, and that the format is possible."""
        super().check()
        if not self.name:
            raise self.refuse("name", "must not be empty.")
        self._check_characters()
        try:
            "".encode(self.encoding)  # codecs.lookup knows codecs that are not of text
        except (LookupError, ValueError):
            raise self.refuse(
                "encoding", f"must be one that Python knows; got {self.encoding!r}."
            ) from None
        if not 0 <= self.skip_rows < _MOST_LINES:
            raise self.refuse(
                "skip_rows", f"must be at least 0 and below 2**31; got {self.skip_rows}."
            )
        for marker in self.missing or []:
            if self.escape is not None and self.escape in marker:
                raise self.refuse(
                    "missing", f"has {marker!r}, which is not found with escape={self.escape!r}."
                )
        self._check_column_names()

    def _check_characters(self) -> None:
        characters = {
            "separator": self.separator,
            "decimal": self.decimal,
            "quote": self.quote,
            "escape": self.escape,
        }
        for parameter, character in characters.items():
            may_be_empty = parameter == "quote" and character == ""
            if character is None or may_be_empty:
                continue
            if len(character) != 1:
                raise self.refuse(parameter, f"must be one character; got {character!r}.")
            if not character.isascii() or character in "\0\r\n":
                raise self.refuse(
                    parameter, f"must be an ASCII character, no line end; got {character!r}."
                )
        used = [item for item in characters.values() if item]
        twice = next((item for item in used if used.count(item) > 1), None)
        if twice is not None:
            both = [name for name, item in characters.items() if item == twice]
            raise self.refuse(both[1], f"must differ from {both[0]}; both are {twice!r}.")
        if self.decimal not in (".", ","):
            raise self.refuse("decimal", f"must be '.' or ','; got {self.decimal!r}.")

    def _check_column_names(self) -> None:
        names = self.column_names
        if names is None:
            return
        if not names:
            raise self.refuse("column_names", "needs at least one name; got [].")
        for name in names:
            if not name.strip():
                raise self.refuse("column_names", f"has an empty name: {names!r}.")
            if names.count(name) > 1:
                raise self.refuse("column_names", f"lists {name!r} twice.")

    @property
    def format(self) -> CSVFormat:
        """How the files are written."""
        return CSVFormat(
            missing=MISSING_MARKERS if self.missing is None else tuple(self.missing),
            separator=self.separator,
            decimal=self.decimal,
            quote=self.quote,
            escape=self.escape,
            encoding=_codec_name(self.encoding),
            column_names=None if self.column_names is None else tuple(self.column_names),
            skip_rows=self.skip_rows,
        )

    def content_files(self, path: Path) -> list[Path]:
        """The CSV files; see :meth:`~zentfx.steps.base.BaseStep.content_files`."""
        return csv_files(path)

    def columns(self) -> dict[str, str]:
        """Reads the files once; see :meth:`Datasource.columns`.

        Warns of columns of strings that are probably meant to hold numbers.
        """
        scanned = scan_columns(csv_files(self.path), self.format, self.types or {}, self.non_finite)
        for text in scanned.warnings:
            warn(text)
        return scanned.kinds


def _codec_name(encoding: str) -> str:
    """Python's own name of an encoding; UTF-8 may have a mark at the beginning."""
    name = codecs.lookup(encoding).name
    return "utf-8-sig" if name == "utf-8" else name
