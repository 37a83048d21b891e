"""Materializers of bytes, files and folders."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from zentfx.errors import DataNotFoundError
from zentfx.materializers.base import BaseMaterializer

__all__ = [
    "BytesMaterializer",
    "FilesMaterializer",
    "PathMaterializer",
    "copied",
    "copy_of",
]


class BytesMaterializer(BaseMaterializer):
    """Bytes: a file of them."""

    handles = (bytes, bytearray)

    def save(self, value: Any, folder: Path) -> None:
        """See the base class."""
        (folder / "data.bin").write_bytes(value)

    def load(self, folder: Path, type: type[Any] | None) -> Any:
        """See the base class."""
        data = (folder / "data.bin").read_bytes()
        return bytearray(data) if type is bytearray else data


class PathMaterializer(BaseMaterializer):
    """A file or folder, by copy; loads as the path of another copy, in a temporary place."""

    handles = (Path,)

    def save(self, value: Any, folder: Path) -> None:
        """See the base class."""
        if not value.exists():
            raise DataNotFoundError(f"A step returned a path to nothing: {value}.")
        # The name tells people what it is; of a path such as ".." there is none.
        place = folder / "content" / (value.resolve().name or "files")
        place.parent.mkdir()
        copy_of(value, place)

    def load(self, folder: Path, type: type[Any] | None) -> Any:
        """See the base class."""
        [item] = (folder / "content").iterdir()
        return copied(item)


class FilesMaterializer(BaseMaterializer):
    """A file or folder that was registered where it is; loads as the path of a copy."""

    def load(self, folder: Path, type: type[Any] | None) -> Any:
        """See the base class."""
        return copied(folder)


def copied(item: Path) -> Path:
    """Copies a file or folder to a temporary place, which goes when the process ends.

    Args:
        item: The file or folder.

    Returns:
        The copy; it has the same name.
    """
    place = Path(tempfile.mkdtemp(dir=_temporary())) / item.name
    copy_of(item, place)
    return place


def copy_of(item: Path, place: Path) -> None:
    """Copies a file or a folder.

    Args:
        item: What to copy.
        place: What the copy is called.
    """
    if item.is_dir():
        shutil.copytree(item, place)
    else:
        shutil.copy2(item, place)


@cache
def _temporary() -> str:
    folder = tempfile.mkdtemp(prefix="zentfx-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
