"""A metadata store and its artifact store know each other.

The artifact store has a note of the metadata store's id and of how much was recorded in it. A
metadata store that is another one, or an earlier state of it, does not know all artifacts: what
it has no record of is then no leftover, and what is recorded anew would clash with it.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path

from zentfx.errors import StoreError, StoreMismatchError
from zentfx.records import schema
from zentfx.stores.files import write_whole
from zentfx.stores.locks import exclusive

__all__ = ["Pairing", "StoreNote"]

_FILE = "store.json"
_ADVICE = (
    "Restore the metadata store that belongs to these artifacts from a backup. To begin anew, move "
    "the artifacts away; to go on with this one in spite of it: zentfx doctor --accept-store."
)


@dataclass(frozen=True)
class StoreNote:
    """What an artifact store knows of its metadata store.

    Attributes:
        store: The metadata store's id, which is its cache scope.
        newest: The highest id of a context when the latest run began: ids only grow.
        run: That run.
    """

    store: str
    newest: int
    run: str


class Pairing:
    """Holds a metadata store in SQLite against the note in its artifact store.

    Args:
        artifacts: The artifact store's folder.
        metadata: The metadata store's file, for messages.
    """

    def __init__(self, artifacts: Path, metadata: Path) -> None:
        self._folder = artifacts
        self._metadata = metadata

    def check_absence(self) -> None:
        """Checks that a metadata store that is not there may be made.

        Raises:
            StoreMismatchError: If the artifact store belongs to one that was there.
        """
        note = self._read()
        if note is not None:
            raise StoreMismatchError(
                f"There is no metadata store at {self._metadata}, but {self._folder} has the "
                f"artifacts of one that recorded the run {note.run}. {_ADVICE}"
            )

    def check(self, database: sqlite3.Connection) -> None:
        """Checks that a metadata store is the one that the artifacts belong to.

        Args:
            database: The metadata store.

        Raises:
            StoreMismatchError: If it is another one, or an earlier state of it.
        """
        note = self._read()
        if note is None:
            return
        found = _state_of(database)
        if found.store != note.store:
            raise StoreMismatchError(
                f"{self._metadata} is not the metadata store that {self._folder} belongs to: that "
                f"one recorded the run {note.run}. {_ADVICE}"
            )
        if found.newest < note.newest:
            raise StoreMismatchError(
                f"{self._metadata} is an earlier state of the metadata store: it does not have the "
                f"run {note.run}, whose artifacts are in {self._folder}. {_ADVICE}"
            )

    def note(self, store: str, newest: int, run: str) -> None:
        """Notes that a run has begun.

        Args:
            store: The metadata store's id.
            newest: The id of the run's context.
            run: The run's id.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with exclusive(self._folder):
            known = self._read()
            if known is None or known.store != store or known.newest < newest:
                self._write(StoreNote(store, newest, run))

    def accept(self, database: sqlite3.Connection) -> StoreNote | None:
        """Takes a metadata store for the one that the artifacts belong to.

        Args:
            database: The metadata store.

        Returns:
            What was noted before; None where there was nothing.
        """
        known = self._read()
        if known is not None:
            with exclusive(self._folder):
                self._write(_state_of(database))
        return known

    def _read(self) -> StoreNote | None:
        file = self._folder / _FILE
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
            return StoreNote(str(data["store"]), int(data["newest"]), str(data["run"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"{file} cannot be read: {error}. It notes which metadata store the artifacts "
                "belong to; remove it if that is sure to be this repository's."
            ) from error

    def _write(self, note: StoreNote) -> None:
        write_whole(self._folder / _FILE, json.dumps(asdict(note)))


def _state_of(database: sqlite3.Connection) -> StoreNote:
    """What a note would say of a metadata store now."""
    by_type = (
        "SELECT Context.name FROM Context JOIN Type ON Type.id = Context.type_id "
        "WHERE Type.name = ? ORDER BY Context.id"
    )
    scope = database.execute(f"{by_type} LIMIT 1", [schema.CACHE_SCOPE]).fetchone()
    run = database.execute(f"{by_type} DESC LIMIT 1", [schema.PIPELINE_RUN]).fetchone()
    [newest] = database.execute("SELECT max(id) FROM Context").fetchone()
    return StoreNote(scope[0] if scope else "", newest or 0, run[0] if run else "")
