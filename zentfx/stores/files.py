"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import re
import uuid
from pathlib import Path

__all__ = ["flush_to_disk", "is_aside", "is_gone", "size_of_files", "write_whole"]

_ASIDE = re.compile(r"\..+-[0-9a-f]{32}")


def write_whole(target: Path, text: str, durable: bool = False) -> None:
    """Writes a text file aside and moves it into place: nobody ever sees a half of it.

    Args:
        target: The file; one of that name is replaced.
        text: Its content.
        durable: Whether it is on the disk when this returns, and survives a power cut.

    Raises:
        OSError: If it cannot be written; then an earlier file of that name is as it was.
    """
    if not target.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {target.parent}.")
    aside = target.with_name(f".{target.name}-{uuid.uuid4().hex}")
    try:
        aside.write_text(text, encoding="utf-8")
        if durable:
            _flush(aside)
        aside.replace(target)
        if durable:
            _flush(target.parent)
    finally:
        aside.unlink(missing_ok=True)


def flush_to_disk(place: Path, root: Path) -> None:
    """Waits until a file, or all of a folder, is on the disk, and so are the names on the way.

    Args:
        place: The file or folder. What links in it lead to is not looked at.
        root: A folder above, which was there before.

    Raises:
        OSError: If the disk refuses.
    """
    if place.is_dir():
        for below, _, names in os.walk(place, topdown=False):
            for name in names:
                path = Path(below, name)
                if path.is_file() and not path.is_symlink():
                    _flush(path)
            _flush(Path(below))
    else:
        _flush(place)
    for above in place.parents:
        if above.is_relative_to(root):
            _flush(above)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_aside(name: str) -> bool:
    """Says whether a file is one that :func:`write_whole` writes before it moves it into place.

    Args:
        name: The file's name.

    Returns:
        Whether it is.
    """
    return bool(_ASIDE.fullmatch(name))


def size_of_files(uri: str) -> int | None:
    """Bytes in a file, or in the files below a folder.

    Args:
        uri: Where it is.

    Returns:
        The bytes; None if it is not there, or not on this machine's file system.
    """
    place = uri.removeprefix("file://")
    if not place or "://" in place:
        return None
    try:
        path = Path(place)
        if not path.is_dir():
            return path.stat().st_size
        sizes = 0
        for folder, _, names in os.walk(path):
            # Of a link the link: what it leads to may be gone, or counted elsewhere.
            sizes += sum(Path(folder, name).lstat().st_size for name in names)
    except (OSError, ValueError):
        return None  # it is gone, or going; or it is no path at all
    return sizes


def is_gone(uri: str) -> bool:
    """Whether an artifact's files are known not to be there; of other machines nothing is known.

    Args:
        uri: Where they are.

    Returns:
        True if there is neither file nor folder.
    """
    path = uri.removeprefix("file://")
    try:
        return bool(path) and "://" not in path and not Path(path).exists()
    except (OSError, ValueError):
        return True  # no path at all
