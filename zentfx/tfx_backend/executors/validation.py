"""Statistics, schema and validation: stock executors, by TensorFlow Data Validation."""

from __future__ import annotations

from typing import Any

import tensorflow_data_validation as tfdv
from tfx.components.example_validator import executor as example_validator
from tfx.components.schema_gen import executor as schema_gen
from tfx.components.statistics_gen import executor as statistics_gen

from zentfx.steps.schema import SchemaStep
from zentfx.steps.statistics import StatisticsStep
from zentfx.steps.validation import ValidationStep
from zentfx.tfx_backend.executors.base import StepExecutor

__all__ = ["SchemaExecutor", "StatisticsExecutor", "ValidationExecutor"]


class StatisticsExecutor(StepExecutor[StatisticsStep], statistics_gen.Executor):
    """Stock, with the step's rate."""

    def run_step(
        self,
        step: StatisticsStep,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        properties: dict[str, Any],
    ) -> None:
        """See the base class."""
        if step.sample_rate < 1:
            options = tfdv.StatsOptions(sample_rate=step.sample_rate)
            properties = {**properties, "stats_options_json": options.to_json()}
        super().run_step(step, input_dict, output_dict, properties)


class SchemaExecutor(StepExecutor[SchemaStep], schema_gen.Executor):
    """Stock."""


class ValidationExecutor(StepExecutor[ValidationStep], example_validator.Executor):
    """Stock."""
