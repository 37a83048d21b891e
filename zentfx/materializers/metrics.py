"""Metrics of a model: a small JSON file, and TFMA's evaluation."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zentfx.materializers.needs import need

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
        return {k: v if math.isfinite(v) else repr(v) for k, v in values.items()}

    slices = [{**part, "metrics": plain(part["metrics"])} for part in metrics["slices"]]
    data = {"overall": plain(metrics["overall"]), "slices": slices}
    return json.dumps(data, indent=1, allow_nan=False) + "\n"


def load_metrics(folder: Path, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Loads metrics, with nothing but the standard library.

    Returns:
        ``{"overall": {metric: value}, "slices": [{"slice": {column: value}, "metrics": {…}}]}``.
    """
    data: dict[str, Any] = json.loads((folder / METRICS_FILE).read_text(encoding="utf-8"))
    parts = [data.get("overall", {}), *(part["metrics"] for part in data.get("slices", ()))]
    for values in parts:
        for name, value in values.items():
            if value in _NOT_FINITE:
                values[name] = float(value)
    return data


def load_evaluation(folder: Path, properties: Mapping[str, Any]) -> Any:
    """Loads TFMA's ``EvalResult``."""
    return need("tensorflow_model_analysis", "load a ModelEvaluation").load_eval_result(str(folder))
