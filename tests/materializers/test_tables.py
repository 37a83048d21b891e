"""Frames and Series come back exactly, whatever their dtypes; on pandas 1.5 and 2 alike.

No part of zentfx's other tests is needed here, so that this file runs in any environment that has
pandas, PyArrow and cloudpickle.
"""

import datetime
import decimal
import zoneinfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zentfx.materializers.tables import DataFrameMaterializer, SeriesMaterializer

_DAYS = pd.DatetimeIndex(
    [pd.Timestamp("2026-01-02"), pd.Timestamp(-1000), pd.Timestamp("2026-01-03")]
)


def _text_dtypes():
    yield from ("string[python]", "string[pyarrow]")
    if pd.__version__ >= "2":
        yield "string[pyarrow_numpy]"


# By name, three values of each; None is made what the dtype has for what is missing.
COLUMNS = {
    **{
        f"{kind}{size}": pd.Series([1, 0, 100], dtype=f"{kind}{size}")
        for kind in ("int", "uint")
        for size in (8, 16, 32, 64)
    },
    **{
        f"{kind}{size}": pd.Series([1, 0, None], dtype=f"{kind}{size}")
        for kind in ("Int", "UInt")
        for size in (8, 16, 32, 64)
    },
    **{
        f"{kind}{size}": pd.Series([-0.0, 0.1, None], dtype=f"{kind}{size}")
        for kind in ("float", "Float")
        for size in (32, 64)
    },
    "float16": pd.Series([1.5, 0, None], dtype="float16"),
    "complex": pd.Series([1j, 0, 2]),
    "bool": pd.Series([True, False, True]),
    "boolean": pd.Series([True, None, False], dtype="boolean"),
    "texts": pd.Series(["a", "", "ü\0"], dtype=object),
    "texts and None": pd.Series(["a", None, "b"], dtype=object),
    "texts and nan": pd.Series(["a", np.nan, "b"], dtype=object),
    "texts and NA": pd.Series(["a", pd.NA, "b"], dtype=object),
    "texts and both": pd.Series(["a", np.nan, None], dtype=object),
    **{kind: pd.Series(["a", None, "b"], dtype=kind) for kind in _text_dtypes()},
    "ints as objects": pd.Series([1, 2, None], dtype=object),
    "bools as objects": pd.Series([True, None, False], dtype=object),
    "mixed": pd.Series([1, "a", None], dtype=object),
    "bytes": pd.Series([b"a", None, b""], dtype=object),
    "dates": pd.Series([datetime.date(2026, 1, 2), None, None], dtype=object),
    "decimals": pd.Series([decimal.Decimal("1.10"), None, decimal.Decimal(2)], dtype=object),
    "lists": pd.Series([[1], [], None], dtype=object),
    "dicts": pd.Series([{"a": 1}, {}, None], dtype=object),
    "tuples": pd.Series([(1, 2), (), None], dtype=object),
    "times": pd.Series([*_DAYS[:2], None], dtype="datetime64[ns]"),
    "nanoseconds": pd.Series(pd.to_datetime([1, 1001, None], unit="ns")),
    "utc": pd.Series(_DAYS.tz_localize("UTC")),
    "zone": pd.Series(_DAYS.tz_localize("Europe/Rome")),
    "zoneinfo": pd.Series(_DAYS.tz_localize(zoneinfo.ZoneInfo("Europe/Rome"))),
    "offset": pd.Series(_DAYS.tz_localize(datetime.timezone(datetime.timedelta(hours=2)))),
    "spans": pd.Series(pd.to_timedelta([1, None, 3], "ns")),
    "periods": pd.Series(pd.PeriodIndex(["2026-01", None, "2026-02"], freq="M")),
    "intervals": pd.Series(pd.arrays.IntervalArray.from_breaks([0, 1, 2, 3])),
    "sparse": pd.Series(pd.arrays.SparseArray([0, 0, 1])),
    "categories": pd.Series(pd.Categorical(["b", None, "a"], ["c", "b", "a"])),
    "ordered": pd.Series(pd.Categorical(["lo", "hi", None], ["lo", "hi"], ordered=True)),
    "categories of numbers": pd.Series(pd.Categorical([2, 1, None], [3, 2, 1])),
    "categories of floats": pd.Series(pd.Categorical([0.5, -0.0, None])),
    "categories of bools": pd.Series(pd.Categorical([True, False, None])),
    "categories of times": pd.Series(pd.Categorical(_DAYS)),
    "categories of intervals": pd.cut(pd.Series([1, 5, 9]), 3),
    "categories of all kinds": pd.Series(pd.Categorical([1, "a", None])),
    "no categories": pd.Series([None, None, None], dtype="category"),
}
if hasattr(pd, "ArrowDtype"):
    import pyarrow as pa

    COLUMNS["arrow ints"] = pd.Series([1, None, 3], dtype=pd.ArrowDtype(pa.int32()))
    COLUMNS["arrow lists"] = pd.Series([[1], None, []], dtype=pd.ArrowDtype(pa.list_(pa.int8())))
    COLUMNS["arrow times"] = pd.Series(_DAYS, dtype=pd.ArrowDtype(pa.timestamp("us")))
