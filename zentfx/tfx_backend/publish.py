"""Publishes reused nodes, all of a run that are known together in three transactions.

TFX's Launcher takes two for each node, with everything about it sent anew: most of what a cached
node costs. The rows are the same.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zentfx.light_imports import light_imports
from zentfx.stores.mlmd import pb
from zentfx.tfx_backend.connection import RunConnection

with light_imports():
    from tfx.orchestration.portable.mlmd import context_lib, event_lib, execution_lib

__all__ = ["Reused", "publish_reused"]


@dataclass(frozen=True)
class Reused:
    """A node whose earlier result is used.

    Attributes:
        node: The node in the IR.
        inputs: Artifacts of the store, by input.
        outputs: What the earlier execution wrote, by output.
        parameters: All parameters.
        context: The cache context that the result was found under.
    """

    node: Any
    inputs: Mapping[str, Sequence[Any]]
    outputs: Mapping[str, Sequence[Any]]
    parameters: Mapping[str, Any]
    context: pb.Context


def publish_reused(connection: RunConnection, nodes: Sequence[Reused]) -> None:
    """Records executions of nodes as ``CACHED``.

    First they are running, in their run, with what they read and write; then they get their other
    contexts; and only then are they cached, all at once. Killed in between, they are executions of
    a run that crashed, which nobody takes for results.

    Args:
        connection: The metadata store.
        nodes: The nodes.
    """
    with connection as handle:
        contexts = [context_lib.prepare_contexts(handle, item.node.contexts) for item in nodes]
        executions = [
            execution_lib.prepare_execution(
                handle,
                item.node.node_info.type,
                pb.Execution.RUNNING,
                item.parameters,
                # TFX names executions so, against doubles by repeated calls.
                execution_name=str(uuid.uuid4()),
            )
            for item in nodes
        ]
        events = [
            (number, None, event) for number, item in enumerate(nodes) for event in _events(item)
        ]
        shared = [item for item in contexts[0] if all(item in others for others in contexts)]
        ids, _, _ = handle.store.put_lineage_subgraph(
            executions, [], shared, events, reuse_context_if_already_exist=True
        )
        links = [
            _links(item, found, execution_id)
            for item, found, execution_id in zip(nodes, contexts, ids, strict=True)
        ]
        # Each pair once: nodes of a run share its context, and artifacts.
        attributions = {pair for pairs, _ in links for pair in pairs}
        handle.store.put_attributions_and_associations(
            [pb.Attribution(context_id=c, artifact_id=a) for c, a in sorted(attributions)],
            [link for _, associations in links for link in associations],
        )
        for execution, execution_id in zip(executions, ids, strict=True):
            execution.id = execution_id
            execution.last_known_state = pb.Execution.CACHED
        handle.store.put_executions(executions, field_mask_paths=["last_known_state"])
        for execution_id, found in zip(ids, contexts, strict=True):
            handle.store.note(execution_id, [context.id for context in found])


def _links(
    item: Reused, contexts: Sequence[pb.Context], execution_id: int
) -> tuple[set[tuple[int, int]], list[pb.Association]]:
    """Which contexts the artifacts and the execution of a node belong to."""
    outputs = {artifact.id for artifacts in item.outputs.values() for artifact in artifacts}
    inputs = {artifact.id for artifacts in item.inputs.values() for artifact in artifacts}
    pairs = {(context.id, artifact) for context in contexts for artifact in inputs | outputs}
    pairs |= {(item.context.id, artifact) for artifact in outputs}
    associations = [
        pb.Association(context_id=context.id, execution_id=execution_id)
        for context in [*contexts, item.context]  # those that it is in already do not matter
    ]
    return pairs, associations


def _events(item: Reused) -> Iterator[pb.Event]:
    """One event an artifact, with all names that the node has it under, as TFX writes them."""
    for kind, named in ((pb.Event.INPUT, item.inputs), (pb.Event.OUTPUT, item.outputs)):
        events: dict[int, pb.Event] = {}
        for key, artifacts in named.items():
            for index, artifact in enumerate(artifacts):
                if artifact.id in events:
                    event_lib.add_event_path(events[artifact.id], key=key, index=index)
                else:
                    event = event_lib.generate_event(kind, key=key, index=index)
                    event.artifact_id = artifact.id
                    events[artifact.id] = event
        yield from events.values()
