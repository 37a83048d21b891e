"""Plain records of runs, step runs and artifacts: what readers hand out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

__all__ = [
    "ArtifactRecord",
    "PipelineVersionRecord",
    "RunRecord",
    "StepRunRecord",
    "skipped_step",
]


@dataclass(frozen=True)
class RunRecord:
    """One run of a pipeline.

    Attributes:
        id: The run's id, unique in the store.
        status: ``running``, ``completed``, ``failed``, ``canceled`` or ``crashed``; ``unknown``
            where the run is not one of zentfx.
        pipeline: Name of the pipeline.
        version: The pipeline's version; 0 where the run is not one of zentfx.
        user: Who ran it.
        host: On which machine.
        started: When, in UTC.
        ended: When it ended, in UTC; None while it runs.
        code_revision: The git commit that was checked out, with ``-dirty`` where files differed
            from it; None without git.
        error: Text of the error that ended the run, or None.
        steps: Names of the pipeline's steps; empty where they are not recorded.
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
    """

    id: int
    type: str
    uri: str
    state: str
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
        trains: Whether it trains a model: its type's base type in MLMD is Train.
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
