"""Numbers in text: one grammar, for CSV files and for rows that a model predicts from.

A cell, with the blanks around it stripped, is one of

- *missing*: empty, or a marker such as ``NA``;
- an *integer*: digits, perhaps after a sign, that fit in 64 bits;
- a *number*: digits with at most one decimal point, perhaps after a sign and before an exponent
  (``-1.5``, ``.5``, ``5.``, ``2E-3``); digits alone that do not fit in 64 bits are text, since they
  name things more often than they count them;
- *not finite*: ``inf`` or ``infinity``, perhaps after a sign, in any case;
- *text*: anything else, hexadecimal numbers and ``1_000`` among it.

``nan``, in any case, is a missing number. That is the grammar by which TFX's CsvExampleGen infers
types (tfx_bsl's ``ColumnTypeInferrer``), but for three things: that one knows no markers, takes
blanks alone for text, and ``1_000`` for a number.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import Any

__all__ = ["MISSING_MARKERS", "Cells"]

# Those that pandas.read_csv knows, of version 2; an empty cell is always missing.
MISSING_MARKERS = (
    "#N/A",
    "#N/A N/A",
    "#NA",
    "-1.#IND",
    "-1.#QNAN",
    "-NaN",
    "-nan",
    "1.#IND",
    "1.#QNAN",
    "<NA>",
    "N/A",
    "NA",
    "NULL",
    "NaN",
    "None",
    "n/a",
    "nan",
    "null",
)

_INTEGER = r"[+-]?[0-9]+"
_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_NOT_FINITE = r"(?i:[+-]?(?:inf|infinity|nan))"
# Shorter ones fit in 64 bits in any case.
_LONG = 19


class Cells:
    """A column of cells that are read as numbers, where they are.

    Args:
        texts: The cells: a pyarrow.Array of strings; null where a value is missing.
        missing: Markers of missing values, besides the empty cell.
        decimal: The decimal point.
    """

    def __init__(
        self, texts: Any, missing: Collection[str] = MISSING_MARKERS, decimal: str = "."
    ) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        self._texts = texts
        stripped = pc.ascii_trim_whitespace(texts)
        markers = pa.array(["", *missing], stripped.type)
        is_missing = pc.is_in(stripped, value_set=markers)
        nothing = pa.scalar(None, stripped.type)
        self.stripped = pc.if_else(is_missing, nothing, stripped)
        self._decimal = decimal

    @property
    def present(self) -> int:
        """How many cells are not missing."""
        return int(len(self.stripped) - self.stripped.null_count)

    @cached_property
    def integers(self) -> Any:
        """The cells as a pyarrow.Array of int64; None where one is no integer."""
        import pyarrow as pa

        if not self._all_match(_INTEGER):
            return None
        try:
            return self.stripped.cast(pa.int64())
        except pa.ArrowInvalid:  # for a plus sign, many leading zeros, or more than 64 bits
            values = [None if cell is None else int(cell) for cell in self.stripped.to_pylist()]
        try:
            return pa.array(values, pa.int64())
        except (OverflowError, pa.ArrowInvalid):
            return None

    @cached_property
    def numbers(self) -> Any:
        """The cells as a pyarrow.Array of float64; None where one is no number.

        Integers of any length are numbers here; what is not finite, or too large, is infinite.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        if self._decimal == ".":
            try:
                values = self.stripped.cast(pa.float64())
            except pa.ArrowInvalid:
                pass
            else:
                # Arrow knows spellings of what is not finite that we don't.
                if pc.all(pc.is_finite(values)).as_py() is not False:
                    return values
        if not self._all_match(self._number):
            return None
        plain = pc.replace_substring_regex(self.stripped, r"^\+", "")
        if self._decimal != ".":
            plain = pc.replace_substring(plain, self._decimal, ".")
        values = plain.cast(pa.float64())
        return pc.if_else(pc.is_nan(values), pa.scalar(None, pa.float64()), values)

    @property
    def are_numbers(self) -> Any:
        """A pyarrow.Array of bools: which cells are numbers; null where missing."""
        import pyarrow.compute as pc

        return pc.match_substring_regex(self.stripped, _whole(self._number))

    @property
    def texts(self) -> Any:
        """The cells as they came, blanks included, but null where missing."""
        import pyarrow as pa
        import pyarrow.compute as pc

        nothing = pa.scalar(None, self._texts.type)
        return pc.if_else(pc.is_null(self.stripped), nothing, self._texts)

    @property
    def kind(self) -> str:
        """What holds all cells: ``empty``, ``int``, ``float`` or ``string``."""
        if not self.present:
            return "empty"
        if self.integers is not None:
            return "int"
        if self.numbers is None or self.first_long_integer is not None:
            return "string"
        return "float" if self.numbers.null_count < len(self.numbers) else "empty"

    @property
    def first_not_number(self) -> int | None:
        """Position of the first cell that is no number."""
        return _first(self.are_numbers, False)

    @property
    def first_not_integer(self) -> int | None:
        """Position of the first cell that is no integer, or does not fit in 64 bits."""
        import pyarrow.compute as pc

        first = _first(pc.match_substring_regex(self.stripped, _whole(_INTEGER)), False)
        found = [index for index in (first, self.first_long_integer) if index is not None]
        return min(found, default=None)

    @property
    def first_long_integer(self) -> int | None:
        """Position of the first cell of digits alone that do not fit in 64 bits."""
        import pyarrow.compute as pc

        length = pc.max(pc.binary_length(self.stripped)).as_py() or 0
        if length < _LONG:
            return None
        digits = pc.match_substring_regex(self.stripped, _whole(_INTEGER))
        for index in pc.indices_nonzero(pc.fill_null(digits, False)).to_pylist():
            if not -(2**63) <= int(self.stripped[index].as_py()) < 2**63:
                return int(index)
        return None

    @property
    def _number(self) -> str:
        number = _NUMBER if self._decimal == "." else _NUMBER.replace(r"\.", f"\\{self._decimal}")
        return f"(?:{number}|{_NOT_FINITE})"

    def _all_match(self, pattern: str) -> bool:
        import pyarrow.compute as pc

        # Of no cells at all it is null.
        matched = pc.all(pc.match_substring_regex(self.stripped, _whole(pattern)))
        return matched.as_py() is not False


def _whole(pattern: str) -> str:
    return rf"\A(?:{pattern})\z"


def _first(mask: Any, value: bool) -> int | None:
    import pyarrow as pa
    import pyarrow.compute as pc

    index = pc.index(mask, pa.scalar(value)).as_py()
    return None if index < 0 else int(index)
