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
import traceback
from collections.abc import Iterator
from multiprocessing.connection import Connection
from types import FrameType

import cloudpickle

from zentfx.light_imports import light_imports
from zentfx.tfx_backend.execute import execute
from zentfx.tfx_backend.failures import Failure
from zentfx.tfx_backend.logs import step_log
from zentfx.tfx_backend.session import in_session, recorded
from zentfx.tfx_backend.worker.messages import Canceled, Done, Failed, Reply, Task
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
    interrupts = _Interrupts()
    modules = UserModules()
    modules.install()
    connection = Connection(handle)
    tasks: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(connection, tasks, interrupts), daemon=True).start()
    while (message := tasks.get()) is not None:
        task: Task = pickle.loads(message)
        connection.send_bytes(pickle.dumps(_reply(task, modules, interrupts)))
    # Not by returning: taking TensorFlow apart takes time, and it complains.
    atexit._run_exitfuncs()
    os._exit(0)


def _receive(
    connection: Connection, tasks: queue.SimpleQueue[bytes | None], interrupts: _Interrupts
) -> None:
    try:
        while True:
            tasks.put(connection.recv_bytes())
    except (EOFError, OSError):
        if interrupts.allowed:
            os._exit(1)  # nobody waits for what is being computed
        tasks.put(None)


class _Interrupts:
    """Interrupts reach an executor, and nothing else.

    Attributes:
        allowed: Whether an executor is at work.
    """

    def __init__(self) -> None:
        self.allowed = False
        signal.signal(signal.SIGINT, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.allowed:
            self.allowed = False
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def reach(self) -> Iterator[None]:
        """Within it, an interrupt raises."""
        self.allowed = True
        try:
            yield
        finally:
            self.allowed = False


def _reply(task: Task, modules: UserModules, interrupts: _Interrupts) -> Reply:
    os.chdir(task.cwd)
    os.environ.clear()
    os.environ.update(task.environ)
    sys.path[:] = task.path
    modules.give(task.modules)
    info = data_types.ExecutionInfo.from_proto(task.invocation)
    with step_log(task.log, task.secrets, native=(1, 2)) as log:
        try:
            with interrupts.reach():
                session = cloudpickle.loads(task.session)
                with in_session(session):
                    output = execute(task.executor_spec, info, tuned=True)
            return Done(dict(modules.loaded), output)
        except KeyboardInterrupt:
            return Canceled(dict(modules.loaded))
        # SystemExit too: argparse raises it behind Beam's arguments.
        except BaseException as error:
            log.exception("The step failed.")
            failure = Failure.of(error, recorded(info.exec_properties))
            text = "".join(traceback.format_exception(error))
            module = type(error).__module__
            return Failed(dict(modules.loaded), failure, text, module, _pickled(error))


def _pickled(error: BaseException) -> bytes | None:
    with contextlib.suppress(Exception):
        pickled: bytes = cloudpickle.dumps(error)
        pickle.loads(pickled)  # many exceptions can be pickled, and not be made again
        return pickled
    return None
