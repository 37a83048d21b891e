"""The metadata store: an MLMD database.

MLMD brings an SQLite library of its own. A second one in the same process, or a plain ``open``,
must stay away from a file that MLMD has open: closing a file drops all locks of the process on it
(POSIX says so), and then another process may delete the write-ahead log under MLMD's connection,
and with it what is written from then on. So whoever reads a store by SQL does so while nothing
else in this process has the file open (:mod:`zentfx.stores.sqlite_files` sees to it), and asks
MLMD otherwise.
"""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from zentfx.errors import ForeignStoreError, StoreError
from zentfx.stores.locks import exclusive
from zentfx.stores.sqlite_files import NotADatabaseError, one_at_a_time, open_for_reading

if TYPE_CHECKING:
    from zentfx.stores.client import Client
    from zentfx.stores.mlmd import mlmd, pb

__all__ = ["NEW_STORE", "MetadataStore", "OpenMetadataStore", "SQLiteMetadataStore", "StoreGuard"]

# The MLMD database schema of the installed ml-metadata (1.16 and 1.21: 10). Others it refuses, a
# newer one with a message that names no file.
_SCHEMA_VERSION = 10
# MLMD looks executions and artifacts up by these columns without an index: with one, a look-up in
# a store of 70,000 executions takes 0.04 ms instead of 8.5.
_MISSING_INDEXES = (
    "CREATE INDEX IF NOT EXISTS zentfx_association_execution ON Association(execution_id)",
    "CREATE INDEX IF NOT EXISTS zentfx_attribution_artifact ON Attribution(artifact_id)",
)


NEW_STORE = ".new-"  # how folders begin in which a store is made


class MetadataStore(Protocol):
    """An MLMD store, whatever is behind it."""

    @property
    def place(self) -> str:
        """Where it is, for people."""

    @property
    def read_only(self) -> bool:
        """Whether nothing may be written to it."""

    @property
    def connection_config(self) -> pb.ConnectionConfig:
        """How MLMD connects to it."""

    def check(self) -> None:
        """Makes sure that it can be read; makes it, if it is to be made.

        Raises:
            ForeignStoreError: If there is something else than an MLMD store in its place.
            StoreError: If it cannot be reached.
        """

    def connect(self) -> mlmd.MetadataStore:
        """Opens it.

        Returns:
            MLMD's client.

        Raises:
            ForeignStoreError: If there is something else than an MLMD store in its place.
            StoreError: If it cannot be reached.
        """

    def reading(self) -> contextlib.AbstractContextManager[sqlite3.Connection | None]:
        """Opens its database for one reading of it, where it can be read by SQL here and now.

        Returns:
            A context with the connection, or None: then MLMD is to be asked.
        """


class StoreGuard(Protocol):
    """Says whether a metadata store may be used where it is."""

    def check_absence(self) -> None:
        """Checks that one may be made where there is none; raises a StoreError if not."""

    def check(self, database: sqlite3.Connection) -> None:
        """Checks what was found; raises a StoreError if it is not what it should be."""


class OpenMetadataStore:
    """A store that somebody else has opened, or that MLMD connects to in a way of its own.

    It is not written to.

    Args:
        source: An MLMD client, or how MLMD connects.
    """

    read_only = True

    def __init__(self, source: mlmd.MetadataStore | pb.ConnectionConfig) -> None:
        self._config = source if hasattr(source, "WhichOneof") else None
        self._client = None if self._config else source

    @property
    def place(self) -> str:
        """Where it is, for people."""
        kind = self._config.WhichOneof("config") if self._config else type(self._client).__name__
        return f"the store behind {kind}"

    @property
    def connection_config(self) -> pb.ConnectionConfig:
        """See :class:`MetadataStore`; of a client that somebody else has opened it is not known."""
        if self._config is None:
            raise StoreError(f"How to connect to {self.place} is not known.")
        return self._config

    def check(self) -> None:
        """See :class:`MetadataStore`."""
        self.connect()

    def connect(self) -> mlmd.MetadataStore:
        """See :class:`MetadataStore`."""
        if self._client is None:
            from zentfx.stores import client

            self._client = client.opened(self._config, self.place)
        return self._client

    def reading(self) -> contextlib.AbstractContextManager[None]:
        """See :class:`MetadataStore`."""
        return contextlib.nullcontext()


