"""Pipelines as TFX's intermediate representation (IR)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zentfx.errors import PipelineError
from zentfx.light_imports import light_imports
from zentfx.orchestrators import RunRequest
from zentfx.steps.node import Node
from zentfx.tfx_backend.components import component_for

with light_imports():
    from tfx.dsl.compiler import compiler, constants
    from tfx.orchestration import pipeline as tfx_pipeline
    from tfx.orchestration.portable import runtime_parameter_utils

__all__ = ["compile_pipeline"]


def compile_pipeline(request: RunRequest) -> Any:
    """Compiles a pipeline for one run.

    The pipeline is compiled under its own name, so that its MLMD contexts carry it. Then the id
    that TFX's cache key hashes is set to the cache scope's: pipelines of one scope reuse each
    other's results.

    Args:
        request: What is to run.

    Returns:
        The IR, a ``pipeline_pb2.Pipeline`` with the run's id filled in.

    Raises:
        PipelineError: If TFX refuses the pipeline.
    """
    components = _components(request.nodes, request)
    try:
        ir = compiler.Compiler().compile(
            tfx_pipeline.Pipeline(
                pipeline_name=request.pipeline,
                pipeline_root=str(request.artifacts.run_folder(request.run_id)),
                components=components,
                enable_cache=True,
                metadata_connection_config=request.metadata.connection_config,
            )
        )
    except (ValueError, TypeError, RuntimeError) as error:
        raise PipelineError(f"TFX refuses the pipeline {request.pipeline!r}: {error}") from error
    nodes = {node.name: node for node in request.nodes}
    for item in ir.nodes:
        compiled = item.pipeline_node
        node = nodes[compiled.node_info.id]
        compiled.execution_options.caching_options.enable_cache = node.enable_cache
        for key, artifact in node.artifacts.items():
            # TFX's DSL has no channel for these, its IR and its Launcher do.
            source = compiled.inputs.inputs[key]
            source.static_inputs.artifact_ids.append(artifact.id)
            source.min_count = 1
    ir.pipeline_info.id = request.cache_scope
    runtime_parameter_utils.substitute_runtime_parameter(
        ir, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: request.run_id}
    )
    return ir


def _components(nodes: Sequence[Node], request: RunRequest) -> list[Any]:
    made: dict[str, Any] = {}
    for node in nodes:
        channels = {
            name: made[source.step].outputs[source.output] for name, source in node.inputs.items()
        }
        made[node.name] = component_for(node, channels, request)
        for step in node.after:
            made[node.name].add_upstream_node(made[step])
    return list(made.values())
