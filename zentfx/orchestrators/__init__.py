"""Orchestrators: what runs the steps of a pipeline.

An orchestrator is found by its name, so that this layer imports none of them.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from zentfx.errors import NotFoundError, near_matches

if TYPE_CHECKING:
    from zentfx.steps.node import Node
    from zentfx.stores.artifacts import ArtifactStore
    from zentfx.stores.memos import Memos
    from zentfx.stores.metadata import MetadataStore

__all__ = ["Listener", "Orchestrator", "RunRequest", "StepEvent", "orchestrator"]

_KNOWN = {"local": "zentfx.tfx_backend.local:LocalOrchestrator"}


@dataclass(frozen=True)
class StepEvent:
    """A step's state has changed.

    Attributes:
        step: Name of the step.
        state: ``running``, ``completed``, ``cached``, ``failed``, ``canceled`` or ``skipped``.
        seconds: Time since the step started.
        message: More to say about it, for people.
        in_process: Whether it runs in this process, where it may print and ask.
    """

    step: str
    state: str
    seconds: float = 0.0
    message: str = ""
    in_process: bool = False


@dataclass(frozen=True)
class RunRequest:
    """What an orchestrator is to run.

    Attributes:
        run_id: Id of the run.
        pipeline: Name of the pipeline.
        nodes: Its steps, each after those that it reads from.
        cache_scope: The id that TFX's cache key has in the place of the pipeline's.
        metadata: The metadata store.
        artifacts: The artifact store; the steps write below its folder for the run.
        logs: The folder for one log file a step.
        root: The repository's folder, to which recorded paths are relative.
        beam_args: Arguments for Beam, given at launch.
        environment: Versions of Python and of the packages that results depend on most.
        packages: Versions of further packages, by step: those that its code uses.
        max_workers: How many steps may run side by side.
        in_process: Whether all steps run in this process.
        memos: Digests of files that were read before; None to read all.
        is_alive: Says of the id of another run whether it is still at work.
        exclusive: Keeps other runs from changing what is read and written within it.
    """

    run_id: str
    pipeline: str
    nodes: Sequence[Node]
    cache_scope: str
    metadata: MetadataStore
    artifacts: ArtifactStore
    logs: Path
    root: Path
    beam_args: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    packages: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    max_workers: int = 1
    in_process: bool = False
    memos: Memos | None = None
    is_alive: Callable[[str], bool] = lambda run_id: True
    exclusive: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext

    def log(self, step: str) -> Path:
        """The log file of a step.

        Args:
            step: Its name.

        Returns:
            The file, which need not exist yet.
        """
        return self.logs / f"{step}.log"


# Who is told of each change of a step's state.
Listener = Callable[[StepEvent], None]


class Orchestrator(Protocol):
    """Runs the steps of a pipeline; called by ``Pipeline.run``."""

    def prepare(self, request: RunRequest) -> Callable[[Listener], None]:
        """Checks and compiles a run; called before anything of it is recorded.

        Args:
            request: What to run.

        Returns:
            A function that runs the steps, and records each in the metadata store. It takes a
            listener, which is told of each change of a step's state, and raises
            ``StepFailedError`` if a step raised, after the steps that do not depend on it have run.

        Raises:
            ZenTFXError: If the steps cannot run here.
        """


def orchestrator(name: str) -> Orchestrator:
    """Finds an orchestrator.

    Args:
        name: Its name, for example ``local``.

    Returns:
        The orchestrator.

    Raises:
        NotFoundError: If there is none of this name.
    """
    if name not in _KNOWN:
        raise NotFoundError(f"There is no orchestrator {name!r}.{near_matches(name, _KNOWN)}")
    module, _, attribute = _KNOWN[name].partition(":")
    found: Any = getattr(importlib.import_module(module), attribute)
    instance: Orchestrator = found()
    return instance
