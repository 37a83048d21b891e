"""Runs a preprocessor with TensorFlow Transform."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tfx.components.transform import executor as transform
from tfx.types import artifact_utils

from zentfx.steps.preprocessor import PreprocessorStep
from zentfx.tfx_backend.executors.base import StepExecutor
from zentfx.tfx_backend.executors.by_value import ByValue

__all__ = ["COLUMNS_FILE", "TransformExecutor"]

# In the transform graph's folder: which of its outputs are features, and which labels.
COLUMNS_FILE = "zentfx_columns.json"


class TransformExecutor(StepExecutor[PreprocessorStep], transform.Executor):
    """Stock, with the step's ``preprocessing_fn``."""

    _step: PreprocessorStep

    def run_step(
        self,
        step: PreprocessorStep,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        properties: dict[str, Any],
    ) -> None:
        """See the base class."""
        self._step = step
        super().run_step(step, input_dict, output_dict, properties)
        folder = artifact_utils.get_single_uri(output_dict["transform_graph"])
        columns = {"features": step.feature_columns, "labels": step.label_columns}
        (Path(folder) / COLUMNS_FILE).write_text(json.dumps(columns), encoding="utf-8")

    def _GetPreprocessingFn(self, inputs: Any, unused_outputs: Any) -> Any:  # noqa: N802
        held = ByValue(self._step)
        return lambda columns: held.step.preprocessing_fn(columns)

    def _GetStatsOptionsUpdaterFn(self, inputs: Any) -> Any:  # noqa: N802
        return None
