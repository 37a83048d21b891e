"""Evaluates a model with TensorFlow Model Analysis, and keeps the values as plain data."""

from __future__ import annotations

import json
from typing import Any

import tensorflow_model_analysis as tfma
from tensorflow.python.saved_model import loader_impl
from tfx.components.evaluator import executor as evaluator
from tfx.types import artifact_utils
from tfx.utils import path_utils

from zentfx.steps.evaluator import EvaluatorStep
from zentfx.steps.keras_training import LABEL, LABELS_SIGNATURE
from zentfx.steps.tfma_names import KERAS_ACCURACY, TFMA_METRICS
from zentfx.tfx_backend.executors.base import StepExecutor
from zentfx.tfx_backend.executors.metrics import write_metrics

__all__ = ["EvaluatorExecutor"]

# What a model spec asks of a model that our trainer exported.
_OF_OUR_EXPORT = ("preprocessing_function_names", "example_weight_key", "example_weight_keys")


class EvaluatorExecutor(StepExecutor[EvaluatorStep], evaluator.Executor):
    """Stock; then reads TFMA's result and writes it for readers without TensorFlow."""

    def run_step(
        self,
        step: EvaluatorStep,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        properties: dict[str, Any],
    ) -> None:
        """See the base class."""
        properties = {**properties, "eval_config": _for_model(properties, input_dict["model"][0])}
        super().run_step(step, input_dict, output_dict, properties)
        result = tfma.load_eval_result(artifact_utils.get_single_uri(output_dict["evaluation"]))
        metrics = _plain(result)
        artifact = artifact_utils.get_single_instance(output_dict["zentfx_metrics"])
        write_metrics(artifact, metrics)


def _for_model(properties: dict[str, Any], model: Any) -> str:
    """Fits the evaluation's config to a model.

    It loses what a model that a user exported does not have, and ``accuracy`` becomes the one that
    Keras would choose: of classes where the model has an output for each, else of a binary label.
    """
    config = json.loads(properties["eval_config"])
    graph = loader_impl.parse_saved_model(path_utils.serving_model_path(model.uri)).meta_graphs[0]
    if LABELS_SIGNATURE not in graph.signature_def:
        for spec in config.get("model_specs", ()):
            for key in _OF_OUR_EXPORT:
                spec.pop(key, None)
            if "label_key" in spec:
                spec["label_key"] = spec["label_key"].removeprefix(LABEL)
            for name, key in spec.get("label_keys", {}).items():
                spec["label_keys"][name] = key.removeprefix(LABEL)
    outputs = graph.signature_def["serving_default"].outputs
    for spec in config.get("metrics_specs", ()):
        names = [name for name in spec.get("output_names", outputs) if name in outputs]
        sizes = [item.size for name in names[:1] for item in outputs[name].tensor_shape.dim]
        classes = len(sizes) == 2 and sizes[1] > 1
        for metric in spec.get("metrics", ()):
            name = json.loads(metric.get("config", "{}")).get("name")
            if metric.get("class_name") == TFMA_METRICS[KERAS_ACCURACY] and name == KERAS_ACCURACY:
                metric["class_name"] = "SparseCategoricalAccuracy" if classes else "BinaryAccuracy"
    return json.dumps(config)


def _plain(result: Any) -> dict[str, Any]:
    """TFMA's result as JSON data.

    ``{"overall": {metric: value}, "slices": [{"slice": {column: value}, "metrics": {…}}]}``; a
    metric of one of several labels is called ``<label>.<metric>``.
    """
    overall: dict[str, float] = {}
    slices = []
    for key, by_output in result.slicing_metrics:
        values = {}
        for output, by_sub_key in by_output.items():
            for sub_key, metrics in by_sub_key.items():
                for name, value in metrics.items():
                    if "doubleValue" in value:
                        path = [part for part in (output, name, sub_key) if part]
                        values[".".join(path)] = float(value["doubleValue"])
        if key:
            slices.append({"slice": dict(key), "metrics": values})
        else:
            overall = values
    return {"overall": overall, "slices": slices}