if pd.__version__ >= "2":
    for unit in ("s", "ms", "us"):
        COLUMNS[f"times in {unit}"] = pd.Series(_DAYS.as_unit(unit))
        COLUMNS[f"spans in {unit}"] = pd.Series(pd.to_timedelta([1, 2, 3], "s").as_unit(unit))

ROWS = {
    "no rows": lambda column: column.iloc[:0],
    "one row": lambda column: column.iloc[:1],
    "rows": lambda column: column,
    "rows in another order": lambda column: column.iloc[::-1],
}


def missing(column):
    """The same dtype, and nothing in it; None where it cannot be so."""
    try:
        made = pd.Series([None, None], dtype=column.dtype)
    except (TypeError, ValueError):
        return None
    return made if made.isna().all() else None


INDEXES = {
    "range": lambda rows: pd.RangeIndex(rows),
    "a named range": lambda rows: pd.RangeIndex(2, 2 + 3 * rows, 3, name="n"),
    "ints": lambda rows: pd.Index(np.arange(rows) * 7),
    "floats": lambda rows: pd.Index(np.arange(rows) * 0.5, name="x"),
    "texts": lambda rows: pd.Index(list("abc")[:rows], dtype=object, name="key"),
    "a number as its name": lambda rows: pd.Index(list("abc")[:rows], dtype=object, name=0),
    "mixed": lambda rows: pd.Index([1, "a", None][:rows], dtype=object),
    "times": lambda rows: pd.DatetimeIndex(_DAYS[:rows]),
    "frequency": lambda rows: pd.date_range("2026", periods=rows, freq="D", tz="UTC"),
    "periods": lambda rows: pd.period_range("2026", periods=rows, freq="D"),
    "intervals": lambda rows: pd.interval_range(0, rows),
    "categories": lambda rows: pd.CategoricalIndex(list("aba")[:rows], ["c", "b", "a"]),
    "several": lambda rows: pd.MultiIndex.from_arrays(
        [np.arange(rows), list("abc")[:rows]], names=["n", None]
    ),
}


def assert_same_data(one, other):
    """Of the same dtype to the last detail, and the same values of the same classes."""
    assert type(one.dtype) is type(other.dtype)
    assert repr(one.dtype) == repr(other.dtype)
    if isinstance(one.dtype, pd.DatetimeTZDtype):
        assert type(one.dtype.tz) is type(other.dtype.tz)
    if isinstance(one.dtype, pd.CategoricalDtype):
        assert_same_index(one.dtype.categories, other.dtype.categories)
        assert one.dtype.ordered == other.dtype.ordered
    values = [list(item) for item in (one, other)]
    assert list(map(repr, values[0])) == list(map(repr, values[1]))
    assert list(map(type, values[0])) == list(map(type, values[1]))


def assert_same_index(one, other):
    assert type(one) is type(other)
    assert list(map(repr, one.names)) == list(map(repr, other.names))
    assert getattr(one, "freq", None) == getattr(other, "freq", None)
    for level in range(one.nlevels):
        assert_same_data(one.get_level_values(level), other.get_level_values(level))


