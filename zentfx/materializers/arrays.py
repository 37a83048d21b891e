"""Materializers of NumPy and PyArrow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zentfx.materializers.base import BaseMaterializer
from zentfx.materializers.pickled import load_pickle, save_pickle

__all__ = ["ArrowTableMaterializer", "NumPyMaterializer"]


class NumPyMaterializer(BaseMaterializer):
    """Arrays and scalars: a ``.npy`` file; arrays of objects, and subclasses, are pickled."""

    handles = ("numpy.ndarray", "numpy.generic")
    artifact_type = "Dataset"

    def save(self, value: Any, folder: Path) -> None:
        """See the base class."""
        import numpy as np

        if type(value) is np.ndarray and not value.dtype.hasobject:
            np.save(folder / "array.npy", value, allow_pickle=False)
        else:
            save_pickle(value, folder)

    def load(self, folder: Path, type: type[Any] | None) -> Any:
        """See the base class."""
        import numpy as np

        file = folder / "array.npy"
        return np.load(file, allow_pickle=False) if file.exists() else load_pickle(folder)

    def extract_metadata(self, value: Any) -> Mapping[str, str | int | float]:
        """Shape and dtype."""
        return {"shape": str(value.shape), "dtype": str(value.dtype)}


class ArrowTableMaterializer(BaseMaterializer):
    """PyArrow's tables: a file of Arrow's own, which keeps all types."""

    handles = ("pyarrow.lib.Table",)
    artifact_type = "Dataset"

    def save(self, value: Any, folder: Path) -> None:
        """See the base class."""
        import pyarrow as pa

        path = str(folder / "table.arrow")
        with pa.OSFile(path, "wb") as file, pa.ipc.new_file(file, value.schema) as writer:
            writer.write_table(value)

    def load(self, folder: Path, type: type[Any] | None) -> Any:
        """See the base class."""
        import pyarrow as pa

        with pa.OSFile(str(folder / "table.arrow"), "rb") as file:
            return pa.ipc.open_file(file).read_all()

    def extract_metadata(self, value: Any) -> Mapping[str, str | int | float]:
        """Rows and columns."""
        return {"rows": value.num_rows, "columns": value.num_columns}
