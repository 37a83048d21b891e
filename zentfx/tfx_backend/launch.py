"""Runs one node: by TFX's Launcher, or, where nothing of it is needed, by a shorter way."""

from __future__ import annotations

import functools
from typing import Any

from zentfx.light_imports import light_imports
from zentfx.orchestrators import RunRequest
from zentfx.stores.mlmd import pb
from zentfx.tfx_backend.connection import RunConnection
from zentfx.tfx_backend.drivers import DriverOperator
from zentfx.tfx_backend.failures import ExecutorFailedError
from zentfx.tfx_backend.operators import (
    Place,
    executor_operators,
    failed_output,
    run_executor,
)
from zentfx.tfx_backend.plan import Plan, Planner

with light_imports():
    from tfx.orchestration.portable import (
        data_types,
        execution_publish_utils,
        launcher,
        outputs_utils,
    )
    from tfx.orchestration.portable.mlmd import context_lib
    from tfx.proto.orchestration import executable_spec_pb2
    from tfx.types import artifact_utils, value_artifact

__all__ = ["NodeRunner"]


class NodeRunner:
    """Runs the nodes of one run that are not reused.

    Args:
        ir: The pipeline.
        request: What is run.
        connection: The metadata store.
        planner: Told what nodes have written.
    """

    def __init__(
        self, ir: Any, request: RunRequest, connection: RunConnection, planner: Planner
    ) -> None:
        self._ir = ir
        self._artifacts = request.artifacts
        self._connection = connection
        self._planner = planner

    def launch(self, plan: Plan, place: Place) -> bool:
        """Runs a node with TFX's Launcher.

        Args:
            plan: The node.
            place: Where its executor works.

        Returns:
            Whether an earlier result was reused after all, where only the Launcher can tell.

        Raises:
            ExecutorFailedError: If its executor raised; its execution is recorded as failed.
            Exception: If TFX could not run the node.
        """
        node = plan.node
        name = node.node_info.id
        if plan.decided:
            node.execution_options.caching_options.enable_cache = False
        raised: dict[str, ExecutorFailedError] = {}
        driver = functools.partial(
            DriverOperator,
            executor_spec=plan.executor_spec,
            refuse=functools.partial(self._planner.refusal, name),
            artifacts=self._artifacts,
        )
        try:
            info = launcher.Launcher(
                pipeline_node=node,
                # What only the Launcher can decide may depend on other runs, as resolvers do.
                mlmd_connection=self._connection if plan.decided else self._connection.of_all(),
                pipeline_info=self._ir.pipeline_info,
                pipeline_runtime_spec=self._ir.runtime_spec,
                executor_spec=plan.executor_spec,
                custom_driver_spec=plan.driver_spec,
                custom_executor_operators=executor_operators(
                    place, self._artifacts, self._planner.naming, raised
                ),
                custom_driver_operators={executable_spec_pb2.PythonClassExecutableSpec: driver},
            ).launch()
        except Exception:
            if name in raised:  # the Launcher raises an error of its own
                raise raised[name] from None
            raise
        if info is None or info.execution_id is None:
            raise RuntimeError(f"TFX skipped the step {name!r}: its inputs are not there.")
        with self._connection as handle:
            [execution] = handle.store.get_executions_by_id([info.execution_id])
        if execution.last_known_state == pb.Execution.FAILED:
            raise RuntimeError(f"TFX could not resolve the inputs of the step {name!r}.")
        self._planner.ran(name, info.execution_id)
        return bool(execution.last_known_state == pb.Execution.CACHED)

    def run(self, plan: Plan, place: Place) -> None:
        """Runs a node as the Launcher would, without what a plain executor has no use for.

        That is a driver, a watcher that listens on a port, folders for temporary files, and the
        look for inputs, which are known. Rows and folders are the Launcher's, by TFX's functions.

        Args:
            plan: The node, whose plan is decided.
            place: Where its executor works.

        Raises:
            ExecutorFailedError: If its executor raised; its execution is recorded as failed.
        """
        node = plan.node
        name = node.node_info.id
        with self._connection as handle:
            inputs = {
                key: [_for_tfx(handle.store, item.mlmd_artifact) for item in artifacts]
                for key, artifacts in plan.inputs.items()
            }
            contexts = context_lib.prepare_contexts(handle, node.contexts)
            execution = execution_publish_utils.register_execution(
                metadata_handle=handle,
                execution_type=node.node_info.type,
                contexts=contexts,
                input_artifacts=inputs,
                exec_properties=plan.parameters,
            )
        contexts.append(self._planner.cache_context(plan))
        info = data_types.ExecutionInfo(
            execution_id=execution.id,
            input_dict=inputs,
            output_dict=_placed(plan, execution.id),
            exec_properties=dict(plan.parameters),
            pipeline_node=node,
            pipeline_info=self._ir.pipeline_info,
            pipeline_run_id=self._ir.runtime_spec.pipeline_run_id.field_value.string_value,
        )
        outputs_utils.make_output_dirs(info.output_dict)
        try:
            output = run_executor(
                place, plan.executor_spec, info, self._artifacts, self._planner.naming
            )
        except BaseException as error:
            outputs_utils.remove_output_dirs(info.output_dict)
            if isinstance(error, ExecutorFailedError):
                with self._connection as handle:
                    execution_publish_utils.publish_failed_execution(
                        metadata_handle=handle,
                        contexts=contexts,
                        execution_id=execution.id,
                        executor_output=failed_output(error.failure),
                    )
            raise
        with self._connection as handle:
            execution_publish_utils.publish_succeeded_execution(
                metadata_handle=handle,
                execution_id=execution.id,
                contexts=contexts,
                output_artifacts=info.output_dict,
                executor_output=output,
            )
        self._planner.ran(name, execution.id)


def _placed(plan: Plan, execution_id: int) -> dict[str, list[Any]]:
    """The planned outputs, each in its execution's folder."""
    for artifacts in plan.outputs.values():
        for artifact in artifacts:
            # <node>/<output>/<execution>, and below it for a value: planned for execution 0.
            node, output, _, *below = artifact.uri.rsplit("/", 3 if _is_value(artifact) else 2)
            artifact.uri = "/".join([node, output, str(execution_id), *below])
    return {name: list(artifacts) for name, artifacts in plan.outputs.items()}


def _is_value(artifact: Any) -> bool:
    return isinstance(artifact, value_artifact.ValueArtifact)


def _for_tfx(store: Any, proto: pb.Artifact) -> Any:
    """An artifact as TFX's executors get it."""
    return artifact_utils.deserialize_artifact(store.get_artifact_type(proto.type), proto)
