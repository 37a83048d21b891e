"""Statistics of a dataset, by TensorFlow Data Validation."""

from __future__ import annotations

from types import MappingProxyType

from zentfx.steps.base import BaseStep

__all__ = ["StatisticsStep"]


class StatisticsStep(BaseStep):
    """Computes statistics of every column of every split; wraps TFX's StatisticsGen.

    Args:
        sample_rate: Share of the rows to look at, in (0, 1].
    """

    wraps = "StatisticsGen"
    inputs = MappingProxyType({"examples": "Examples", "schema": "Schema"})
    optional_inputs = frozenset({"schema"})
    outputs = MappingProxyType({"statistics": "ExampleStatistics"})
    reserved = frozenset(
        {"stats_options_json", "exclude_splits", "sharded_stats_output", "sample_rate_by_split"}
    )

    def __init__(self, sample_rate: float = 1.0) -> None:
        self.sample_rate = sample_rate

    def check(self) -> None:
        """Checks that the rate is one."""
        super().check()
        if not 0 < self.sample_rate <= 1:
            raise self.refuse("sample_rate", f"must be in (0, 1]; {self.sample_rate!r} came.")
