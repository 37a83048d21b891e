"""Preprocessing: how raw columns become the features and labels of a model."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from zentfx.errors import near_matches
from zentfx.parameters import coerce
from zentfx.steps.base import BaseStep
from zentfx.steps.labels import class_index

__all__ = ["PreprocessorStep", "StandardPreprocessor"]


class PreprocessorStep(BaseStep):
    """Transforms examples with TensorFlow Transform; wraps TFX's Transform.

    Subclasses define :meth:`preprocessing_fn`, and say which of its outputs are features and which
    labels: the trainer learns it from here. A row has a label if the raw column that is called like
    it has a value there, whatever the function makes of a gap. How many labels each split has and
    lacks is recorded.
    """

    wraps = "Transform"
    code_version = "2"
    inputs = MappingProxyType({"examples": "Examples", "schema": "Schema"})
    outputs = MappingProxyType(
        {"transform_graph": "TransformGraph", "transformed_examples": "Examples"}
    )
    reserved = frozenset(
        {
            "module_file",
            "module_path",
            "preprocessing_fn",
            "stats_options_updater_fn",
            "force_tf_compat_v1",
            "custom_config",
            "splits_config",
            "disable_statistics",
        }
    )

    @property
    @abstractmethod
    def feature_columns(self) -> list[str]:
        """Outputs of :meth:`preprocessing_fn` that the model reads."""

    @property
    @abstractmethod
    def label_columns(self) -> list[str]:
        """Outputs of :meth:`preprocessing_fn` that the model predicts."""

    @abstractmethod
    def preprocessing_fn(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Maps raw columns to features and labels, in TensorFlow and TensorFlow Transform.

        Args:
            inputs: Raw columns by name: ``tf.Tensor`` of shape (batch, 1) where the schema has a
                fixed shape, else ``tf.SparseTensor`` of dense shape (batch, <=1); dtype int64,
                float32 or string.

        Returns:
            Features and labels by name: tensors of shape (batch, width).
        """


@dataclass(frozen=True)
class _Method:
    """A way to transform one column.

    Attributes:
        strings: Whether it takes strings (else numbers).
        settings: Its settings and their defaults.
    """

    strings: bool
    settings: Mapping[str, int | float]


_METHODS: Mapping[str, _Method] = MappingProxyType(
    {
        "scale_to_z_score": _Method(False, {}),
        "scale_to_0_1": _Method(False, {}),
        "scale_by_min_max": _Method(False, {"output_min": -1.0, "output_max": 1.0}),
        "bucketize": _Method(False, {"num_buckets": 10}),
        "no_transform": _Method(False, {}),
        "vocabulary": _Method(True, {"top_k": 0, "num_oov_buckets": 1}),
        "hash_strings": _Method(True, {"hash_buckets": 1000}),
    }
)


# A vocabulary needs an index for unknown strings: without one tft gives them -1, which an embedding
# takes for its last row.
_LOWEST = {"num_buckets": 2, "top_k": 0, "num_oov_buckets": 1, "hash_buckets": 1}


