"""The parent's side of worker processes: starts them, gives them work, ends them."""

from __future__ import annotations

import atexit
import contextlib
import json
import math
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

from zentfx.source_code.user_sources import ModuleText, loaded_texts, read_source
from zentfx.tfx_backend.worker.messages import GRACE, Canceled, Reply, Task
from zentfx.tfx_backend.worker.modules import text_digest

__all__ = ["WorkerDiedError", "python_path", "run_in_worker"]

_BOOT = """\
import json, sys
sys.path[:] = json.loads(sys.argv.pop())
handle = int(sys.argv.pop())
from zentfx.tfx_backend.worker.main import main
main(handle)
"""
_LOOK = 0.2  # seconds between looks at whether it is alive, and the run canceled
_TO_END = 5.0  # seconds that a process has to end, once nobody talks to it


def python_path() -> list[str]:
    """``sys.path`` without what Python passes over in it, as objects that are no text."""
    return [item for item in sys.path if isinstance(item, str)]


class WorkerDiedError(RuntimeError):
    """The worker process is gone; what it worked on is lost."""


class _Worker:
    """One worker process.

    Args:
        log: Where its output goes until it has a task.
    """

    def __init__(self, log: Path) -> None:
        ours, theirs = socket.socketpair()
        log.parent.mkdir(parents=True, exist_ok=True)
        environment = dict(os.environ)
        # It would compile TFX anew for every worker.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        with theirs, log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _BOOT, str(theirs.fileno()), json.dumps(python_path())],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # a Ctrl-C is for the parent, which passes it on
            )
        self._connection = Connection(ours.detach())
        self._given: dict[str, ModuleText] = {}
        self._loaded: Mapping[str, tuple[str, str]] = {}
        self.usable = True

    def fits(self, texts: Mapping[str, ModuleText]) -> bool:
        """Whether it is alive, and what it has loaded of the user's is what would be loaded now."""
        if not self.usable or self._process.poll() is not None:
            return False
        for name, (file, digest) in self._loaded.items():
            text = texts[name].text if name in texts else _text_of(file)
            if text is None or text_digest(text) != digest:
                return False
        return True

    def run(
        self,
        task: Task,
        texts: Mapping[str, ModuleText],
        canceled: threading.Event,
        timeout: float | None,
    ) -> Reply:
        """Has a task done.

        Args:
            task: The task.
            texts: The user's modules as they are loaded here.
            canceled: Set when the run is canceled, by another thread.
            timeout: Seconds after which the worker is ended; None for no limit.

        Returns:
            What became of it.

        Raises:
            WorkerDiedError: If the process dies, or its time is over.
            KeyboardInterrupt: If it is canceled, or this thread interrupted; the worker is ended.
        """
        new = {name: module for name, module in texts.items() if self._given.get(name) != module}
        message = pickle.dumps(replace(task, modules=new, module_names=frozenset(texts)))
        self.usable = False  # until it has replied
        try:
            self._connection.send_bytes(message)
            end = math.inf if timeout is None else time.monotonic() + timeout
            while not self._has_replied(_LOOK):
                if canceled.is_set():
                    raise KeyboardInterrupt
                if time.monotonic() > end:
                    self._kill()
                    raise WorkerDiedError(f"The step took longer than its timeout, {timeout:g} s.")
            reply: Reply = pickle.loads(self._connection.recv_bytes())
        except (EOFError, OSError) as error:
            if canceled.is_set():
                raise KeyboardInterrupt from error
            death = self._how_it_died()
            self._kill()  # what the step had started
            raise WorkerDiedError(death) from error
        except KeyboardInterrupt:
            self._interrupt()
            raise
        self._given = dict(texts)
        self._loaded = reply.modules
        # Threads of an interrupted step may go on.
        self.usable = not isinstance(reply, Canceled)
        return reply

    def _has_replied(self, seconds: float) -> bool:
        """Whether there is something to receive; waits for it, and notices if the process died.

        The connection alone does not tell: what the step has forked may hold it open.
        """
        if self._connection.poll(seconds):
            return True
        if self._process.poll() is None:
            return False
        if self._connection.poll(0):
            return True
        raise EOFError

    def _interrupt(self) -> None:
        """Tells the step to stop; ends the process if it has not after a while."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGINT)
        try:
            end = time.monotonic() + GRACE
            while not self._has_replied(_LOOK):
                if time.monotonic() > end:
                    self._kill()
                    return
        except (OSError, EOFError):
            return

    def _kill(self) -> None:
        """Ends the process, and those that a step has started: it leads a group of its own."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _how_it_died(self) -> str:
        try:
            code = self._process.wait(_TO_END)
        except subprocess.TimeoutExpired:
            return "The worker process closed its connection."
        if code >= 0:
            return f"The worker process ended with exit code {code}."
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        hint = " Perhaps memory ran out." if name == "SIGKILL" else ""
        described = signal.strsignal(-code) or "unknown"
        return f"The worker process died of {name} ({described}).{hint}"

    def close(self) -> None:
        """Ends the process; it does so by itself unless something still runs in it."""
        self.usable = False
        with contextlib.suppress(OSError):
            self._connection.close()
        try:
            self._process.wait(_TO_END)
        except subprocess.TimeoutExpired:
            self._kill()
            self._process.wait()

    def forget(self) -> None:
        """In a forked child: lets go of the parent's worker."""
        with contextlib.suppress(OSError):
            self._connection.close()
        self._process.returncode = 0  # nothing for the child to wait for


