"""Walks through what executions read and wrote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from zentfx.records import schema
from zentfx.records.from_rows import artifact_record, run_id_of, status_of, step_name
from zentfx.records.models import Edge, GraphRecord, StepNode
from zentfx.records.rows import Event, Item, Rows
from zentfx.records.runs import contexts_of

__all__ = ["downstream", "graph_of", "upstream"]


def upstream(rows: Rows, artifact_ids: Iterable[int]) -> GraphRecord:
    """How artifacts came to be: the steps that first wrote them, what those read, and so on.

    Args:
        rows: The store.
        artifact_ids: Ids of artifacts.

    Returns:
        The graph, the artifacts themselves included.
    """
    # Each artifact and each execution is come to once, so that a cycle is walked once too.
    artifacts = set(artifact_ids)
    executions: set[int] = set()
    events: list[Event] = []
    new = artifacts
    while new:
        writers = set(rows.writers(sorted(new)).values()) - executions
        executions |= writers
        found = rows.events_of_executions(sorted(writers))
        events += found
        new = {event.artifact for event in found if event.reads} - artifacts
        artifacts |= new
    kept = [event for event in events if event.artifact in artifacts]
    return _graph(rows, rows.executions(sorted(executions)), kept, artifacts)


def downstream(rows: Rows, artifact_ids: Iterable[int]) -> GraphRecord:
    """What was made from artifacts: the steps that read them, what those wrote, and so on.

    Args:
        rows: The store.
        artifact_ids: Ids of artifacts.

    Returns:
        The graph, the artifacts themselves included. Steps that were reused are left out: what
        they stand for was made by those that are there.
    """
    artifacts = set(artifact_ids)
    executions: dict[int, Item] = {}
    passed: set[int] = set()
    events: list[Event] = []
    new = artifacts
    while new:
        readers = {
            event.execution for event in rows.events_of_artifacts(sorted(new)) if event.reads
        }
        ran = [item for item in rows.executions(sorted(readers - passed)) if item.state != "cached"]
        passed |= readers
        executions |= {item.id: item for item in ran}
        touched = rows.events_of_executions([item.id for item in ran])
        events += touched
        new = {event.artifact for event in touched if not event.reads} - artifacts
        artifacts |= new
    kept = [event for event in events if event.artifact in artifacts]
    return _graph(rows, [executions[number] for number in sorted(executions)], kept, artifacts)


def graph_of(
    rows: Rows, executions: Sequence[Item], artifact_ids: Iterable[int] = ()
) -> GraphRecord:
    """Executions, and all that they read and wrote.

    Args:
        rows: The store.
        executions: The executions.
        artifact_ids: Ids of further artifacts.

    Returns:
        The graph.
    """
    events = rows.events_of_executions([item.id for item in executions])
    artifacts = {event.artifact for event in events} | set(artifact_ids)
    return _graph(rows, executions, events, artifacts)


def _graph(
    rows: Rows, executions: Sequence[Item], events: Sequence[Event], artifact_ids: set[int]
) -> GraphRecord:
    named = contexts_of(rows, [item.id for item in executions])
    found = rows.artifacts(sorted(artifact_ids))
    return GraphRecord(
        steps=tuple(_node(item, named[item.id]) for item in executions),
        artifacts=tuple(map(artifact_record, found)),
        edges=tuple(
            Edge(event.execution, event.artifact, event.reads, event.names) for event in events
        ),
        missing=tuple(sorted(artifact_ids - {item.id for item in found})),
    )


def _node(execution: Item, named: Mapping[str, str]) -> StepNode:
    return StepNode(
        id=execution.id,
        name=step_name(execution, named),
        type=execution.type,
        status=status_of(execution),
        run=run_id_of(execution.id, named),
        pipeline=named.get(schema.PIPELINE, ""),
    )
