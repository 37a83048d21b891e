"""Moves and removes files below a folder, and never what a symbolic link leads to.

Names can be exchanged for links between a look and an act; open folders cannot. So each folder on
the way is opened in the one above, links refused, and the last step acts on a name in it.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import PurePath

__all__ = ["move_below", "remove_below"]

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


def remove_below(root: str | os.PathLike[str], name: PurePath) -> None:
    """Removes a file, link or folder with all that is in it; of a link, the link.

    Args:
        root: A folder, perhaps a link to one.
        name: What to remove, relative to it.

    Raises:
        OSError: If it cannot be removed, or a folder on the way is a link (``NotADirectoryError``).
    """
    with _parent(root, name) as folder:
        _remove(name.name, folder)


def move_below(root: str | os.PathLike[str], source: PurePath, target: PurePath) -> None:
    """Moves a file, link or folder within a folder; what is needed on the way is made.

    Args:
        root: A folder, perhaps a link to one.
        source: What to move, relative to it.
        target: Where to, relative to it.

    Raises:
        FileExistsError: If there is something at the target.
        OSError: If it cannot be moved, or a folder on the way is a link (``NotADirectoryError``).
    """
    with _parent(root, source) as old, _parent(root, target, make=True) as new:
        with contextlib.suppress(FileNotFoundError):
            os.lstat(target.name, dir_fd=new)
            raise FileExistsError(f"There is something at {PurePath(root, target)} already.")
        os.rename(source.name, target.name, src_dir_fd=old, dst_dir_fd=new)


@contextlib.contextmanager
def _parent(root: str | os.PathLike[str], name: PurePath, make: bool = False) -> Iterator[int]:
    """Opens the folder that a name is in, below another."""
    if name.is_absolute() or not name.name or ".." in name.parts:
        raise ValueError(f"expected a path below {root}, got {name}")
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in name.parts[:-1]:
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, dir_fd=handle)
            below = os.open(part, _FOLDER, dir_fd=handle)
            os.close(handle)
            handle = below
        yield handle
    finally:
        os.close(handle)


def _remove(name: str, parent: int) -> None:
    if not stat.S_ISDIR(os.lstat(name, dir_fd=parent).st_mode):
        os.unlink(name, dir_fd=parent)
        return
    folder = os.open(name, _FOLDER, dir_fd=parent)
    try:
        for item in os.listdir(folder):
            _remove(item, folder)
    finally:
        os.close(folder)
    os.rmdir(name, dir_fd=parent)
