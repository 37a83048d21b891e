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
types (tfx_bsl's ``ColumnTypeInferrer``), but for four things: that one knows no markers, takes
blanks alone for text, ``1_000`` for a number, and ``nan`` for one that is there.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

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
_NAN = r"(?i:[+-]?nan)"
_NOT_FINITE = r"(?i:[+-]?(?:inf|infinity|nan))"
# Shorter integers fit in 64 bits in any case; longer ones, without leading zeros, never do.
_SHORTEST_LONG, _LONGEST = 19, 20


class Cells:
    """A column of cells that are read as numbers, where they are.

    Args:
        texts: The cells: strings, null where a value is missing.
        missing: Markers of missing values, besides the empty cell.
        decimal: The decimal point.
    """

    def __init__(
        self, texts: pa.Array, missing: Collection[str] = MISSING_MARKERS, decimal: str = "."
    ) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        self._texts = texts
        stripped = pc.ascii_trim_whitespace(texts)
        markers = pa.array(["", *(marker.strip() for marker in missing)], stripped.type)
        is_missing = pc.is_in(stripped, value_set=markers)
        nothing = pa.scalar(None, stripped.type)
        self.stripped = pc.if_else(is_missing, nothing, stripped)
        self._decimal = decimal

    @property
    def present(self) -> int:
        """How many cells are not missing."""
        return int(len(self.stripped) - self.stripped.null_count)

    @cached_property
    def integers(self) -> pa.Array | None:
        """The cells as int64; None where one is not an integer."""
        import pyarrow as pa

        cells = self.stripped
        if not _all_match(cells, _INTEGER):
            cells = self._without_nan
            if not _all_match(cells, _INTEGER):
                return None
        try:
            return cells.cast(pa.int64())
        except pa.ArrowInvalid:  # for a plus sign, many leading zeros, or more than 64 bits
            pass
        try:
            return _canonical(cells).cast(pa.int64())
        except pa.ArrowInvalid:
            return None

    @cached_property
    def numbers(self) -> pa.Array | None:
        """The cells as float64; None where one is not a number.

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
        if not _all_match(self.stripped, self._number):
            return None
        plain = pc.replace_substring_regex(self.stripped, r"^\+", "")
        if self._decimal != ".":
            plain = pc.replace_substring(plain, self._decimal, ".")
        values = plain.cast(pa.float64())
        return pc.if_else(pc.is_nan(values), pa.scalar(None, pa.float64()), values)

    @property
    def are_numbers(self) -> pa.Array:
        """Which cells are numbers, as bools; null where missing."""
        import pyarrow.compute as pc

        return pc.match_substring_regex(self.stripped, _whole(self._number))

    def count_matches(self, pattern: str) -> int:
        """How many cells are all of a regular expression's form."""
        import pyarrow.compute as pc

        return pc.sum(pc.match_substring_regex(self.stripped, _whole(pattern))).as_py() or 0

    @property
    def texts(self) -> pa.Array:
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
        values, kind = self.integers, "int"
        if values is None:
            values, kind = self.numbers, "float"
            if values is None or self.first_long_integer is not None:
                return "string"
        return kind if values.null_count < len(values) else "empty"

    @property
    def first_not_number(self) -> int | None:
        """Position of the first cell that is no number."""
        return _first(self.are_numbers, False)

    @property
    def first_not_integer(self) -> int | None:
        """Position of the first cell that is no integer, or does not fit in 64 bits."""
        import pyarrow.compute as pc

        first = _first(pc.match_substring_regex(self._without_nan, _whole(_INTEGER)), False)
        found = [index for index in (first, self.first_long_integer) if index is not None]
        return min(found, default=None)

    @property
    def first_long_integer(self) -> int | None:
        """Position of the first cell of digits alone that do not fit in 64 bits."""
        import pyarrow.compute as pc

        digits = pc.match_substring_regex(self.stripped, _whole(_INTEGER))
        long = pc.greater_equal(pc.binary_length(self.stripped), _SHORTEST_LONG)
        for index in pc.indices_nonzero(pc.fill_null(pc.and_(digits, long), False)).to_pylist():
            text = self.stripped[index].as_py()
            sign, number = ("-", text[1:]) if text[0] == "-" else ("", text.lstrip("+"))
            number = number.lstrip("0") or "0"
            if len(number) >= _LONGEST or not -(2**63) <= int(sign + number) < 2**63:
                return int(index)
        return None

    @cached_property
    def _without_nan(self) -> pa.Array:
        """The cells, null also where one is ``nan``, however it is spelled."""
        import pyarrow as pa
        import pyarrow.compute as pc

        is_nan = pc.match_substring_regex(self.stripped, _whole(_NAN))
        return pc.if_else(is_nan, pa.scalar(None, self.stripped.type), self.stripped)

    @property
    def _number(self) -> str:
        number = _NUMBER if self._decimal == "." else _NUMBER.replace(r"\.", f"\\{self._decimal}")
        return f"(?:{number}|{_NOT_FINITE})"


def _all_match(cells: pa.Array, pattern: str) -> bool:
    import pyarrow.compute as pc

    # Of no cells at all it is null.
    return pc.all(pc.match_substring_regex(cells, _whole(pattern))).as_py() is not False


def _canonical(integers: pa.Array) -> pa.Array:
    """Digits without a plus sign and leading zeros."""
    import pyarrow.compute as pc

    plain = pc.replace_substring_regex(integers, r"^\+", "")
    return pc.replace_substring_regex(plain, r"^(-?)0+([0-9])", r"\1\2")


def _whole(pattern: str) -> str:
    return rf"\A(?:{pattern})\z"


def _first(mask: pa.Array, value: bool) -> int | None:
    import pyarrow as pa
    import pyarrow.compute as pc

    index = pc.index(mask, pa.scalar(value)).as_py()
    return None if index < 0 else int(index)
