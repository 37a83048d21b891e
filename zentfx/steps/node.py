"""A step in its place: what a pipeline hands to an orchestrator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zentfx.errors import PipelineError
from zentfx.records.models import ArtifactRecord
from zentfx.source_code.identity import CodeIdentity
from zentfx.steps.base import BaseStep

__all__ = ["ArtifactReference", "Node", "OutputReference", "PlacedStep"]


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
        # Names of a function's outputs may have spaces and signs.
        if "." in output or not (
            dot and step.isidentifier() and output.strip() and output.isprintable()
        ):
            raise PipelineError(f'expected "<step>.<output>"; {text!r} came.')
        return cls(step, output)

    def __str__(self) -> str:
        return f"{self.step}.{self.output}"


@dataclass(frozen=True)
class ArtifactReference:
    """An artifact that there is before the pipeline runs.

    Attributes:
        name: Its name; None for one without a name.
        version: Its version; None for the latest when the pipeline runs.
        id: Its id in MLMD, where it has no name.
        root: The folder of the repository that it was found in; None where only it is named.
    """

    name: str | None = None
    version: str | None = None
    id: int | None = None
    root: Path | None = field(default=None, compare=False)

    def __str__(self) -> str:
        if self.name is None:
            return f"artifact {self.id}"
        return f"{self.name} (latest)" if self.version is None else f"{self.name} {self.version}"


@dataclass(frozen=True)
class PlacedStep:
    """A step in a pipeline, with the wiring that was given for it.

    Attributes:
        step: The step.
        inputs: Which output each input reads, as given; a pipeline may imply others.
        artifacts: Inputs that read an artifact from before.
        after: Names of further steps that it waits for.
    """

    step: BaseStep
    inputs: Mapping[str, OutputReference] = field(default_factory=dict)
    artifacts: Mapping[str, ArtifactReference] = field(default_factory=dict)
    after: tuple[str, ...] = ()


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
        artifacts: Artifacts from before that inputs read.
        after: Names of further steps that it waits for.
        input_types: Type of the artifact that each input reads.
    """

    name: str
    step: BaseStep
    inputs: Mapping[str, OutputReference]
    code: CodeIdentity
    digests: Mapping[str, str] = field(default_factory=dict)
    enable_cache: bool = True
    artifacts: Mapping[str, ArtifactRecord] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    input_types: Mapping[str, str] = field(default_factory=dict)

    @property
    def needed(self) -> tuple[str, ...]:
        """Names of the steps that have to be done before."""
        return (*(reference.step for reference in self.inputs.values()), *self.after)

    @property
    def parameters(self) -> dict[str, Any]:
        """All values that the step works with, the derived ones included (a copy)."""
        return {**self.step.derived, **self.step.arguments}
