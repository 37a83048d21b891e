"""Models and what belongs to them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zentfx.errors import DataError, DataNotFoundError, near_matches
from zentfx.materializers.cells import Cells
from zentfx.materializers.examples import encode_examples
from zentfx.materializers.finite import first_not_finite
from zentfx.materializers.needs import need
from zentfx.materializers.quiet_tensorflow import quiet_tensorflow

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

__all__ = [
    "CLASSES_FILE",
    "RAW_COLUMNS_FILE",
    "SERVING",
    "ExportedModel",
    "load_blessing",
    "load_model",
    "load_transform_graph",
]

SERVING = "Format-Serving"  # TFX's name for the SavedModel inside a Model artifact
_SAVED_MODEL = ("saved_model.pb", "saved_model.pbtxt")
_BATCH = 4096
_EXPECTED = (
    "A model predicts from a pandas.DataFrame, or from a list of serialized tf.train.Example "
    "records; {} came. For a list of dicts: pandas.DataFrame(rows)."
)

# In an exported model: the raw columns that it reads. SavedModel leaves assets.extra to its users.
RAW_COLUMNS_FILE = "assets.extra/zentfx_columns.json"
# The classes of its labels, in the order of their indices.
CLASSES_FILE = "assets.extra/zentfx_classes.json"


class ExportedModel:
    """A trained model with its preprocessing inside, as a server would run it.

    Args:
        folder: A SavedModel with a signature ``serving_default`` that takes serialized examples.

    Attributes:
        path: That folder.
        saved_model: The loaded SavedModel.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder
        with quiet_tensorflow():  # its devices are looked for by the first model
            tf = need("tensorflow", "load a Model")
            self.saved_model = tf.saved_model.load(str(folder))

    @property
    def columns(self) -> dict[str, str]:
        """The raw columns that the model reads: name to dtype (``int64``, ``float32``, ``string``).

        Empty for a model that a ``run_fn`` of the user's exported without saying.
        """
        file = self.path / RAW_COLUMNS_FILE
        return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}

    @property
    def classes(self) -> dict[str, list[str]]:
        """The classes of each label of strings, in the order of their indices, by label.

        A model with an output for each class gives their probabilities in this order; one with a
        single output gives the probability of the second, the positive one.
        """
        file = self.path / CLASSES_FILE
        return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}

    def predict(
        self, data: pd.DataFrame | Sequence[bytes]
    ) -> np.ndarray[Any, Any] | dict[str, np.ndarray[Any, Any]]:
        """Predicts from raw rows.

        Args:
            data: A DataFrame with the raw columns (others are ignored; NaN and None are missing
                values, and text in a column of numbers is read as in a CSV file), or serialized
                ``tf.train.Example`` records.

        Returns:
            float32 of shape (rows, units); where the model has several labels, one such array by
            label.

        Raises:
            DataError: If a column is missing, has the wrong kind, or a number is not finite.
        """
        import numpy as np
        import pandas as pd
        import tensorflow as tf

        records = self._encode(data) if isinstance(data, pd.DataFrame) else _records(data)
        serve = self.saved_model.signatures.get("serving_default")
        if serve is None:
            raise DataError(
                f"{self!r} has no signature 'serving_default', by which it would predict. There "
                f"are {', '.join(self.saved_model.signatures) or 'none'}: call "
                "model.saved_model yourself."
            )
        specs = serve.structured_input_signature[1]
        if [spec.dtype for spec in specs.values()] != [tf.string]:
            taken = ", ".join(f"{name} ({spec.dtype.name})" for name, spec in specs.items())
            raise DataError(
                f"The signature 'serving_default' of {self!r} takes {taken}, not serialized "
                "examples. Call model.saved_model.signatures yourself."
            )
        [argument] = specs
        parts = [
            serve(**{argument: tf.constant(list(records[start : start + _BATCH]), tf.string)})
            for start in range(0, max(len(records), 1), _BATCH)
        ]
        outputs = {
            name: np.concatenate([part[name].numpy() for part in parts]) for name in parts[0]
        }
        return outputs if len(outputs) > 1 else next(iter(outputs.values()))

    def _encode(self, rows: pd.DataFrame) -> list[bytes]:
        import pyarrow as pa

        if not self.columns:
            raise DataError(
                f"{self!r} does not say which raw columns it reads (its run_fn did not write "
                f"{RAW_COLUMNS_FILE}). Give it serialized tf.train.Example records."
            )
        arrays = {}
        for name, dtype in self.columns.items():
            count = int((rows.columns == name).sum())
            if count == 0:
                near = near_matches(name, map(str, rows.columns))
                raise DataError(f"The model needs a column {name!r}.{near}")
            if count > 1:
                raise DataError(f"The model needs one column {name!r}; the data has {count}.")
            arrays[name] = _array(rows[name], name, dtype)
        return encode_examples(pa.RecordBatch.from_arrays(list(arrays.values()), list(arrays)))

    def __repr__(self) -> str:
        return f"ExportedModel({str(self.path)!r})"


