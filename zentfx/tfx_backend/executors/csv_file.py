"""Reads CSV files into examples, on Beam, in Arrow's batches."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils

from zentfx.datasources.csv_columns import scan_columns, typed_batches
from zentfx.datasources.csv_file import CSVDatasource
from zentfx.datasources.csv_format import CSVFormat, csv_files
from zentfx.materializers.examples import encode_examples
from zentfx.materializers.finite import NonFinite
from zentfx.tfx_backend.executors.base import StepExecutor
from zentfx.tfx_backend.executors.examples import describe, write_split

__all__ = ["CsvExecutor"]

SPLIT = "all"

_log = logging.getLogger(__name__)


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
        scanned = scan_columns(files, step.format, step.types or {}, step.non_finite)
        for text in scanned.warnings:
            _log.warning("%s", text)
        with self._make_beam_pipeline() as pipeline:
            (
                pipeline
                | "Files" >> beam.Create([str(file) for file in files])
                | "ReadCsv" >> beam.FlatMap(_records, step.format, scanned.kinds, step.non_finite)
                | "WriteExamples" >> write_split(examples.uri, SPLIT)
            )
        describe(examples, [SPLIT])


def _records(
    file: str, form: CSVFormat, kinds: dict[str, str], non_finite: NonFinite
) -> Iterator[bytes]:
    for batch in typed_batches([Path(file)], form, kinds, non_finite):
        yield from encode_examples(batch)
