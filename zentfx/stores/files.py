"""Files that are there whole or not at all."""

from __future__ import annotations

import uuid
from pathlib import Path

__all__ = ["write_whole"]


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