def _array(column: pd.Series[Any], name: str, dtype: str) -> pa.Array:
    """A raw column as the model reads it: int64, float32 or binary, null where missing."""
    import pyarrow as pa

    needs = f"The model needs {dtype} values in column {name!r}"
    types = {"int64": pa.int64(), "float32": pa.float32(), "string": pa.string()}
    if dtype != "string" and _holds_text(column):
        array = _from_text(column, needs, dtype)
        return _checked_finite(array, column, needs)
    try:
        # Numbers as they are: those of a wider type must not be cut without a look.
        array = pa.array(column, from_pandas=True, type=pa.string() if dtype == "string" else None)
        if isinstance(array, pa.ChunkedArray):
            array = array.combine_chunks()
        if pa.types.is_temporal(array.type):
            raise pa.ArrowInvalid(f"got {array.type}")
        array = array.cast(types[dtype], safe=dtype != "float32")
    except (pa.ArrowException, OverflowError, TypeError, UnicodeError) as error:
        hint = f". pandas.read_csv(…, dtype={{{name!r}: str}}) keeps cells as they are."
        raise DataError(f"{needs}: {error}{hint if dtype == 'string' else ''}") from error
    return array.cast(pa.binary()) if dtype == "string" else _checked_finite(array, column, needs)


def _checked_finite(array: pa.Array, column: pd.Series[Any], needs: str) -> pa.Array:
    row = first_not_finite(array)
    if row is not None:
        raise DataError(
            f"{needs}; row {row} (from 0) has {column.iloc[row]!r}, which is infinite or too large "
            "for a 32-bit float."
        )
    return array


def _holds_text(column: pd.Series[Any]) -> bool:
    if column.dtype.kind in "iufbM":  # not a look at each of many numbers
        return False
    return any(isinstance(item, str) for item in column)


def _from_text(column: pd.Series[Any], needs: str, dtype: str) -> pa.Array:
    """Numbers of a column in which some are text: a file had cells that pandas did not take."""
    import pyarrow as pa

    texts = [
        None if missing else str(item) for item, missing in zip(column, column.isna(), strict=True)
    ]
    cells = Cells(pa.array(texts, pa.string()))
    if dtype == "int64":
        array, first = cells.integers, cells.first_not_integer
    else:
        array, first = cells.numbers, cells.first_not_number
    if array is None:
        assert first is not None
        raise DataError(f"{needs}; row {first} (from 0) has {column.iloc[first]!r}.")
    return array if dtype == "int64" else array.cast(pa.float32(), safe=False)


def _records(data: Any) -> list[bytes]:
    if not isinstance(data, Iterable) or isinstance(data, (Mapping, str, bytes)):
        raise DataError(_EXPECTED.format(_shown(data)))
    records = list(data)
    for record in records:
        if not isinstance(record, bytes):
            raise DataError(_EXPECTED.format(f"{_shown(data)} of {_shown(record)}"))
    return records


def _shown(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")


def load_model(folder: Path, properties: Mapping[str, Any]) -> Any:
    """Loads a model by the format that its files have.

    A SavedModel, in ``Format-Serving`` or in the folder itself, is an :class:`ExportedModel`; a
    single ``.keras`` file is what Keras loads from it; of any other format the folder is all that
    can be given. What was pickled is not loaded unasked.
    """
    for place in (folder / SERVING, folder):
        if any((place / name).is_file() for name in _SAVED_MODEL):
            return ExportedModel(place)
        files = list(place.glob("*.keras"))
        if len(files) == 1:
            return need("keras", "load a Keras model").saving.load_model(files[0])
    if next(folder.iterdir(), None) is None:
        raise DataNotFoundError(f"{folder} is empty: its step has written no model.")
    return folder


def load_transform_graph(folder: Path, properties: Mapping[str, Any]) -> Any:
    """Loads a transform graph: TensorFlow Transform's ``TFTransformOutput``."""
    return need("tensorflow_transform", "load a TransformGraph").TFTransformOutput(str(folder))


def load_blessing(folder: Path, properties: Mapping[str, Any]) -> bool:
    """Loads a blessing: whether the model may be pushed."""
    return (folder / "BLESSED").exists()
