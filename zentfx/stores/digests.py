"""Digests of files and folders, by content."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from zentfx.errors import DataNotFoundError
from zentfx.stores.memos import Memos

__all__ = ["digest_of"]

_CHUNK = 1 << 20
_NO_DATA = frozenset({".zentfx", ".git", ".DS_Store"})


def digest_of(path: Path, files: Sequence[Path] | None = None, memos: Memos | None = None) -> str:
    """Computes the digest of a file, or of files in a folder.

    A folder's digest covers the relative names and contents of all files below it (links are
    followed), but for what tools leave there: ``.zentfx``, ``.git``, ``.DS_Store``. It covers
    neither the folder's own name nor times.

    Args:
        path: The file or folder, or a pattern that stands for ``files``.
        files: The files that count where the path is no file: their contents, in this order, and
            not their names.
        memos: Digests of files that were read before; None to read all.

    Returns:
        ``sha256:`` and the hex digest.

    Raises:
        DataNotFoundError: If there is nothing at the path.
        OSError: If something cannot be read.
    """
    if files is not None and not path.is_file():
        total = hashlib.sha256()
        for file in files:
            total.update(_file_digest(file, memos))
        return f"sha256:{total.hexdigest()}"
    if path.is_dir():
        total = hashlib.sha256()
        # By the names' bytes, as the system spells them.
        found = {os.fsencode(item.relative_to(path)): item for item in _files_below(path)}
        for name, file in sorted(found.items()):
            total.update(name + b"\0")
            total.update(_file_digest(file, memos))
        return f"sha256:{total.hexdigest()}"
    if not path.exists():
        raise DataNotFoundError(f"There is no file or folder {path}.")
    return f"sha256:{_file_digest(path, memos).hex()}"


def _files_below(folder: Path, above: frozenset[Path] = frozenset()) -> Iterator[Path]:
    real = folder.resolve()
    if real in above:  # a link that leads back up
        return
    for item in folder.iterdir():
        if item.name in _NO_DATA:
            continue
        if item.is_dir():
            yield from _files_below(item, above | {real})
        elif item.is_file():
            yield item


def _file_digest(path: Path, memos: Memos | None) -> bytes:
    if memos is not None:
        return bytes.fromhex(memos.of_file("sha256", path, lambda: _read_digest(path).hex()))
    return _read_digest(path)


def _read_digest(path: Path) -> bytes:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.digest()
