"""Runs a preprocessor with TensorFlow Transform."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.transform import executor as transform
from tfx.types import artifact_utils

from zentfx.errors import DataError
from zentfx.records.schema import Artifact
from zentfx.running_step import remark
from zentfx.steps.keras_training import TRAIN, TrainingData
from zentfx.steps.labels import LabelCount, classes_of, count_labels, with_presence
from zentfx.steps.preprocessor import PreprocessorStep
from zentfx.tfx_backend.executors.base import StepExecutor, note
from zentfx.tfx_backend.executors.by_value import ByValue
from zentfx.tfx_backend.executors.raw_labels import names_of_others, split_files

__all__ = ["COLUMNS_FILE", "TransformExecutor"]

# In the transform graph's folder: which of its outputs are features and which labels, the labels'
# classes, and how many labels each split has.
COLUMNS_FILE = "zentfx_columns.json"


class TransformExecutor(StepExecutor[PreprocessorStep], transform.Executor):
    """Stock, with the step's ``preprocessing_fn``; then counts labels."""

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
        examples = artifact_utils.get_single_instance(output_dict["transformed_examples"])
        graph = tft.TFTransformOutput(folder)
        classes = classes_of(graph, step.label_columns)
        _write_vocabularies(graph, classes)
        counts = _counts(graph, step, split_files(examples))
        columns = {
            "features": step.feature_columns,
            "labels": step.label_columns,
            "classes": classes,
            "label_counts": {
                split: {name: count.as_dict() for name, count in found.items()}
                for split, found in counts.items()
            },
        }
        (Path(folder) / COLUMNS_FILE).write_text(json.dumps(columns), encoding="utf-8")
        note(examples, Artifact.LABELS, columns["label_counts"])
        raw = split_files(artifact_utils.get_single_instance(input_dict["examples"]))
        for split, found in counts.items():
            for label, count in found.items():
                others = partial(names_of_others, raw.get(split, ()), label, classes.get(label))
                _judge(step, split, label, count, others)

    def _GetPreprocessingFn(self, inputs: Any, unused_outputs: Any) -> Any:  # noqa: N802
        held = ByValue(self._step)
        return lambda columns: with_presence(
            held.step.preprocessing_fn(columns), columns, held.step.label_columns
        )

    def _GetStatsOptionsUpdaterFn(self, inputs: Any) -> Any:  # noqa: N802
        return None


def _counts(
    graph: tft.TFTransformOutput, step: PreprocessorStep, files: dict[str, list[str]]
) -> dict[str, dict[str, LabelCount]]:
    """By split and label."""
    data = TrainingData(graph, (), step.label_columns, files)
    return {
        split: count_labels(found, data.label_states, step.label_columns)
        for split, found in files.items()
    }


def _write_vocabularies(graph: tft.TFTransformOutput, classes: dict[str, list[str]]) -> None:
    """Lets TensorFlow Transform's users ask for classes, as for any vocabulary, by name."""
    assets = Path(graph.transform_savedmodel_dir, tf.saved_model.ASSETS_DIRECTORY)
    for label, names in classes.items():
        if re.fullmatch("[A-Za-z0-9_]+", label):
            assets.mkdir(exist_ok=True)
            # Not as text, of which each line is a value: a name may have several.
            file = str(assets / f"{label}.tfrecord.gz")
            with tf.io.TFRecordWriter(file, options="GZIP") as writer:
                for name in names:
                    writer.write(name.encode())


def _judge(step: PreprocessorStep, split: str, label: str, count: LabelCount, others: Any) -> None:
    """Says what is wrong with the labels of a split, or refuses to go on."""
    if count.missing:
        remark(
            f"{split}: {count.missing} of {count.rows} rows have no {label!r}; they are left out."
        )
    if count.unknown:
        names = _listed(others())
        if split == TRAIN:
            raise DataError(
                f"{type(step).__name__}: {count.unknown} of {count.rows} rows of the split "
                f"{split!r} have a class of {label!r} that is not among the known ones{names}. Add "
                "it to classes, or leave those rows out before."
            )
        remark(
            f"{split}: {count.unknown} of {count.rows} rows have a class of {label!r} that "
            f"training has not seen{names}; the evaluation counts them as predicted wrongly, or "
            "fails where a metric cannot."
        )
    if split == TRAIN and not count.counted:
        raise DataError(
            f"{type(step).__name__}: none of the {count.rows} rows of the split {split!r} has "
            f"the label {label!r}. Check the column, or the split."
        )


def _listed(names: Sequence[str]) -> str:
    return f": {', '.join(map(repr, names))}" if names else ""
