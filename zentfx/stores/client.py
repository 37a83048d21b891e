"""MLMD's client, made patient."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

from zentfx.errors import StoreError
from zentfx.stores.mlmd import mlmd, pb

__all__ = ["Client", "opened", "sqlite_config"]

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


def sqlite_config(path: Path, read_only: bool = False) -> pb.ConnectionConfig:
    """How MLMD connects to a store in an SQLite file.

    Args:
        path: The file.
        read_only: Whether it is never written to, or made.

    Returns:
        The configuration.
    """
    kinds = pb.SqliteMetadataSourceConfig
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(path)
    config.sqlite.connection_mode = kinds.READONLY if read_only else kinds.READWRITE_OPENCREATE
    return config


def opened(config: pb.ConnectionConfig, place: str) -> Client:
    """Opens a store.

    Args:
        config: How MLMD connects to it.
        place: Where it is, for people.

    Returns:
        The client.

    Raises:
        StoreError: If it cannot be opened.
    """
    try:
        return Client(config)
    except (RuntimeError, mlmd.errors.StatusError) as error:
        raise StoreError(f"The metadata store {place} cannot be opened: {error}") from error
