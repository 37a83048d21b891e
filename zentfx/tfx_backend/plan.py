"""Decides hits of TFX's execution cache straight over MLMD, and publishes them.

TFX's Launcher registers an execution, runs the node's driver, computes the key and looks for a hit.
Here the key comes first: a node that is reused costs no launcher, no driver, no folder, and a node
that is not leaves no trace. Key, cache context and rows are TFX's, by its own functions.

What cannot be decided without running part of the node is left to the Launcher: resolvers and
importers, conditions, parameters that come from artifacts, drivers of somebody's own.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from zentfx.light_imports import light_imports
from zentfx.orchestrators import RunRequest
from zentfx.records.encoding import joined
from zentfx.records.reader import Reader
from zentfx.records.schema import Artifact
from zentfx.stores.files import is_gone
from zentfx.stores.mlmd import mlmd, pb
from zentfx.tfx_backend.connection import RunConnection
from zentfx.tfx_backend.drivers import KEY_DRIVER
from zentfx.tfx_backend.hits import Lost, as_input, refusal
from zentfx.tfx_backend.naming import Naming
from zentfx.tfx_backend.nodes import all_parameters, unkeyed_names
from zentfx.tfx_backend.properties import renew_digests
from zentfx.tfx_backend.publish import Reused, publish_reused

with light_imports():
    from tfx.orchestration.local import runner_utils
    from tfx.orchestration.portable import (
        cache_utils,
        outputs_utils,
    )
    from tfx.orchestration.portable.mlmd import context_lib, execution_lib
    from tfx.types import artifact_utils

__all__ = ["Plan", "Planner", "Stored"]

_GROWTH = 16
_LOOKED_UP = "the step looked up an artifact, and may find another version now"


class Stored:
    """An artifact in the store, as far as a plan needs it: TFX's own objects take long to make.

    Args:
        proto: MLMD's message, as it was recorded: TFX's key is made of it.
        uri: Where its files are now.
    """

    def __init__(self, proto: pb.Artifact, uri: str) -> None:
        self.mlmd_artifact = proto
        self.id: int = proto.id
        self.uri = uri
        self.type_name: str = proto.type


Artifacts = dict[str, list[Stored]]


@dataclass(frozen=True)
class Plan:
    """What is known of a node before it runs.

    Attributes:
        node: The node in the IR.
        executor_spec: Its executor; None for a node of TFX's own.
        driver_spec: A driver, if it has one.
        decided: Whether the following could be told. If not, TFX's Launcher has to.
        inputs: What it reads, by input.
        parameters: All parameters.
        outputs: What it is to write, as TFX artifacts by output; where is open.
        key: Name of the cache context.
        hit: Whether an earlier result is reused.
        reason: Why what was computed under this key is not reused; empty where nothing was.
    """

    node: Any
    executor_spec: Any
    driver_spec: Any
    decided: bool = False
    inputs: Artifacts = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    key: str = ""
    hit: bool = False
    reason: str = ""


class Planner:
    """Plans the nodes of one run, each after those that it reads from.

    Args:
        ir: The pipeline.
        request: What is run.
        connection: The metadata store.
    """

    def __init__(self, ir: Any, request: RunRequest, connection: RunConnection) -> None:
        self._ir = ir
        self._connection = connection
        self._artifacts = request.artifacts
        self._nodes = {node.name: node for node in request.nodes}
        self._request = request
        self._deployment = runner_utils.extract_local_deployment_config(ir)
        self._compiled = {item.pipeline_node.node_info.id: item.pipeline_node for item in ir.nodes}
        self._made: dict[str, Artifacts] = {}
        self._reused: list[Reused] = []
        self._reader = Reader(request.metadata, request.root, request.artifacts.located)
        self.naming = Naming(request, connection)
        self._marked: Mapping[int, str] | None = None

    def plan(self, name: str) -> Plan:
        """Looks for a hit of one node; writes nothing.

        A hit counts from then on as what the step has written, and is to be published.

        Args:
            name: The step's name.

        Returns:
            The plan.
        """
        node, own = self._compiled[name], self._nodes[name]
        if own.needed and own.digests:
            renew_digests(node, own, self._request)
        executor_spec = runner_utils.extract_executor_spec(self._deployment, name)
        driver_spec = runner_utils.extract_custom_driver_spec(self._deployment, name)
        plan = Plan(node, executor_spec, driver_spec)
        own_driver = driver_spec is not None and driver_spec.class_path != KEY_DRIVER
        if executor_spec is None or own_driver or not _is_static(node):
            return plan
        inputs = self._inputs_of(node)
        if inputs is None:
            return plan
        parameters = all_parameters(node)
        outputs = outputs_utils.OutputsResolver(
            node, self._ir.pipeline_info, self._ir.runtime_spec
        ).generate_output_artifacts(0)
        # In the order of the step's outputs, in which they are recorded: a proto's map has none.
        order = [key for key in own.step.outputs if key in outputs]
        outputs = {key: outputs[key] for key in dict.fromkeys([*order, *outputs])}
        plan = replace(plan, decided=True, inputs=inputs, parameters=parameters, outputs=outputs)
        key = self._key(plan)
        if not node.execution_options.caching_options.enable_cache:
            return replace(plan, key=key)
        context, found, read, reason = self._hit(name, key)
        if context is None or found is None:
            return replace(plan, key=key, reason=reason)
        self._made[name] = found
        # What the step has looked up besides, it would have looked up again.
        self._reused.append(Reused(node, {**read, **inputs}, found, parameters, context))
        return replace(plan, key=key, hit=True)

    def _inputs_of(self, node: Any) -> Artifacts | None:
        """What the node reads, if that is one artifact each that a step of this run wrote."""
        inputs: Artifacts = {}
        for key, spec in node.inputs.inputs.items():
            if spec.HasField("static_inputs"):
                inputs[key] = self._stored(spec.static_inputs.artifact_ids)
                continue
            if len(spec.channels) != 1:
                return None
            [channel] = spec.channels
            made = self._made.get(channel.producer_node_query.id, {}).get(channel.output_key, [])
            if len(made) != 1:
                return None
            inputs[key] = made
        return inputs

    def _stored(self, ids: Sequence[int]) -> list[Stored]:
        with self._connection as handle:
            found = handle.store.get_artifacts_by_id(list(ids))
        return [Stored(item, self._artifacts.located(item.uri)) for item in found]

    def _key(self, plan: Plan) -> str:
        unkeyed = set(unkeyed_names(plan.parameters))
        context = cache_utils.get_cache_context(
            metadata_handle=_KEY_ALONE,
            pipeline_node=plan.node,
            pipeline_info=self._ir.pipeline_info,
            executor_spec=plan.executor_spec,
            input_artifacts=plan.inputs,
            output_artifacts=plan.outputs,
            parameters={key: plan.parameters[key] for key in plan.parameters.keys() - unkeyed},
        )
        return str(context.name)

    def _hit(
        self, name: str, key: str
    ) -> tuple[pb.Context | None, Artifacts | None, Artifacts, str]:
        """A key's cache context, the newest result that may be used, and why newer ones may not.

        Between the last two, what that result's execution has read.
        """
        reason = ""
        with self._connection as handle:
            context = handle.store.get_context_by_type_and_name(
                context_lib.CONTEXT_TYPE_EXECUTION_CACHE, key
            )
            refused: set[frozenset[int]] = set()
            gone: set[int] = set()
            for execution in _newest_first(handle.store, context):
                outputs, read = self._written_and_read(execution.id)
                ids = frozenset(item.id for items in outputs.values() for item in items)
                if ids in refused:  # reused results are under their key many times
                    continue
                unsure = Artifact.LOOKED_UP in execution.custom_properties
                why = _LOOKED_UP if unsure else self._refusal(name, outputs)
                if not why:
                    return context, outputs, read, reason
                refused.add(ids)
                reason = reason or why
                # All of it: what is there still is made again, too.
                if isinstance(why, Lost) or (not unsure and _are_gone(outputs)):
                    gone |= ids
        self.naming.gone[name] = frozenset(gone)
        return context, None, {}, reason

    def _refusal(self, name: str, outputs: Artifacts) -> str | None:
        """Why outputs of an earlier execution cannot be used, by TFX's rules and by ours."""
        for output, artifacts in outputs.items():
            for artifact in artifacts:
                if artifact.mlmd_artifact.state != pb.Artifact.LIVE:
                    return f"{output} is not live"
            try:
                artifact_utils.verify_artifacts(artifacts)
            except RuntimeError:
                return Lost(f"the folder of {output} is gone")
        return self.refusal(name, outputs)

    def refusal(self, name: str, outputs: Mapping[str, Sequence[Any]]) -> str | None:
        """Why outputs of an earlier execution cannot be used, by our rules.

        Args:
            name: The step's name.
            outputs: What the execution wrote.

        Returns:
            The reason, or None.
        """
        with self._connection:
            if self._marked is None:
                self._marked = self._reader.marked()
        return refusal(self._nodes[name].step, outputs, self._artifacts, self._marked)

    def publish(self) -> list[str]:
        """Records the hits that were found since the last call.

        Returns:
            Their steps.
        """
        reused, self._reused = self._reused, []
        if reused:
            publish_reused(self._connection, reused)
        for item in reused:
            self.naming.reused(item.node.node_info.id, item.outputs)
        return [item.node.node_info.id for item in reused]

    def cache_context(self, plan: Plan) -> pb.Context:
        """The context under which a node's result is found later; makes it if need be.

        Args:
            plan: The node's plan, which is decided.

        Returns:
            The context.
        """
        with self._connection as handle:
            return context_lib.register_context_if_not_exists(
                metadata_handle=handle,
                context_type_name=context_lib.CONTEXT_TYPE_EXECUTION_CACHE,
                context_name=plan.key,
            )

    def ran(self, name: str, execution_id: int) -> None:
        """Notes what a node has written, for those that read it.

        Args:
            name: The step's name.
            execution_id: Its execution.
        """
        self._made[name], _ = self._written_and_read(execution_id)
        self.naming.published(name, self._made[name])

    def remarks(self, name: str) -> list[str]:
        """What a node that is done, or reused, said about its result.

        Args:
            name: The step's name.

        Returns:
            Sentences.
        """
        found: dict[str, None] = {}
        for artifacts in self._made.get(name, {}).values():
            for artifact in artifacts:
                text = joined(Artifact.REMARKS, as_input(artifact).metadata)
                found |= dict.fromkeys(json.loads(text or "[]"))
        return list(found)

    def _written_and_read(self, execution_id: int) -> tuple[Artifacts, Artifacts]:
        """What an execution wrote, by output, and what it read, by input."""
        with self._connection as handle:
            events = handle.store.get_events_by_execution_ids([execution_id])
        ids = sorted({event.artifact_id for event in events})
        found = {item.id: item for item in self._stored(ids)}
        sides: dict[int, defaultdict[str, list[Stored]]] = defaultdict(lambda: defaultdict(list))
        for event in events:
            for step in event.path.steps:
                if step.HasField("key"):
                    sides[event.type][step.key].append(found[event.artifact_id])
        return dict(sides[pb.Event.OUTPUT]), dict(sides[pb.Event.INPUT])


