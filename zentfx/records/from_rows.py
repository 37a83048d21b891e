"""Records out of rows."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any

from zentfx.parameters import decode
from zentfx.records import schema
from zentfx.records.encoding import joined
from zentfx.records.models import (
    NO_ANNOTATIONS,
    Annotations,
    ArtifactRecord,
    ContextRecord,
    MarkRecord,
    PipelineVersionRecord,
    RunRecord,
    StepRunRecord,
)
from zentfx.records.rows import Event, Item

__all__ = [
    "LOOSE",
    "artifact_record",
    "context_record",
    "environment",
    "is_training",
    "loose_run",
    "mark_record",
    "node_name",
    "parameters_of",
    "pipeline_version",
    "recorded_of",
    "run_id_of",
    "run_record",
    "status_named",
    "status_of",
    "step_name",
    "step_record",
    "time_of",
]

LOOSE = "execution-"  # how ids of runs begin that are one execution in no run

# By MLMD's states, in lower case. Plain MLMD code, as in MLMD's own guide, may keep the state in a
# property `state` of its own.
_STATUS = {
    "new": "running",
    "running": "running",
    "complete": "completed",
    "completed": "completed",
    "success": "completed",
    "succeeded": "completed",
    "cached": "cached",
    "failed": "failed",
    "canceled": "canceled",
    "crashed": "crashed",
}
# Properties that TFX and MLMD add to executions; names that begin with "__" are theirs too.
_NO_PARAMETERS = frozenset({"is_external", "tfx_version", "state"})


def time_of(milliseconds: int) -> datetime:
    """A time of MLMD's, in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc)


def status_of(execution: Item) -> str:
    """The status of a step run."""
    properties = execution.properties
    if schema.Execution.STATUS in properties:
        return str(properties[schema.Execution.STATUS])
    known = status_named(execution.state)
    return known if known != "unknown" else status_named(str(properties.get("state", "")))


def status_named(state: str) -> str:
    """The status of a step run that has this state in MLMD, or, as text, in a property."""
    return _STATUS.get(state.lower(), "unknown")


def is_training(type_name: str, base: str) -> bool:
    """Whether an execution of a type trains a model: its base type says so, or else its name."""
    return base == "Train" or (not base and "train" in type_name.rpartition(".")[2].lower())


def step_name(execution: Item, named: Mapping[str, str]) -> str:
    """The step's name.

    Args:
        execution: Its execution.
        named: Names of the contexts of the execution, by type; needed where zentfx did not write
            it.

    Returns:
        The name in the pipeline; else that of the execution's type, without what it is in.
    """
    known = recorded_of(execution.properties).get(schema.Recorded.STEP) or node_name(named)
    # Not the execution's own name, which no two of a type share.
    return str(known or execution.type.rpartition(".")[2] or execution.name)


def run_id_of(execution_id: int, named: Mapping[str, str]) -> str:
    """Id of an execution's run, by the names of its contexts; its own, if it is in none."""
    return named.get(schema.PIPELINE_RUN, f"{LOOSE}{execution_id}")


def node_name(named: Mapping[str, str]) -> str:
    """The step's name as TFX's contexts have it, by their type; empty where they do not.

    The node context is called ``<pipeline>.<node id>``.
    """
    name, pipeline = named.get(schema.NODE, ""), named.get(schema.PIPELINE)
    return name.removeprefix(f"{pipeline}.") if pipeline else name


def run_record(context: Item) -> RunRecord:
    """The record of a run that zentfx wrote, or what its context alone tells of another."""
    properties = context.properties
    names = schema.Run
    ended = properties.get(names.ENDED)
    return RunRecord(
        id=context.name,
        status=properties.get(names.STATUS, "unknown"),
        pipeline=properties.get(names.PIPELINE, ""),
        version=properties.get(names.VERSION, 0),
        user=properties.get(names.USER, ""),
        host=properties.get(names.HOST, ""),
        started=time_of(int(properties.get(names.STARTED, context.created))),
        ended=time_of(int(ended)) if ended else None,
        code_revision=properties.get(names.CODE_REVISION),
        error=properties.get(names.ERROR),
        steps=_texts(joined(names.STEPS, properties) or "[]"),
        annotations=annotations_of(properties),
    )


@lru_cache(maxsize=1024)  # runs of a pipeline have the same steps
def _texts(data: str) -> tuple[str, ...]:
    return tuple(json.loads(data))


def annotations_of(properties: Mapping[str, Any]) -> Annotations:
    """What is said of a run, or of a version, by the custom properties of its context."""
    names = schema.Run
    if _ANNOTATED.isdisjoint(properties):
        return NO_ANNOTATIONS
    return Annotations(
        project=properties.get(names.PROJECT) or None,
        experiment=properties.get(names.EXPERIMENT) or None,
        owner=properties.get(names.OWNER) or None,
        changelist=properties.get(names.CHANGELIST) or None,
        tags=_texts(joined(names.TAGS, properties) or "[]"),
        note=joined(names.NOTE, properties) or None,
    )


_ANNOTATED = {
    schema.Run.PROJECT,
    schema.Run.EXPERIMENT,
    schema.Run.OWNER,
    schema.Run.CHANGELIST,
    schema.Run.TAGS,
    schema.Run.NOTE,
}


