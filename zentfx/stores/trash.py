"""Where what is cleaned away is kept for a while."""

from __future__ import annotations

import os
import re
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path, PurePath

from zentfx.errors import NotFoundError, StoreError, near_matches
from zentfx.stores.below import move_below, remove_below

__all__ = ["TRASH", "Trash", "TrashEntry", "new_entry"]

TRASH = "trash"
_NAME = re.compile(r"(\d{8}-\d{6})-[0-9a-f]{8}(-replaced)?")


@dataclass(frozen=True)
class TrashEntry:
    """What was cleaned away at once.

    Attributes:
        name: Its name, which begins with the time.
        removed: When that was.
        replaced: Whether something else was put in its place, so that it is not to be brought back.
    """

    name: str
    removed: datetime
    replaced: bool


def new_entry(replaced: bool = False) -> str:
    """Makes a name for what is cleaned away now, perhaps in several folders."""
    name = f"{datetime.now(timezone.utc):%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:8]}"
    return f"{name}-replaced" if replaced else name


class Trash:
    """The trash of one folder: ``<folder>/trash/<entry>/<path below the folder>``.

    It is in the folder, so that putting something there is a move, and no copy.

    Args:
        root: The folder.

    Attributes:
        root: That folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, entry: str, path: Path) -> None:
        """Moves something into the trash.

        Args:
            entry: Name of the entry.
            path: What to move: a file, link or folder below the folder.

        Raises:
            OSError: If it cannot be moved, or is not really below the folder.
        """
        name = path.relative_to(self.root)
        move_below(self.root, name, PurePath(TRASH, entry, name))

    def entries(self) -> list[TrashEntry]:
        """Lists the entries, oldest first."""
        folder = self.root / TRASH
        found = []
        for item in folder.iterdir() if folder.is_dir() else ():
            match = _NAME.fullmatch(item.name)
            if match and item.is_dir() and not item.is_symlink():
                when = datetime.strptime(match[1], "%Y%m%d-%H%M%S").replace(tzinfo=timezone.utc)
                found.append(TrashEntry(item.name, when, match[2] is not None))
        return sorted(found, key=lambda entry: entry.name)

    def restore(self, entry: str) -> list[Path]:
        """Moves what is in an entry back to where it was.

        Args:
            entry: Its name.

        Returns:
            What was restored.

        Raises:
            NotFoundError: If there is no such entry.
            StoreError: If there is something in the place of a part now; nothing is moved then.
        """
        known = [item.name for item in self.entries()]
        if entry not in known:
            raise NotFoundError(
                f"There is no {entry!r} in the trash of {self.root}.{near_matches(entry, known)}"
            )
        place = self.root / TRASH / entry
        names = [item.relative_to(place) for item in _topmost(place, self.root)]
        for name in names:
            if os.path.lexists(self.root / name):
                raise StoreError(
                    f"{self.root / name} is there again, and stays as it is. What was removed is "
                    f"still in {place}."
                )
        for name in names:
            move_below(self.root, PurePath(TRASH, entry, name), name)
        self._remove(entry)
        return [self.root / name for name in names]

    def empty(self, older_than: float = 0.0) -> int:
        """Removes entries for good.

        Args:
            older_than: Seconds since they were cleaned away.

        Returns:
            How many entries.

        Raises:
            OSError: If something cannot be removed.
        """
        end = time.time() - older_than
        old = [entry for entry in self.entries() if entry.removed.timestamp() <= end]
        for entry in old:
            self._remove(entry.name)
        return len(old)

    def _remove(self, entry: str) -> None:
        remove_below(self.root, PurePath(TRASH, entry))


def _topmost(place: Path, root: Path) -> list[Path]:
    """What was put into an entry: the topmost files and folders that are not in the folder now."""
    found = []
    waiting = [place]
    while waiting:
        folder = waiting.pop()
        for item in sorted(folder.iterdir()):
            there = root / item.relative_to(place)
            if (
                item.is_dir()
                and not item.is_symlink()
                and there.is_dir()
                and not there.is_symlink()
            ):
                waiting.append(item)
            else:
                found.append(item)
    return found
