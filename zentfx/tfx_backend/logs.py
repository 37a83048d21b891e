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

__all__ = ["launch_log", "run_log", "step_log"]

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


class _Masking(logging.Formatter):
    def __init__(self, secrets: Mapping[str, str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record), self._secrets)


def _is_news(record: logging.LogRecord) -> bool:
    if record.levelno < logging.WARNING and record.name.partition(".")[0] in _QUIET:
        return False
    # TFX asks MLMD for something that only Google's MLMD has, and warns at every node.
    return record.msg != "ArtifactQuery.property_predicate is not supported."


class _LaunchHandler(logging.Handler):
    """Writes what is logged around an executor to the log of the step that its thread launches."""

    def __init__(self) -> None:
        super().__init__()
        self.addFilter(_is_news)
        self._runs = 0
        self._launched = threading.local()

    @contextlib.contextmanager
    def run(self) -> Iterator[None]:
        loggers = {logging.getLogger(name): level for name, level in _LAUNCHING.items()}
        with self.lock or contextlib.nullcontext():
            self._runs += 1
            for logger, level in loggers.items():
                logger.addHandler(self)
                logger.propagate = False
                logger.setLevel(level)
        try:
            yield
        finally:
            with self.lock or contextlib.nullcontext():
                self._runs -= 1
                for logger in () if self._runs else loggers:
                    logger.removeHandler(self)
                    logger.propagate = True
                    logger.setLevel(logging.NOTSET)

    @contextlib.contextmanager
    def launch(self, path: Path, secrets: Mapping[str, str]) -> Iterator[None]:
        outer = getattr(self._launched, "log", None)
        self._launched.log = path, _Masking(secrets)
        try:
            yield
        finally:
            self._launched.log = outer

    def emit(self, record: logging.LogRecord) -> None:
        launched = getattr(self._launched, "log", None)
        if launched is not None:
            path, formatter = launched
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as stream:
                stream.write(f"{formatter.format(record)}\n")


_launches = _LaunchHandler()


def run_log() -> contextlib.AbstractContextManager[None]:
    """Within it, what TFX and zentfx log around executors goes to the logs of steps.

    Returns:
        A context, for one run; several may overlap.
    """
    return _launches.run()


def launch_log(path: Path, secrets: Mapping[str, str]) -> contextlib.AbstractContextManager[None]:
    """Within it, this thread launches a step; others may launch others meanwhile.

    Args:
        path: The step's log; it is appended to.
        secrets: Values that must not get into it, by value the name to show instead.

    Returns:
        A context.
    """
    return _launches.launch(path, secrets)


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
