"""Names that a pipeline gives: whether they can be kept."""

from __future__ import annotations

from collections.abc import Mapping

from zentfx.class_paths import class_path
from zentfx.errors import PipelineError
from zentfx.names import check_length
from zentfx.steps.base import BaseStep

__all__ = ["check_pipeline_name", "check_step_name", "check_together"]

_LONGEST = 63  # characters: MLMD's limit for a pipeline's context in TFX's key
_VERSION = len("@0000000000")  # which follows a pipeline's name in MLMD


def check_pipeline_name(name: object) -> None:
    """Checks the name of a pipeline.

    Args:
        name: The name.

    Raises:
        PipelineError: If it cannot be one.
    """
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise PipelineError(f"A pipeline needs a name of printable characters; got {name!r}.")
    if len(name) > _LONGEST:
        raise PipelineError(
            f"A pipeline's name has at most {_LONGEST} characters; got {len(name)}: {name!r}."
        )
    check_length(name, "A pipeline's name", PipelineError, beside=_VERSION)


def check_step_name(name: object, step: BaseStep) -> None:
    """Checks the name of a step in a pipeline.

    Args:
        name: The name.
        step: The step.

    Raises:
        PipelineError: If it cannot be one.
    """
    if not isinstance(name, str) or not name.isidentifier():
        raise PipelineError(
            f"A step's name has letters, digits and '_' only; got {name!r} (step "
            f"{type(step).__name__})."
        )
    check_length(name, "A step's name", PipelineError, beside=len(".log"))


def check_together(pipeline: str, steps: Mapping[str, BaseStep]) -> None:
    """Checks what MLMD keeps of a pipeline and its steps under one name.

    Args:
        pipeline: The pipeline's name.
        steps: Its steps, by name.

    Raises:
        PipelineError: If a name is too long.
    """
    for name, step in steps.items():
        what = f"The names of the pipeline and of the step {_shortened(name)!r} together"
        check_length(f"{pipeline}.{name}", what, PipelineError)
        what = f"The dotted name of the class of the step {_shortened(name)!r}"
        check_length(class_path(type(step)), what, PipelineError)


def _shortened(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:40]}…"
