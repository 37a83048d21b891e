"""Graphs of steps and artifacts: as text for people, as plain records for programs."""

from __future__ import annotations

import dataclasses
import heapq
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from zentfx.analysis.printable import printable
from zentfx.records.models import ArtifactRecord, GraphRecord, StepNode

__all__ = ["as_records", "as_text", "in_order", "remarks", "sources"]


def in_order(graph: GraphRecord) -> tuple[list[StepNode], list[StepNode]]:
    """The steps, each after those whose artifacts it reads.

    Args:
        graph: The graph.

    Returns:
        The steps that can be so ordered; and those that read, by way of others, what they wrote, or
        that come after such ones, in the order in which they started.
    """
    steps = {step.id: step for step in graph.steps}
    order, rest = _ordered(steps.keys(), _arrows(graph, steps.keys()))
    return [steps[number] for number in order], [steps[number] for number in sorted(rest)]


# A step, or an artifact: they have ids of their own.
_Node = tuple[str, int]
_Arrow = tuple[_Node, _Node]


def _arrows(graph: GraphRecord, steps: Collection[int]) -> list[_Arrow]:
    """From steps to what they wrote, and from artifacts to the steps that read them.

    Artifacts are nodes too, because one that a thousand steps reused, and a thousand read, would
    else be a million arrows.
    """
    arrows: list[_Arrow] = []
    for edge in graph.edges:
        if edge.step in steps:
            step, artifact = ("step", edge.step), ("artifact", edge.artifact)
            arrows.append((artifact, step) if edge.reads else (step, artifact))
    return arrows


def _ordered(steps: Iterable[int], arrows: Iterable[_Arrow]) -> tuple[list[int], set[int]]:
    """Steps, each after those before it, smaller ids first; and those of which that is not so."""
    after: dict[_Node, list[_Node]] = defaultdict(list)
    before: dict[_Node, int] = {("step", number): 0 for number in steps}
    for start, end in arrows:
        after[start].append(end)
        before[end] = before.get(end, 0) + 1
        before.setdefault(start, 0)
    # Artifacts, which have nothing to wait for, come first.
    ready = [(node[0] == "step", node[1], node) for node, count in before.items() if not count]
    heapq.heapify(ready)
    order = []
    while ready:
        is_step, number, node = heapq.heappop(ready)
        if is_step:
            order.append(number)
        for other in after[node]:
            before[other] -= 1
            if not before[other]:
                heapq.heappush(ready, (other[0] == "step", other[1], other))
    return order, {number for kind, number in before if kind == "step"} - set(order)


def _cyclic(graph: GraphRecord) -> list[StepNode]:
    """The steps that read, by way of others, what they wrote, and those between such."""
    steps = {step.id for step in graph.steps}
    _, rest = _ordered(steps, _arrows(graph, steps))
    turned = [(end, start) for start, end in _arrows(graph, rest)]
    _, cyclic = _ordered(rest, turned)
    return [step for step in graph.steps if step.id in cyclic]


def sources(graph: GraphRecord) -> list[ArtifactRecord]:
    """Where a graph begins.

    Args:
        graph: The graph.

    Returns:
        The artifacts that come from nothing in the graph: no step of it wrote them, or one that
        read nothing.
    """
    reading = {edge.step for edge in graph.edges if edge.reads}
    made = {edge.artifact for edge in graph.edges if not edge.reads and edge.step in reading}
    return [item for item in graph.artifacts if item.id not in made]


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
    by_note: dict[str, list[str]] = defaultdict(list)
    for number in sorted(types.keys() & marked.keys()):
        by_note[marked[number]].append(f"{types[number]} {number}")
    found = [f"marked ({note}): {', '.join(names)}" for note, names in by_note.items()]
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
    shown = [[printable(part) for part in line] for line in lines]
    widths = [max((len(line[column]) for line in shown), default=0) for column in range(6)]
    text = [
        "  ".join(part.ljust(width) for part, width in zip(line, widths, strict=True)).rstrip()
        for line in shown
    ]
    connected = {edge.artifact for edge in graph.edges}
    text += [
        f"{item.type} {item.id}: nothing in this graph reads or writes it"
        for item in graph.artifacts
        if item.id not in connected
    ]
    text += [printable(f"! {remark}") for remark in remarks]
    return "\n".join(text) or "There are no steps, and no artifacts."


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
