"""Backups of a repository's metadata, with a list of the artifacts that belong to it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from zentfx.errors import DataError, DataNotFoundError, StoreError
from zentfx.stores.trash import TRASH, Trash, new_entry
from zentfx.workspace import FOLDER, Workspace

__all__ = ["Restored", "back_up", "restore"]

_DATABASE = "metadata.db"
_CONFIG = "config.yaml"
_MANIFEST = "artifacts.json"


@dataclass(frozen=True)
class Restored:
    """What became of a backup.

    Attributes:
        artifacts: How many files of artifacts the backup lists.
        missing: Those of them that are not there, or have another size, relative to the artifact
            store.
        unknown: How many files of artifacts are newer than the backup; they stay.
        entry: The trash's entry with the metadata store that was replaced; empty if there was none.
    """

    artifacts: int
    missing: list[str]
    unknown: int
    entry: str


def back_up(workspace: Workspace, file: Path) -> int:
    """Writes a backup: the metadata store, settings, and names and sizes of artifacts' files.

    Runs may go on meanwhile: the metadata is of one moment, and the artifacts that it knows are
    complete by then. The files of artifacts themselves are not in the backup.

    Args:
        workspace: The repository.
        file: The backup, a zip archive; one of that name is replaced, once the new one is whole.

    Returns:
        How many files of artifacts it lists.

    Raises:
        StoreError: If the metadata store cannot be read, or the backup cannot be written.
    """
    with tempfile.TemporaryDirectory(dir=workspace.folder, prefix=".backup-") as folder:
        copy = Path(folder) / _DATABASE
        with workspace.metadata.reading() as database:
            if database is None:
                raise StoreError(
                    f"{workspace.metadata.place} is open in this process. Make the backup in "
                    "another one: zentfx backup."
                )
            with closing(sqlite3.connect(copy)) as target:
                database.backup(target)
        # After the metadata, so that all that it knows is listed.
        sizes = _sizes(Path(workspace.artifacts.path))
        aside = file.with_name(f".{file.name}-{os.getpid()}")
        try:
            with zipfile.ZipFile(aside, "x", zipfile.ZIP_DEFLATED) as archive:
                archive.write(copy, _DATABASE)
                archive.write(workspace.folder / _CONFIG, _CONFIG)
                archive.writestr(_MANIFEST, json.dumps({"zentfx": 1, "files": sizes}))
            aside.replace(file)
        except OSError as error:
            raise StoreError(f"The backup {file} cannot be written: {error}") from error
        finally:
            aside.unlink(missing_ok=True)
    return len(sizes)


def restore(root: Path, file: Path) -> Restored:
    """Puts the metadata store of a backup in place; the one that is there goes to the trash.

    Artifacts stay as they are.

    Args:
        root: The folder with, or for, ``.zentfx``.
        file: The backup.

    Returns:
        What became of it.

    Raises:
        DataNotFoundError: If there is no such backup.
        DataError: If it is damaged, or none of zentfx.
        StoreError: If a run is at work in the repository, or it cannot be written to.
    """
    folder = root.absolute() / FOLDER
    with _unpacked(file, folder) as unpacked:
        files = _listed(unpacked / _MANIFEST, file)
        _check_database(unpacked / _DATABASE, file)
        if not (folder / _CONFIG).exists():
            (unpacked / _CONFIG).replace(folder / _CONFIG)
        workspace = Workspace(root)
        with workspace.exclusive():
            if workspace.alive():
                raise StoreError(
                    f"A run is at work in {root}: {sorted(workspace.alive())[0]}. Wait for its end."
                )
            entry = _set_aside(folder)
            (unpacked / _DATABASE).replace(folder / _DATABASE)
        workspace.accept_store()
    now = _sizes(Path(workspace.artifacts.path))
    missing = sorted(name for name, size in files.items() if now.get(name) != size)
    return Restored(len(files), missing, len(now.keys() - files.keys()), entry)


@contextlib.contextmanager
def _unpacked(file: Path, folder: Path) -> Iterator[Path]:
    """Unpacks a backup beside where it will be; nothing is left of that afterwards."""
    if not file.is_file():
        raise DataNotFoundError(f"There is no backup {file}.")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".restore-") as place:
        try:
            with zipfile.ZipFile(file) as archive:
                for name in (_DATABASE, _CONFIG, _MANIFEST):
                    with archive.open(name) as source, (Path(place) / name).open("wb") as target:
                        shutil.copyfileobj(source, target)
        except (zipfile.BadZipFile, KeyError, EOFError, ValueError) as error:
            raise DataError(f"{file} is no backup of zentfx, or is damaged: {error}") from error
        yield Path(place)


def _listed(manifest: Path, file: Path) -> dict[str, int]:
    try:
        data = json.loads(manifest.read_text(encoding="utf-8"))
        return {str(name): int(size) for name, size in data["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{file}: its list of artifacts is damaged: {error}") from error


def _check_database(database: Path, file: Path) -> None:
    try:
        with closing(sqlite3.connect(database)) as connection:
            [found] = connection.execute("PRAGMA quick_check").fetchone()
    except sqlite3.Error as error:
        found = str(error)
    if found != "ok":
        raise DataError(f"{file}: its metadata store is damaged: {found}")
    for kind in ("wal", "shm"):
        database.with_name(f"{database.name}-{kind}").unlink(missing_ok=True)


def _set_aside(folder: Path) -> str:
    """Moves the metadata store to the trash, with its log, which another one must not get."""
    entry = new_entry(replaced=True)
    files = [folder / f"{_DATABASE}{suffix}" for suffix in ("", "-wal", "-shm")]
    there = [item for item in files if os.path.lexists(item)]
    for item in there:
        Trash(folder).put(entry, item)
    return entry if there else ""


def _sizes(store: Path) -> dict[str, int]:
    """Size by name of each file in an artifact store."""
    sizes = {}
    for place, folders, names in os.walk(store):
        if Path(place) == store and TRASH in folders:
            folders.remove(TRASH)
        for name in names:
            path = Path(place, name)
            with contextlib.suppress(FileNotFoundError):  # of a run that goes on
                sizes[str(path.relative_to(store))] = path.lstat().st_size
    sizes.pop("store.json", None)
    return sizes
