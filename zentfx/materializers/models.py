"""Models and what belongs to them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zentfx.errors import DataError, DataNotFoundError, near_matches
from zentfx.materializers.examples import encode_examples
from zentfx.materializers.needs import need

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = [
    "CLASSES_FILE",
    "RAW_COLUMNS_FILE",
    "ExportedModel",
    "load_blessing",
    "load_model",
    "load_transform_graph",
]

_SERVING = "Format-Serving"  # TFX's name for the SavedModel inside a Model artifact
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
        tf = need("tensorflow", "load a Model")
        self.path = folder
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
                values), or serialized ``tf.train.Example`` records.

        Returns:
            float32 of shape (rows, units); where the model has several labels, one such array by
            label.

        Raises:
            DataError: If a column is missing or has the wrong kind.
        """
        import numpy as np
        import pandas as pd
        import tensorflow as tf

        records = self._encode(data) if isinstance(data, pd.DataFrame) else _records(data)
        serve = self.saved_model.signatures["serving_default"]
        arguments = list(serve.structured_input_signature[1])
        if len(arguments) != 1:
            raise DataError(
                f"The signature 'serving_default' of {self!r} takes {', '.join(arguments)}, not "
                "serialized examples. Call model.saved_model.signatures yourself."
            )
        [argument] = arguments
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
        types = {"int64": pa.int64(), "float32": pa.float32(), "string": pa.string()}
        arrays = {}
        for name, dtype in self.columns.items():
            count = int((rows.columns == name).sum())
            if count == 0:
                near = near_matches(name, map(str, rows.columns))
                raise DataError(f"The model needs a column {name!r}.{near}")
            if count > 1:
                raise DataError(f"The model needs one column {name!r}; the data has {count}.")
            try:
                array = pa.array(rows[name], type=types[dtype], from_pandas=True)
            except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
                raise DataError(
                    f"The model needs {dtype} values in column {name!r}: {error}"
                ) from error
            arrays[name] = array.cast(pa.binary()) if dtype == "string" else array
        return encode_examples(pa.RecordBatch.from_arrays(list(arrays.values()), list(arrays)))

    def __repr__(self) -> str:
        return f"ExportedModel({str(self.path)!r})"


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


def load_model(folder: Path, properties: Mapping[str, Any]) -> ExportedModel:
    """Loads a model for prediction."""
    serving = folder / _SERVING
    if not serving.is_dir():
        raise DataNotFoundError(f"{folder} holds no {_SERVING} folder, so no model to serve.")
    return ExportedModel(serving)


def load_transform_graph(folder: Path, properties: Mapping[str, Any]) -> Any:
    """Loads a transform graph: TensorFlow Transform's ``TFTransformOutput``."""
    return need("tensorflow_transform", "load a TransformGraph").TFTransformOutput(str(folder))


def load_blessing(folder: Path, properties: Mapping[str, Any]) -> bool:
    """Loads a blessing: whether the model may be pushed."""
    return (folder / "BLESSED").exists()
