"""What a Keras trainer needs around its model: transformed examples, and an export.

TensorFlow, Keras and TensorFlow Transform are imported inside the functions: a pipeline that only
names a trainer must not load them.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from zentfx.errors import DataError
from zentfx.materializers.models import CLASSES_FILE, RAW_COLUMNS_FILE
from zentfx.steps.labels import PRESENT, known, present

__all__ = [
    "EVAL",
    "KNOWN",
    "LABEL",
    "LABELS_SIGNATURE",
    "TRAIN",
    "ColumnSpec",
    "TrainingData",
    "export",
    "layer_name",
]

# The splits that a trainer reads.
TRAIN, EVAL = "train", "eval"

# Rows that are shuffled together; a dataset of at most this size is shuffled as a whole.
_SHUFFLE_ROWS = 50_000

# Names in the exported model that the evaluator asks for. The outputs have prefixes, because TFMA
# slices by an output rather than by the raw column of the same name.
LABELS_SIGNATURE = "transform_labels"
LABEL = "zentfx_label_"
KNOWN = "zentfx_known_"


@dataclass(frozen=True)
class ColumnSpec:
    """A feature or label after preprocessing.

    Attributes:
        shape: Shape of one row's value.
        dtype: ``float32``, ``int64`` or ``string``.
        vocabulary_size: Number of different values where the column holds vocabulary indices (out
            of vocabulary ones included), else None.
    """

    shape: tuple[int, ...]
    dtype: str
    vocabulary_size: int | None = None


class TrainingData:
    """The transformed examples of a trainer, as ``tf.data``.

    Attributes:
        transform: The ``TFTransformOutput`` that made them.
        features: What the model reads, by name.
        labels: What it predicts, by name.
        classes: The classes in the order of their indices, by label; nothing for other labels.
    """

    def __init__(
        self,
        transform: Any,
        features: Sequence[str],
        labels: Sequence[str],
        files: Mapping[str, Sequence[str]],
        classes: Mapping[str, Sequence[str]] = MappingProxyType({}),
    ) -> None:
        self.transform = transform
        self.classes = classes
        self._files = files
        self._parsing = transform.transformed_feature_spec()
        self.features = {name: self._column(name) for name in features}
        self.labels = {name: self._column(name) for name in labels}

    @classmethod
    def of(cls, fn_args: Any) -> TrainingData:
        """Reads what a ``run_fn`` is given.

        Args:
            fn_args: TFX's ``FnArgs``, with ``features`` and ``labels`` in its ``custom_config``.

        Returns:
            The data.
        """
        import tensorflow_transform as tft

        return cls(
            tft.TFTransformOutput(fn_args.transform_graph_path),
            fn_args.custom_config["features"],
            fn_args.custom_config["labels"],
            {TRAIN: fn_args.train_files, EVAL: fn_args.eval_files},
            fn_args.custom_config.get("classes", {}),
        )

    def _column(self, name: str) -> ColumnSpec:
        spec = self._parsing[name]
        size = None
        if spec.dtype.is_integer:
            for feature in self.transform.transformed_metadata.schema.feature:
                if feature.name == name and feature.HasField("int_domain"):
                    domain = feature.int_domain
                    # An empty vocabulary has the domain [-1, …]: one index must remain.
                    size = max(1, int(domain.max) + 1)
        return ColumnSpec(tuple(spec.shape), spec.dtype.name, size)

    def batches(self, split: str, batch_size: int, seed: int | None = None) -> Any:
        """One pass over a split.

        Args:
            split: ``train`` or ``eval``.
            batch_size: Rows a batch; the last batch may be smaller.
            seed: Shuffles the rows, in another order each pass; None keeps their order.

        Returns:
            A ``tf.data.Dataset`` of (features by name, label or labels by name), each of shape
            (batch, width). Rows that lack a label, or have an unknown class, are left out.

        Raises:
            DataError: If the split has no files.
        """
        import tensorflow as tf

        files = [name for pattern in self._files[split] for name in tf.io.gfile.glob(pattern)]
        if not files:
            raise DataError(f"The split {split!r} has no files: {list(self._files[split])}.")
        records = tf.data.TFRecordDataset(sorted(files), compression_type="GZIP")
        if seed is not None:
            records = records.shuffle(_SHUFFLE_ROWS, seed=seed)
        # Parsing and dropping go by large batches, which is many times cheaper than by row.
        rows = records.batch(1024).map(self._parse, deterministic=True).unbatch()
        return rows.batch(batch_size).prefetch(tf.data.AUTOTUNE)

    def label_states(self, records: Any) -> dict[str, tuple[Any, Any]]:
        """Says which rows have a label.

        Args:
            records: Serialized transformed examples, of shape (batch,).

        Returns:
            By label, two bool tensors of shape (batch, 1): which rows have it, and which have a
            class that is known, if they have one.
        """
        return self._states(self._columns(records, self.labels))

    def _states(self, columns: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
        return {
            name: (present(columns, name), known(columns, name, spec.vocabulary_size is not None))
            for name, spec in self.labels.items()
        }

    def _columns(self, records: Any, names: Iterable[str]) -> dict[str, Any]:
        import tensorflow as tf

        wanted = [*names, *(f"{PRESENT}{label}" for label in self.labels)]
        parsing = {name: self._parsing[name] for name in wanted if name in self._parsing}
        columns: dict[str, Any] = tf.io.parse_example(records, parsing)
        return columns

    def _parse(self, records: Any) -> Any:
        import tensorflow as tf

        columns = self._columns(records, [*self.features, *self.labels])
        complete = tf.ones(tf.shape(records), tf.bool)
        for has, knows in self._states(columns).values():
            complete &= tf.reshape(has & knows, [-1])
        columns = {
            name: tf.boolean_mask(columns[name], complete)
            for name in [*self.features, *self.labels]
        }
        labels = {name: columns.pop(name) for name in self.labels}
        return columns, labels if len(labels) > 1 else next(iter(labels.values()))


def layer_name(column: str, index: int) -> str:
    """Makes a name that Keras and TensorFlow take: columns of a CSV may be called anything.

    Args:
        column: The column's name.
        index: Its position, which makes the name unique.

    Returns:
        The name: letters, digits and ``_``; a letter first.
    """
    name = f"{re.sub('[^A-Za-z0-9_]', '_', column)}_{index}"
    return name if name[0].isalpha() else f"column{name}"


def _argument_names(columns: Sequence[str]) -> dict[str, str]:
    """Names for a signature's arguments: a column's own name where TensorFlow takes it.

    It takes no two that differ in case alone, and passes all by keyword to methods of its own.
    """
    names: dict[str, str] = {}
    odd = {}
    for index, name in enumerate(columns):
        taken = {"self", *(other.lower() for other in names)}
        if re.fullmatch("[A-Za-z][A-Za-z0-9_]*", name) and name.lower() not in taken:
            names[name] = name
        else:
            odd[name] = index
    for name, index in odd.items():
        names[name] = _free_name(layer_name(name, index), names.values())
    return names


def _free_name(name: str, taken: Iterable[str]) -> str:
    lower = {other.lower() for other in taken}
    while name.lower() in lower:
        name += "_"
    return name


def export(model: Any, data: TrainingData, folder: str) -> None:
    """Saves a model with its preprocessing inside, as a SavedModel.

    Signatures:

    - ``serving_default``: serialized ``tf.train.Example`` records as ``examples`` (``examples_``
      where a column is called that), string of shape (batch,);
    - ``serve_rows``: raw feature columns, each of shape (batch, 1), by name (a name that TensorFlow
      does not take as an argument's is written with ``_`` and its position);
    - ``transform_labels``: serialized records with labels; for each label, as
      ``zentfx_label_<label>``, its values on the scale that the model predicts on (-1 for an
      unknown class), as ``zentfx_present_<label>`` 1.0 or, where it is missing, 0.0, and as
      ``zentfx_known_<label>`` 0.0 where it is of an unknown class, else 1.0.

    The first two return predictions by label, each of shape (batch, units).

    Args:
        model: A ``keras.Model`` that takes the features by name.
        data: What it was trained on.
        folder: Where to save; does not exist yet.
    """
    import tensorflow as tf
    from tensorflow_transform.saved import saved_transform_io_v2

    raw = data.transform.raw_feature_spec()
    # A custom preprocessor may give its outputs other names than raw columns have: then all raw
    # columns are read, and what a prediction does not depend on may be missing from a request.
    own_names = all(name in raw for name in data.features)
    columns = list(data.features) if own_names else list(raw)
    only_label = next(iter(data.labels))

    # tft's transform_features_layer() would do the same as this loader, as a Keras 2 model that is
    # traced again when it is saved: 9 CPU seconds instead of 0.5. With AutoGraph, which has nothing
    # to convert here, another 2. (Measured on TFX 1.16; see benchmarks/.)
    loader = saved_transform_io_v2.SavedModelLoader(data.transform.transform_savedmodel_dir)
    graph = functools.partial(tf.function, autograph=False)
    # TFMA feeds a signature from the raw column that has its argument's name, where there is one.
    examples = tf.TensorSpec([None], tf.string, name=_free_name("examples", raw))
    serving = tf.Module()
    # What the functions below reach has to be tracked. Of the model the weights alone: with the
    # whole model its optimizer's state would be saved too.
    serving.weights = [variable.value for variable in model.variables]
    serving.transform = loader._imported

    def predict(rows: dict[str, Any]) -> dict[str, Any]:
        transformed = loader.apply_transform_model(rows)
        outputs = model({name: transformed[name] for name in data.features}, training=False)
        return outputs if isinstance(outputs, dict) else {only_label: outputs}

    @graph(input_signature=[examples])
    def serving_default(examples: Any) -> dict[str, Any]:
        return predict(tf.io.parse_example(examples, {name: raw[name] for name in columns}))

    arguments = _argument_names(columns)
    specs = {n: tf.TensorSpec([None, 1], raw[n].dtype, name=arguments[n]) for n in columns}

    @graph(input_signature=[{arguments[name]: spec for name, spec in specs.items()}])
    def serve_rows(rows: dict[str, Any]) -> dict[str, Any]:
        return predict({n: _as_parsed(rows[arguments[n]], raw[n]) for n in columns})

    @graph(input_signature=[examples])
    def transform_labels(examples: Any) -> dict[str, Any]:
        transformed = loader.apply_transform_model(tf.io.parse_example(examples, raw))
        outputs = {}
        for name, spec in data.labels.items():
            has = present(transformed, name)
            knows = known(transformed, name, spec.vocabulary_size is not None)
            value = transformed[name]
            outputs[f"{LABEL}{name}"] = tf.where(has, value, tf.zeros_like(value))
            outputs[f"{PRESENT}{name}"] = tf.reshape(tf.cast(has, tf.float32), [-1])
            outputs[f"{KNOWN}{name}"] = tf.reshape(tf.cast(knows | ~has, tf.float32), [-1])
        return outputs

    signatures = {
        "serving_default": serving_default,
        "serve_rows": serve_rows,
        LABELS_SIGNATURE: transform_labels,
    }
    tf.saved_model.save(serving, folder, signatures=signatures)
    extra = Path(folder) / RAW_COLUMNS_FILE
    extra.parent.mkdir(exist_ok=True)
    extra.write_text(json.dumps({n: raw[n].dtype.name for n in columns}), encoding="utf-8")
    (Path(folder) / CLASSES_FILE).write_text(json.dumps(dict(data.classes)), encoding="utf-8")


def _as_parsed(column: Any, spec: Any) -> Any:
    """A dense column of shape (batch, 1) in the form that parsing gives it; NaN means missing."""
    import tensorflow as tf

    if not isinstance(spec, tf.io.VarLenFeature):
        return column
    present = tf.ones(tf.shape(column), tf.bool)
    if column.dtype.is_floating:
        present = ~tf.math.is_nan(column)
    elif column.dtype == tf.string:
        present = column != ""
    indices = tf.where(present)
    shape = tf.shape(column, out_type=tf.int64)
    return tf.SparseTensor(indices, tf.gather_nd(column, indices), shape)
