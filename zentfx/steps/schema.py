"""The schema of a dataset, inferred from its statistics."""

from __future__ import annotations

from types import MappingProxyType

from zentfx.steps.base import BaseStep

__all__ = ["SchemaStep"]


class SchemaStep(BaseStep):
    """Infers the schema (types, presence, domains); wraps TFX's SchemaGen.

    Args:
        fixed_shapes: Whether columns that have exactly one value in every row get a fixed shape. A
            model built on fixed shapes refuses a row that lacks such a value; without them (the
            default) a missing value is filled in as it was in training.
    """

    wraps = "SchemaGen"
    inputs = MappingProxyType({"statistics": "ExampleStatistics"})
    outputs = MappingProxyType({"schema": "Schema"})
    reserved = frozenset({"infer_feature_shape", "exclude_splits"})

    def __init__(self, fixed_shapes: bool = False) -> None:
        self.fixed_shapes = fixed_shapes
