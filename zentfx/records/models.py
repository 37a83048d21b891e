"""Plain records of runs, step runs and artifacts: what readers hand out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

__all__ = [
    "NO_ANNOTATIONS",
    "RUN_STATUSES",
    "Annotations",
    "ArtifactRecord",
    "ComparedRun",
    "ComparedStep",
    "ContextRecord",
    "Edge",
    "GraphRecord",
    "MarkRecord",
    "Origin",
    "PipelineVersionRecord",
    "RunRecord",
    "StepNode",
    "StepRunRecord",
    "skipped_step",
]


@dataclass(frozen=True)
class Annotations:
    """What a user says of a run.

    Attributes:
        project: The project that it belongs to.
        experiment: The experiment that it belongs to.
        owner: Who answers for it.
        changelist: The change of the code that it was made of, as the user's team names it.
        tags: Words to find it by, sorted.
        note: A remark.
    """

    project: str | None = None
    experiment: str | None = None
    owner: str | None = None
    changelist: str | None = None
    tags: tuple[str, ...] = ()
    note: str | None = None


NO_ANNOTATIONS = Annotations()

# How a run may have ended, or not.
RUN_STATUSES = ("running", "completed", "failed", "canceled", "crashed", "unknown")


class RunRecord(NamedTuple):
    """One run of a pipeline.

    Of what zentfx has not written, an execution that is in no ``pipeline_run`` context is a run by
    itself.

    Attributes:
        id: The run's id, unique in the store; ``execution-<id>`` of an execution in no run.
        status: ``running``, ``completed``, ``failed``, ``canceled`` or ``crashed``; ``unknown``
            where nothing tells.
        pipeline: Name of the pipeline; empty of an execution in no run.
        version: The pipeline's version; 0 where the run is not one of zentfx.
        user: Who ran it.
        host: On which machine.
        started: When, in UTC.
        ended: When it ended, in UTC; None while it runs.
        code_revision: The git commit that was checked out, with ``-dirty`` where files differed
            from it; None without git.
        error: Text of the error that ended the run, or None.
        steps: Names of the pipeline's steps; empty where they are not recorded.
        annotations: What a user says of it.
    """

    id: str
    status: str
    pipeline: str
    version: int
    user: str
    host: str
    started: datetime
    ended: datetime | None
    code_revision: str | None
    error: str | None
    steps: tuple[str, ...] = ()
    annotations: Annotations = NO_ANNOTATIONS


@dataclass(frozen=True)
class ArtifactRecord:
    """One artifact.

    Attributes:
        id: Its id in MLMD.
        type: Its type's name.
        uri: Where its files are.
        state: MLMD's state, in lower case, for example ``live``.
        properties: Its properties and custom properties.
        created: When it was published, in UTC.
        base_type: Its type's base type, for example ``Dataset``; empty where it has none.
        name: Its name in MLMD; empty where it has none.
    """

    id: int
    type: str
    uri: str
    state: str
    properties: Mapping[str, Any]
    created: datetime
    base_type: str = ""
    name: str = ""


@dataclass(frozen=True)
class Origin:
    """Where an artifact comes from.

    Attributes:
        execution: The execution that first wrote it; a step that reused it is a later one.
        run: Id of that execution's run.
        pipeline: Name of the pipeline; empty where there is none.
        step: Name of the step.
        output: Name of the output.
    """

    execution: int
    run: str
    pipeline: str
    step: str
    output: str

    @property
    def address(self) -> str:
        """``pipeline::step::output``, without what there is not."""
        return "::".join(part for part in (self.pipeline, self.step, self.output) if part)


@dataclass(frozen=True)
class MarkRecord:
    """A mark on an artifact, and on what was made of it: no step reuses them.

    Attributes:
        name: The mark's name.
        note: Why.
        artifact: The artifact that was marked; None where that is not recorded.
        artifacts: It and those below it that were there then.
        user: Who marked it.
        created: When, in UTC.
    """

    name: str
    note: str
    artifact: int | None
    artifacts: tuple[int, ...]
    user: str
    created: datetime


@dataclass(frozen=True)
class ContextRecord:
    """A group of artifacts and executions in MLMD.

    Attributes:
        id: Its id in MLMD.
        type: Its type's name.
        name: Its name, unique in the type.
        properties: Its properties and custom properties.
        created: When it was made, in UTC.
    """

    id: int
    type: str
    name: str
    properties: Mapping[str, Any]
    created: datetime


@dataclass(frozen=True)
class StepRunRecord:
    """One execution of a step in a run.

    Attributes:
        id: Its execution's id in MLMD.
        name: The step's name in the pipeline.
        type: The step's class path, which is the execution's type.
        status: ``running``, ``completed``, ``cached``, ``failed``, ``canceled``, ``crashed`` or
            ``skipped``.
        parameters: The step's parameters, exactly as bound, derived ones included.
        arguments: The constructor's arguments alone.
        fingerprint: Fingerprint of the step's code; empty where the execution is not one of zentfx.
        sources: Under which name the source text is kept; empty where there is none.
        environment: Versions of the packages that ran it.
        properties: All properties as they are in MLMD.
        inputs: Ids of its input artifacts by input name.
        outputs: Ids of its output artifacts by output name.
        started: When it was registered, in UTC.
        updated: When it was last written, in UTC: its end, once it has one.
        error: Text of the error that ended it, or None.
        trains: Whether it trains a model, as its type's base type in MLMD says; or its name, where
            it has none.
        content: Digest of the content of its input files; empty where it has none.
    """

    id: int
    name: str
    type: str
    status: str
    parameters: Mapping[str, Any]
    arguments: Mapping[str, Any]
    fingerprint: str
    sources: str
    environment: Mapping[str, str]
    properties: Mapping[str, Any]
    inputs: Mapping[str, tuple[int, ...]]
    outputs: Mapping[str, tuple[int, ...]]
    started: datetime
    updated: datetime
    error: str | None = None
    trains: bool = False
    content: str = ""
    attempts: int = 1


@dataclass(frozen=True)
class StepNode:
    """A step run in a graph.

    Attributes:
        id: Its execution's id in MLMD.
        name: The step's name.
        type: The step's class path, which is the execution's type.
        status: See :class:`StepRunRecord`.
        run: Id of its run.
        pipeline: Name of its pipeline; empty where it has none.
    """

    id: int
    name: str
    type: str
    status: str
    run: str
    pipeline: str


@dataclass(frozen=True)
class Edge:
    """A step reads or writes an artifact.

    Attributes:
        step: The execution's id.
        artifact: The artifact's id.
        reads: Whether it reads the artifact.
        names: Under which input or output names.
    """

    step: int
    artifact: int
    reads: bool
    names: tuple[str, ...]


@dataclass(frozen=True)
class GraphRecord:
    """Steps, artifacts, and which reads and writes which.

    Attributes:
        steps: The step runs, in the order in which they started.
        artifacts: The artifacts, oldest first.
        edges: What connects them, in the order of recording.
        missing: Ids of artifacts that are read or written and are not in the store.
    """

    steps: tuple[StepNode, ...]
    artifacts: tuple[ArtifactRecord, ...]
    edges: tuple[Edge, ...]
    missing: tuple[int, ...] = ()


class ComparedStep(NamedTuple):
    """A step run, as far as a comparison needs it.

    Attributes:
        name: The step's name in the pipeline.
        status: See :class:`StepRunRecord`.
        trains: Whether it trains a model.
        parameters: Its parameters; one object for all steps that have the same.
        fingerprint: Fingerprint of the step's code; empty where there is none.
        content: Digest of the content of its input files; empty where it has none.
    """

    name: str
    status: str
    trains: bool
    parameters: Mapping[str, Any]
    fingerprint: str
    content: str


class ComparedRun(NamedTuple):
    """A run, as far as a comparison needs it.

    Attributes:
        run: The run.
        steps: Its step runs; those that were skipped are not among them.
        metrics: Values by step and metric.
        judged: What else a step recorded with its metrics, by step: its ``verdict`` on a model, and
            the ``classes`` of its labels.
    """

    run: RunRecord
    steps: Sequence[ComparedStep]
    metrics: Mapping[str, Mapping[str, float]]
    judged: Mapping[str, Mapping[str, str]] = MappingProxyType({})


def skipped_step(name: str, run: RunRecord) -> StepRunRecord:
    """The record of a step that a run did not come to: nothing is written of it.

    Args:
        name: The step's name.
        run: The run, which has ended.

    Returns:
        The record; its id is 0.
    """
    when = run.ended or run.started
    return StepRunRecord(
        id=0,
        name=name,
        type="",
        status="skipped",
        parameters={},
        arguments={},
        fingerprint="",
        sources="",
        environment={},
        properties={},
        inputs={},
        outputs={},
        started=when,
        updated=when,
    )


@dataclass(frozen=True)
class PipelineVersionRecord:
    """One version of a pipeline.

    Attributes:
        pipeline: The pipeline's name.
        number: 1, 2, ….
        digest: Hex SHA-256 of its content.
        yaml_uri: Where its YAML is kept.
        created: When it first ran, in UTC.
    """

    pipeline: str
    number: int
    digest: str
    yaml_uri: str
    created: datetime = field(compare=False)
