"""DataFrames that another step returns, as a datasource."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from zentfx.datasources.base import Datasource
from zentfx.errors import DataError
from zentfx.materializers.examples import encode_examples
from zentfx.materializers.finite import NonFinite, first_not_finite, without_not_finite
from zentfx.materializers.needs import need
from zentfx.steps.artifacts import InputArtifact, OutputArtifact

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["DataFrameDatasource"]

_SPLIT = "all"
_FILE = "data_tfrecord-00000-of-00001.gz"
_ROWS = 10_000  # encoded at a time


class DataFrameDatasource(Datasource):
    """Takes a pandas DataFrame, or a PyArrow table, from another step.

    Integers and bools become 64-bit integers, other numbers 32-bit floats, strings and categories
    strings; None, NaN and NaT are missing values. The index is left out. Connect it by
    ``pipeline.add_datasource(DataFrameDatasource("taxi"), inputs={"data": "load_rows.output"})``.

    Args:
        name: What the data is called, in this repository.
        non_finite: What becomes of numbers that are infinite, or too large for 32 bits:
            ``refuse``, or ``missing`` to take them for missing values.
    """

    code_version = "2"
    inputs = MappingProxyType({"data": "zentfx.Dataset"})

    def __init__(self, name: str, non_finite: NonFinite = "refuse") -> None:
        self.name = name
        self.non_finite = non_finite

    def check(self) -> None:
        """Checks that the data has a name."""
        super().check()
        if not self.name:
            raise self.refuse("name", "must not be empty.")

    def columns(self) -> None:
        """Which columns there are, is known when the step before has run."""

    def process(
        self, inputs: Mapping[str, InputArtifact], outputs: Mapping[str, OutputArtifact]
    ) -> None:
        """Writes the rows as examples."""
        table = _table(inputs["data"].load(), self.non_finite)
        tf = need("tensorflow", "write Examples")
        folder = outputs["examples"].path / f"Split-{_SPLIT}"
        folder.mkdir()
        with tf.io.TFRecordWriter(str(folder / _FILE), "GZIP") as writer:
            for batch in table.to_batches(_ROWS):
                for record in encode_examples(batch):
                    writer.write(record)
        # What TFX's components expect of examples.
        outputs["examples"].metadata |= {
            "split_names": f'["{_SPLIT}"]',
            "span": 0,
            "payload_format": "FORMAT_TF_EXAMPLE",
            "file_format": "tfrecords_gzip",
        }


def _table(data: Any, non_finite: NonFinite = "refuse") -> pa.Table:
    """The data with columns of int64, float32, binary, or null."""
    import pandas as pd
    import pyarrow as pa

    if isinstance(data, pd.DataFrame):
        for name in data.columns:
            if not isinstance(name, str) or int((data.columns == name).sum()) > 1:
                raise DataError(f"Column names must be unique strings; one is called {name!r}.")
        arrays = {name: _from_pandas(data[name]) for name in data.columns}
        data = pa.table(arrays)
    if not isinstance(data, pa.Table):
        raise DataError(
            "A DataFrameDatasource takes a pandas.DataFrame or a pyarrow.Table; got "
            f"{type(data).__name__}."
        )
    twice = next((name for name in data.column_names if data.column_names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"Columns need different names; two are called {twice!r}.")
    if not data.num_rows or not data.num_columns:
        raise DataError(
            f"The data has {data.num_rows} rows and {data.num_columns} columns; expected some."
        )
    return pa.table({name: _plain(name, data[name], non_finite) for name in data.column_names})


def _finite(name: str, column: pa.ChunkedArray, non_finite: NonFinite) -> pa.ChunkedArray:
    row = first_not_finite(column) if non_finite == "refuse" else None
    if row is not None:
        raise DataError(
            f"The column {name!r} has {column[row]} in row {row} (from 0), which is infinite, or "
            "too large for a 32-bit float; training and evaluation would give NaN. Mend it in the "
            "step before, or write non_finite='missing' to take such numbers for missing."
        )
    return without_not_finite(column)


def _from_pandas(column: Any) -> pa.Array:
    import pyarrow as pa

    try:
        array = pa.array(column, from_pandas=True)
    except (pa.ArrowException, OverflowError, TypeError, UnicodeError) as error:
        raise DataError(
            f"The column {column.name!r} holds values that are not all numbers, or all strings: "
            f"{error}"
        ) from error
    return array


def _plain(name: str, column: pa.ChunkedArray, non_finite: NonFinite) -> pa.ChunkedArray:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        return _plain(name, column.cast(kind.value_type), non_finite)
    if pa.types.is_null(kind):
        return column
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        try:
            return column.cast(pa.int64())
        except pa.ArrowInvalid as error:
            raise DataError(
                f"The column {name!r} has an integer that does not fit in 64 bits with a sign: "
                f"{error}. Make it float64, or a string if it names something."
            ) from error
    if pa.types.is_float16(kind):
        column = pa.chunked_array([column.to_numpy().astype("float32")])
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _finite(name, column, non_finite)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return column.cast(pa.binary())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return column.cast(pa.binary())
    raise DataError(
        f"The column {name!r} holds {kind}; expected numbers, bools or texts. Turn it into some of "
        "those in the step before, a time for example into seconds."
    )