class SQLiteMetadataStore:
    """An MLMD store in an SQLite file.

    Args:
        path: The file. Unless the store is read-only, it is created, with its schema, at the first
            :meth:`check` or :meth:`connect`.
        read_only: Whether nothing may be written to it.
        guard: Asked before it is made, and when it is first read.
    """

    def __init__(
        self, path: Path, read_only: bool = False, guard: StoreGuard | None = None
    ) -> None:
        self.path = path.absolute()
        self.read_only = read_only
        self._guard = guard
        self._is_checked = False
        self._client: Client | None = None
        self._inode: tuple[int, int] | None = None  # of the file that the client has open
        _stores.add(self)

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return str(self.path)

    @property
    def connection_config(self) -> pb.ConnectionConfig:
        """How MLMD connects to this store."""
        from zentfx.stores import client

        return client.sqlite_config(self.path, self.read_only)

    def check(self) -> None:
        """Makes sure that the store can be read; creates it if there is none.

        Raises:
            ForeignStoreError: If the file is something else than an MLMD database, or one of
                another schema.
            StoreError: If the file cannot be opened.
        """
        with _explained(self.path):
            self._make()
        with self.reading() as database:
            if database is None:
                self.connect()

    def connect(self) -> Client:
        """Opens the store; creates it if there is none.

        Returns:
            The MLMD client, the same one until it is let go of for a reading by SQL.

        Raises:
            ForeignStoreError: If the file is something else than an MLMD database, or one of
                another schema.
            StoreError: If the file cannot be opened.
        """
        with one_at_a_time:
            if self._client is None:
                with _explained(self.path):
                    self._make()
                    self._client = self._open()
                    self._inode = self._inode_now()
            elif self._inode != self._inode_now():
                # What is written to a deleted file is lost.
                raise StoreError(
                    f"The metadata store {self.path} was removed or replaced while this process "
                    "had it open. Restore it, and start a new process."
                )
            return self._client

    def _inode_now(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection | None]:
        """Opens the file for one reading of it by SQL.

        MLMD's clients of this file that nobody uses are closed for it.

        Yields:
            The connection, all of whose answers are of the same state; None if somebody in this
            process has the file open, who must be asked instead.

        Raises:
            ForeignStoreError: If the file is something else than an MLMD database, or one of
                another schema.
            StoreError: If the file cannot be read.
        """
        with one_at_a_time:
            _let_go(self.path)
            try:
                with open_for_reading(self.path, self.read_only) as database:
                    if database is not None:
                        _check_schema(self.path, database, self._advice)
                        if self._guard is not None and not self._is_checked:
                            self._guard.check(database)
                            self._is_checked = True  # ids only grow while it is in use
                    yield database
            except NotADatabaseError as error:
                raise ForeignStoreError(
                    f"{self.path} is no metadata store: expected an SQLite database of ML "
                    f"Metadata.{self._advice}"
                ) from error

    @property
    def _advice(self) -> str:
        return "" if self.read_only else " Move the file away, or open another repository."

    def _exists(self) -> bool:
        if self.path.is_symlink() and not self.path.exists():
            raise StoreError(
                f"The metadata store {self.path} is a link to {self.path.readlink()}, which is not "
                "there. Is the disk that it is on mounted?"
            )
        if not self.path.exists():
            return False
        if self.path.stat().st_size == 0:  # stores are made aside, and are never empty
            raise StoreError(
                f"The metadata store {self.path} has 0 bytes: it was emptied, or a disk was full. "
                "Restore it from a backup; to begin with an empty store, remove the file."
            )
        return True

    def _make(self) -> None:
        """Makes the store, where there is none, aside, and moves it into place whole.

        Several processes may be at it: MLMD does not stand that, see also the module's docstring.
        """
        if self.path.is_dir():
            raise StoreError(f"{self.path} is a folder; expected the file of a metadata store.")
        if self._exists():
            return
        if self.read_only:
            raise StoreError(f"There is no metadata store at {self.path}.")
        from zentfx.stores import client

        with exclusive(self.path.parent):
            if self._exists():
                return
            if self._guard is not None:
                self._guard.check_absence()
            with tempfile.TemporaryDirectory(dir=self.path.parent, prefix=NEW_STORE) as folder:
                aside = Path(folder) / self.path.name
                aside.touch()  # with the mode that the umask says; SQLite would take 0644
                # Not kept, so closed at once.
                client.opened(client.sqlite_config(aside), str(aside))
                _tune(aside)
                aside.replace(self.path)

    def _open(self) -> Client:
        # First, because MLMD makes its tables in whatever database it finds.
        with self.reading() as database:
            unread = database is None
        from zentfx.stores import client

        if unread:  # whoever has it open may have another library than MLMD's
            client.opened(client.sqlite_config(self.path, read_only=True), self.place)
        return client.opened(self.connection_config, self.place)


# All of this process, for they share the locks on their file.
_stores: weakref.WeakSet[SQLiteMetadataStore] = weakref.WeakSet()


def _let_go(path: Path) -> None:
    """Closes clients of a file that nobody uses."""
    for store in list(_stores):
        if store.path == path and store._client is not None:
            used = weakref.ref(store._client)
            store._client = None
            store._client = used()


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except StoreError:
        raise
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"The metadata store {path} cannot be opened: {error}") from error


def _check_schema(path: Path, database: sqlite3.Connection, advice: str) -> None:
    """Says what is wrong with a database that is not MLMD's, or not of our version of it."""
    try:
        row = database.execute("SELECT schema_version FROM MLMDEnv").fetchone()
    except sqlite3.OperationalError as error:
        if "no such" not in str(error):
            raise
        row = None
    if row is None or not isinstance(row[0], int):
        raise ForeignStoreError(
            f"{path} is an SQLite database, but not one of ML Metadata (it has no table "
            f"MLMDEnv with a version).{advice}"
        )
    if row[0] > _SCHEMA_VERSION:
        raise ForeignStoreError(
            f"{path} was written by a newer ML Metadata (schema {row[0]}; this one reads "
            f"up to {_SCHEMA_VERSION}). Upgrade ml-metadata."
        )
    if row[0] < _SCHEMA_VERSION:
        raise ForeignStoreError(
            f"{path} was written by an older ML Metadata (schema {row[0]}; this one reads "
            f"{_SCHEMA_VERSION}). Copy it, and upgrade the copy: ml_metadata.MetadataStore(config, "
            "enable_upgrade_migration=True)."
        )


def _tune(path: Path) -> None:
    """Write-ahead logging and two indexes, for a store that we created."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        for statement in _MISSING_INDEXES:
            database.execute(statement)
        database.commit()
