"""Numbers that a 32-bit float has no room for."""

import math

import pyarrow as pa
import pytest

from zentfx.materializers.finite import first_not_finite, without_not_finite


@pytest.mark.parametrize("odd", [math.inf, -math.inf, 1e39, -1e300])
def test_the_first_one_is_found_and_left_out(odd):
    numbers = pa.array([1.5, None, odd, math.inf])
    assert first_not_finite(numbers) == 2
    assert without_not_finite(numbers).to_pylist() == [1.5, None, None, None]
    assert without_not_finite(numbers).type == pa.float32()


def test_chunks_are_one_column():
    assert first_not_finite(pa.chunked_array([[1.0], [2.0, math.inf]])) == 2


def test_missing_numbers_are_finite():
    numbers = pa.array([math.nan, None, 3.4e38, 1e-300])
    assert first_not_finite(numbers) is None
    assert without_not_finite(numbers).to_pylist() == [None, None, pytest.approx(3.4e38), 0.0]


def test_integers_are_finite():
    assert first_not_finite(pa.array([2**63 - 1])) is None
