"""Numbers that a 32-bit float has no room for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["NonFinite", "first_not_finite", "without_not_finite"]

# What becomes of numbers that are infinite, or too large for float32.
NonFinite = Literal["refuse", "missing"]


def first_not_finite(numbers: pa.Array) -> int | None:
    """Finds a number that is infinite as float32.

    Args:
        numbers: An array, or chunked array, of numbers; null where missing.

    Returns:
        The position of the first, or None.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    infinite = pc.is_inf(_as_float32(numbers))
    index = pc.index(infinite, pa.scalar(True)).as_py()
    return None if index < 0 else int(index)


def without_not_finite(numbers: pa.Array) -> pa.Array:
    """Makes float32 of numbers.

    Args:
        numbers: An array, or chunked array, of numbers; null where missing.

    Returns:
        float32; null where missing, NaN, or not finite.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    floats = _as_float32(numbers)
    return pc.if_else(pc.is_finite(floats), floats, pa.scalar(None, pa.float32()))


def _as_float32(numbers: pa.Array) -> pa.Array:
    import pyarrow as pa

    return numbers.cast(pa.float32(), safe=False)
