"""One log file a step: Python's logging, and what native code writes to stderr."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from zentfx.tfx_backend.failures import masked

__all__ = ["step_log"]

# Below a warning, TFX (which logs as absl) writes each node's whole IR, and Beam how it reads
# annotations. Importing TensorFlow silences the first for the rest of the process; here it is so
# from the start, and a step's log does not depend on what ran before.
_QUIET = ("absl", "apache_beam")


@contextlib.contextmanager
def step_log(path: Path, secrets: Mapping[str, str]) -> Iterator[None]:
    """Within it, log records and what the process writes to stderr go to a file.

    The file descriptor is redirected, because TensorFlow and Beam write from C++. What a step
    prints to stdout is the user's, and debuggers need it.

    Args:
        path: The file; it is appended to.
        secrets: Values that must not get into log records, by value the name to show instead.
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
            with _descriptor(2, sys.stderr, stream.fileno()):
                yield
        finally:
            root.handlers[:] = others
            root.setLevel(level)
            for name, own in quiet.items():
                logging.getLogger(name).setLevel(own)


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
