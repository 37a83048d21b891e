"""Where component steps do their work.

The seam between the process that plans, records and publishes, and the one that runs executors.
Today both are the same process: TFX's launcher calls an executor operator, which imports the
executor only when it is needed, and the executor rebuilds its step through :func:`rebuild_step`.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any, ClassVar

from zentfx.class_paths import find_class
from zentfx.orchestrators import RunRequest
from zentfx.parameters import decode
from zentfx.records.encoding import cut, joined
from zentfx.records.schema import Artifact, Execution
from zentfx.steps.base import BaseStep
from zentfx.stores.artifacts import ArtifactStore
from zentfx.stores.manifests import manifest_name, manifest_of
from zentfx.tfx_backend.failures import Failure
from zentfx.tfx_backend.hits import refusal
from zentfx.tfx_backend.sdk import light_imports

with light_imports():
    from tfx.orchestration import data_types_utils
    from tfx.orchestration.portable import base_executor_operator, inputs_utils, outputs_utils
    from tfx.proto.orchestration import (
        executable_spec_pb2,
        execution_result_pb2,
        placeholder_pb2,
    )

__all__ = ["all_parameters", "executor_operators", "rebuild_step", "refusal_of_hit", "working"]


_log = logging.getLogger(__name__)

_UNKNOWN = 2  # gRPC's code for an error that has no other


class _Session:
    """What a run tells its executors.

    Attributes:
        classes: Step classes by the step's name. A class that was defined in a notebook or a
            function cannot be imported, and two of them may share a dotted name.
        root: The repository's folder.
        artifacts: The artifact store.
        beam_args: Arguments for Beam.
        raised: What the executor of a step raised, by the step's name.
    """

    def __init__(self, request: RunRequest) -> None:
        self.classes = {node.name: type(node.step) for node in request.nodes}
        self.root = request.root
        self.artifacts = request.artifacts
        self.beam_args = tuple(request.beam_args)
        self.raised: dict[str, BaseException] = {}


_session: ContextVar[_Session | None] = ContextVar("zentfx_worker_session", default=None)


@contextlib.contextmanager
def working(request: RunRequest) -> Iterator[Mapping[str, BaseException]]:
    """Within it, executors run for one pipeline.

    Args:
        request: What is run.

    Yields:
        What the executor of a step raised, by the step's name: filled while steps run.
    """
    session = _Session(request)
    token = _session.set(session)
    try:
        yield session.raised
    finally:
        _session.reset(token)


def all_parameters(pipeline_node: Any) -> dict[str, Any]:
    """The parameters of a node as they were compiled, those that the driver drops included.

    Args:
        pipeline_node: The node in the IR.

    Returns:
        Values by name.
    """
    return data_types_utils.build_parsed_value_dict(
        inputs_utils.resolve_parameters_with_schema(pipeline_node.parameters)
    )


def rebuild_step(name: str, properties: Mapping[str, Any]) -> BaseStep:
    """Builds the step of an execution from its recorded class and arguments.

    Args:
        name: The step's name.
        properties: The execution's parameters.

    Returns:
        A new instance.

    Raises:
        NotFoundError: If the class cannot be found.
    """
    session = _session.get()
    cls = session.classes.get(name) if session else None
    if cls is None:
        cls = find_class(properties[Execution.SOURCE])
    step: BaseStep = cls(**_recorded(properties)["arguments"])
    return step


def _recorded(properties: Mapping[str, Any]) -> dict[str, Any]:
    """What is recorded of a step in the parameters of an execution: arguments, derived values."""
    session = _session.get()
    text = joined(Execution.RECORDED, properties) or '{"arguments": {}, "derived": {}}'
    recorded: dict[str, Any] = decode(json.loads(text), session.root if session else None)
    return recorded


def refusal_of_hit(pipeline_node: Any, outputs: Mapping[str, Any]) -> str | None:
    """Says why a hit of TFX's cache must not be used in this run.

    Args:
        pipeline_node: The node in the IR.
        outputs: What an earlier execution wrote, as TFX artifacts by name.

    Returns:
        The reason, or None.
    """
    session = _session.get()
    if session is None:
        return None
    step = rebuild_step(pipeline_node.node_info.id, all_parameters(pipeline_node))
    return refusal(step, outputs, session.artifacts)


class _LateOperator(base_executor_operator.BaseExecutorOperator):
    """Imports an executor when it runs. TFX's operators do it when a node is looked at."""

    SUPPORTED_EXECUTOR_SPEC_TYPE: ClassVar = [executable_spec_pb2.PythonClassExecutableSpec]
    SUPPORTED_PLATFORM_CONFIG_TYPE: ClassVar = []

    def _real(self) -> Any:
        from tfx.orchestration.portable import python_executor_operator

        return python_executor_operator.PythonExecutorOperator(self._executor_spec)

    def run_executor(self, execution_info: Any) -> Any:
        """Called by the launcher for a node that has to run."""
        # The driver dropped some for the sake of the cache key; what it set itself stays.
        parameters = all_parameters(execution_info.pipeline_node)
        execution_info.exec_properties = {**parameters, **execution_info.exec_properties}
        operator = self._real()
        operator.with_execution_watcher(self._execution_watcher_address)
        name = execution_info.pipeline_node.node_info.id
        session = _session.get()
        try:
            output = operator.run_executor(execution_info)
        except KeyboardInterrupt:
            outputs_utils.remove_output_dirs(execution_info.output_dict)
            raise
        # SystemExit too: argparse raises it behind Beam's arguments.
        except (Exception, SystemExit) as error:
            _log.exception("The step failed.")
            if session is not None:
                session.raised[name] = error
            return _failed_output(_recorded(execution_info.exec_properties), error)
        if session is not None:
            _keep_manifests(output, execution_info.output_dict, session.artifacts)
        return output


