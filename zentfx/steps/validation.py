"""Validation of a dataset against its schema."""

from __future__ import annotations

from types import MappingProxyType

from zentfx.steps.base import BaseStep

__all__ = ["ValidationStep"]


class ValidationStep(BaseStep):
    """Lists what in the data does not follow the schema; wraps TFX's ExampleValidator."""

    wraps = "ExampleValidator"
    inputs = MappingProxyType({"statistics": "ExampleStatistics", "schema": "Schema"})
    outputs = MappingProxyType({"anomalies": "ExampleAnomalies"})
    reserved = frozenset({"exclude_splits", "custom_validation_config"})
