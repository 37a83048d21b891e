"""Runs the executor of one execution, in this process."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Iterator
from typing import Any

from zentfx.light_imports import light_imports
from zentfx.tfx_backend.nodes import all_parameters
from zentfx.tfx_backend.session import current

with light_imports():
    from tfx.proto.orchestration import executable_spec_pb2, placeholder_pb2

__all__ = ["execute"]


def execute(executor_spec: Any, info: Any, tuned: bool = False) -> Any:
    """Runs an executor as TFX's operators do; imports its class only now.

    Args:
        executor_spec: The executor.
        info: TFX's ``ExecutionInfo``.
        tuned: Whether Beam's runner may be tuned for the whole process.

    Returns:
        TFX's ``ExecutorOutput``.

    Raises:
        BaseException: What the executor raised.
    """
    with _only_this_process():
        return _execute(executor_spec, info, tuned)


@contextlib.contextmanager
def _only_this_process() -> Iterator[None]:
    """Ends a process that a step has forked, and that comes back from it as this one does.

    It would go on with this one's run, and record its own results in it.
    """
    process = os.getpid()
    code = 0
    try:
        yield
    except BaseException as error:
        if os.getpid() == process:
            raise
        code = 1
        if isinstance(error, SystemExit):
            code = error.code if isinstance(error.code, int) else int(error.code is not None)
        else:
            traceback.print_exc()
    finally:
        if os.getpid() != process:
            with contextlib.suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code & 0xFF)


def _execute(executor_spec: Any, info: Any, tuned: bool) -> Any:
    # The driver dropped some for the sake of the cache key; what it set itself stays.
    info.exec_properties = {**all_parameters(info.pipeline_node), **info.exec_properties}
    if isinstance(executor_spec, executable_spec_pb2.BeamExecutableSpec):
        return _execute_on_beam(executor_spec, info, tuned)
    with light_imports():
        from tfx.orchestration.portable import python_executor_operator

    return python_executor_operator.PythonExecutorOperator(executor_spec).run_executor(info)


def _execute_on_beam(executor_spec: Any, info: Any, tuned: bool) -> Any:
    from tfx.orchestration.portable import beam_executor_operator

    from zentfx.tfx_backend.executors.beam_runner import pipeline_maker, tune

    if tuned:
        tune()
    operator = beam_executor_operator.BeamExecutorOperator(executor_spec)
    session = current()
    arguments = session.beam_args if session else ()
    # They come here and not through the IR: there they would be part of the cache key. What a
    # component of the user's own has in its IR is left to TFX.
    maker = None if operator.beam_pipeline_args else pipeline_maker(arguments)
    if maker is None:
        for argument in arguments:
            expression = placeholder_pb2.PlaceholderExpression()
            expression.value.string_value = argument
            operator.beam_pipeline_args.append(expression)
    return operator.run_executor(info, make_beam_pipeline_fn=maker)
