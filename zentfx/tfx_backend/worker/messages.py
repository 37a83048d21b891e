"""What the parent and a worker process tell each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zentfx.source_code.user_sources import ModuleText
from zentfx.tfx_backend.failures import Failure

__all__ = ["GRACE", "Canceled", "Done", "Failed", "Reply", "Task"]

GRACE = 10.0  # seconds that an interrupted step has to clean up


@dataclass(frozen=True)
class Task:
    """One execution to be run.

    Attributes:
        name: The step's name.
        session: The run's session with this step's class alone, by cloudpickle.
        executor_spec: The executor, one of TFX's messages.
        invocation: TFX's ``ExecutionInvocation``.
        log: The step's log file.
        secrets: Values that must not get into it, by value the name to show instead.
        cwd: The parent's working directory.
        environ: The parent's environment variables.
        path: The parent's ``sys.path``.
        modules: Texts of the user's modules as the parent loaded them, those that the worker was
            not told yet.
        module_names: All modules of the user's that the parent has loaded.
    """

    name: str
    session: bytes
    executor_spec: Any
    invocation: Any
    log: Path
    secrets: Mapping[str, str]
    cwd: str
    environ: Mapping[str, str]
    path: Sequence[str]
    modules: Mapping[str, ModuleText] = field(default_factory=dict)
    module_names: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Reply:
    """What every reply tells.

    Attributes:
        modules: File and digest of the text of each module of the user's that it has loaded.
    """

    modules: Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Done(Reply):
    """The executor returned.

    Attributes:
        output: TFX's ``ExecutorOutput``.
    """

    output: Any


@dataclass(frozen=True)
class Failed(Reply):
    """The executor raised.

    Attributes:
        failure: What is said of it.
        traceback: Its traceback as text.
        error_module: The module of the exception's class.
        error: The exception, by cloudpickle; None where it cannot be pickled.
    """

    failure: Failure
    traceback: str
    error_module: str
    error: bytes | None


@dataclass(frozen=True)
class Canceled(Reply):
    """The executor was interrupted."""
