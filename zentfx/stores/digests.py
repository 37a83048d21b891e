"""Digests of files and folders, by content."""

from __future__ import annotations

import hashlib
from pathlib import Path

from zentfx.errors import DataNotFoundError

__all__ = ["digest_of"]

_CHUNK = 1 << 20


def digest_of(path: Path) -> str:
    """Computes the digest of a file, or of all files below a folder.

    A folder's digest covers the relative names and contents of its files, and nothing else: neither
    its own name nor times.

    Args:
        path: The file or folder.

    Returns:
        ``sha256:`` and the hex digest.

    Raises:
        DataNotFoundError: If there is nothing at the path.
    """
    if path.is_dir():
        total = hashlib.sha256()
        for item in sorted(path.rglob("*")):
            if item.is_file():
                total.update(item.relative_to(path).as_posix().encode() + b"\0")
                total.update(_file_digest(item))
        return f"sha256:{total.hexdigest()}"
    if not path.exists():
        raise DataNotFoundError(f"There is no file or folder {path}.")
    return f"sha256:{_file_digest(path).hex()}"


def _file_digest(path: Path) -> bytes:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.digest()
