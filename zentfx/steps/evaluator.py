"""Evaluation of a model on a dataset, sliced by columns."""

from __future__ import annotations

from types import MappingProxyType

from zentfx.errors import near_matches
from zentfx.steps.base import BaseStep
from zentfx.steps.keras_names import METRICS

__all__ = ["EvaluatorStep", "TFMAEvaluator"]


class EvaluatorStep(BaseStep):
    """Evaluates a model; wraps TFX's Evaluator.

    Besides TFX's outputs it has ``zentfx_metrics``: the overall values, readable without
    TensorFlow, and the slices in a JSON file.
    """

    wraps = "Evaluator"
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

    @property
    def blesses(self) -> bool:
        """Whether the step decides if a model may be pushed."""
        return False


class TFMAEvaluator(EvaluatorStep):
    """Evaluates with TensorFlow Model Analysis, on the raw scale of the labels.

    Args:
        metrics: Names of Keras metrics by label, for example
            ``{"tips": ["mean_squared_error"]}``.
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
            if metric not in METRICS:
                raise self.refuse(
                    "metrics", f"names no Keras metric: {metric!r}.{near_matches(metric, METRICS)}"
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
        if not self.splits:
            raise self.refuse("splits", "needs at least one split; [] came.")

    @property
    def blesses(self) -> bool:
        """Whether there are thresholds."""
        return bool(self.thresholds)