def _text_of(file: str) -> str | None:
    try:
        return read_source(Path(file))
    except (OSError, SyntaxError, ValueError):
        return None


class _Pool:
    """The workers of this process; those that are idle wait for the next step or run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._busy: list[_Worker] = []

    @contextlib.contextmanager
    def worker(self, log: Path, texts: Mapping[str, ModuleText]) -> Iterator[_Worker]:
        """Within it, a worker belongs to the caller; a new one is started if none fits."""
        with self._lock:
            fit = [item for item in self._idle if item.fits(texts)]
            unfit = [item for item in self._idle if item not in fit]
            # The one that worked last: of several, it has loaded most of what a step needs.
            fitting = fit.pop() if fit else None
            self._idle = fit
        for item in unfit:
            item.close()
        worker = fitting or _Worker(log)
        with self._lock:
            self._busy.append(worker)
        try:
            yield worker
        finally:
            with self._lock:
                self._busy.remove(worker)
                if worker.usable:
                    self._idle.append(worker)
            if not worker.usable:
                worker.close()

    def close(self) -> None:
        with self._lock:
            workers, self._idle = [*self._idle, *self._busy], []
        for worker in workers:
            worker.close()

    def forget(self) -> None:
        for worker in [*self._idle, *self._busy]:
            worker.forget()
        self._lock = threading.Lock()  # another thread may hold it, which the child does not have
        self._idle, self._busy = [], []


_pool = _Pool()
atexit.register(_pool.close)
os.register_at_fork(after_in_child=_pool.forget)


def run_in_worker(task: Task, canceled: threading.Event, timeout: float | None = None) -> Reply:
    """Has a task done by a worker process.

    Args:
        task: The task.
        canceled: Set when the run is canceled, by another thread.
        timeout: Seconds after which the process is ended; None for no limit. The time that a new
            process needs to start counts, too.

    Returns:
        What became of it.

    Raises:
        WorkerDiedError: If the process dies, or its time is over.
        KeyboardInterrupt: If it is canceled, or this thread interrupted.
    """
    texts = loaded_texts()
    if canceled.is_set():
        raise KeyboardInterrupt
    with _pool.worker(task.log, texts) as worker:
        return worker.run(task, texts, canceled, timeout)
