"""Checks for steps that users write; to be called in their tests."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zentfx.errors import StepDefinitionError
from zentfx.parameters import canonical_json, decode, encode
from zentfx.pipelines.base import Pipeline
from zentfx.source_code.identity import code_of
from zentfx.steps.artifacts import InputArtifact, OutputArtifact
from zentfx.steps.base import BaseStep
from zentfx.steps.keras_training import ColumnSpec
from zentfx.steps.trainer import TrainerStep
from zentfx.views.artifact import ArtifactVersion
from zentfx.views.run import Run

__all__ = ["check_step"]


def check_step(
    step: BaseStep,
    inputs: Mapping[str, ArtifactVersion | str | os.PathLike[str]] | None = None,
    folder: str | os.PathLike[str] | None = None,
) -> Run | None:
    """Checks a step of your own, as its author would want it checked.

    - The step that a worker rebuilds from the recorded arguments has the same parameters.
    - The constructor leaves its arguments alone.
    - The step's source can be found, so that changes to it are noticed.
    - A trainer's ``model_fn`` returns a compiled Keras model with an output for each label; it is
      tried with two float features and one float label, and loads TensorFlow.
    - With ``folder``: the step runs as a real TFX node.

    Example::

        def test_drift_gate(tmp_path):
            run = check_step(
                DriftGate(threshold=0.2), inputs={"statistics": "data/statistics"}, folder=tmp_path
            )
            assert run.steps["step"].outputs["report"].load() == …

    Args:
        step: The step.
        inputs: What the step reads: for each input an artifact, or a folder with its files.
        folder: Where to make the repository that the step runs in, as the step ``step``. None: it
            is not run.

    Returns:
        The run, if there was one.

    Raises:
        StepDefinitionError: If a check fails; says which.
        StepFailedError: If the step raised when it ran.
    """
    _check_arguments(step)
    code_of(type(step), step.options.code_version)
    if isinstance(step, TrainerStep) and type(step).run_fn is TrainerStep.run_fn:
        _check_model(step)
    return None if folder is None else _run(step, inputs or {}, Path(folder))


def _check_arguments(step: BaseStep) -> None:
    name = type(step).__name__
    arguments = step.arguments
    rebuilt = type(step)(**decode(json.loads(canonical_json(encode(arguments)))))
    for kind in ("arguments", "derived"):
        before, after = getattr(step, kind), getattr(rebuilt, kind)
        if canonical_json(encode(before)) != canonical_json(encode(after)):
            raise StepDefinitionError(
                f"{name}: a step rebuilt from the recorded arguments has other {kind}: {after!r} "
                f"instead of {before!r}. A constructor must depend on its arguments alone."
            )
    for parameter, value in arguments.items():
        held = getattr(step, parameter, value)
        if isinstance(held, (list, dict)) and held is not value and held != value:
            raise StepDefinitionError(
                f"{name}: the constructor was given {parameter}={value!r}, and the step holds "
                f"{held!r} under that name. What is recorded must be what is used: keep the "
                "argument as it is, and derived values under names of their own."
            )


def _check_model(step: TrainerStep) -> None:
    import keras
    import numpy as np

    name = f"{type(step).__name__}.model_fn"
    spec = ColumnSpec((1,), "float32")
    model = step.model_fn({"first": spec, "second": spec}, {"label": spec})
    if not isinstance(model, keras.Model):
        raise StepDefinitionError(f"{name} must return a keras.Model; {model!r} came.")
    if not model.compiled:
        raise StepDefinitionError(f"{name} must compile the model: call model.compile(…).")
    rows = np.zeros((3, 1), np.float32)
    outputs = model({"first": rows, "second": rows}, training=False)
    if isinstance(outputs, dict):
        if outputs.keys() != {"label"}:
            raise StepDefinitionError(
                f"{name}: the model must return predictions by label, here {{'label': …}}, or one "
                f"tensor; a dict with {', '.join(map(repr, outputs)) or 'nothing'} came."
            )
        outputs = outputs["label"]
    shape = getattr(outputs, "shape", None)
    if shape is None or len(shape) != 2 or shape[0] != 3:
        came = f"shape {tuple(shape)}" if shape is not None else type(outputs).__name__
        raise StepDefinitionError(
            f"{name}: for 3 rows the model must return predictions of shape (3, units); {came} "
            "came."
        )


def _run(step: BaseStep, inputs: Mapping[str, Any], folder: Path) -> Run:
    pipeline = Pipeline("check_step", enable_cache=False, repository=folder)
    wiring = {}
    for name, value in inputs.items():
        given = _given(step.inputs.get(name, "File"))
        if isinstance(value, ArtifactVersion):
            source = given(path=Path(value.uri), properties=_simple(value.metadata))
        else:
            source = given(path=Path(value), properties=_splits(Path(value)))
        pipeline.add_step(source, f"given_{name}")
        wiring[name] = f"given_{name}.artifact"
    pipeline.add_step(step, "step", wiring)
    return pipeline.run(progress=None)


class _Given(BaseStep):
    """Brings files that are there already into a pipeline, as the artifact ``artifact``."""

    def __init__(self, path: Path, properties: dict[str, Any] | None = None) -> None:
        self.path = path
        self.properties = properties

    def process(
        self, inputs: Mapping[str, InputArtifact], outputs: Mapping[str, OutputArtifact]
    ) -> None:
        """Copies the files."""
        target = outputs["artifact"]
        shutil.copytree(self.path, target.path, dirs_exist_ok=True)
        target.metadata.update(self.properties or {})


def _given(kind: str) -> type[_Given]:
    """The class that brings artifacts of one type; its outputs are part of a class."""
    namespace = {"__module__": __name__, "outputs": {"artifact": kind}}
    return type(f"_Given{kind}", (_Given,), namespace)


def _simple(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in metadata.items() if isinstance(value, (str, int, float))}


def _splits(folder: Path) -> dict[str, Any]:
    """The property that lists an artifact's splits, where its folder has some."""
    names = sorted(item.name.removeprefix("Split-") for item in folder.glob("Split-*"))
    return {"split_names": json.dumps(names)} if names else {}
