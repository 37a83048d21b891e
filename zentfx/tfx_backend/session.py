"""What a run tells the executors of its steps, in whichever process they work."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zentfx.class_paths import find_class
from zentfx.materializers.base import BaseMaterializer
from zentfx.orchestrators import RunRequest
from zentfx.parameters import decode
from zentfx.records.encoding import joined
from zentfx.records.schema import Execution
from zentfx.steps.base import BaseStep

__all__ = ["READS", "Session", "current", "in_session", "rebuild_step", "recorded"]


# Under this name an executor's output carries what its step has looked up; it is not published.
READS = "zentfx_reads"


@dataclass(frozen=True)
class Session:
    """What a run tells its executors.

    Attributes:
        classes: What makes each step, by its name: its class, as a rule. A class that was defined
            in a notebook or a function cannot be imported, and two may share a dotted name.
        root: The repository's folder.
        beam_args: Arguments for Beam.
        materializers: Those that were defined in a script or notebook, for worker processes.
    """

    classes: Mapping[str, Callable[..., BaseStep]]
    root: Path
    beam_args: tuple[str, ...]
    materializers: tuple[type[BaseMaterializer], ...] = ()

    @classmethod
    def of(cls, request: RunRequest) -> Session:
        """The session of a run.

        Args:
            request: What is run.

        Returns:
            The session.
        """
        classes = {node.name: node.step.maker for node in request.nodes}
        return cls(classes, request.root, tuple(request.beam_args))


_session: ContextVar[Session | None] = ContextVar("zentfx_session", default=None)


@contextlib.contextmanager
def in_session(session: Session) -> Iterator[None]:
    """Within it, executors work for a run.

    Args:
        session: What they need to know.
    """
    token = _session.set(session)
    try:
        yield
    finally:
        _session.reset(token)


def current() -> Session | None:
    """The session, or None where TFX's own runner calls an executor."""
    return _session.get()


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
    session = current()
    cls = session.classes.get(name) if session else None
    if cls is None:
        cls = find_class(properties[Execution.SOURCE])
    step: BaseStep = cls(**recorded(properties)["arguments"])
    return step


def recorded(properties: Mapping[str, Any]) -> dict[str, Any]:
    """What is recorded of a step in the parameters of an execution.

    Args:
        properties: The parameters.

    Returns:
        Tables ``arguments`` and ``derived``.
    """
    session = current()
    text = joined(Execution.RECORDED, properties) or '{"arguments": {}, "derived": {}}'
    tables: dict[str, Any] = decode(json.loads(text), session.root if session else None)
    return tables
