"""Runs steps that do their work in ``process``."""

from __future__ import annotations

import math
from typing import Any

from tfx.dsl.components.base import base_executor

from zentfx.names import check_length
from zentfx.steps.artifacts import OutputArtifact
from zentfx.steps.base import BaseStep
from zentfx.tfx_backend.executors.base import StepExecutor
from zentfx.tfx_backend.hits import as_input

__all__ = ["ProcessExecutor"]


class ProcessExecutor(StepExecutor[BaseStep], base_executor.BaseExecutor):
    """Calls :meth:`zentfx.steps.base.BaseStep.process`."""

    def run_step(
        self,
        step: BaseStep,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        properties: dict[str, Any],
    ) -> None:
        """See the base class."""
        inputs = {
            name: as_input(artifacts[0]) for name, artifacts in input_dict.items() if artifacts
        }
        outputs = {
            name: OutputArtifact(type(artifacts[0]).TYPE_NAME, artifacts[0].uri)
            for name, artifacts in output_dict.items()
        }
        step.process(inputs, outputs)
        for name, output in outputs.items():
            for key, value in output.metadata.items():
                _set(output_dict[name][0], key, value)


def _set(artifact: Any, name: str, value: Any) -> None:
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()  # a scalar of numpy
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        came = f"{value!r} of type {type(value).__name__}"
        raise TypeError(f"metadata of an output must be str, int or float; {name!r} is {came}.")
    # MLMD would fail on these, or cut them, after the step has been run.
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"metadata of an output must be finite; {name!r} is {value!r}.")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError(f"metadata of an output must fit 64 bits; {name!r} is {value!r}.")
    check_length(name, "A name in the metadata of an output")
    if isinstance(value, str) and "\0" in value:
        raise ValueError(f"metadata of an output must not hold NUL characters; {name!r} does.")
    if name in (artifact.PROPERTIES or {}):
        setattr(artifact, name, value)
    elif isinstance(value, str):
        artifact.set_string_custom_property(name, value)
    elif isinstance(value, int):
        artifact.set_int_custom_property(name, value)
    else:
        artifact.set_float_custom_property(name, value)
