"""Evaluates a model with TensorFlow Model Analysis, and keeps the values as plain data."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfx.components.evaluator import constants
from tfx.components.evaluator import executor as evaluator
from tfx.types import artifact_utils

from zentfx.errors import DataError
from zentfx.materializers.models import CLASSES_FILE
from zentfx.records.schema import Artifact
from zentfx.running_step import remark
from zentfx.steps.bounds import not_finite_reasons, verdict_text
from zentfx.steps.evaluator import BASELINE, EvaluatorStep
from zentfx.tfx_backend.executors.base import StepExecutor, note
from zentfx.tfx_backend.executors.evaluated_model import EvaluatedModel, config_for
from zentfx.tfx_backend.executors.evaluation import failures, plain
from zentfx.tfx_backend.executors.metrics import write_metrics
from zentfx.tfx_backend.executors.raw_labels import split_files

__all__ = ["EvaluatorExecutor"]

_SHOWN = 5  # of slices that are left out


class EvaluatorExecutor(StepExecutor[EvaluatorStep], evaluator.Executor):
    """Stock; then reads TFMA's result, decides, and writes it for readers without TensorFlow."""

    def run_step(
        self,
        step: EvaluatorStep,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        properties: dict[str, Any],
    ) -> None:
        """See the base class."""
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        splits = json.loads(properties.get("example_splits") or "null") or ["eval"]
        files = {name: found for name, found in split_files(examples).items() if name in splits}
        model = EvaluatedModel(input_dict["model"][0].uri)
        config = json.loads(properties["eval_config"])
        counts = model.count_labels(config, files)
        baseline = _comparable(model, input_dict.get(BASELINE))
        # Only what is there is handed on: TFX looks for the input.
        given = {name: items for name, items in input_dict.items() if name != BASELINE}
        if baseline is not None:
            given[BASELINE] = input_dict[BASELINE]
        fitted = json.dumps(config_for(config, model, baseline))
        try:
            super().run_step(step, given, output_dict, {**properties, "eval_config": fitted})
        except Exception as error:
            # Some metrics fail on such predictions, by a message that does not say so.
            found: dict[str, int] = {}
            with contextlib.suppress(Exception):  # of a model that cannot be asked
                found = model.count_not_finite(files)
            if not found:
                raise
            shown = ", ".join(f"{rows} in the split {split!r}" for split, rows in found.items())
            raise DataError(
                f"The model cannot be evaluated, and so is not blessed: predictions are not finite "
                f"({shown}), and a metric fails on them. Look at the trainer's loss."
            ) from error
        evaluation = artifact_utils.get_single_uri(output_dict["evaluation"])
        evaluated = plain(evaluation, step, baseline is not None)
        evaluated["not_finite"] = model.not_finite(evaluated.pop("not_finite"), files)
        evaluated["labels"] = {
            split: {label: count.as_dict() for label, count in found.items()}
            for split, found in counts.items()
        }
        if baseline is not None:
            evaluated["baseline"]["model"] = input_dict[BASELINE][0].id
        metrics = artifact_utils.get_single_instance(output_dict["zentfx_metrics"])
        if step.blesses or _has_stock_verdict(output_dict):
            blessing = artifact_utils.get_single_instance(output_dict["blessing"])
            reasons = step.verdict(evaluated)
            if reasons is None:
                reasons = failures(evaluation) + not_finite_reasons(evaluated)
            text = verdict_text(reasons)
            evaluated["blessing"] = {"blessed": not reasons, "reasons": reasons}
            _bless(blessing, given, blessed=not reasons)
            for artifact in (blessing, metrics):
                note(artifact, Artifact.VERDICT, text)
            remark(f"{text[:1].upper()}{text[1:]}.")
        _tell(evaluated, step, bool(input_dict.get(BASELINE)))
        classes = _classes_of(model)
        if classes:
            note(metrics, Artifact.CLASSES, classes)
        write_metrics(metrics, evaluated)


def _comparable(model: EvaluatedModel, baseline: list[Any] | None) -> EvaluatedModel | None:
    """The model to compare with, unless it predicts something else."""
    if not baseline:
        return None
    other = EvaluatedModel(baseline[0].uri)
    now, before = _classes_of(model), _classes_of(other)
    if now != before:
        remark(
            "Not compared with the latest blessed model, because its labels have other classes: "
            f"{before} instead of {now}."
        )
        return None
    return other


def _classes_of(model: EvaluatedModel) -> dict[str, list[str]]:
    file = Path(model.path) / CLASSES_FILE
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def _tell(evaluated: Mapping[str, Any], step: EvaluatorStep, has_baseline: bool) -> None:
    for split, rows in evaluated["not_finite"].items():
        remark(f"{rows} predictions in the split {split!r} are not finite.")
    left_out = evaluated["left_out"]
    if left_out:
        shown = ", ".join(_named(part) for part in left_out[:_SHOWN])
        more = f", and {len(left_out) - _SHOWN} more" if len(left_out) > _SHOWN else ""
        remark(f"Slices without a row that has the label are left out: {shown}{more}.")
    for sentence in step.passed_over(evaluated):
        remark(sentence)
    if step.needs_baseline and not has_baseline:
        remark("No model of this pipeline was blessed before, so there is none to compare with.")


def _named(part: Mapping[str, Any]) -> str:
    where = " and ".join(f"{column}={value!r}" for column, value in part["slice"].items())
    return f"{where} ({part['label']})" if "label" in part else where


def _has_stock_verdict(output_dict: Mapping[str, list[Any]]) -> bool:
    """Whether TFX has held a model against thresholds."""
    folder = Path(artifact_utils.get_single_uri(output_dict["blessing"]))
    names = (constants.BLESSED_FILE_NAME, constants.NOT_BLESSED_FILE_NAME)
    return any((folder / name).exists() for name in names)


def _bless(blessing: Any, given: Mapping[str, list[Any]], blessed: bool) -> None:
    """Writes a blessing as TFX does, instead of the one that it has written, if any."""
    folder = Path(blessing.uri)
    names = {True: constants.BLESSED_FILE_NAME, False: constants.NOT_BLESSED_FILE_NAME}
    (folder / names[not blessed]).unlink(missing_ok=True)
    (folder / names[blessed]).touch()
    value = constants.BLESSED_VALUE if blessed else constants.NOT_BLESSED_VALUE
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, value)
    for name, (uri, number) in {
        "model": (
            constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY,
            constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY,
        ),
        BASELINE: (
            constants.ARTIFACT_PROPERTY_BASELINE_MODEL_URI_KEY,
            constants.ARTIFACT_PROPERTY_BASELINE_MODEL_ID_KEY,
        ),
    }.items():
        if given.get(name):
            blessing.set_string_custom_property(uri, given[name][0].uri)
            blessing.set_int_custom_property(number, given[name][0].id)
