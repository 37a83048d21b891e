"""Divides examples into splits, on Beam."""

from __future__ import annotations

from typing import Any

import apache_beam as beam
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils
from tfx.utils import io_utils

from zentfx.steps.split import SplitStep
from zentfx.tfx_backend.executors.base import StepExecutor
from zentfx.tfx_backend.executors.by_value import ByValue
from zentfx.tfx_backend.executors.examples import check_not_empty, describe, write_split

__all__ = ["SplitExecutor"]


class SplitExecutor(StepExecutor[SplitStep], base_beam_executor.BaseBeamExecutor):
    """Calls the step's ``assign`` for every record of every incoming split."""

    def run_step(
        self,
        step: SplitStep,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        properties: dict[str, Any],
    ) -> None:
        """See the base class."""
        source = artifact_utils.get_single_instance(input_dict["examples"])
        target = artifact_utils.get_single_instance(output_dict["split_examples"])
        names = step.split_names
        held = ByValue(step)
        with self._make_beam_pipeline() as pipeline:
            records = [
                pipeline
                | f"Read[{split}]"
                >> beam.io.ReadFromTFRecord(
                    io_utils.all_files_pattern(artifact_utils.get_split_uri([source], split))
                )
                for split in artifact_utils.decode_split_names(source.split_names)
            ]
            parts = (
                records
                | "AllSplits" >> beam.Flatten()
                | "Assign" >> beam.Partition(lambda record, _: held.step.assign(record), len(names))
            )
            for name, part in zip(names, parts, strict=False):
                part | f"Write[{name}]" >> write_split(target.uri, name)
        check_not_empty(target.uri, names)
        describe(target, names)
