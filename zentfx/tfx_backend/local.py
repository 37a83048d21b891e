"""The local orchestrator: one step after the other, in this process."""

from __future__ import annotations

import importlib.util
import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from zentfx.errors import MissingDependencyError, StepFailedError
from zentfx.orchestrators import RunRequest, StepEvent
from zentfx.steps.node import Node
from zentfx.tfx_backend.compile import compile_pipeline
from zentfx.tfx_backend.failures import Failure, secret_values
from zentfx.tfx_backend.launch import launch
from zentfx.tfx_backend.logs import step_log
from zentfx.tfx_backend.worker import working
from zentfx.user_sources import note_loaded

__all__ = ["LocalOrchestrator"]

_log = logging.getLogger(__name__)

Listener = Callable[[StepEvent], None]


class LocalOrchestrator:
    """Runs pipelines on this machine, with TFX's Launcher and Beam's DirectRunner."""

    def prepare(self, request: RunRequest) -> Callable[[Listener], None]:
        """Checks the installation and compiles; see :class:`zentfx.orchestrators.Orchestrator`."""
        _check_installation()
        return partial(_run, request, compile_pipeline(request))


def _check_installation() -> None:
    missing = [name for name in ("tensorflow", "apache_beam") if not _is_installed(name)]
    # ml-pipelines-sdk has a package `tfx` too, without the components.
    if not _is_installed("tfx.components"):
        missing.insert(0, "tfx")
    if missing:
        raise MissingDependencyError(
            f"To run these steps {' and '.join(missing)} must be installed; this is a base "
            'install, which reads, plans and compares. pip install "zentfx[tfx]".'
        )


def _run(request: RunRequest, ir: Any, listener: Listener) -> None:
    """Runs the steps in order; those that depend on a failed one are skipped."""
    nodes = {item.pipeline_node.node_info.id: item.pipeline_node for item in ir.nodes}
    unfinished: set[str] = set()
    failure: StepFailedError | None = None
    with working(request) as raised:
        for node in request.nodes:
            blocked = [ref.step for ref in node.inputs.values() if ref.step in unfinished]
            if blocked:
                unfinished.add(node.name)
                listener(StepEvent(node.name, "skipped", message=f"needs {blocked[0]}"))
                continue
            started = time.monotonic()
            listener(StepEvent(node.name, "running"))
            log = request.logs / f"{node.name}.log"
            arguments = {**node.step.derived, **node.step.arguments}
            try:
                with step_log(log, secret_values(arguments)):
                    cached = _launched(request, ir, nodes[node.name], raised)
            except KeyboardInterrupt:
                listener(StepEvent(node.name, "canceled", time.monotonic() - started))
                raise
            except Exception as error:  # noqa: BLE001 - whatever a user's step raises
                unfinished.add(node.name)
                # TFX raises an error of its own where an executor did.
                cause = raised.get(node.name, error)
                text = Failure.of(cause, arguments)
                seconds = time.monotonic() - started
                listener(StepEvent(node.name, "failed", seconds, text.summary))
                failure = failure or _failed(request, node, cause, text, log)
            else:
                state = "cached" if cached else "completed"
                listener(StepEvent(node.name, state, time.monotonic() - started))
            note_loaded()  # modules that the step has imported
    if failure is not None:
        raise failure


def _launched(request: RunRequest, ir: Any, node: Any, raised: Mapping[str, BaseException]) -> bool:
    try:
        return launch(ir, node, request.metadata.connection_config)
    except Exception:
        # What an executor raised is logged where it was.
        if node.node_info.id not in raised:
            _log.exception("The step could not be run.")
        raise


def _failed(
    request: RunRequest, node: Node, cause: BaseException, text: Failure, log: Path
) -> StepFailedError:
    failure = StepFailedError(
        f"The step {node.name!r} ({type(node.step).__name__}) of {request.pipeline!r} failed:\n"
        f"{text.text}\nIts log: {log}",
        run_id=request.run_id,
        step=node.name,
    )
    failure.__cause__ = cause
    return failure


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
