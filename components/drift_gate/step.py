"""A gate that fails a pipeline when two splits of its data differ too much."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact_utils, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from zentfx import BaseStep, materializers

REPORT_FILE = "report.json"


class DriftGate(BaseStep):
    """Fails when the statistics of two splits are further apart than a threshold.

    Args:
        threshold: The largest distance of a column that passes, in [0, 1].
        splits: The two splits to compare.
    """

    inputs = {"statistics": "ExampleStatistics"}
    outputs = {"report": "DriftReport"}

    def __init__(self, threshold: float = 0.1, splits: tuple[str, str] = ("train", "eval")) -> None:
        self.threshold = threshold
        self.splits = splits

    def check(self) -> None:
        super().check()
        if not 0 <= self.threshold <= 1:
            raise self.refuse("threshold", f"must be in [0, 1]; {self.threshold!r} came.")

    def build_component(self, channels: Mapping[str, Any]) -> DriftGateComponent:
        return DriftGateComponent(channels["statistics"], self.threshold, json.dumps(self.splits))


class DriftReport(types.Artifact):
    """The distances that a gate found."""

    TYPE_NAME = "DriftReport"


class DriftGateSpec(types.ComponentSpec):
    PARAMETERS = {
        "threshold": ExecutionParameter(type=float),
        "splits": ExecutionParameter(type=str),  # JSON
    }
    INPUTS = {"statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics)}
    OUTPUTS = {"report": ChannelParameter(type=DriftReport)}


class DriftGateExecutor(base_executor.BaseExecutor):
    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        source = artifact_utils.get_single_instance(input_dict["statistics"])
        statistics = materializers.load(
            "ExampleStatistics", source.uri, {"split_names": source.split_names}
        )
        first, second = json.loads(exec_properties["splits"])
        distances = column_distances(statistics[first], statistics[second])
        threshold = exec_properties["threshold"]
        report = Path(artifact_utils.get_single_uri(output_dict["report"])) / REPORT_FILE
        report.write_text(
            json.dumps({"distances": distances, "threshold": threshold}, indent=1), encoding="utf-8"
        )
        drifted = {name: value for name, value in distances.items() if value > threshold}
        if drifted:
            listed = ", ".join(f"{name} {value:.3f}" for name, value in sorted(drifted.items()))
            raise RuntimeError(
                f"{first} and {second} differ by more than {threshold} in {listed}. Look at the "
                "split, or raise the threshold."
            )


class DriftGateComponent(base_component.BaseComponent):
    """The TFX component; zentfx is not needed to use it."""

    SPEC_CLASS = DriftGateSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(DriftGateExecutor)

    def __init__(self, statistics: types.BaseChannel, threshold: float, splits: str) -> None:
        report = types.Channel(type=DriftReport)
        super().__init__(
            DriftGateSpec(statistics=statistics, threshold=threshold, splits=splits, report=report)
        )


def column_distances(first: Any, second: Any) -> dict[str, float]:
    """Distance of each column that both statistics have, in [0, 1].

    Args:
        first: A ``DatasetFeatureStatisticsList``.
        second: Another.
    """
    columns = [
        {feature.path.step[0]: feature for feature in item.datasets[0].features}
        for item in (first, second)
    ]
    return {
        name: _distance(columns[0][name], columns[1][name])
        for name in sorted(columns[0].keys() & columns[1].keys())
    }


def _distance(first: Any, second: Any) -> float:
    if first.HasField("string_stats"):
        shares = [_shares(feature.string_stats.rank_histogram) for feature in (first, second)]
        values = shares[0].keys() | shares[1].keys()
        return max((abs(shares[0].get(v, 0) - shares[1].get(v, 0)) for v in values), default=0.0)
    quantiles = [_cumulative(feature.num_stats) for feature in (first, second)]
    points = sorted({bound for steps in quantiles for bound, _ in steps})
    return max((abs(_at(quantiles[0], x) - _at(quantiles[1], x)) for x in points), default=0.0)


def _shares(histogram: Any) -> dict[str, float]:
    total = sum(bucket.sample_count for bucket in histogram.buckets)
    return {bucket.label: bucket.sample_count / total for bucket in histogram.buckets}


def _cumulative(statistics: Any) -> list[tuple[float, float]]:
    """Upper bounds of the standard histogram's buckets, and the share of values up to them."""
    buckets = statistics.histograms[0].buckets if statistics.histograms else []
    total = sum(bucket.sample_count for bucket in buckets)
    steps: list[tuple[float, float]] = []
    seen = 0.0
    for bucket in buckets:
        if not steps:
            steps.append((bucket.low_value, 0.0))
        seen += bucket.sample_count
        steps.append((bucket.high_value, seen / total if total else 0.0))
    return steps


def _at(steps: list[tuple[float, float]], x: float) -> float:
    """The share of values up to x, linear within a bucket."""
    below = [step for step in steps if step[0] <= x]
    above = [step for step in steps if step[0] > x]
    if not below:
        return 0.0
    if not above:
        return below[-1][1]
    (low, start), (high, end) = below[-1], above[0]
    return start + (end - start) * (x - low) / (high - low)
