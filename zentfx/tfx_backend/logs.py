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

from zentfx.materializers.quiet_tensorflow import quiet_tensorflow
from zentfx.tfx_backend.failures import masked

__all__ = ["launch_log", "run_log", "step_log", "worker_log"]

# Below a warning, TFX (which logs as absl) writes each node's whole IR, and Beam how it reads
# annotations. Importing TensorFlow silences the first for the rest of the process; here it is so
# from the start, and a step's log does not depend on what ran before.
_QUIET = ("absl", "apache_beam")

_OWN = "zentfx.step"

# Who logs while a step is launched, and from which level on.
_LAUNCHING = {"absl": logging.WARNING, "zentfx.tfx_backend": logging.INFO}


# Plain steps take turns in this process: it has one stdout, and one list of handlers.
_here = threading.RLock()


@contextlib.contextmanager
def step_log(path: Path, secrets: Mapping[str, str], quiet: bool) -> Iterator[logging.Logger]:
    """Within it, a step runs in the user's process: records and what it prints go to its log too.

    What it prints is shown as ever.

    Args:
        path: The file; it is appended to.
        secrets: Values that must not get into it, by value the name to show instead.
        quiet: Whether what is written to stderr goes there alone, that of native code too:
            TensorFlow and Beam write a lot from C++.

    Yields:
        A logger that writes to the file.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(_here)
        stream = stack.enter_context(_log_file(path))
        logger = stack.enter_context(_records_to(stream, secrets, shown=not quiet))
        printed: Any = _Copying(sys.stdout, stream, secrets, shown=True)
        stack.enter_context(contextlib.redirect_stdout(printed))
        if quiet:
            stack.enter_context(_descriptor(2, sys.stderr, stream.fileno()))
        else:
            errors: Any = _Copying(sys.stderr, stream, secrets, shown=True)
            stack.enter_context(contextlib.redirect_stderr(errors))
            stack.enter_context(quiet_tensorflow())
        yield logger


@contextlib.contextmanager
def worker_log(path: Path, secrets: Mapping[str, str]) -> Iterator[logging.Logger]:
    """Within it, a step runs in a process of ours: all that it writes goes to its log.

    Args:
        path: The file; it is appended to.
        secrets: Values that must not get into it, by value the name to show instead. What native
            code writes is not searched for them.

    Yields:
        A logger that writes to the file.
    """
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(_log_file(path))
        logger = stack.enter_context(_records_to(stream, secrets, shown=False))
        for number, python_stream in ((1, sys.stdout), (2, sys.stderr)):
            stack.enter_context(_descriptor(number, python_stream, stream.fileno()))
        printed: Any = _Copying(sys.stdout, stream, secrets, shown=False)
        errors: Any = _Copying(sys.stderr, stream, secrets, shown=False)
        stack.enter_context(contextlib.redirect_stdout(printed))
        stack.enter_context(contextlib.redirect_stderr(errors))
        yield logger


def _log_file(path: Path) -> TextIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("a", encoding="utf-8", errors="backslashreplace")


@contextlib.contextmanager
def _records_to(
    stream: TextIO, secrets: Mapping[str, str], shown: bool
) -> Iterator[logging.Logger]:
    """Within it, log records from INFO on go to a stream; if shown, where they went before, too."""
    handler = logging.StreamHandler(stream)
    handler.addFilter(_is_news)
    handler.setFormatter(_Masking(secrets))
    root = logging.getLogger()
    level, others = root.level, root.handlers[:]
    # With no handler at all, Python shows warnings by one that is on no list.
    as_ever = others or ([logging.lastResort] if logging.lastResort else [])
    as_before = _AtLeast(level)
    root.handlers[:] = [handler, *(as_ever if shown else [])]
    root.setLevel(min(level, logging.INFO) if level else logging.INFO)
    for other in as_ever:
        other.addFilter(as_before)
    try:
        yield logging.getLogger(_OWN)
    finally:
        for other in as_ever:
            other.removeFilter(as_before)
        root.handlers[:] = others
        root.setLevel(level)


class _AtLeast(logging.Filter):
    def __init__(self, level: int) -> None:
        super().__init__()
        self._level = level

    def filter(self, record: logging.LogRecord) -> bool:
        # What a step raised is told by the error that its user gets.
        return record.levelno >= self._level and record.name != _OWN


class _Copying:
    """A stream whose text goes to a log; anything else about it is its own.

    Who keeps it longer than the log is open, as a handler or a thread may, has the stream itself.

    Args:
        stream: The stream.
        log: The log.
        secrets: Values to leave out of the log.
        shown: Whether the text goes to the stream as well.
    """

    def __init__(self, stream: Any, log: TextIO, secrets: Mapping[str, str], shown: bool) -> None:
        self._stream = stream
        self._log = log
        self._secrets = secrets
        self._shown = shown

    def write(self, text: str) -> int:
        """Writes."""
        if self._shown or self._log.closed:
            self._stream.write(text)
        # Closed by another thread just now: the text is shown, or of no step.
        with contextlib.suppress(ValueError):
            self._log.write(masked(text, self._secrets))
            self._log.flush()
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Writes all."""
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
    # TFX makes classes for types of the user's own as it needs them, and warns of each.
    if str(record.msg).startswith("Could not find matching artifact class"):
        return False
    # TFX asks MLMD for something that only Google's MLMD has, and warns at every node.
    return record.msg != "ArtifactQuery.property_predicate is not supported."


class _LaunchHandler(logging.Handler):
    """Writes what is logged around an executor to the log of the step that its thread launches."""

    def __init__(self) -> None:
        super().__init__()
        self.addFilter(_is_news)
        self._runs = 0
        self._before: list[tuple[logging.Logger, bool, int]] = []
        self._launched = threading.local()

    @contextlib.contextmanager
    def run(self) -> Iterator[None]:
        with self.lock or contextlib.nullcontext():
            self._runs += 1
            if self._runs == 1:
                for name, level in _LAUNCHING.items():
                    logger = logging.getLogger(name)
                    self._before.append((logger, logger.propagate, logger.level))
                    logger.addHandler(self)
                    logger.propagate = False
                    logger.setLevel(level)
        try:
            yield
        finally:
            with self.lock or contextlib.nullcontext():
                self._runs -= 1
                while self._before and not self._runs:
                    logger, propagate, level = self._before.pop()
                    logger.removeHandler(self)
                    logger.propagate = propagate
                    logger.setLevel(level)

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
