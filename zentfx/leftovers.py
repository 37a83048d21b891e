"""What killed processes left behind: runs without an end, and files that belong to nothing."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from zentfx.stores.files import is_aside
from zentfx.stores.metadata import NEW_STORE
from zentfx.stores.trash import TRASH, new_entry
from zentfx.workspace import FOLDER, Workspace

__all__ = ["Leftover", "leftovers", "remove"]

# Files that are written aside are moved into place at once; an older one was left.
_ASIDE = 3600.0  # seconds


@dataclass(frozen=True)
class Leftover:
    """Something that a process left behind.

    Attributes:
        what: What it is, for people.
        path: The file or folder.
        size: Bytes in it.
        run_id: The run that it is of; empty where it is of none.
        removable: Whether it is to be removed. If not, it is a run without an end, whose end is
            recorded instead.
    """

    what: str
    path: Path
    size: int
    run_id: str = ""
    removable: bool = True


def leftovers(workspace: Workspace) -> list[Leftover]:
    """Lists what was left behind. Nothing of a run that is alive, here or elsewhere, is listed.

    Args:
        workspace: The repository.

    Returns:
        Runs whose process is gone, then outputs that were never published, logs of runs that were
        never recorded, and temporary files.
    """
    # The files first: of a run that begins meanwhile nothing is among them.
    store = Path(workspace.artifacts.path)
    outputs, logs = _folders(store / "runs"), _folders(workspace.logs)
    registered = _folders(store / "registered")
    aside = list(_aside(workspace.folder))
    dead = workspace.dead()
    # A run that just begins holds its lock before it is recorded.
    alive = workspace.alive()
    known = {run.id: run for run in workspace.runs()}
    alive |= {run.id for run in known.values() if run.status == "running"}
    published = _published(workspace, store)
    found = [
        Leftover(
            "a run whose process is gone, not recorded as crashed yet",
            workspace.folder / "running" / run_id,
            0,
            run_id,
            removable=False,
        )
        for run_id in dead
        if run_id not in alive  # on another machine, whose locks cannot be seen
    ]
    for folder in [*outputs, *registered]:
        if folder.name not in alive:
            what = "an output" if folder in outputs else "a copy"
            found += [
                Leftover(f"{what} that was never published", path, _size(path), folder.name)
                for path in _unclaimed(folder, published)
            ]
    found += [
        Leftover("logs of a run that was never recorded", folder, _size(folder), folder.name)
        for folder in logs
        if folder.name not in known and folder.name not in alive
    ]
    found += [Leftover("a file that was never finished", path, _size(path)) for path in aside]
    return found


def _published(workspace: Workspace, store: Path) -> set[Path]:
    """Where the artifacts that were published are now.

    They are recorded with the path by which the repository was reached when they were written: a
    link, a mount or another folder may lead to it today. What is not in this set may be deleted, so
    it does not depend on what is found here today, as the uris of records do.
    """
    below = f"/{FOLDER}/artifacts/"
    return {
        store / record.uri.rpartition(below)[2]
        for record in workspace.reader.all_artifacts()
        if below in record.uri
    }


def remove(workspace: Workspace, found: list[Leftover]) -> list[str]:
    """Moves leftovers into the trash, and records crashes.

    Args:
        workspace: The repository.
        found: What :func:`leftovers` listed.

    Returns:
        What could not be removed, and why.
    """
    workspace.record_crashes()
    alive = workspace.alive()
    entry = new_entry()
    problems = []
    for item in found:
        if not item.removable or item.run_id in alive:
            continue
        trash = next(one for one in workspace.trashes if item.path.is_relative_to(one.root))
        try:
            trash.put(entry, item.path)
        except FileNotFoundError:
            continue  # it is gone, or was moved into place
        except OSError as error:
            problems.append(f"{item.path} cannot be removed: {error}")
    return problems


def _folders(folder: Path) -> list[Path]:
    """The folders in a folder; links are none: what they lead to is not the repository's."""
    if not folder.is_dir():
        return []
    return sorted(item for item in folder.iterdir() if item.is_dir() and not item.is_symlink())


def _unclaimed(folder: Path, claimed: set[Path]) -> Iterator[Path]:
    """The topmost files and folders below one that hold nothing published.

    Folders without any file are passed over: TFX leaves such. A link counts as a file, and is not
    followed: on the way to something published, somebody has moved it elsewhere.
    """
    above = {parent for path in claimed if path.is_relative_to(folder) for parent in path.parents}
    waiting = [folder]
    while waiting:
        item = waiting.pop()
        if item in claimed or (item in above and item.is_symlink()):
            continue
        if item in above:
            waiting += sorted(item.iterdir(), reverse=True)
        elif not _is_folder(item) or any(names for _, _, names in os.walk(item)):
            yield item


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _aside(folder: Path) -> Iterator[Path]:
    """Files and folders that ``write_whole`` and the making of a store leave when killed."""
    young = time.time() - _ASIDE
    for place in [folder, folder / "memos", *_folders(folder / "artifacts")]:
        if not _is_folder(place) or place.name in ("runs", TRASH):
            continue
        for item in place.iterdir():
            if is_aside(item.name) or item.name.startswith(NEW_STORE):
                with contextlib.suppress(FileNotFoundError):  # moved into place just now
                    if item.lstat().st_mtime < young:
                        yield item


def _size(path: Path) -> int:
    if not _is_folder(path):
        return path.lstat().st_size
    return sum(
        os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118 - for speed
        for place, _, names in os.walk(path)
        for name in names
    )
