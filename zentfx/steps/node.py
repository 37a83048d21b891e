"""A step in its place: what a pipeline hands to an orchestrator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zentfx.code_identity import CodeIdentity
from zentfx.errors import PipelineError
from zentfx.steps.base import BaseStep

__all__ = ["Node", "OutputReference", "PlacedStep"]


@dataclass(frozen=True)
class OutputReference:
    """An output of a step of the same pipeline, written ``step.output``.

    Attributes:
        step: Name of the step.
        output: Name of its output.
    """

    step: str
    output: str

    @classmethod
    def parse(cls, text: object) -> OutputReference:
        """Reads the written form.

        Args:
            text: ``step.output``.

        Returns:
            The reference.

        Raises:
            PipelineError: If it is written in another way.
        """
        step, dot, output = str(text).partition(".")
        if not (dot and step.isidentifier() and output.isidentifier()):
            raise PipelineError(f'expected "<step>.<output>"; {text!r} came.')
        return cls(step, output)

    def __str__(self) -> str:
        return f"{self.step}.{self.output}"


@dataclass(frozen=True)
class PlacedStep:
    """A step in a pipeline, with the wiring that was given for it.

    Attributes:
        step: The step.
        inputs: Which output each input reads, as given; a pipeline may imply others.
    """

    step: BaseStep
    inputs: Mapping[str, OutputReference] = field(default_factory=dict)


@dataclass(frozen=True)
class Node:
    """One step of a pipeline that is about to run.

    Attributes:
        name: The step's name; TFX's node id.
        step: The step.
        inputs: Which output each input reads.
        code: What the step's code is.
        digests: Digest of the content of each path among its arguments and derived values, by the
            place where it stands there.
        enable_cache: Whether an earlier result may be reused.
    """

    name: str
    step: BaseStep
    inputs: Mapping[str, OutputReference]
    code: CodeIdentity
    digests: Mapping[str, str] = field(default_factory=dict)
    enable_cache: bool = True

    @property
    def parameters(self) -> dict[str, Any]:
        """All values that the step works with, the derived ones included (a copy)."""
        return {**self.step.derived, **self.step.arguments}
