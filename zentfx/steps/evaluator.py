"""Evaluation of a model on a dataset, sliced by columns."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from zentfx.analysis.direction import is_lower_better
from zentfx.errors import near_matches
from zentfx.steps.base import BaseStep
from zentfx.steps.bounds import Bound, parse_bounds, passed_over, verdict
from zentfx.steps.keras_training import LABEL, LABELS_SIGNATURE
from zentfx.steps.labels import PRESENT
from zentfx.steps.tfma_names import TFMA_METRICS

__all__ = ["BASELINE", "EvaluatorStep", "TFMAEvaluator"]

# The input with the model that is compared with, by TFX's name.
BASELINE = "baseline_model"


class EvaluatorStep(BaseStep):
    """Evaluates a model; wraps TFX's Evaluator.

    Besides TFX's outputs it has ``zentfx_metrics``: the overall values, readable without
    TensorFlow, and in a JSON file the slices, and why a model was not blessed.

    Whatever a subclass asks for: predictions that are not finite are counted, and a model that
    makes some is not blessed; slices without a row that has the label have no metrics.
    """

    wraps = "Evaluator"
    code_version = "3"
    inputs = MappingProxyType(
        {"examples": "Examples", "model": "Model", "schema": "Schema", BASELINE: "Model"}
    )
    optional_inputs = frozenset({"schema", BASELINE})
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

    @property
    def needs_baseline(self) -> bool:
        """Whether it compares with the latest blessed model of its pipeline, if there is one."""
        return False

    def verdict(self, evaluated: Mapping[str, Any]) -> list[dict[str, Any]] | None:
        """Decides whether a model is blessed.

        Args:
            evaluated: What was measured; see :func:`zentfx.steps.bounds.verdict`.

        Returns:
            Why it is not, as :func:`zentfx.steps.bounds.verdict` says it; nothing if it is. None
            (the default) leaves it to TFMA, by the thresholds in :meth:`eval_config`.
        """
        return None

    def passed_over(self, evaluated: Mapping[str, Any]) -> list[str]:
        """Says which slices :meth:`verdict` has no say about; sentences, by default none."""
        return []


class TFMAEvaluator(EvaluatorStep):
    """Evaluates with TensorFlow Model Analysis, on the raw scale of the labels.

    Args:
        metrics: Names of metrics by label, as Keras spells them: for example
            ``{"tips": ["mean_squared_error"]}``. ``example_count`` is the number of rows.
        slices: Columns to slice by: each entry is a list of columns whose combinations of values
            are slices. The whole dataset is always one.
        thresholds: Bounds that bless a model: by metric (of every label that has it) or
            ``<label>.<metric>``, ``{"lower": x}``, ``{"upper": y}`` or both, or a list of these.
            ``"slices"`` says where they hold: ``"overall"``, or a list of slices,
            by columns (``["company"]``) or values (``{"company": "A"}``); without it, overall and
            in every slice. ``"min_rows"`` leaves slices alone that have fewer rows with the label.
            With neither thresholds nor ``no_worse`` no model is blessed, and a pusher pushes every
            model.
        splits: Splits to evaluate on.
        no_worse: Metrics (or ``<label>.<metric>``) that must be no worse, overall, than those of
            the latest blessed model of this pipeline on the same data. While there is none, the
            thresholds alone decide.
    """

    def __init__(
        self,
        metrics: dict[str, list[str]],
        slices: list[list[str]] | None = None,
        thresholds: dict[str, dict[str, Any] | list[dict[str, Any]]] | None = None,
        splits: list[str] = ["eval"],  # noqa: B006 - bound values are copies
        no_worse: list[str] | None = None,
    ) -> None:
        self.metrics = metrics
        self.slices = slices
        self.thresholds = thresholds
        self.splits = splits
        self.no_worse = no_worse

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
        self._bounds()
        for label, metric in self._compared():
            if is_lower_better(metric) is None:
                raise self.refuse(
                    "no_worse",
                    f"names {metric!r} of {label!r}, and neither more nor less of it is better. "
                    "Use 'thresholds'.",
                )
        if not self.splits:
            raise self.refuse("splits", "needs at least one split; got [].")

    def _bounds(self) -> list[Bound]:
        return parse_bounds(
            self.thresholds or {},
            self.metrics,
            self.slices or [],
            lambda message: self.refuse("thresholds", message),
        )

    def _compared(self) -> list[tuple[str, str]]:
        """Label and metric of what must be no worse than the baseline's."""
        bounds = parse_bounds(
            {name: {"lower": 0.0} for name in self.no_worse or ()},
            self.metrics,
            (),
            lambda message: self.refuse("no_worse", message.replace("bounds", "names", 1)),
        )
        return [(bound.label, bound.metric) for bound in bounds]

    def verdict(self, evaluated: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Holds what was measured against the bounds, and against the baseline."""
        return verdict(self._bounds(), self._compared(), evaluated)

    def passed_over(self, evaluated: Mapping[str, Any]) -> list[str]:
        """Says which slices are too small, or not there, to be held against a bound."""
        return passed_over(self._bounds(), evaluated)

    def eval_config(self) -> dict[str, Any]:
        """Asks the model for predictions and labels, by signature, so that both are on one scale.

        Slices are by raw columns. Rows without a label get the weight 0: TFMA would count them as
        predicted without error. The bounds are in it for TFMA's own validation, which knows neither
        the least number of rows nor slices without any; :meth:`verdict` decides.

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
                "metrics": [self._metric_config(label, name) for name in self.metrics[label]],
                **({"output_names": [label]} if len(labels) > 1 else {}),
            }
            for label in labels
        ]
        return {
            "model_specs": [model],
            "slicing_specs": self._tfma_slices,
            "metrics_specs": specs,
        }

    def _metric_config(self, label: str, name: str) -> dict[str, Any]:
        config: dict[str, Any] = {
            "class_name": TFMA_METRICS[name],
            "config": json.dumps({"name": name}),
        }
        limits: list[tuple[list[Any] | None, dict[str, Any]]] = [
            (bound.tfma_slices, {"value_threshold": bound.tfma_limits})
            for bound in self._bounds()
            if (bound.label, bound.metric) == (label, name)
        ]
        if (label, name) in self._compared():
            lower = is_lower_better(name)
            direction = "LOWER_IS_BETTER" if lower else "HIGHER_IS_BETTER"
            limits.append(([{}], {"change_threshold": {"absolute": 0.0, "direction": direction}}))
        # TFMA takes one threshold that holds everywhere, and any number for slices.
        everywhere = [limit for slices, limit in limits if slices is None]
        for limit in everywhere[:1]:
            config["threshold"] = limit
        per_slice = [(slices, limit) for slices, limit in limits if slices is not None]
        per_slice += [(self._tfma_slices, limit) for limit in everywhere[1:]]
        if per_slice:
            config["per_slice_thresholds"] = [
                {"slicing_specs": slices, "threshold": limit} for slices, limit in per_slice
            ]
        return config

    @property
    def _tfma_slices(self) -> list[dict[str, Any]]:
        return [{}, *({"feature_keys": columns} for columns in self.slices or [] if columns)]

    @property
    def blesses(self) -> bool:
        """Whether there are thresholds, or a comparison with the latest blessed model."""
        return bool(self.thresholds or self.no_worse)

    @property
    def needs_baseline(self) -> bool:
        """Whether ``no_worse`` names a metric."""
        return bool(self.no_worse)
