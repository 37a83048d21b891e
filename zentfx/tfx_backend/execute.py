"""Runs the executor of one execution, in this process."""

from __future__ import annotations

from typing import Any

from zentfx.light_imports import light_imports
from zentfx.tfx_backend.nodes import all_parameters
from zentfx.tfx_backend.session import current

with light_imports():
    from tfx.proto.orchestration import executable_spec_pb2, placeholder_pb2

__all__ = ["execute"]


def execute(executor_spec: Any, info: Any) -> Any:
    """Runs an executor as TFX's operators do; imports its class only now.

    Args:
        executor_spec: The executor.
        info: TFX's ``ExecutionInfo``.

    Returns:
        TFX's ``ExecutorOutput``.

    Raises:
        BaseException: What the executor raised.
    """
    # The driver dropped some for the sake of the cache key; what it set itself stays.
    info.exec_properties = {**all_parameters(info.pipeline_node), **info.exec_properties}
    return _operator(executor_spec).run_executor(info)


def _operator(executor_spec: Any) -> Any:
    if not isinstance(executor_spec, executable_spec_pb2.BeamExecutableSpec):
        with light_imports():
            from tfx.orchestration.portable import python_executor_operator

        return python_executor_operator.PythonExecutorOperator(executor_spec)
    from tfx.orchestration.portable import beam_executor_operator

    operator = beam_executor_operator.BeamExecutorOperator(executor_spec)
    session = current()
    # They come here and not through the IR: there they would be part of the cache key.
    for argument in session.beam_args if session else ():
        expression = placeholder_pb2.PlaceholderExpression()
        expression.value.string_value = argument
        operator.beam_pipeline_args.append(expression)
    return operator