# TFX registers the context that it names by the key. Looked up here, it is always there already.
_KEY_ALONE = SimpleNamespace(
    store=SimpleNamespace(
        get_context_by_type_and_name=lambda type_name, context_name: pb.Context(name=context_name)
    )
)


def _is_static(node: Any) -> bool:
    """Whether inputs, parameters and outputs of a node are known without running any of it."""
    inputs = node.inputs
    return (
        not inputs.input_graphs
        and not inputs.conditionals
        and not inputs.HasField("resolver_config")
        and all(spec.channels or spec.HasField("static_inputs") for spec in inputs.inputs.values())
        and all(value.HasField("field_value") for value in node.parameters.parameters.values())
        and not any(
            output.artifact_spec.is_async or output.artifact_spec.external_artifact_uris
            for output in node.outputs.outputs.values()
        )
    )


def _are_gone(outputs: Artifacts) -> bool:
    return all(is_gone(item.uri) for items in outputs.values() for item in items)


def _newest_first(store: mlmd.MetadataStore, context: pb.Context | None) -> Iterator[pb.Execution]:
    """The successful executions of a context. Nearly always the newest one will do."""
    seen, limit = 0, 1
    while context is not None:
        page = store.get_executions_by_context(
            context.id,
            list_options=mlmd.ListOptions(
                limit=limit, order_by=mlmd.OrderByField.CREATE_TIME, is_asc=False
            ),
        )
        yield from filter(execution_lib.is_execution_successful, page[seen:])
        if len(page) < limit:
            return
        seen, limit = limit, limit * _GROWTH
