"""Labels: which rows have one, and which number stands for which class.

These are two facts, so they are kept in two columns. Whether a row has a label is what its raw
column says; what the label is, what the preprocessing made of it. One sentinel for both would let a
class that training has not seen pass for a missing label.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from zentfx.materializers.needs import need

__all__ = [
    "PRESENT",
    "UNKNOWN",
    "LabelCount",
    "class_index",
    "classes_of",
    "count_labels",
    "known",
    "present",
    "with_presence",
]

# A column of transformed examples, and an output of the exported model: 1.0 where the row has the
# label that is called so, else 0.0.
PRESENT = "zentfx_present_"
# The index of a class that is not among the known ones.
UNKNOWN = -1

_CLASSES = "zentfx_classes_"
_BATCH = 4096


def class_index(label: str, values: Any, classes: Sequence[str] | None = None) -> Any:
    """Makes class indices of a label's strings, in a ``preprocessing_fn``.

    The order of the classes is recorded with the model. Unlike in a vocabulary of TensorFlow
    Transform it does not depend on how frequent they are, and a class may be called anything.

    Args:
        label: The label's name.
        values: A string tensor of shape (batch, 1); empty where the label is missing.
        classes: The classes in the order of their indices; None for those of the training split,
            sorted by their UTF-8 text.

    Returns:
        An int64 tensor of shape (batch, 1): the index of each class, ``UNKNOWN`` for a value that
        is none of them.
    """
    import tensorflow as tf
    from tensorflow_transform import schema_inference

    names = _distinct_values(values) if classes is None else tf.constant(classes, tf.string)
    names = tf.identity(names, name=_operation(label))
    # At least one, for a graph that is traced before any data was seen. No value equals it.
    padded = tf.concat([names, [""]], axis=0)
    # A table would have to be initialized from what the analysis found; a search need not be.
    hashes = tf.strings.to_hash_bucket_fast(padded, 2**62)
    order = tf.argsort(hashes)
    flat = tf.reshape(values, [-1])
    places = tf.searchsorted(tf.gather(hashes, order), tf.strings.to_hash_bucket_fast(flat, 2**62))
    found = tf.gather(order, tf.minimum(places, tf.size(order) - 1))
    same = (tf.gather(padded, found) == flat) & (flat != "")
    index = tf.cast(tf.where(same, found, UNKNOWN), tf.int64)
    index = tf.reshape(index, [-1, 1])
    schema_inference.set_tensor_schema_override(
        index, tf.constant(0, tf.int64), tf.size(names, tf.int64) - 1
    )
    return index


def _distinct_values(values: Any) -> Any:
    """The values of the training split, sorted, without the empty one."""
    import apache_beam as beam
    import numpy as np
    import tensorflow as tf
    import tensorflow_transform as tft

    def distinct(batch: Sequence[Any]) -> frozenset[bytes]:
        return frozenset(batch[0].ravel().tolist()) - {b""}

    def united(parts: Iterable[frozenset[bytes]]) -> frozenset[bytes]:
        return frozenset().union(*parts)

    @beam.ptransform_fn
    def sorted_values(batches: Any) -> Any:
        return (
            batches
            | beam.Map(distinct)
            | beam.CombineGlobally(united)
            | beam.Map(lambda found: np.array(sorted(found), dtype=object))
        )

    [names] = tft.experimental.ptransform_analyzer([values], sorted_values(), [tf.string], [[None]])
    return names


def _operation(label: str) -> str:
    return f"{_CLASSES}{label.encode().hex()}"


def classes_of(transform: Any, labels: Iterable[str]) -> dict[str, list[str]]:
    """Reads the classes of labels from a transform graph.

    Args:
        transform: The ``TFTransformOutput``.
        labels: Names of labels.

    Returns:
        The classes in the order of their indices, by label; nothing for a label that
        :func:`class_index` did not make.
    """
    tf = need("tensorflow", "read a TransformGraph")
    graph = tf.saved_model.load(transform.transform_savedmodel_dir).transform_fn.graph
    operations = {item.name.rpartition("/")[2]: item for item in graph.get_operations()}
    # What an analysis found is handed to the function that is saved.
    handed = {inner.name: outer for outer, inner in graph.captures}
    found = {}
    for label in labels:
        operation = operations.get(_operation(label))
        if operation is not None:
            [source] = operation.inputs
            value = handed.get(source.name)
            names = tf.get_static_value(source) if value is None else value.numpy()
            found[label] = [name.decode(errors="replace") for name in names.tolist()]
    return found


def with_presence(
    outputs: Mapping[str, Any], inputs: Mapping[str, Any], labels: Iterable[str]
) -> dict[str, Any]:
    """Adds to the outputs of a ``preprocessing_fn`` which rows have a label.

    Args:
        outputs: The outputs.
        inputs: The raw columns.
        labels: Names of labels.

    Returns:
        The outputs, and for each label that is called like a raw column another one,
        ``zentfx_present_<label>``: float32 of shape (batch, 1).
    """
    return {
        **outputs,
        **{f"{PRESENT}{name}": _presence(inputs[name]) for name in labels if name in inputs},
    }


def _presence(raw: Any) -> Any:
    """1.0 for each row of a raw column that has a value, else 0.0; shape (batch, 1)."""
    import tensorflow as tf

    sparse = isinstance(raw, tf.SparseTensor)
    there = _is_there(raw.values if sparse else raw)
    if sparse:
        there = tf.sparse.SparseTensor(raw.indices, tf.cast(there, tf.float32), raw.dense_shape)
        rows = tf.sparse.reduce_sum(there, axis=-1)
        return tf.reshape(tf.cast(rows > 0, tf.float32), [-1, 1])
    return tf.cast(_by_row(tf.reduce_any, there), tf.float32)


def _by_row(reduce: Any, flags: Any) -> Any:
    """What holds for each row, of shape (batch, 1)."""
    import tensorflow as tf

    return tf.reshape(reduce(flags, axis=list(range(1, flags.shape.rank))), [-1, 1])


def _is_there(values: Any) -> Any:
    import tensorflow as tf

    if values.dtype == tf.string:
        return values != ""
    return ~tf.math.is_nan(values) if values.dtype.is_floating else tf.ones_like(values, tf.bool)


def present(columns: Mapping[str, Any], label: str) -> Any:
    """Which rows have a label.

    Args:
        columns: Transformed columns by name.
        label: The label. Where no raw column is called so, it is missing where it is NaN or empty.

    Returns:
        A bool tensor of shape (batch, 1).
    """
    import tensorflow as tf

    if f"{PRESENT}{label}" in columns:
        return columns[f"{PRESENT}{label}"] > 0
    return _by_row(tf.reduce_all, _is_there(columns[label]))


def known(columns: Mapping[str, Any], label: str, is_index: bool) -> Any:
    """Which rows have a class that is known, if they have one.

    Args:
        columns: Transformed columns by name.
        label: The label.
        is_index: Whether it is the index of a class.

    Returns:
        A bool tensor of shape (batch, 1).
    """
    import tensorflow as tf

    value = columns[label]
    return _by_row(tf.reduce_all, value >= 0 if is_index else tf.ones_like(value, tf.bool))


@dataclass(frozen=True)
class LabelCount:
    """The labels of a split.

    Attributes:
        rows: How many rows it has.
        missing: How many of them have no label.
        unknown: How many have a class that is not among the known ones.
    """

    rows: int = 0
    missing: int = 0
    unknown: int = 0

    @property
    def counted(self) -> int:
        """How many rows have a label that is known."""
        return self.rows - self.missing - self.unknown

    def as_dict(self) -> dict[str, int]:
        """As plain data."""
        return asdict(self)


def count_labels(files: Sequence[str], states: Any, labels: Iterable[str]) -> dict[str, LabelCount]:
    """Counts the labels of a split.

    Args:
        files: Its TFRecord files, compressed with gzip.
        states: Makes of a batch of serialized records, by label, which rows have it and which have
            a known one: two bool tensors of shape (batch, 1).
        labels: Names of labels.

    Returns:
        The counts by label.
    """
    import numpy as np
    import tensorflow as tf

    counts = {name: np.zeros(3, np.int64) for name in labels}
    records = tf.data.TFRecordDataset(sorted(files), compression_type="GZIP").batch(_BATCH)
    for batch in records:
        found = states(batch)
        for name in counts:
            has, knows = (flags.numpy().ravel() for flags in found[name])
            counts[name] += (len(has), (~has).sum(), (has & ~knows).sum())
    return {name: LabelCount(*map(int, numbers)) for name, numbers in counts.items()}
