"""Marks of processes that are at work, which the system takes away when they die.

A mark is a file with a lock (flock) on it. On a file system that several machines share, it says
nothing about the processes of another one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["claimed", "held", "is_held"]


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Within it, a file exists and is locked; afterwards it is gone.

    Args:
        path: The file; only one process ever holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def is_held(path: Path) -> bool:
    """Whether a living process holds a file.

    Args:
        path: The file.
    """
    with claimed(path) as free:
        return path.exists() and not free


@contextlib.contextmanager
def claimed(path: Path) -> Iterator[bool]:
    """Takes over a file whose holder died; lets go of it afterwards.

    Args:
        path: The file.

    Yields:
        Whether it is there and nobody else has it.
    """
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        yield False
        return
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(handle)
