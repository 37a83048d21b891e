"""Runs one node with TFX's Launcher."""

from __future__ import annotations

import functools
from typing import Any

from ml_metadata.proto import metadata_store_pb2 as pb

from zentfx.tfx_backend.drivers import DriverOperator
from zentfx.tfx_backend.sdk import light_imports
from zentfx.tfx_backend.worker import executor_operators

with light_imports():
    from tfx.orchestration import metadata
    from tfx.orchestration.local import runner_utils
    from tfx.orchestration.portable import launcher
    from tfx.proto.orchestration import executable_spec_pb2

__all__ = ["launch"]


def launch(ir: Any, node: Any, connection_config: pb.ConnectionConfig) -> bool:
    """Runs a node, or reuses an earlier result of it.

    Args:
        ir: The pipeline.
        node: The node in it.
        connection_config: The metadata store.

    Returns:
        Whether an earlier result was reused.

    Raises:
        Exception: What the node's executor raised; its execution is recorded as failed.
    """
    deployment = runner_utils.extract_local_deployment_config(ir)
    node_id = node.node_info.id
    executor_spec = runner_utils.extract_executor_spec(deployment, node_id)
    driver = functools.partial(DriverOperator, executor_spec=executor_spec)
    connection = metadata.Metadata(connection_config)
    info = launcher.Launcher(
        pipeline_node=node,
        mlmd_connection=connection,
        pipeline_info=ir.pipeline_info,
        pipeline_runtime_spec=ir.runtime_spec,
        executor_spec=executor_spec,
        custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, node_id),
        custom_executor_operators=executor_operators(),
        custom_driver_operators={executable_spec_pb2.PythonClassExecutableSpec: driver},
    ).launch()
    if info is None or info.execution_id is None:
        raise RuntimeError(f"TFX skipped the step {node_id!r}: its inputs are not there.")
    with connection as handle:
        [execution] = handle.store.get_executions_by_id([info.execution_id])
    if execution.last_known_state == pb.Execution.FAILED:
        raise RuntimeError(f"TFX could not resolve the inputs of the step {node_id!r}.")
    return bool(execution.last_known_state == pb.Execution.CACHED)
