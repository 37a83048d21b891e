"""Materializers of pandas."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zentfx.materializers.base import BaseMaterializer
from zentfx.materializers.pickled import load_pickle, save_pickle

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DataFrameMaterializer", "SeriesMaterializer"]

_FILE = "data.parquet"
_UNNAMED = "unnamed.parquet"  # a Series without a name: Parquet's columns have one
_NAN = "nan.json"
_KEPT = r"bool|boolean|(u?int|float|U?Int|Float)\d+|(datetime|timedelta)64\[ns\]"


class DataFrameMaterializer(BaseMaterializer):
    """DataFrames: a Parquet file; those that Parquet would change are pickled.

    It would change columns of mixed objects, categories that are no texts, labels that are no texts
    or stand twice, frequencies, attributes, and subclasses.
    """

    handles = ("pandas.core.frame.DataFrame",)
    artifact_type = "Dataset"

    def save(self, value: Any, folder: Path) -> None:
        """See the base class."""
        _save(value, value, folder)

    def load(self, folder: Path, type: type[Any] | None) -> Any:
        """See the base class."""
        file = folder / _FILE
        return _read(file) if file.exists() else load_pickle(folder)

    def extract_metadata(self, value: Any) -> Mapping[str, str | int | float]:
        """Rows and columns."""
        return {"rows": len(value), "columns": len(value.columns)}


class SeriesMaterializer(BaseMaterializer):
    """Series: a Parquet file with one column, as DataFrames are saved."""

    handles = ("pandas.core.series.Series",)
    artifact_type = "Dataset"

    def save(self, value: Any, folder: Path) -> None:
        """See the base class."""
        if value.name is None:
            _save(value.to_frame("values"), value, folder, _UNNAMED)
        elif isinstance(value.name, str):
            _save(value.to_frame(), value, folder)
        else:
            save_pickle(value, folder)

    def load(self, folder: Path, type: type[Any] | None) -> Any:
        """See the base class."""
        for file in (folder / _UNNAMED, folder / _FILE):
            if file.exists():
                series = _read(file).iloc[:, 0]
                return series.rename(None) if file.name == _UNNAMED else series
        return load_pickle(folder)

    def extract_metadata(self, value: Any) -> Mapping[str, str | int | float]:
        """Rows and dtype."""
        return {"rows": len(value), "dtype": str(value.dtype)}


def _save(frame: pd.DataFrame, value: Any, folder: Path, file: str = _FILE) -> None:
    import pyarrow as pa

    # Of a class that is derived from pandas' own, a file would not tell.
    missing = _missing(frame) if type(value).__module__.startswith("pandas.") else None
    if missing is not None:
        try:
            frame.to_parquet(folder / file, engine="pyarrow")
        except (pa.ArrowException, ValueError, TypeError, NotImplementedError):
            (folder / file).unlink(missing_ok=True)
        else:
            (folder / _NAN).write_text(json.dumps(missing), encoding="utf-8")
            return
    save_pickle(value, folder)


def _missing(frame: pd.DataFrame) -> list[str] | None:
    """Columns of texts in which NaN stands for what is missing, where Parquet has None.

    Returns:
        Their names; None if Parquet would not give the frame back as it is.
    """
    import pandas as pd

    labels = frame.columns
    if labels.nlevels > 1 or not labels.is_unique or set(map(type, labels)) - {str}:
        return None
    if any(name.startswith("__index_level_") for name in labels) or labels.name is not None:
        return None
    if frame.attrs or not frame.flags.allows_duplicate_labels:
        return None
    if not all(_is_kept_index(frame.index.get_level_values(i)) for i in range(frame.index.nlevels)):
        return None
    if frame.index.nlevels > 1 and len({*frame.index.names}) < frame.index.nlevels:
        return None
    found = []
    for name in labels:
        column = frame[name]
        kind = str(column.dtype)
        if isinstance(column.dtype, pd.CategoricalDtype):
            if set(map(type, column.dtype.categories)) - {str}:
                return None
        elif kind == "object":
            types = set(map(type, column))
            if types - {str, type(None)}:
                others = [item for item in column if not isinstance(item, str)]
                if types - {str, float} or not all(map(math.isnan, others)):
                    return None
                found.append(name)
        elif not _is_kept_dtype(column.dtype):
            return None
    return found


def _is_kept_index(index: Any) -> bool:
    if str(index.dtype) == "object":
        return not set(map(type, index)) - {str}
    # A frequency is lost; intervals and periods become something else.
    return getattr(index, "freq", None) is None and _is_kept_dtype(index.dtype)


def _is_kept_dtype(dtype: Any) -> bool:
    import pandas as pd

    if isinstance(dtype, pd.DatetimeTZDtype):
        return str(dtype.tz) == "UTC" or type(dtype.tz).__module__.startswith("pytz.tzfile")
    if str(dtype) == "string":
        return bool(dtype.storage == "python")
    return re.fullmatch(_KEPT, str(dtype)) is not None


def _read(file: Path) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    frame = pd.read_parquet(file, engine="pyarrow")
    for name in json.loads((file.parent / _NAN).read_text(encoding="utf-8")):
        frame[name] = frame[name].where(frame[name].notna(), np.nan)
    return frame
