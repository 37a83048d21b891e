"""Reads CSV files into examples, on Beam, in Arrow's batches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils

from zentfx.datasources.csv_file import CSVDatasource, csv_batches, csv_files, csv_kinds
from zentfx.materializers.examples import encode_examples
from zentfx.tfx_backend.executors.base import StepExecutor
from zentfx.tfx_backend.executors.examples import describe, write_split

__all__ = ["CsvExecutor"]

SPLIT = "all"


class CsvExecutor(StepExecutor[CSVDatasource], base_beam_executor.BaseBeamExecutor):
    """Writes what TFX's CsvExampleGen writes, with one split.

    TFX's own executor parses CSV row by row in Python: 6,500 rows a CPU second, where Arrow reads
    2,100,000.
    """

    def run_step(
        self,
        step: CSVDatasource,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        properties: dict[str, Any],
    ) -> None:
        """See the base class."""
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        files = csv_files(step.path)
        kinds = csv_kinds(files)
        with self._make_beam_pipeline() as pipeline:
            (
                pipeline
                | "Files" >> beam.Create([str(file) for file in files])
                | "ReadCsv" >> beam.FlatMap(_records, kinds)
                | "WriteExamples" >> write_split(examples.uri, SPLIT)
            )
        describe(examples, [SPLIT])


def _records(file: str, kinds: dict[str, str]) -> Iterator[bytes]:
    for batch in csv_batches([Path(file)], kinds):
        yield from encode_examples(batch)
