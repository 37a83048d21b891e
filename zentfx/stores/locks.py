"""Locks of processes that are at work, which the system takes away when they die.

A lock is a file that is locked (flock). On a file system that several machines share, it says
nothing about the processes of another one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["Lock", "claimed", "exclusive", "held", "is_held"]

# A forked child has the parent's locks too, as long as it keeps the files open.
_handles: set[int] = set()


def _forget_in_child() -> None:
    for handle in _handles:
        os.close(handle)
    _handles.clear()


os.register_at_fork(after_in_child=_forget_in_child)


class Lock:
    """A lock that this process holds.

    Attributes:
        settled: Whether what it stands for has come to its end, and is recorded. Only then is the
            file removed; one that stays tells that something is left to record.
    """

    def __init__(self) -> None:
        self.settled = False


@contextlib.contextmanager
def held(path: Path) -> Iterator[Lock]:
    """Within it, a file exists and is locked.

    Args:
        path: The file; only one process ever holds it.

    Yields:
        The lock, to be settled.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = _locked_file(path)
    _handles.add(handle)
    lock = Lock()
    try:
        yield lock
    finally:
        if lock.settled:
            path.unlink(missing_ok=True)
        _handles.discard(handle)
        os.close(handle)


def _locked_file(path: Path) -> int:
    while True:
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
        fcntl.flock(handle, fcntl.LOCK_EX)
        # Before it was locked, another process may have taken it for that of a dead one.
        with contextlib.suppress(FileNotFoundError):
            if os.fstat(handle).st_ino == path.stat().st_ino:
                return handle
        os.close(handle)


def is_held(path: Path) -> bool:
    """Says whether a living process holds a file.

    Args:
        path: The file.

    Returns:
        Whether it is there and locked.
    """
    # A shared lock: of several that look at once, none takes another for the holder.
    with _tried(path, os.O_RDONLY, fcntl.LOCK_SH) as free:
        return free is False


@contextlib.contextmanager
def claimed(path: Path) -> Iterator[bool]:
    """Takes over a file whose holder died; lets go of it afterwards.

    Args:
        path: The file.

    Yields:
        Whether it is there and nobody else has it.
    """
    with _tried(path, os.O_RDWR, fcntl.LOCK_EX) as free:
        yield bool(free)


@contextlib.contextmanager
def _tried(path: Path, flags: int, kind: int) -> Iterator[bool | None]:
    """Tries to lock a file: whether that worked, or None where there is no file."""
    try:
        handle = os.open(path, flags)
    except FileNotFoundError:
        yield None
        return
    try:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(handle)


@contextlib.contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Keeps other processes out of a folder, of those that ask; waits until it is free.

    Args:
        folder: The folder.
    """
    handle = os.open(folder, os.O_RDONLY)
    _handles.add(handle)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        _handles.discard(handle)
        os.close(handle)