def loose_run(execution: Item) -> RunRecord:
    """An execution that is in no run, as a run of its own."""
    status = status_of(execution)
    running = status == "running"
    return RunRecord(
        id=f"{LOOSE}{execution.id}",
        status="completed" if status == "cached" else status,
        pipeline="",
        version=0,
        user="",
        host="",
        started=time_of(execution.created),
        ended=None if running else time_of(execution.updated),
        code_revision=None,
        error=_error(execution.properties),
        steps=(step_name(execution, {}),),
    )


def artifact_record(artifact: Item) -> ArtifactRecord:
    """The record of an artifact."""
    return ArtifactRecord(
        id=artifact.id,
        type=artifact.type,
        uri=artifact.uri,
        state=artifact.state,
        properties=artifact.properties,
        created=time_of(artifact.created),
        base_type=artifact.base,
        name=artifact.name,
    )


def context_record(context: Item) -> ContextRecord:
    """The record of a context."""
    created = time_of(context.created)
    return ContextRecord(context.id, context.type, context.name, context.properties, created)


def mark_record(context: Item, artifact_ids: Iterable[int]) -> MarkRecord:
    """The record of a mark on these artifacts."""
    properties = context.properties
    return MarkRecord(
        name=context.name,
        note=joined(schema.Mark.NOTE, properties) or "",
        artifact=int(properties[schema.Mark.ARTIFACT])
        if schema.Mark.ARTIFACT in properties
        else None,
        artifacts=tuple(artifact_ids),
        user=properties.get(schema.Mark.USER, ""),
        created=time_of(context.created),
    )


def pipeline_version(context: Item) -> PipelineVersionRecord:
    """The record of a version of a pipeline."""
    names, properties = schema.PipelineVersion, context.properties
    return PipelineVersionRecord(
        pipeline=properties[names.PIPELINE],
        number=properties[names.NUMBER],
        digest=properties[names.DIGEST],
        yaml_uri=properties[names.YAML_URI],
        created=time_of(context.created),
    )


def step_record(
    execution: Item, name: str, events: Iterable[Event], root: Path | None, attempts: int = 1
) -> StepRunRecord:
    """The record of a step run.

    Args:
        execution: Its execution.
        name: The step's name.
        events: What it read and wrote.
        root: The repository's folder, from which recorded relative paths start.
        attempts: How often the step was tried.

    Returns:
        The record.
    """
    inputs: dict[str, list[int]] = defaultdict(list)
    outputs: dict[str, list[int]] = defaultdict(list)
    for event in events:
        side = inputs if event.reads else outputs
        # MLMD asks nobody to name what an execution reads or writes; and what it reads under two
        # names is one event with both.
        for key in event.names or ("input" if event.reads else "output",):
            side[key].append(event.artifact)
    properties = execution.properties
    status = status_of(execution)
    started = time_of(execution.created)
    parameters, arguments = parameters_of(properties, root)
    return StepRunRecord(
        id=execution.id,
        name=name,
        type=execution.type,
        status=status,
        parameters=parameters,
        arguments=arguments,
        fingerprint=properties.get(schema.Execution.FINGERPRINT, ""),
        sources=properties.get(schema.Execution.SOURCES, ""),
        environment=environment(properties),
        properties=properties,
        inputs={key: tuple(ids) for key, ids in inputs.items()},
        outputs={key: tuple(ids) for key, ids in outputs.items()},
        started=started,
        # A crash is recorded when it is noticed, which says nothing of when it was.
        updated=started if status == "crashed" else time_of(execution.updated),
        error=_error(properties),
        trains=is_training(execution.type, execution.base),
        content=recorded_of(properties).get(schema.Recorded.CONTENT, ""),
        attempts=attempts,
    )


def parameters_of(
    properties: Mapping[str, Any], root: Path | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters of a step run.

    Args:
        properties: The properties of its execution.
        root: The repository's folder, from which recorded relative paths start.

    Returns:
        All parameters, and those of them that are the constructor's arguments. Of an execution
        that is not one of zentfx all its properties are parameters, but for those of TFX itself.
    """
    recorded = recorded_of(properties)
    if not recorded:
        foreign = {
            name: value
            for name, value in properties.items()
            if not name.startswith("__") and name not in _NO_PARAMETERS
        }
        return foreign, {}
    names = schema.Recorded
    arguments = decode(recorded.get(names.ARGUMENTS, {}), root)
    return {**decode(recorded.get(names.DERIVED, {}), root), **arguments}, arguments


def recorded_of(properties: Mapping[str, Any]) -> dict[str, Any]:
    """What zentfx recorded of a step, by key in ``schema.Recorded``; empty of others."""
    text = joined(schema.Execution.RECORDED, properties)
    return {} if text is None else _parsed(text)


@lru_cache(maxsize=1024)  # steps that are the same have the same text
def _parsed(text: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(text)
    return data


def environment(properties: Mapping[str, Any]) -> dict[str, str]:
    """Versions of the packages that ran an execution, as far as its properties tell.

    Args:
        properties: Its properties.

    Returns:
        Version by distribution name. Of stock TFX's executions that of tfx alone is known.
    """
    versions: dict[str, str] = json.loads(joined(schema.Execution.ENVIRONMENT, properties) or "{}")
    if not versions and "tfx_version" in properties:
        return {"tfx": str(properties["tfx_version"])}
    return versions


def _error(properties: Mapping[str, Any]) -> str | None:
    """The error's text in what TFX notes as the execution's result."""
    result = properties.get("__execution_result__")
    if not result:
        return None
    try:
        return str(json.loads(result).get("resultMessage", result))
    except ValueError:
        return str(result)
