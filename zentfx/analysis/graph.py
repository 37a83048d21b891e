"""Graphs of steps and artifacts: as text for people, as plain records for programs."""

from __future__ import annotations

import dataclasses
import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from zentfx.records.models import ArtifactRecord, GraphRecord, StepNode

__all__ = ["as_records", "as_text", "in_order", "origins", "remarks"]


def in_order(graph: GraphRecord) -> tuple[list[StepNode], list[StepNode]]:
    """The steps, each after those whose artifacts it reads.

    Args:
        graph: The graph.

    Returns:
        The steps that can be so ordered; and those that read, by way of others, what they wrote, or
        that come after such ones, in the order in which they started.
    """
    steps = {step.id: step for step in graph.steps}
    order, rest = _ordered(_before(graph))
    return [steps[number] for number in order], [steps[number] for number in sorted(rest)]


def _before(graph: GraphRecord) -> dict[int, set[int]]:
    """The steps whose artifacts each step reads."""
    writers: dict[int, set[int]] = defaultdict(set)
    for edge in graph.edges:
        if not edge.reads:
            writers[edge.artifact].add(edge.step)
    before: dict[int, set[int]] = {step.id: set() for step in graph.steps}
    for edge in graph.edges:
        if edge.reads and edge.step in before:
            before[edge.step] |= writers[edge.artifact] & before.keys()
    return before


def _ordered(before: Mapping[int, set[int]]) -> tuple[list[int], set[int]]:
    """Numbers, each after those before it, smaller ones first; and those that cannot be."""
    after: dict[int, list[int]] = defaultdict(list)
    for number, found in before.items():
        for other in found:
            after[other].append(number)
    open_ones = {number: len(found) for number, found in before.items()}
    ready = [number for number, count in open_ones.items() if not count]
    heapq.heapify(ready)
    order = []
    while ready:
        number = heapq.heappop(ready)
        order.append(number)
        for other in after[number]:
            open_ones[other] -= 1
            if not open_ones[other]:
                heapq.heappush(ready, other)
    return order, open_ones.keys() - set(order)


def _cyclic(graph: GraphRecord) -> list[StepNode]:
    """The steps that read, by way of others, what they wrote, and those between such."""
    before = _before(graph)
    _, rest = _ordered(before)
    turned: dict[int, set[int]] = {number: set() for number in rest}
    for number in rest:
        for other in before[number] & rest:
            turned[other].add(number)
    _, cyclic = _ordered(turned)
    return [step for step in graph.steps if step.id in cyclic]


def origins(graph: GraphRecord) -> tuple[list[StepNode], list[ArtifactRecord]]:
    """Where a graph begins.

    Args:
        graph: The graph.

    Returns:
        The steps that read nothing, and the artifacts that no step of the graph wrote.
    """
    reading = {edge.step for edge in graph.edges if edge.reads}
    written = {edge.artifact for edge in graph.edges if not edge.reads}
    steps = [step for step in graph.steps if step.id not in reading]
    return steps, [item for item in graph.artifacts if item.id not in written]


def remarks(graph: GraphRecord, marked: Mapping[int, str], gone: Iterable[int] = ()) -> list[str]:
    """What is not as it should be in a graph.

    Args:
        graph: The graph.
        marked: Notes of marked artifacts by id.
        gone: Ids of artifacts whose files are gone.

    Returns:
        Sentences.
    """
    types = {item.id: item.type for item in graph.artifacts}
    found = [
        f"{types[number]} {number} is marked: {marked[number]}"
        for number in sorted(types)
        if number in marked
    ]
    dead = [f"{item.type} {item.id}" for item in graph.artifacts if item.state == "deleted"]
    if dead:
        found.append(f"deleted: {', '.join(dead)}")
    lost = [f"{types[number]} {number}" for number in sorted(set(gone) & types.keys())]
    if lost:
        found.append(f"the files are gone of {', '.join(lost)}")
    cyclic = _cyclic(graph)
    if cyclic:
        names = ", ".join(f"{step.name} ({step.id})" for step in cyclic)
        found.append(f"these steps read, by way of others, what they wrote (a cycle): {names}")
    if graph.missing:
        numbers = ", ".join(map(str, graph.missing))
        found.append(f"the graph is partial: artifacts {numbers} are not in the store")
    return found


def as_text(graph: GraphRecord, remarks: Iterable[str] = ()) -> str:
    """Draws a graph for a terminal: a line a step, each after those that it reads from.

    Args:
        graph: The graph.
        remarks: Sentences to end with.

    Returns:
        The text: step, status, what it reads, and what it writes, by name and id; the run, where
        there are several.
    """
    ordered, rest = in_order(graph)
    reads, writes = _sides(graph, reads=True), _sides(graph, reads=False)
    several = len({step.run for step in graph.steps}) > 1
    lines = [
        (
            step.name,
            step.status,
            ", ".join(reads[step.id]),
            "→",
            ", ".join(writes[step.id]),
            f"run {step.run}" if several else "",
        )
        for step in [*ordered, *rest]
    ]
    widths = [max((len(line[column]) for line in lines), default=0) for column in range(6)]
    text = [
        "  ".join(part.ljust(width) for part, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    connected = {edge.artifact for edge in graph.edges}
    text += [
        f"{item.type} {item.id}: nothing in this graph reads or writes it"
        for item in graph.artifacts
        if item.id not in connected
    ]
    return "\n".join([*text, *(f"! {remark}" for remark in remarks)])


def _sides(graph: GraphRecord, reads: bool) -> dict[int, list[str]]:
    types = {item.id: item.type for item in graph.artifacts}
    found: dict[int, list[str]] = defaultdict(list)
    for edge in graph.edges:
        if edge.reads == reads:
            name = " ".join(edge.names) or types.get(edge.artifact, "")
            found[edge.step].append(f"{name} {edge.artifact}")
    return found


def as_records(graph: GraphRecord, remarks: Iterable[str] = ()) -> dict[str, Any]:
    """A graph as data that JSON can hold.

    Args:
        graph: The graph.
        remarks: What is to be said of it.

    Returns:
        Lists ``steps``, ``artifacts``, ``edges`` and ``remarks``.
    """
    artifacts = [
        {
            "id": item.id,
            "type": item.type,
            "uri": item.uri,
            "state": item.state,
            "created": item.created.isoformat(),
        }
        for item in graph.artifacts
    ]
    ordered, rest = in_order(graph)
    return {
        "steps": [dataclasses.asdict(step) for step in [*ordered, *rest]],
        "artifacts": artifacts,
        "edges": [dataclasses.asdict(edge) | {"names": list(edge.names)} for edge in graph.edges],
        "remarks": list(remarks),
    }