def assert_same_frame(one, other):
    assert type(one) is type(other)
    assert one.shape == other.shape
    assert_same_index(one.index, other.index)
    assert_same_index(one.columns, other.columns)
    for number in range(one.shape[1]):
        assert_same_data(one.iloc[:, number], other.iloc[:, number])


def assert_comes_back(value, folder):
    """Saves and loads a frame or a Series."""
    kind = DataFrameMaterializer if isinstance(value, pd.DataFrame) else SeriesMaterializer
    kind().save(value, folder)
    found = kind().load(folder, None)
    if isinstance(value, pd.DataFrame):
        assert_same_frame(found, value)
        return
    assert type(found) is type(value)
    assert repr(found.name) == repr(value.name)
    assert_same_index(found.index, value.index)
    assert_same_data(found, value)


@pytest.mark.parametrize("rows", [*ROWS, "all missing"])
@pytest.mark.parametrize("name", COLUMNS)
def test_every_dtype_comes_back_exactly(name, rows, tmp_path):
    column = missing(COLUMNS[name]) if rows == "all missing" else ROWS[rows](COLUMNS[name])
    if column is None:
        pytest.skip("nothing can be missing in it")
    for number, value in enumerate(
        [column, column.rename("x"), column.to_frame("x"), column.to_frame("x").assign(y=1)]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert_comes_back(value, folder)


def test_another_byte_order_comes_back(tmp_path):
    assert_comes_back(pd.Series(np.array([1.5, 0, 3], dtype=">f8")), tmp_path)


def test_rows_filtered_to_nothing_keep_their_categories(tmp_path):
    frame = pd.DataFrame({"c": pd.Categorical(["a", "b"]), "x": [1, 2]})
    assert_comes_back(frame[frame.x > 5], tmp_path)


@pytest.mark.parametrize("columns", [[], ["a"]], ids=["no columns", "a column"])
@pytest.mark.parametrize("rows", [0, 1, 3])
@pytest.mark.parametrize("name", INDEXES)
def test_every_index_comes_back_exactly(name, rows, columns, tmp_path):
    index = INDEXES[name](rows)
    assert_comes_back(
        pd.DataFrame({key: np.arange(rows) for key in columns}, index=index), tmp_path
    )


@pytest.mark.parametrize(
    "columns",
    [
        pd.CategoricalIndex(["a", "b"]),
        pd.Index(["a", "b"], dtype="string"),
        pd.Index(["a", "b"], name="what"),
        pd.Index(["a", "a"]),
        pd.Index(["a", 1]),
        pd.Index(["__index_level_0__", "b"]),
        pd.RangeIndex(2),
        pd.MultiIndex.from_tuples([("a", 1), ("a", 2)]),
    ],
    ids=repr,
)
def test_every_kind_of_labels_comes_back_exactly(columns, tmp_path):
    assert_comes_back(pd.DataFrame([[1, 2], [3, 4]], columns=columns), tmp_path)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    names=st.lists(st.sampled_from(sorted(COLUMNS)), min_size=1, max_size=4),
    index=st.sampled_from(sorted(INDEXES)),
    rows=st.lists(st.integers(0, 2), max_size=3),
)
def test_frames_of_all_kinds_come_back_exactly(names, index, rows, tmp_path_factory):
    frame = pd.DataFrame({f"{i} {name}": COLUMNS[name] for i, name in enumerate(names)})
    frame = frame.iloc[rows]
    frame.index = INDEXES[index](len(rows))
    assert_comes_back(frame, tmp_path_factory.mktemp("frame"))


def test_what_parquet_keeps_is_parquet(tmp_path):
    plain = ["int64", "float32", "bool", "texts and None", "texts and nan", "categories", "zone"]
    frame = pd.DataFrame({name: COLUMNS[name] for name in [*plain, "Int64", "boolean"]})
    DataFrameMaterializer().save(frame, tmp_path)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["data.parquet", "nan.json"]


def test_what_is_pickled_leaves_no_other_file(tmp_path):
    DataFrameMaterializer().save(COLUMNS["no categories"].to_frame("x").iloc[:0], tmp_path)
    assert [item.name for item in tmp_path.iterdir()] == ["value.pkl"]
