"""Runs a trainer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tfx.components.trainer import executor as trainer
from tfx.types import artifact_utils

from zentfx.records.schema import Artifact
from zentfx.steps.trainer import TrainerStep
from zentfx.tfx_backend.executors.base import StepExecutor, note
from zentfx.tfx_backend.executors.transform import COLUMNS_FILE

__all__ = ["TrainerExecutor"]


class TrainerExecutor(StepExecutor[TrainerStep], trainer.GenericExecutor):
    """Calls the step's ``run_fn`` with TFX's ``FnArgs``."""

    def run_step(
        self,
        step: TrainerStep,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        properties: dict[str, Any],
    ) -> None:
        """See the base class."""
        fn_args = self._GetFnArgs(input_dict, output_dict, properties)
        columns = Path(fn_args.transform_graph_path or "") / COLUMNS_FILE
        fn_args.custom_config = (
            json.loads(columns.read_text(encoding="utf-8")) if columns.is_file() else {}
        )
        step.run_fn(fn_args)
        if not Path(fn_args.serving_model_dir).exists():
            raise RuntimeError(
                f"{type(step).__name__}.run_fn exported no model: expected one in "
                f"fn_args.serving_model_dir, which is {fn_args.serving_model_dir}."
            )
        classes = fn_args.custom_config.get("classes")
        if classes:
            model = artifact_utils.get_single_instance(output_dict["model"])
            note(model, Artifact.CLASSES, classes)
