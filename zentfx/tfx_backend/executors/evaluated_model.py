"""A model that is about to be evaluated: what it says of itself, and of the data."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_model_analysis as tfma
from tensorflow.python.saved_model import loader_impl
from tfx.utils import path_utils

from zentfx.errors import DataError
from zentfx.running_step import remark
from zentfx.steps.keras_training import KNOWN, LABEL, LABELS_SIGNATURE
from zentfx.steps.labels import PRESENT, LabelCount, count_labels
from zentfx.steps.tfma_names import COUNT_UNKNOWN_AS_WRONG, KERAS_ACCURACY, TFMA_METRICS
from zentfx.tfx_backend.executors import finite_metric
from zentfx.tfx_backend.executors.evaluation import ROWS
from zentfx.tfx_backend.executors.raw_labels import raw_values

__all__ = ["EvaluatedModel", "config_for"]

_SERVING = "serving_default"
_BATCH = 4096
# What a model spec asks of a model that our trainer exported.
_OF_OUR_EXPORT = ("preprocessing_function_names", "example_weight_key", "example_weight_keys")


class EvaluatedModel:
    """A model.

    Args:
        uri: The Model artifact's folder.
    """

    def __init__(self, uri: str) -> None:
        self.path = path_utils.serving_model_path(uri)
        [graph, *_] = loader_impl.parse_saved_model(self.path).meta_graphs
        self._signatures = graph.signature_def

    @property
    def tells_labels(self) -> bool:
        """Whether it has the signature with labels that our export has."""
        return LABELS_SIGNATURE in self._signatures

    @property
    def outputs(self) -> Mapping[str, Any]:
        """TensorFlow's description of what it predicts, by output."""
        outputs: Mapping[str, Any] = self._signatures[_SERVING].outputs
        return outputs

    @property
    def _told(self) -> Mapping[str, Any]:
        """Outputs of the signature with labels."""
        told: Mapping[str, Any] = self._signatures[LABELS_SIGNATURE].outputs
        return told

    def class_of(self, metric: Mapping[str, Any], spec: Mapping[str, Any]) -> str:
        """TFMA's class of a metric: of ``accuracy`` the one that Keras would choose.

        That is, of classes where the model has an output for each, else of a binary label.
        """
        name = json.loads(metric.get("config", "{}")).get("name")
        found = str(metric.get("class_name"))
        if found != TFMA_METRICS[KERAS_ACCURACY] or name != KERAS_ACCURACY:
            return found
        names = [item for item in spec.get("output_names", self.outputs) if item in self.outputs]
        sizes = [dim.size for item in names[:1] for dim in self.outputs[item].tensor_shape.dim]
        by_class = len(sizes) == 2 and sizes[1] > 1
        return "SparseCategoricalAccuracy" if by_class else "BinaryAccuracy"

    @cached_property
    def _loaded(self) -> Any:
        return tf.saved_model.load(self.path)

    def count_labels(
        self, config: Mapping[str, Any], files: Mapping[str, Sequence[str]]
    ) -> dict[str, dict[str, LabelCount]]:
        """Counts labels, and looks for those that TFMA would take for something else.

        Args:
            config: TFMA's ``EvalConfig``, as JSON data.
            files: TFRecord files of the splits that are evaluated.

        Returns:
            The counts by split and label.

        Raises:
            DataError: If there are such labels.
        """
        labels = [_label_of(key) for key in _label_keys(config).values()]
        counts: dict[str, dict[str, LabelCount]] = {}
        for split, found in files.items():
            if self.tells_labels:
                told = [name for name in labels if f"{LABEL}{name}" in self._told]
                counts[split] = count_labels(found, self._states, told)
                for label, count in counts[split].items():
                    self._check_unknown(config, split, label, count)
            else:
                counts[split] = {name: self._count_raw(split, found, name) for name in labels}
        return counts

    def _states(self, records: Any) -> dict[str, tuple[Any, Any]]:
        told = self._loaded.signatures[LABELS_SIGNATURE](records)
        labels = [name.removeprefix(LABEL) for name in told if name.startswith(LABEL)]
        return {name: (told[f"{PRESENT}{name}"] > 0, told[f"{KNOWN}{name}"] > 0) for name in labels}

    def _check_unknown(
        self, config: Mapping[str, Any], split: str, label: str, count: LabelCount
    ) -> None:
        if not count.unknown:
            return
        cannot = [
            json.loads(metric.get("config", "{}")).get("name", metric["class_name"])
            for spec in config.get("metrics_specs", ())
            if label in spec.get("output_names", [label])
            for metric in spec.get("metrics", ())
            if self.class_of(metric, spec) not in COUNT_UNKNOWN_AS_WRONG
        ]
        if cannot:
            raise DataError(
                f"{count.unknown} of {count.rows} rows of the split {split!r} have a class of "
                f"{label!r} that training has not seen, and {cannot[0]} cannot count them as "
                "predicted wrongly. List all classes in the preprocessor, "
                f"StandardPreprocessor(…, classes={{{label!r}: […]}}), leave those rows out "
                "before, or evaluate sparse_categorical_accuracy, with an output for each class."
            )
        remark(
            f"{split}: {count.unknown} of {count.rows} rows have a class of {label!r} that the "
            "model does not know; they are counted as predicted wrongly."
        )

    def _count_raw(self, split: str, files: Sequence[str], label: str) -> LabelCount:
        values = list(raw_values(files, label))
        missing = sum(value is None for value in values)
        if missing:
            raise DataError(
                f"{missing} of {len(values)} rows of the split {split!r} have no {label!r}, and "
                f"the model has no signature {LABELS_SIGNATURE!r} that tells which: TFMA would "
                "count them as predicted without error. Leave those rows out before, or export "
                "the model with zentfx.steps.keras_training.export."
            )
        return LabelCount(rows=len(values))

    def not_finite(self, count: int, files: Mapping[str, Sequence[str]]) -> dict[str, int]:
        """Says where predictions are not finite.

        Args:
            count: How many are, in all splits.
            files: TFRecord files of the splits that were evaluated.

        Returns:
            How many are, by split; none where all are finite.
        """
        if not count:
            return {}
        return dict.fromkeys(files, count) if len(files) == 1 else self.count_not_finite(files)

    def count_not_finite(self, files: Mapping[str, Sequence[str]]) -> dict[str, int]:
        """Counts rows with a prediction that is not finite, by predicting once more.

        Args:
            files: TFRecord files of the splits that were evaluated.

        Returns:
            How many there are, by split; none where all are finite.
        """
        found = {split: self._count_not_finite(names) for split, names in files.items()}
        return {split: rows for split, rows in found.items() if rows}

    def _count_not_finite(self, files: Sequence[str]) -> int:
        serve = self._loaded.signatures[_SERVING]
        [argument] = serve.structured_input_signature[1]
        rows = 0
        for batch in tf.data.TFRecordDataset(sorted(files), "GZIP").batch(_BATCH):
            finite = np.ones(len(batch), bool)
            for output in serve(**{argument: batch}).values():
                values = output.numpy().reshape(len(batch), -1)
                finite &= np.isfinite(values).all(axis=1)
            rows += int((~finite).sum())
        return rows


