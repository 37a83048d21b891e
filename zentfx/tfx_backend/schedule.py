"""The steps of one run: which are ready, which are reused, which run where, what came of each."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

from zentfx.errors import StepFailedError
from zentfx.orchestrators import Listener, RunRequest, StepEvent
from zentfx.steps.node import Node
from zentfx.tfx_backend.failures import ExecutorFailedError, Failure, secret_values
from zentfx.tfx_backend.families import is_own, is_plain
from zentfx.tfx_backend.logs import launch_log
from zentfx.tfx_backend.plan import Plan, Planner

__all__ = ["Schedule", "Starter"]

_log = logging.getLogger(__name__)


class Starter:
    """Runs the steps that are not reused. What that takes is imported for the first of them.

    Args:
        request: What is run.
        make_runner: Makes what runs nodes, a ``NodeRunner``.
    """

    def __init__(self, request: RunRequest, make_runner: Callable[[], Any]) -> None:
        self._request = request
        self._make_runner = make_runner
        self._runner: Any = None

    def runs_here(self, node: Node) -> bool:
        """Whether a step runs in this process.

        Side by side, each has a process of its own: Python runs the code of one thread at a time,
        and a thread cannot be stopped.
        """
        if self._request.in_process:
            return True
        limited = node.step.options.timeout is not None  # only a process can be stopped
        return self._request.max_workers == 1 and is_plain(node) and not limited

    def prepare(self, node: Node) -> None:
        """Does what must be done in the main thread: imports are not safe in several.

        Args:
            node: The step that is to run.
        """
        if self._runner is None:
            from zentfx.tfx_backend import operators

            self._runner = self._make_runner()
            self._here = operators.ThisProcess(self._request)
            self._worker = operators.WorkerProcess(self._request)
        if not self.runs_here(node):
            self._worker.pack(node.name)

    def cancel(self) -> None:
        """Stops what runs in workers."""
        if self._runner is not None:
            self._worker.cancel()

    def run(self, node: Node, plan: Plan) -> str:
        """Runs a step.

        Args:
            node: The step.
            plan: What is known of it.

        Returns:
            What became of it.

        Raises:
            BaseException: What it raised.
        """
        place = self._here if self.runs_here(node) else self._worker
        with launch_log(self._request.log(node.name), secret_values(node.parameters)):
            if plan.reason:
                _log.info("The cached result is not used: %s.", plan.reason)
            for left in reversed(range((node.step.options.retries or 0) + 1)):
                try:
                    return self._attempt(node, plan, place)
                except ExecutorFailedError:  # it is logged where it was raised
                    if not left:
                        raise
                    _log.info("It is run again; %d retries are left after that.", left - 1)
                except Exception:
                    _log.exception("The step could not be run.")
                    raise
        raise AssertionError

    def _attempt(self, node: Node, plan: Plan, place: Any) -> str:
        if plan.decided and is_own(node.step):
            self._runner.run(plan, place)
            return "completed"
        return "cached" if self._runner.launch(plan, place) else "completed"


class Schedule:
    """The steps of one run, and how far each has come.

    Args:
        request: What is run.
        planner: Finds hits.
        starter: Runs what is not a hit.
        listener: Told of each change of a step's state.
    """

    def __init__(
        self, request: RunRequest, planner: Planner, starter: Starter, listener: Listener
    ) -> None:
        self._request = request
        self._planner = planner
        self._starter = starter
        self._listener = listener
        self._waiting = {node.name: node for node in request.nodes}
        self._done: set[str] = set()
        self._unfinished: set[str] = set()
        self._started: dict[str, float] = {}
        self._failure: StepFailedError | None = None

    def one_by_one(self) -> None:
        """Runs the steps in their order.

        Raises:
            StepFailedError: The first, after all steps that do not depend on a failed one.
        """
        while self._waiting:
            # In the order of the pipeline: the first that waits is always ready.
            node, plan = next(self._misses(), (None, None))
            if node is not None and plan is not None:
                self._begin(node)
                try:
                    state = self._starter.run(node, plan)
                except BaseException as error:  # noqa: BLE001 - whatever a user's step raises
                    self._raised(node, error)
                else:
                    self._ended(node, state)
        self._end()

    def side_by_side(self) -> None:
        """Runs steps that do not depend on each other at the same time.

        Raises:
            StepFailedError: As in :meth:`one_by_one`.
        """
        from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

        running: dict[Future[str], Node] = {}
        with ThreadPoolExecutor(self._request.max_workers, "zentfx-step") as threads:
            try:
                while self._waiting or running:
                    for node, plan in self._misses():
                        self._begin(node)
                        running[threads.submit(self._starter.run, node, plan)] = node
                        if len(running) == self._request.max_workers:
                            break
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        node = running.pop(future)
                        error = future.exception()
                        if error is None:
                            self._ended(node, future.result())
                        else:
                            self._raised(node, error)
            except BaseException:
                self._starter.cancel()
                for node in running.values():
                    self._listener(StepEvent(node.name, "canceled", self._seconds(node)))
                raise
        self._end()

    def _misses(self) -> Iterator[tuple[Node, Plan]]:
        """Steps that are ready and have to run; hits on the way are published."""
        for name, node in list(self._waiting.items()):
            needed = node.needed
            blocked = [step for step in needed if step in self._unfinished]
            if blocked:
                del self._waiting[name]
                self._unfinished.add(name)
                self._listener(StepEvent(name, "skipped", message=f"needs {blocked[0]}"))
            elif self._done.issuperset(needed):
                del self._waiting[name]
                plan = self._planner.plan(name)
                if plan.hit:
                    self._done.add(name)
                else:
                    self._publish_hits()
                    yield node, plan
        self._publish_hits()

    def _publish_hits(self) -> None:
        for name in self._planner.publish():
            self._listener(StepEvent(name, "cached", message=self._remarks(name)))

    def _begin(self, node: Node) -> None:
        self._starter.prepare(node)
        self._started[node.name] = time.monotonic()
        here = self._starter.runs_here(node)
        self._listener(StepEvent(node.name, "running", in_process=here))

    def _seconds(self, node: Node) -> float:
        started = self._started.get(node.name)
        return 0.0 if started is None else time.monotonic() - started

    def _ended(self, node: Node, state: str) -> None:
        self._done.add(node.name)
        message = self._remarks(node.name)
        self._listener(StepEvent(node.name, state, self._seconds(node), message))

    def _remarks(self, name: str) -> str:
        return " ".join(self._planner.remarks(name))

    def _raised(self, node: Node, error: BaseException) -> None:
        if isinstance(error, KeyboardInterrupt):
            self._listener(StepEvent(node.name, "canceled", self._seconds(node)))
            raise error
        self._unfinished.add(node.name)
        failure = (
            error.failure
            if isinstance(error, ExecutorFailedError)
            else Failure.of(error, node.parameters)
        )
        cause = error.cause() if isinstance(error, ExecutorFailedError) else error
        self._listener(StepEvent(node.name, "failed", self._seconds(node), failure.summary))
        if self._failure is None:
            self._failure = StepFailedError(
                f"The step {node.name!r} ({type(node.step).__name__}) of "
                f"{self._request.pipeline!r} failed:\n{failure.text}\n"
                f"Its log: {self._request.log(node.name)}",
                run_id=self._request.run_id,
                step=node.name,
            )
            self._failure.__cause__ = cause

    def _end(self) -> None:
        if self._failure is not None:
            raise self._failure
