"""SQLite files, read beside another SQLite library that may be in the same process.

POSIX drops all locks that a process holds on a file when the process closes any handle of it. A
connection of one SQLite library, when it is closed, so takes the locks of another library's away.
Here a file is opened only while nothing else in the process has it open; and if something else
opens it meanwhile, our handle is never closed.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from zentfx.errors import StoreError

__all__ = ["NotADatabaseError", "one_at_a_time", "open_for_reading"]

# Within it, this package opens no SQLite file but the one that it reads.
one_at_a_time = threading.RLock()
# Whoever holds it while the process forks does not live in the child. (As threading does it.)
os.register_at_fork(after_in_child=one_at_a_time._at_fork_reinit)  # type: ignore[attr-defined]

_PATIENCE = 10.0  # seconds that a reader waits for a writer who keeps everyone out
# What the system calls the open files of a process, on Linux and on macOS.
_HANDLES = Path("/dev/fd")
# Connections that cannot be closed, see the module's docstring.
_kept: list[sqlite3.Connection] = []


class NotADatabaseError(StoreError):
    """The file is no SQLite database."""


@contextlib.contextmanager
def open_for_reading(path: Path, leave_alone: bool) -> Iterator[sqlite3.Connection | None]:
    """Opens an SQLite file for one reading of it, all of the same state.

    Args:
        path: The file.
        leave_alone: Whether the file is somebody else's: then SQLite is not even given the means
            to tidy up its write-ahead log, where it has one.

    Yields:
        The connection, in a transaction; None if something else in this process has the file open.

    Raises:
        NotADatabaseError: If the file is no SQLite database.
        StoreError: If it cannot be read.
    """
    with one_at_a_time:
        if _handles_of(path) != 0:
            yield None
            return
        before = _state(path)
        try:
            connection, unlocked = _connect(path, leave_alone)
        except sqlite3.Error as error:
            raise _explained(path, error) from error
        try:
            yield connection
            if unlocked and _state(path) != before:
                raise StoreError(
                    f"The metadata store {path} was written to while it was read. Try again."
                )
        except sqlite3.Error as error:
            raise _explained(path, error) from error
        finally:
            # Ours is one.
            if _handles_of(path) == 1:
                connection.close()
            else:
                _kept.append(connection)


def _handles_of(path: Path) -> int | None:
    """How many handles of a file this process has; None where that cannot be told."""
    try:
        wanted = path.stat()
        names = os.listdir(_HANDLES)
    except OSError:
        return None if path.exists() else 0
    count = 0
    for name in names:
        with contextlib.suppress(OSError):  # the one that lists them is closed by now
            found = os.fstat(int(name))
            count += (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino)
    return count


def _state(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _connect(path: Path, leave_alone: bool) -> tuple[sqlite3.Connection, bool]:
    """Opens a file; says whether nobody is kept from writing to it meanwhile."""
    place = path.absolute().as_uri()
    logs = [path.with_name(f"{path.name}-{kind}") for kind in ("wal", "journal")]
    # SQLite makes a log of its own beside a database that has none: a file of the reader's, which
    # the owner, who may not write to it, stumbles over.
    quiet = not any(log.exists() for log in logs)
    if quiet and os.access(path, os.R_OK) and not os.access(path, os.W_OK):
        return _begun(f"{place}?mode=ro&immutable=1"), True
    try:
        return _begun(f"{place}?mode={'ro' if leave_alone else 'rw'}"), False
    except sqlite3.OperationalError:
        # A database with a write-ahead log cannot be opened where nothing can be written, unless
        # it is known that nobody writes: whoever did would have made the log.
        if not quiet or os.access(path.parent, os.W_OK) or not os.access(path, os.R_OK):
            raise
        return _begun(f"{place}?mode=ro&immutable=1"), True


def _begun(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, timeout=_PATIENCE, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA query_only = 1")
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _explained(path: Path, error: sqlite3.Error) -> StoreError:
    text = str(error)
    if "not a database" in text:
        return NotADatabaseError(f"{path} is no SQLite database.")
    if "locked" in text or "busy" in text:
        return StoreError(
            f"The metadata store {path} is locked by another process, for more than "
            f"{_PATIENCE:.0f} s now. Try again when that process is done."
        )
    if isinstance(error, sqlite3.OperationalError) and "no such" not in text:
        return StoreError(f"The metadata store {path} cannot be read: {text}.")
    return StoreError(f"The metadata store {path} is damaged: {text}.")
