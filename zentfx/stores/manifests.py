"""Manifests: which files an artifact had when it was published.

TFX looks at an artifact's folder alone before it reuses it; a file that somebody deleted inside
would go unnoticed.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

__all__ = ["manifest_name", "manifest_of", "missing_files"]


def manifest_of(folder: Path) -> str:
    """Lists the files below a folder.

    Args:
        folder: The artifact's folder.

    Returns:
        JSON: size in bytes by path relative to the folder.
    """
    # Of an artifact that is one file (TFX has such), the file itself is listed, as ".".
    files = [folder] if folder.is_file() else folder.rglob("*")
    sizes = {
        file.relative_to(folder).as_posix(): file.stat().st_size for file in files if file.is_file()
    }
    return json.dumps(sizes, sort_keys=True)


def manifest_name(manifest: str) -> str:
    """Names a manifest.

    Args:
        manifest: Its text.

    Returns:
        Hex SHA-256 of the text.
    """
    return hashlib.sha256(manifest.encode()).hexdigest()


def missing_files(folder: Path, manifest: str) -> list[str]:
    """Holds a folder against its manifest.

    Args:
        folder: The artifact's folder.
        manifest: What :func:`manifest_of` said when it was published.

    Returns:
        Relative paths of files that are gone or have another size; files that came later do not
        count.
    """
    return [
        name
        for name, size in json.loads(manifest).items()
        if not (folder / name).is_file() or (folder / name).stat().st_size != size
    ]