def _failed_output(recorded: Mapping[str, Any], error: BaseException) -> Any:
    """What tells the launcher to record a failure, with its text, and to raise."""
    result = execution_result_pb2.ExecutorOutput()
    result.execution_result.code = _UNKNOWN
    result.execution_result.result_message = cut(Failure.of(error, recorded).text)
    return result


def _keep_manifests(output: Any, planned: Mapping[str, Any], store: ArtifactStore) -> None:
    """Notes on each output which files it has, before it is published and never changed again."""
    for name, artifacts in planned.items():
        listed = output.output_artifacts[name].artifacts
        if not listed:
            listed.extend(artifact.mlmd_artifact for artifact in artifacts)
        for artifact in listed:
            manifest = manifest_of(Path(artifact.uri))
            key = manifest_name(manifest)
            store.keep_text("manifests", f"{key}.json", manifest)
            artifact.custom_properties[Artifact.MANIFEST].string_value = key


class _LateBeamOperator(_LateOperator):
    """The same for executors that use Beam; hands them Beam's arguments.

    The arguments come here and not through the IR: there they would be part of the cache key.
    """

    SUPPORTED_EXECUTOR_SPEC_TYPE: ClassVar = [executable_spec_pb2.BeamExecutableSpec]

    def _real(self) -> Any:
        from tfx.orchestration.portable import beam_executor_operator

        operator = beam_executor_operator.BeamExecutorOperator(self._executor_spec)
        session = _session.get()
        for argument in session.beam_args if session else ():
            expression = placeholder_pb2.PlaceholderExpression()
            expression.value.string_value = argument
            operator.beam_pipeline_args.append(expression)
        return operator


def executor_operators() -> dict[Any, type]:
    """The operators to give to TFX's launcher."""
    return {
        executable_spec_pb2.PythonClassExecutableSpec: _LateOperator,
        executable_spec_pb2.BeamExecutableSpec: _LateBeamOperator,
    }
