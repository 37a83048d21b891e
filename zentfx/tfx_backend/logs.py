"""One log file a step: Python's logging, and what native code writes to stderr."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from zentfx.tfx_backend.failures import masked

__all__ = ["launch_log", "step_log"]

# Below a warning, TFX (which logs as absl) writes each node's whole IR, and Beam how it reads
# annotations. Importing TensorFlow silences the first for the rest of the process; here it is so
# from the start, and a step's log does not depend on what ran before.
_QUIET = ("absl", "apache_beam")

# Who logs while a step is launched, and from which level on.
_LAUNCHING = {"absl": logging.WARNING, "zentfx.tfx_backend": logging.INFO}


@contextlib.contextmanager
def step_log(
    path: Path, secrets: Mapping[str, str], native: tuple[int, ...] = ()
) -> Iterator[logging.Logger]:
    """Within it, log records and what is printed go to a file.

    What is printed is shown as ever, besides.

    Args:
        path: The file; it is appended to.
        secrets: Values that must not get into it, by value the name to show instead. What native
            code writes is not searched for them.
        native: File descriptors that are redirected into the file: 2, because TensorFlow and Beam
            write there from C++; in a process that has no terminal, 1 too.

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
            with contextlib.ExitStack() as stack:
                for number, python_stream in ((1, sys.stdout), (2, sys.stderr)):
                    if number in native:
                        stack.enter_context(_descriptor(number, python_stream, stream.fileno()))
                copied: Any
                if 1 not in native:
                    copied = _Copying(sys.stdout, stream, secrets)
                    stack.enter_context(contextlib.redirect_stdout(copied))
                if 2 not in native:
                    copied = _Copying(sys.stderr, stream, secrets)
                    stack.enter_context(contextlib.redirect_stderr(copied))
                yield logging.getLogger("zentfx.step")
        finally:
            root.handlers[:] = others
            root.setLevel(level)
            for name, own in quiet.items():
                logging.getLogger(name).setLevel(own)


class _Copying:
    """A stream whose text goes to a log as well; anything else about it is its own."""

    def __init__(self, stream: Any, log: TextIO, secrets: Mapping[str, str]) -> None:
        self._stream = stream
        self._log = log
        self._secrets = secrets

    def write(self, text: str) -> int:
        """Writes to both."""
        self._log.write(masked(text, self._secrets))
        self._log.flush()
        written: int = self._stream.write(text)
        return written

    def writelines(self, lines: Iterable[str]) -> None:
        """Writes to both."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


_lock = threading.Lock()
_launches: list[logging.Handler] = []


@contextlib.contextmanager
def launch_log(path: Path, secrets: Mapping[str, str]) -> Iterator[None]:
    """Within it, what TFX and zentfx log in this thread about a step goes to the step's file.

    That is what happens around the executor, in the user's process; other threads may launch other
    steps meanwhile.

    Args:
        path: The file; it is appended to.
        secrets: Values that must not get into it, by value the name to show instead.
    """
    thread = threading.get_ident()
    handler = _LateFile(path)
    handler.addFilter(lambda record: record.thread == thread and _is_news(record))
    handler.setFormatter(_Masking(secrets))
    loggers = {logging.getLogger(name): level for name, level in _LAUNCHING.items()}
    with _lock:
        _launches.append(handler)
        for logger, level in loggers.items():
            logger.addHandler(handler)
            logger.propagate = False
            logger.setLevel(level)
    try:
        yield
    finally:
        handler.close()
        with _lock:
            _launches.remove(handler)
            for logger in loggers:
                logger.removeHandler(handler)
                if not _launches:
                    logger.propagate = True
                    logger.setLevel(logging.NOTSET)


class _LateFile(logging.FileHandler):
    """Makes the file, and its folder, when there is something to write."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, delay=True, encoding="utf-8")

    def emit(self, record: logging.LogRecord) -> None:
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
