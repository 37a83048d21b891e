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
# Dtypes whose values Parquet keeps, whatever they are; of objects, texts alone get there.
_INTS = [f"{kind}{size}" for kind in ("int", "uint") for size in (8, 16, 32, 64)]
_STAY = frozenset({"object", "bool", "float32", "float64", *_INTS})
_NULLABLE = r"boolean|U?Int\d+|Float\d+"


class DataFrameMaterializer(BaseMaterializer):
    """DataFrames: a Parquet file; those that Parquet would change are pickled.

    It would change, for example, columns of mixed objects, categories that no row has, labels that
    are no texts or stand twice, frequencies, attributes, and subclasses.
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
    # Of a class that is derived from pandas' own, a file would not tell.
    missing = _missing(frame) if type(value).__module__.startswith("pandas.") else None
    if missing is not None:
        (folder / _NAN).write_text(json.dumps(missing), encoding="utf-8")
        if _is_kept(frame, folder / file):
            return
        for name in (file, _NAN):
            (folder / name).unlink(missing_ok=True)
    save_pickle(value, folder)


def _missing(frame: pd.DataFrame) -> list[str] | None:
    """Columns of texts in which NaN stands for what is missing, where Parquet has None.

    Returns:
        Their names; None if Parquet has no place for something that the frame is.
    """
    labels = frame.columns
    if labels.nlevels > 1 or not labels.is_unique or set(map(type, labels)) - {str}:
        return None
    if any(name.startswith("__index_level_") for name in labels):
        return None
    if frame.attrs or not frame.flags.allows_duplicate_labels:
        return None
    indexes = [frame.index.get_level_values(level) for level in range(frame.index.nlevels)]
    if not all(_is_of_parquet(dtype) for dtype in [*frame.dtypes, *(i.dtype for i in indexes)]):
        return None
    found = []
    for name in labels:
        column = frame[name]
        if column.dtype == object:
            types = set(map(type, column))
            if types - {str, type(None)}:
                others = [item for item in column if not isinstance(item, str)]
                if types - {str, float} or not all(map(math.isnan, others)):
                    return None
                found.append(name)
    return found


def _is_kept(frame: pd.DataFrame, file: Path) -> bool:
    """Writes a frame, and says whether exactly this frame is read again.

    What Parquet keeps of a dtype depends on the versions of pandas and Arrow and on the values: a
    column of categories without a value has lost them. So what is not known to stay is read again;
    numbers and texts are most of the data, and stay.
    """
    import pyarrow.parquet as pq

    try:
        frame.to_parquet(file, engine="pyarrow")
        labels = pq.read_schema(file).empty_table().to_pandas().columns
        unsure = [name for name in frame.columns if str(frame[name].dtype) not in _STAY]
        # Without any column pandas does not tell the index.
        found = _read(file, unsure or list(frame.columns[:1]))
    except Exception:  # noqa: BLE001 - what pandas and Arrow raise of what they have no place for
        return False
    return (
        _is_same_index(labels, frame.columns)
        and _is_same_index(found.index, frame.index)
        and all(_is_same_data(found[name], frame[name]) for name in unsure)
    )


def _is_of_parquet(dtype: Any) -> bool:
    """Whether Parquet has something like it: reading others, intervals say, may end the process."""
    import numpy as np
    import pandas as pd

    if isinstance(dtype, pd.CategoricalDtype):
        return _is_of_parquet(dtype.categories.dtype)
    if isinstance(dtype, (np.dtype, pd.DatetimeTZDtype, pd.StringDtype)):
        return True
    return re.fullmatch(_NULLABLE, str(dtype)) is not None


def _is_same_index(one: Any, other: Any) -> bool:
    """Whether two indexes, of rows or columns, are the same: class, names, dtype, frequency too.

    Where objects other than texts are in them they are not: `1 == True`.
    """
    names = [[(type(name), name) for name in index.names] for index in (one, other)]
    if type(one) is not type(other) or names[0] != names[1] or one.nlevels != other.nlevels:
        return False
    if one.nlevels > 1:
        levels = range(one.nlevels)
        return all(
            _is_same_data(one.get_level_values(level), other.get_level_values(level))
            for level in levels
        )
    return _is_same_data(one, other) and getattr(one, "freq", None) == getattr(other, "freq", None)


def _is_same_data(one: Any, other: Any) -> bool:
    """Whether two columns, or indexes, have the same dtype and values."""
    import pandas as pd

    kinds = one.dtype, other.dtype
    if all(isinstance(kind, pd.CategoricalDtype) for kind in kinds):
        codes = [pd.Categorical(item).codes for item in (one, other)]
        return (
            kinds[0].ordered == kinds[1].ordered
            and _is_same_index(kinds[0].categories, kinds[1].categories)
            and bool((codes[0] == codes[1]).all())
        )
    if type(kinds[0]) is not type(kinds[1]) or repr(kinds[0]) != repr(kinds[1]):
        return False
    # Zones of equal name may be of other packages.
    if isinstance(kinds[0], pd.DatetimeTZDtype) and type(kinds[0].tz) is not type(kinds[1].tz):
        return False
    if str(kinds[0]) == "object" and set(map(type, [*one, *other])) - {str}:
        return False
    return bool(one.equals(other))


def _read(file: Path, columns: list[str] | None = None) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    frame = pd.read_parquet(file, engine="pyarrow", columns=columns)
    for name in json.loads((file.parent / _NAN).read_text(encoding="utf-8")):
        if name in frame.columns:
            frame[name] = frame[name].where(frame[name].notna(), np.nan)
    return frame
