"""Metrics of a model: a small JSON file, and TFMA's evaluation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zentfx.materializers.needs import need

__all__ = ["METRICS_FILE", "load_evaluation", "load_metrics"]

METRICS_FILE = "metrics.json"


def load_metrics(folder: Path, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Loads metrics, with nothing but the standard library.

    Returns:
        ``{"overall": {metric: value}, "slices": [{"slice": {column: value}, "metrics": {…}}]}``.
    """
    data: dict[str, Any] = json.loads((folder / METRICS_FILE).read_text(encoding="utf-8"))
    return data


def load_evaluation(folder: Path, properties: Mapping[str, Any]) -> Any:
    """Loads TFMA's ``EvalResult``."""
    return need("tensorflow_model_analysis", "load a ModelEvaluation").load_eval_result(str(folder))
