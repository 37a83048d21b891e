"""The metadata store: an MLMD database.

MLMD brings an SQLite library of its own. A second one in the same process, or a plain ``open``,
must stay away from a file that MLMD has open: closing a file drops all locks of the process on it
(POSIX says so), and then another process may delete the write-ahead log under MLMD's connection,
and with it what is written from then on. So only MLMD opens a store that is one.
"""

from __future__ import annotations

import random
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from zentfx.errors import ForeignStoreError, StoreError
from zentfx.stores.locks import exclusive
from zentfx.stores.mlmd import mlmd, pb

__all__ = ["NEW_STORE", "Client", "SQLiteMetadataStore"]

# The MLMD database schema of the installed ml-metadata (1.16 and 1.21: 10). Others it refuses, a
# newer one with a message that names no file.
_SCHEMA_VERSION = 10
_SQLITE_HEADER = b"SQLite format 3\x00"
# MLMD looks executions and artifacts up by these columns without an index: with one, a look-up in
# a store of 70,000 executions takes 0.04 ms instead of 8.5.
_MISSING_INDEXES = (
    "CREATE INDEX IF NOT EXISTS zentfx_association_execution ON Association(execution_id)",
    "CREATE INDEX IF NOT EXISTS zentfx_attribution_artifact ON Attribution(artifact_id)",
)


NEW_STORE = ".new-"  # how folders begin in which a store is made

# Writers of one SQLite file that collide try again, after waits of about this long, for so long.
_WAIT = 0.02  # seconds
_PATIENCE = 120.0  # seconds


class Client(mlmd.MetadataStore):  # type: ignore[misc] # MLMD has no types
    """MLMD's client, as patient as several writers of one file need it.

    MLMD itself tries five times, with two seconds between on average: of eight busy processes one
    would soon give up, and all would wait for nothing.
    """

    def _call(self, method_name: str, request: Any, response: Any, *args: Any) -> Any:
        """Calls a method of the store until no other writer is in its way.

        It overrides MLMD's own loop, which is private: were it called otherwise in another MLMD,
        that one's patience would apply. Each call is one transaction, of which nothing is left
        when it is refused.
        """
        give_up = time.monotonic() + _PATIENCE
        wait = _WAIT
        while True:
            try:
                return self._call_method(method_name, request, response)
            except mlmd.errors.AbortedError:
                if time.monotonic() > give_up:
                    raise
            time.sleep(random.uniform(0, wait))
            wait = min(2 * wait, 1.0)


class SQLiteMetadataStore:
    """An MLMD store in an SQLite file.

    Args:
        path: The file. It is created, with its schema, at the first :meth:`connect`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._client: Client | None = None

    @property
    def connection_config(self) -> pb.ConnectionConfig:
        """How MLMD connects to this store."""
        return _config(self.path, pb.SqliteMetadataSourceConfig.READWRITE_OPENCREATE)

    def connect(self) -> Client:
        """Opens the store; creates it if there is none.

        Returns:
            The MLMD client, the same one at every call.

        Raises:
            ForeignStoreError: If the file is something else than an MLMD database, or one of a
                newer schema.
            StoreError: If the file cannot be opened.
        """
        if self._client is None:
            try:
                if not self._exists():
                    self._create()
                self._client = self._open()
            except StoreError:
                raise
            except (OSError, RuntimeError, sqlite3.Error, mlmd.errors.StatusError) as error:
                raise StoreError(
                    f"The metadata store {self.path} cannot be opened: {error}"
                ) from error
        return self._client

    def _exists(self) -> bool:
        return self.path.exists() and (self.path.is_dir() or self.path.stat().st_size > 0)

    def _create(self) -> None:
        """Makes the store aside and moves it into place whole.

        Several processes may be at it: MLMD does not stand that, see also the module's docstring.
        """
        with exclusive(self.path.parent):
            if self._exists():
                return
            with tempfile.TemporaryDirectory(dir=self.path.parent, prefix=NEW_STORE) as folder:
                aside = Path(folder) / self.path.name
                # Not kept, so closed at once.
                mlmd.MetadataStore(
                    _config(aside, pb.SqliteMetadataSourceConfig.READWRITE_OPENCREATE)
                )
                _tune(aside)
                aside.replace(self.path)

    def _open(self) -> Client:
        try:
            # Read-only first, because MLMD makes its tables in whatever database it finds.
            mlmd.MetadataStore(_config(self.path, pb.SqliteMetadataSourceConfig.READONLY))
        except (RuntimeError, mlmd.errors.StatusError):
            self._check_file()
        return Client(self.connection_config)

    def _check_file(self) -> None:
        """Says what is wrong with a file that MLMD does not open; does not change it."""
        with self.path.open("rb") as stream:
            if stream.read(len(_SQLITE_HEADER)) != _SQLITE_HEADER:
                raise ForeignStoreError(
                    f"{self.path} is no metadata store: expected an SQLite database of ML "
                    "Metadata. Move the file away, or open another repository."
                )
        try:
            with closing(sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True)) as database:
                row = database.execute("SELECT schema_version FROM MLMDEnv").fetchone()
        except sqlite3.OperationalError as error:
            if "no such" not in str(error):
                raise StoreError(
                    f"The metadata store {self.path} cannot be read: {error}"
                ) from error
            row = None
        except sqlite3.DatabaseError as error:
            raise StoreError(f"The metadata store {self.path} is damaged: {error}") from error
        if row is None or not isinstance(row[0], int):
            raise ForeignStoreError(
                f"{self.path} is an SQLite database, but not one of ML Metadata (it has no table "
                "MLMDEnv with a version). Move the file away, or open another repository."
            )
        if row[0] > _SCHEMA_VERSION:
            raise ForeignStoreError(
                f"{self.path} was written by a newer ML Metadata (schema {row[0]}; this one reads "
                f"up to {_SCHEMA_VERSION}). Upgrade ml-metadata."
            )


def _config(path: Path, mode: int) -> pb.ConnectionConfig:
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(path)
    config.sqlite.connection_mode = mode
    return config


def _tune(path: Path) -> None:
    """Write-ahead logging and two indexes, for a store that we created."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        for statement in _MISSING_INDEXES:
            database.execute(statement)
        database.commit()
