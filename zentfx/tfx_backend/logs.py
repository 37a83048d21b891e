"""One log file a step: Python's logging, and what native code writes to stderr."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from zentfx.tfx_backend.failures import masked

__all__ = ["launch_log", "step_log"]

# Below a warning, TFX (which logs as absl) writes each node's whole IR, and Beam how it reads
# annotations. Importing TensorFlow silences the first for the rest of the process; here it is so
# from the start, and a step's log does not depend on what ran before.
_QUIET = ("absl", "apache_beam")

# Who logs while a step is launched.
_OURS = ("absl", "zentfx.tfx_backend")


@contextlib.contextmanager
def step_log(
    path: Path, secrets: Mapping[str, str], stdout: bool = False
) -> Iterator[logging.Logger]:
    """Within it, log records and what the process writes to stderr go to a file.

    The file descriptors are redirected, because TensorFlow and Beam write from C++.

    Args:
        path: The file; it is appended to.
        secrets: Values that must not get into log records, by value the name to show instead.
        stdout: Whether what it writes to stdout goes there too. In the user's own process that is
            the user's, and debuggers need it.

    Yields:
        A logger that writes to the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as stream:
        handler = logging.StreamHandler(stream)
        handler.addFilter(_is_news)
        handler.setFormatter(_Masking(secrets))
        root = logging.getLogger()
        level, others = root.level, root.handlers[:]
        root.handlers[:] = [handler]
        root.setLevel(logging.INFO)
        quiet = {name: logging.getLogger(name).level for name in _QUIET}
        for name in quiet:
            logging.getLogger(name).setLevel(logging.WARNING)
        try:
            with contextlib.ExitStack() as redirected:
                redirected.enter_context(_descriptor(2, sys.stderr, stream.fileno()))
                if stdout:
                    redirected.enter_context(_descriptor(1, sys.stdout, stream.fileno()))
                yield logging.getLogger(__name__)
        finally:
            root.handlers[:] = others
            root.setLevel(level)
            for name, own in quiet.items():
                logging.getLogger(name).setLevel(own)


_lock = threading.Lock()
_launches: list[logging.Handler] = []


@contextlib.contextmanager
def launch_log(path: Path) -> Iterator[None]:
    """Within it, what TFX and zentfx log in this thread about a step goes to the step's file.

    That is what happens around the executor, in the user's process; other threads may launch other
    steps meanwhile.

    Args:
        path: The file; it is appended to.
    """
    thread = threading.get_ident()
    handler = _LateFile(path)
    handler.addFilter(lambda record: record.thread == thread and _is_news(record))
    handler.setFormatter(_Masking({}))
    loggers = [logging.getLogger(name) for name in _OURS]
    with _lock:
        _launches.append(handler)
        for logger in loggers:
            logger.addHandler(handler)
            logger.propagate = False
    try:
        yield
    finally:
        handler.close()
        with _lock:
            _launches.remove(handler)
            for logger in loggers:
                logger.removeHandler(handler)
                logger.propagate = not _launches


class _LateFile(logging.FileHandler):
    """Makes the file, and its folder, when there is something to write."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, delay=True, encoding="utf-8")

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING or record.name != "absl":
            Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
            super().emit(record)


class _Masking(logging.Formatter):
    def __init__(self, secrets: Mapping[str, str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record), self._secrets)


def _is_news(record: logging.LogRecord) -> bool:
    # TFX asks MLMD for something that only Google's MLMD has, and warns at every node.
    return record.msg != "ArtifactQuery.property_predicate is not supported."


@contextlib.contextmanager
def _descriptor(number: int, python_stream: object, target: int) -> Iterator[None]:
    with contextlib.suppress(Exception):
        python_stream.flush()  # type: ignore[attr-defined]
    saved = os.dup(number)
    os.dup2(target, number)
    try:
        yield
    finally:
        with contextlib.suppress(Exception):
            python_stream.flush()  # type: ignore[attr-defined]
        os.dup2(saved, number)
        os.close(saved)
