"""The local orchestrator: steps on this machine, one after the other or side by side."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial
from typing import Any

from zentfx.errors import MissingDependencyError
from zentfx.orchestrators import Listener, RunRequest
from zentfx.tfx_backend.compile import compile_pipeline
from zentfx.tfx_backend.connection import RunConnection
from zentfx.tfx_backend.families import is_plain
from zentfx.tfx_backend.logs import run_log
from zentfx.tfx_backend.plan import Planner
from zentfx.tfx_backend.schedule import Schedule, Starter

__all__ = ["LocalOrchestrator"]


class LocalOrchestrator:
    """Runs pipelines on this machine, with TFX's Launcher and Beam's DirectRunner."""

    def prepare(self, request: RunRequest) -> Callable[[Listener], None]:
        """Checks the installation and compiles; see :class:`zentfx.orchestrators.Orchestrator`."""
        ir = compile_pipeline(request)
        _check_installation(request, ir)
        return partial(_run, request, ir)


def _check_installation(request: RunRequest, ir: Any) -> None:
    """Refuses steps that have to run and cannot; what is plain Python, or reused, needs nothing."""
    missing = [name for name in ("tensorflow", "apache_beam") if not _is_installed(name)]
    # ml-pipelines-sdk has a package `tfx` too, without the components.
    if not _is_installed("tfx.components"):
        missing.insert(0, "tfx")
    if missing and _needs_tfx(request, ir):
        raise MissingDependencyError(
            f"To run these steps {' and '.join(missing)} must be installed; this is a base "
            'install, which reads, plans and compares. pip install "zentfx[tfx]".'
        )


def _needs_tfx(request: RunRequest, ir: Any) -> bool:
    """Whether a step that is not plain Python would run; below one that runs, all do."""
    if all(is_plain(node) for node in request.nodes):
        return False
    planner = Planner(ir, request, _connection(request))
    running: set[str] = set()
    for node in request.nodes:
        runs = not running.isdisjoint(node.needed)
        if runs or not planner.plan(node.name).hit:
            if not is_plain(node):
                return True
            running.add(node.name)
    return False


def _connection(request: RunRequest) -> RunConnection:
    return RunConnection(request.metadata.connect(), request.metadata.connection_config)


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _run(request: RunRequest, ir: Any, listener: Listener) -> None:
    connection = _connection(request)
    planner = Planner(ir, request, connection)

    def runner() -> Any:
        # Late: a run that reuses everything does without the Launcher.
        from zentfx.tfx_backend.launch import NodeRunner

        return NodeRunner(ir, request, connection, planner)

    run = Schedule(request, planner, Starter(request, runner), listener)
    with run_log():
        if request.max_workers == 1:
            run.one_by_one()
        else:
            run.side_by_side()
