"""Metrics of a model: a small JSON file, and TFMA's evaluation."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zentfx.materializers.needs import need
from zentfx.materializers.quiet_tensorflow import quiet_tensorflow

__all__ = ["METRICS_FILE", "load_evaluation", "load_metrics", "metrics_text"]

METRICS_FILE = "metrics.json"


# Standard JSON has no such numbers; in the file they are texts.
_NOT_FINITE = ("nan", "inf", "-inf")


def metrics_text(metrics: Mapping[str, Any]) -> str:
    """Writes metrics as JSON; a value that is not finite becomes ``"nan"``, ``"inf"``, ``"-inf"``.

    Args:
        metrics: What :func:`load_metrics` returns.

    Returns:
        The text.
    """

    def plain(values: Mapping[str, float]) -> dict[str, Any]:
        return {name: _plain(value) for name, value in values.items()}

    data = dict(metrics)
    data["overall"] = plain(metrics["overall"])
    data["slices"] = [{**part, "metrics": plain(part["metrics"])} for part in metrics["slices"]]
    if "baseline" in metrics:
        baseline = metrics["baseline"]
        data["baseline"] = {**baseline, "metrics": plain(baseline["metrics"])}
    if "blessing" in metrics:
        blessing = metrics["blessing"]
        data["blessing"] = {**blessing, "reasons": list(map(_plain_reason, blessing["reasons"]))}
    if "history" in metrics:
        data["history"] = {
            name: [[step, _plain(value)] for step, value in values]
            for name, values in metrics["history"].items()
        }
    return json.dumps(data, indent=1, allow_nan=False) + "\n"


def _plain_reason(reason: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _plain(value) if isinstance(value, float) else value for name, value in reason.items()
    }


def _plain(value: float) -> float | str:
    return value if math.isfinite(value) else repr(value)


def load_metrics(folder: Path, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Loads metrics, with nothing but the standard library.

    Returns:
        ``{"overall": {metric: value}, "slices": [{"slice": {column: value}, "metrics": {…}}]}``;
        for metrics that a step logged also ``"history": {metric: [[step, value], …]}``. An
        evaluator adds ``"rows"`` that have the label, by label, overall and to each slice;
        ``"left_out"``: slices without any; ``"labels"``: how many each split has and lacks;
        ``"not_finite"``: how many predictions are not, by split; where it blesses,
        ``"blessing": {"blessed": …, "reasons": […]}``; and the ``"baseline"`` that it compared
        with, if any.
    """
    data: dict[str, Any] = json.loads((folder / METRICS_FILE).read_text(encoding="utf-8"))
    parts = [data.get("overall", {}), *(part["metrics"] for part in data.get("slices", ()))]
    parts += [data.get("baseline", {}).get("metrics", {})]
    parts += data.get("blessing", {}).get("reasons", [])
    for values in parts:
        for name, value in values.items():
            if isinstance(value, str) and value in _NOT_FINITE:
                values[name] = float(value)
    for points in data.get("history", {}).values():
        for point in points:
            point[1] = float(point[1])
    return data


def load_evaluation(folder: Path, properties: Mapping[str, Any]) -> Any:
    """Loads TFMA's ``EvalResult``."""
    with quiet_tensorflow():
        tfma = need("tensorflow_model_analysis", "load a ModelEvaluation")
        logger = logging.getLogger("tensorflow")
        level = logger.level
        logger.setLevel(logging.ERROR)  # TFMA uses what TensorFlow calls deprecated
        try:
            return tfma.load_eval_result(str(folder))
        finally:
            logger.setLevel(level)