class StandardPreprocessor(PreprocessorStep):
    """Preprocesses each column by its type, or as told.

    Numbers become z-scores and strings indices into a vocabulary, unless ``overwrite`` says
    otherwise. Labels keep their raw scale, so that metrics do too: numbers pass unchanged, strings
    become class indices. A missing number is replaced by the training mean of its column, a
    missing string by the empty one; rows without a label are left out of training, and weigh
    nothing in evaluation.

    Classes have the order in ``classes``, else that of their sorted names. With one output unit
    the model predicts the probability of the second class, the positive one. A class in the
    evaluation data that is none of them is counted as predicted wrongly; in the training split, the
    step fails.

    Methods, with their settings: ``scale_to_z_score``, ``scale_to_0_1``,
    ``scale_by_min_max`` (``output_min=-1.0``, ``output_max=1.0``), ``bucketize``
    (``num_buckets=10``, by quantiles), ``no_transform``, ``vocabulary`` (``top_k=0``, which keeps
    all; ``num_oov_buckets=1``), ``hash_strings`` (``hash_buckets=1000``).

    Args:
        features: Columns that the model reads.
        labels: Columns that the model predicts.
        overwrite: Method by feature, instead of the one that its type implies: a name, or
            ``{"method": name, setting: value, …}``.
        classes: For labels that are strings, all classes in the order of their indices:
            ``{"paid": ["no", "yes"]}`` makes ``yes`` the positive one.
    """

    def __init__(
        self,
        features: list[str],
        labels: list[str],
        overwrite: dict[str, str | dict[str, Any]] | None = None,
        classes: dict[str, list[str]] | None = None,
    ) -> None:
        self.features = features
        self.labels = labels
        self.overwrite = overwrite
        self.classes = classes

    def check(self) -> None:
        """Checks names, methods and settings."""
        super().check()
        for parameter, columns in (("features", self.features), ("labels", self.labels)):
            if not columns:
                raise self.refuse(parameter, "needs at least one column; [] came.")
            twice = sorted({name for name in columns if columns.count(name) > 1})
            if twice:
                raise self.refuse(parameter, f"names {twice[0]!r} twice.")
        for name in self.labels if len(self.labels) > 1 else ():
            if not re.fullmatch(r"[A-Za-z0-9_.\\/>-]+", name):
                raise self.refuse(
                    "labels",
                    f"has several columns, and Keras cannot call an output {name!r}. Rename the "
                    "column: letters, digits and _ . / > - are allowed.",
                )
        both = sorted(set(self.features) & set(self.labels))
        if both:
            raise self.refuse("labels", f"names {both[0]!r}, which is a feature too.")
        for column in self.overwrite or {}:
            if column not in self.features:
                raise self.refuse(
                    "overwrite",
                    f"names {column!r}, which is no feature (labels keep their raw scale)."
                    f"{near_matches(column, self.features)}",
                )
            self._check_method(column)
        for label, names in (self.classes or {}).items():
            self._check_classes(label, names)

    def _check_classes(self, label: str, names: list[str]) -> None:
        if label not in self.labels:
            near = near_matches(label, self.labels)
            raise self.refuse("classes", f"names {label!r}, which is not a label.{near}")
        if len(names) < 2:
            raise self.refuse("classes", f"for {label!r} needs at least two classes; got {names}.")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise self.refuse("classes", f"for {label!r} names {twice[0]!r} twice.")
        if "" in names:
            raise self.refuse("classes", f"for {label!r} names '', which means a missing label.")

    def _check_method(self, column: str) -> None:
        name, settings = self._chosen(column)
        if not isinstance(name, str) or name not in _METHODS:
            raise self.refuse(
                "overwrite", f"has no method {name!r}.{near_matches(str(name), _METHODS)}"
            )
        defaults = _METHODS[name].settings
        for setting, value in settings.items():
            if setting not in defaults:
                raise self.refuse(
                    "overwrite",
                    f"for {column!r}: {name} has no setting {setting!r}."
                    f"{near_matches(setting, defaults)}",
                )
            kind, lowest = type(defaults[setting]), _LOWEST.get(setting)
            number = coerce(value, kind, f"{type(self).__name__}: {setting!r}")
            if lowest is not None and number < lowest:
                raise self.refuse(
                    "overwrite",
                    f"for {column!r}: {setting} must be at least {lowest}; {value} came.",
                )

    def _chosen(self, column: str) -> tuple[Any, dict[str, Any]]:
        """The method and settings that ``overwrite`` gives a feature; None where it is silent."""
        choice = (self.overwrite or {}).get(column)
        if isinstance(choice, dict):
            settings = dict(choice)
            return settings.pop("method", None), settings
        return choice, {}

    @property
    def feature_columns(self) -> list[str]:
        """The features, under their columns' names."""
        return list(self.features)

    @property
    def label_columns(self) -> list[str]:
        """The labels, under their columns' names."""
        return list(self.labels)

    def column_problem(self, column: str, kind: str) -> str | None:
        """Says what is wrong with a column of the data for this step.

        Args:
            column: A feature or label.
            kind: ``int``, ``float``, ``string`` or ``empty``.

        Returns:
            What is wrong, or None.
        """
        if kind == "empty":
            return "has no values"
        if kind != "string" and column in (self.classes or {}):
            return "holds numbers, but 'classes' takes a label of strings"
        method, _ = self._chosen(column)
        if method is None or _METHODS[method].strings == (kind == "string"):
            return None
        came, needed = ("strings", "numbers") if kind == "string" else ("numbers", "strings")
        return f"holds {came}, but the method {method!r} needs {needed}"

    def preprocessing_fn(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Applies each column's method; see :meth:`PreprocessorStep.preprocessing_fn`."""
        features = {name: self._feature(name, inputs[name]) for name in self.features}
        return features | {name: self._label(name, inputs[name]) for name in self.labels}

    def _label(self, column: str, raw: Any) -> Any:
        import tensorflow as tf

        value = _dense(raw)
        if value.dtype == tf.string:
            return class_index(column, value, (self.classes or {}).get(column))
        return value

    def _feature(self, column: str, raw: Any) -> Any:
        import tensorflow as tf
        import tensorflow_transform as tft

        is_string = raw.dtype == tf.string
        name, settings = self._chosen(column)
        name = name or ("vocabulary" if is_string else "scale_to_z_score")
        settings = {**_METHODS[name].settings, **settings}
        value = _dense(raw)
        if not is_string:
            missing = tf.math.is_nan(value)
            value = tf.where(missing, tft.mean(tf.boolean_mask(value, ~missing)), value)
        if name == "vocabulary":
            return tft.compute_and_apply_vocabulary(
                value,
                top_k=settings["top_k"] or None,
                num_oov_buckets=settings["num_oov_buckets"],
                vocab_filename=_file_name(column),
            )
        if name == "hash_strings":
            return _hashed(value, settings["hash_buckets"])
        if name == "bucketize":
            return tft.bucketize(value, settings["num_buckets"])
        if name == "no_transform":
            return value
        return getattr(tft, name)(value, **settings)


def _hashed(value: Any, buckets: int) -> Any:
    import tensorflow as tf
    import tensorflow_transform as tft
    from tensorflow_transform import schema_inference

    hashed = tft.hash_strings(value, buckets)
    # tft notes the domain of vocabularies and buckets in the schema, but not that of hashes; the
    # trainer sizes its embedding by it.
    schema_inference.set_tensor_schema_override(
        hashed, tf.constant(0, tf.int64), tf.constant(buckets - 1, tf.int64)
    )
    return hashed


def _file_name(column: str) -> str | None:
    """The column's name for its vocabulary's file, where tft can use it; else tft chooses one."""
    return column if re.fullmatch("[A-Za-z0-9_]{1,200}", column) else None


def _dense(raw: Any) -> Any:
    """A raw column as shape (batch, 1): strings, gaps empty; or float32, gaps NaN."""
    import tensorflow as tf

    if raw.dtype != tf.string:
        raw = tf.cast(raw, tf.float32)
    if isinstance(raw, tf.SparseTensor):
        # Not raw.dense_shape: its second dimension is 0 in a batch without any value.
        shape = tf.stack([raw.dense_shape[0], tf.constant(1, tf.int64)])
        gap = "" if raw.dtype == tf.string else float("nan")
        raw = tf.sparse.to_dense(tf.SparseTensor(raw.indices, raw.values, shape), gap)
    return tf.reshape(raw, [-1, 1])
