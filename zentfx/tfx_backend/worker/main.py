"""A worker process: takes executions from its parent, one at a time, until the parent is gone."""

from __future__ import annotations

import atexit
import contextlib
import faulthandler
import io
import os
import pickle
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any

import cloudpickle

from zentfx.light_imports import light_imports
from zentfx.materializers.base import register
from zentfx.tfx_backend.execute import execute
from zentfx.tfx_backend.failures import Failure
from zentfx.tfx_backend.logs import worker_log
from zentfx.tfx_backend.session import in_session, recorded
from zentfx.tfx_backend.worker.exceptions import pack_exception
from zentfx.tfx_backend.worker.messages import GRACE, Canceled, Done, Failed, Reply, Task
from zentfx.tfx_backend.worker.modules import UserModules

with light_imports():
    from tfx.orchestration.portable import data_types
    from tfx.types import standard_artifacts  # noqa: F401 - found as subclasses, by their names
    from tfx.types.experimental import simple_artifacts  # noqa: F401

__all__ = ["main"]


def main(handle: int) -> None:
    """Works until the parent closes the connection, or is gone.

    Args:
        handle: File descriptor of the connection to the parent.
    """
    faulthandler.enable()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # logs are read while they are written
    # What a step starts must not hold the connection open when this process is dead.
    os.set_inheritable(handle, False)
    os.register_at_fork(after_in_child=lambda: _close(handle))
    state = _State()
    modules = UserModules()
    modules.install()
    connection = Connection(handle)
    tasks: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(connection, tasks, state), daemon=True).start()
    while (message := tasks.get()) is not None:
        state.begin()
        connection.send_bytes(pickle.dumps(_reply(message, modules, state)))
        state.end()
    # Not by returning: taking TensorFlow apart takes time, and it complains.
    atexit._run_exitfuncs()
    os._exit(0)


def _close(handle: int) -> None:
    with contextlib.suppress(OSError):
        os.close(handle)


def _receive(connection: Connection, tasks: queue.SimpleQueue[bytes | None], state: _State) -> None:
    try:
        while True:
            tasks.put(connection.recv_bytes())
    except (EOFError, OSError):
        state.parent_is_gone()
        tasks.put(None)


class _State:
    """What the process is at. Interrupts reach an executor, and nothing else."""

    def __init__(self) -> None:
        self._working = False
        self._gone = False
        self._interrupted = False
        self._reachable = False
        signal.signal(signal.SIGINT, self._interrupt)

    def begin(self) -> None:
        """A task was taken."""
        self._working = True
        if self._gone:
            os._exit(1)

    def end(self) -> None:
        """Its reply was sent."""
        self._working = False

    def parent_is_gone(self) -> None:
        """Ends the process if it is at work: nobody waits for what it computes.

        A step that was interrupted has some time to clean up.
        """
        self._gone = True
        if self._working and self._interrupted:
            time.sleep(GRACE)
        if self._working:
            os._exit(1)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        first, self._interrupted = not self._interrupted, True
        if self._reachable and first:
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def reach(self) -> Iterator[None]:
        """Within it, an interrupt raises; one that came before does so at once."""
        self._reachable = True
        try:
            if self._interrupted:
                raise KeyboardInterrupt
            yield
        finally:
            self._reachable = False


def _reply(message: bytes, modules: UserModules, state: _State) -> Reply:
    task: Task = pickle.loads(message)
    with worker_log(task.log, task.secrets) as log:
        properties: dict[str, Any] = {}
        try:
            with state.reach():
                _follow(task)
                modules.give(task.modules, task.module_names)
                info = data_types.ExecutionInfo.from_proto(task.invocation)
                session = cloudpickle.loads(task.session)
                for cls in session.materializers:  # rebuilt by value, they did not do it themselves
                    register(cls)
                with in_session(session):
                    try:
                        output = execute(task.executor_spec, info, tuned=True)
                    finally:
                        properties = recorded(info.exec_properties)
            return Done(dict(modules.loaded), output)
        except KeyboardInterrupt:
            return Canceled(dict(modules.loaded))
        # SystemExit too: argparse raises it behind Beam's arguments.
        except BaseException as error:
            log.exception("The step failed.")
            failure = Failure.of(error, properties)
            text = "".join(traceback.format_exception(error))
            module = type(error).__module__
            return Failed(dict(modules.loaded), failure, text, module, pack_exception(error))


def _follow(task: Task) -> None:
    """Takes on the parent's surroundings.

    Of the environment what differs from the last task's: native threads may be reading it, and what
    libraries have set here stays.
    """
    os.chdir(task.cwd)
    for name in _followed.keys() - task.environ.keys():
        os.environ.pop(name, None)
    for name, value in task.environ.items():
        if _followed.get(name) != value:
            os.environ[name] = value
    _followed.clear()
    _followed.update(task.environ)
    sys.path[:] = task.path


_followed: dict[str, str] = dict(os.environ)
