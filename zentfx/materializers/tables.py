"""Materializers of pandas."""

from __future__ import annotations

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
# What pandas says of a column of objects that Parquet gives back as it was.
_KEPT = ("string", "empty")


class DataFrameMaterializer(BaseMaterializer):
    """DataFrames: a Parquet file; those that Parquet would change are pickled.

    It would change columns of mixed objects, labels that are neither texts nor all numbers, labels
    that stand twice, and subclasses.
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
    if type(value).__module__.startswith("pandas.") and _is_kept(frame):
        try:
            frame.to_parquet(folder / file, engine="pyarrow")
            return
        except (pa.ArrowException, ValueError, TypeError, NotImplementedError):
            (folder / file).unlink(missing_ok=True)
    save_pickle(value, folder)


def _is_kept(frame: pd.DataFrame) -> bool:
    """Whether Parquet gives a frame back as it is."""
    import pandas as pd

    levels = [frame.index.get_level_values(number) for number in range(frame.index.nlevels)]
    if frame.columns.nlevels > 1 or not frame.columns.is_unique:
        return False
    if getattr(frame.index, "freq", None) is not None:
        return False
    columns = [frame[name] for name, dtype in frame.dtypes.items() if str(dtype) == "object"]
    indexes = [item for item in (frame.columns, *levels) if str(item.dtype) == "object"]
    objects = [*columns, *indexes]
    return all(pd.api.types.infer_dtype(item, skipna=True) in _KEPT for item in objects) and (
        frame.columns.dtype == object
        or isinstance(frame.columns, pd.RangeIndex)
        or len(frame.columns) == 0
    )


def _read(file: Path) -> pd.DataFrame:
    import pandas as pd

    return pd.read_parquet(file, engine="pyarrow")
