"""Writes metrics: as properties for comparisons, and all of them as a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zentfx.materializers.metrics import METRICS_FILE, load_metrics, metrics_text
from zentfx.records.encoding import metric_properties
from zentfx.steps.metric_log import MetricLog

__all__ = ["METRICS_TYPE", "write_log", "write_metrics"]

METRICS_TYPE = "Metrics"


def write_metrics(artifact: Any, metrics: Mapping[str, Any]) -> None:
    """Writes metrics to an artifact.

    Args:
        artifact: The Metrics artifact.
        metrics: As :func:`zentfx.materializers.metrics.load_metrics` returns them.
    """
    target = Path(artifact.uri) / METRICS_FILE
    target.write_text(metrics_text(metrics), encoding="utf-8")
    for name, value in metric_properties(metrics["overall"]).items():
        if isinstance(value, str):
            artifact.set_string_custom_property(name, value)
        else:
            artifact.set_float_custom_property(name, value)


def write_log(artifact: Any, log: MetricLog) -> None:
    """Writes what a step has logged; what its executor wrote already is kept.

    Args:
        artifact: The Metrics artifact.
        log: The log.
    """
    folder = Path(artifact.uri)
    metrics: dict[str, Any] = {"overall": {}, "slices": []}
    if (folder / METRICS_FILE).is_file():
        metrics |= load_metrics(folder, {})
    metrics["overall"] |= log.overall
    metrics["history"] = log.history
    write_metrics(artifact, metrics)
