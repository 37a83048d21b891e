"""Files that are there whole or not at all."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

__all__ = ["is_aside", "write_whole"]

_ASIDE = re.compile(r"\..+-[0-9a-f]{32}")


def write_whole(target: Path, text: str) -> None:
    """Writes a text file aside and moves it into place: nobody ever sees a half of it.

    Args:
        target: The file; one of that name is replaced.
        text: Its content.

    Raises:
        OSError: If it cannot be written; then an earlier file of that name is as it was.
    """
    if not target.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {target.parent}.")
    aside = target.with_name(f".{target.name}-{uuid.uuid4().hex}")
    try:
        aside.write_text(text, encoding="utf-8")
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)


def is_aside(name: str) -> bool:
    """Says whether a file is one that :func:`write_whole` writes before it moves it into place.

    Args:
        name: The file's name.

    Returns:
        Whether it is.
    """
    return bool(_ASIDE.fullmatch(name))