def config_for(
    config: Mapping[str, Any], model: EvaluatedModel, baseline: EvaluatedModel | None
) -> dict[str, Any]:
    """Fits an evaluation's config to the models.

    It loses what a model that a user exported does not have, and ``accuracy`` becomes the one that
    Keras would choose: of classes where the model has an output for each, else of a binary label.
    Counts are added, which the step reads.

    Args:
        config: TFMA's ``EvalConfig``, as JSON data.
        model: The model.
        baseline: One that it is compared with.

    Returns:
        The config.
    """
    fitted = copy.deepcopy(dict(config))
    specs = fitted.get("model_specs") or [{}]
    if len(specs) == 1 and len(model.outputs) > 1 and "label_key" in specs[0]:
        _name_output(specs[0], fitted.get("metrics_specs", ()))
    if len(specs) == 1:
        models = {tfma.CANDIDATE_KEY: model}
        if baseline is not None:
            models[tfma.BASELINE_KEY] = baseline
        fitted["model_specs"] = [
            {
                **_spec_for(specs[0], item),
                **({"name": name} if baseline is not None else {}),
                **({"is_baseline": True} if item is baseline else {}),
            }
            for name, item in models.items()
        ]
    for spec in fitted.get("metrics_specs", ()):
        for metric in spec.get("metrics", ()):
            metric["class_name"] = model.class_of(metric, spec)
        if "metrics" in spec:
            spec["metrics"].append(_counter("ExampleCount", ROWS))
    counter = _counter(
        finite_metric.NotFinite.__name__, finite_metric.NOT_FINITE, finite_metric.__name__
    )
    fitted.setdefault("metrics_specs", []).append(
        {"metrics": [counter], "example_weights": {"unweighted": True}}
    )
    return fitted


def _name_output(spec: dict[str, Any], metrics: Sequence[dict[str, Any]]) -> None:
    """Says which of several outputs is evaluated, where only one of the labels is."""
    label = _label_of(spec["label_key"])
    for one, several in (
        ("label_key", "label_keys"),
        ("example_weight_key", "example_weight_keys"),
    ):
        if one in spec:
            spec[several] = {label: spec.pop(one)}
    for item in metrics:
        item.setdefault("output_names", [label])


def _counter(class_name: str, name: str, module: str | None = None) -> dict[str, Any]:
    counter = {"class_name": class_name, "config": json.dumps({"name": name})}
    return counter if module is None else {**counter, "module": module}


def _spec_for(spec: Mapping[str, Any], model: EvaluatedModel) -> dict[str, Any]:
    if model.tells_labels:
        return dict(spec)
    fitted = {key: value for key, value in spec.items() if key not in _OF_OUR_EXPORT}
    if "label_key" in fitted:
        fitted["label_key"] = _label_of(fitted["label_key"])
    if "label_keys" in fitted:
        fitted["label_keys"] = {n: _label_of(key) for n, key in fitted["label_keys"].items()}
    return fitted


def _label_keys(config: Mapping[str, Any]) -> dict[str, str]:
    """The columns that hold labels, by output."""
    [spec, *_] = config.get("model_specs") or [{}]
    if "label_keys" in spec:
        return dict(spec["label_keys"])
    return {"": spec["label_key"]} if "label_key" in spec else {}


def _label_of(key: str) -> str:
    return key.removeprefix(LABEL)
