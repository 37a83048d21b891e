"""Evaluation of a model on a dataset, sliced by columns."""

from __future__ import annotations

import json
import math
from abc import abstractmethod
from types import MappingProxyType
from typing import Any

from zentfx.errors import near_matches
from zentfx.steps.base import BaseStep
from zentfx.steps.keras_training import LABEL, LABELS_SIGNATURE, PRESENT
from zentfx.steps.tfma_names import TFMA_METRICS

__all__ = ["EvaluatorStep", "TFMAEvaluator"]


class EvaluatorStep(BaseStep):
    """Evaluates a model; wraps TFX's Evaluator.

    Besides TFX's outputs it has ``zentfx_metrics``: the overall values, readable without
    TensorFlow, and the slices in a JSON file.
    """

    wraps = "Evaluator"
    code_version = "2"
    inputs = MappingProxyType({"examples": "Examples", "model": "Model", "schema": "Schema"})
    optional_inputs = frozenset({"schema"})
    outputs = MappingProxyType(
        {
            "evaluation": "ModelEvaluation",
            "blessing": "ModelBlessing",
            "zentfx_metrics": "Metrics",
        }
    )
    reserved = frozenset(
        {
            "eval_config",
            "feature_slicing_spec",
            "fairness_indicator_thresholds",
            "example_splits",
            "add_split_name",
            "module_file",
            "module_path",
        }
    )

    splits: list[str]

    @abstractmethod
    def eval_config(self) -> dict[str, Any]:
        """Says what to compute.

        Returns:
            TFMA's ``EvalConfig``, as JSON data.
        """

    @property
    def blesses(self) -> bool:
        """Whether the step decides if a model may be pushed."""
        return False


class TFMAEvaluator(EvaluatorStep):
    """Evaluates with TensorFlow Model Analysis, on the raw scale of the labels.

    Args:
        metrics: Names of metrics by label, as Keras spells them: for example
            ``{"tips": ["mean_squared_error"]}``. ``example_count`` is the number of rows.
        slices: Columns to slice by: each entry is a list of columns whose combinations of values
            are slices. The whole dataset is always one.
        thresholds: Bounds that bless a model: metric to ``{"lower": x}``, ``{"upper": y}`` or both.
            Without thresholds no model is blessed, and a pusher pushes every model.
        splits: Splits to evaluate on.
    """

    def __init__(
        self,
        metrics: dict[str, list[str]],
        slices: list[list[str]] | None = None,
        thresholds: dict[str, dict[str, float]] | None = None,
        splits: list[str] = ["eval"],  # noqa: B006 - bound values are copies
    ) -> None:
        self.metrics = metrics
        self.slices = slices
        self.thresholds = thresholds
        self.splits = splits

    def check(self) -> None:
        """Checks the names of metrics and the bounds."""
        super().check()
        named = [metric for metrics in self.metrics.values() for metric in metrics]
        if not named:
            raise self.refuse("metrics", "needs at least one metric of one label.")
        for metric in named:
            if metric not in TFMA_METRICS:
                near = near_matches(metric, TFMA_METRICS)
                raise self.refuse(
                    "metrics", f"names no metric that TFMA computes: {metric!r}.{near}"
                )
        for metric, bounds in (self.thresholds or {}).items():
            if metric not in named:
                raise self.refuse(
                    "thresholds",
                    f"bounds {metric!r}, which is not evaluated.{near_matches(metric, named)}",
                )
            if not bounds or not bounds.keys() <= {"lower", "upper"}:
                raise self.refuse(
                    "thresholds", f"for {metric!r} takes 'lower' and 'upper'; {bounds!r} came."
                )
            if bounds.get("lower", -math.inf) > bounds.get("upper", math.inf):
                raise self.refuse(
                    "thresholds", f"for {metric!r} has a lower bound above the upper: {bounds!r}."
                )
        if not self.splits:
            raise self.refuse("splits", "needs at least one split; [] came.")

    def eval_config(self) -> dict[str, Any]:
        """Asks the model for predictions and labels, by signature, so that both are on one scale.

        Slices are by raw columns. Rows without a label get the weight 0: TFMA would count them as
        predicted without error.

        Returns:
            TFMA's ``EvalConfig``, as JSON data.
        """
        labels = sorted(self.metrics)
        keys = {name: f"{LABEL}{name}" for name in labels}
        weights = {name: f"{PRESENT}{name}" for name in labels}
        model: dict[str, Any] = {
            "signature_name": "serving_default",
            "model_type": "tf_generic",
            "preprocessing_function_names": [LABELS_SIGNATURE],
        }
        if len(labels) > 1:
            model |= {"label_keys": keys, "example_weight_keys": weights}
        else:
            [label] = labels
            model |= {"label_key": keys[label], "example_weight_key": weights[label]}
        specs = [
            {
                "metrics": [self._metric_config(name) for name in self.metrics[label]],
                **({"output_names": [label]} if len(labels) > 1 else {}),
            }
            for label in labels
        ]
        slices = [{}, *({"feature_keys": columns} for columns in self.slices or [] if columns)]
        return {"model_specs": [model], "slicing_specs": slices, "metrics_specs": specs}

    def _metric_config(self, name: str) -> dict[str, Any]:
        config: dict[str, Any] = {
            "class_name": TFMA_METRICS[name],
            "config": json.dumps({"name": name}),
        }
        bounds = (self.thresholds or {}).get(name)
        if bounds:
            names = {"lower": "lower_bound", "upper": "upper_bound"}
            limits = {names[side]: value for side, value in bounds.items()}
            config["threshold"] = {"value_threshold": limits}
        return config

    @property
    def blesses(self) -> bool:
        """Whether there are thresholds."""
        return bool(self.thresholds)
