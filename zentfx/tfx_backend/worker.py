"""Where component steps do their work.

The seam between the process that plans, records and publishes, and the one that runs executors.
Today both are the same process: TFX's launcher calls an executor operator, which imports the
executor only when it is needed, and the executor rebuilds its step through :func:`rebuild_step`.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any, ClassVar

from zentfx.class_paths import find_class
from zentfx.parameters import decode
from zentfx.records.encoding import joined
from zentfx.records.schema import Execution
from zentfx.steps.base import BaseStep
from zentfx.tfx_backend.sdk import light_imports

with light_imports():
    from tfx.orchestration import data_types_utils
    from tfx.orchestration.portable import base_executor_operator, inputs_utils
    from tfx.proto.orchestration import executable_spec_pb2, placeholder_pb2

__all__ = ["all_parameters", "executor_operators", "rebuild_step", "working"]


class _Session:
    """What a run tells its executors.

    Attributes:
        classes: Step classes by the step's name. A class that was defined in a notebook or a
            function cannot be imported, and two of them may share a dotted name.
        root: The repository's folder.
        beam_args: Arguments for Beam.
    """

    def __init__(self, classes: Mapping[str, type], root: Path, beam_args: tuple[str, ...]) -> None:
        self.classes = classes
        self.root = root
        self.beam_args = beam_args


_session: ContextVar[_Session | None] = ContextVar("zentfx_worker_session", default=None)


@contextlib.contextmanager
def working(classes: Mapping[str, type], root: Path, beam_args: tuple[str, ...]) -> Iterator[None]:
    """Within it, executors run for one pipeline.

    Args:
        classes: The step classes by the step's name.
        root: The repository's folder.
        beam_args: Arguments for Beam.
    """
    token = _session.set(_Session(classes, root, beam_args))
    try:
        yield
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
    data = json.loads(joined(Execution.RECORDED, properties) or "{}")
    step: BaseStep = cls(**decode(data["arguments"], session.root if session else None))
    return step


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
        try:
            return operator.run_executor(execution_info)
        except SystemExit as error:
            # From argparse behind Beam's arguments, say. TFX records failures for Exceptions only.
            raise RuntimeError(f"the step tried to end the process: SystemExit({error})") from error


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
