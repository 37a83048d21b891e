"""Memos: what was worked out once and need not be again. Losing them costs time, nothing else."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path

from zentfx.stores.files import write_whole

__all__ = ["Memos"]

# A file that is younger may be written to again within one tick of the file system's clock, which
# its times would not show: a second on the coarsest.
_SETTLED = 2.0  # seconds


class Memos:
    """Texts by what they are about, each with what it depends on.

    Args:
        folder: Where they are kept; made when there is something to keep.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, about: str, depends_on: str, work_out: Callable[[], str]) -> str:
        """Looks a text up; works it out and keeps it, if it is not there.

        Args:
            about: What it is about. One text is kept for it.
            depends_on: What must be as it was then.
            work_out: Makes the text.

        Returns:
            The text.
        """
        note = self._folder / f"{hashlib.sha256(about.encode()).hexdigest()}.json"
        # Damaged, or of another user: as good as none.
        with contextlib.suppress(OSError, ValueError, TypeError):
            then, known = json.loads(note.read_text(encoding="utf-8"))
            if then == depends_on and isinstance(known, str):
                return known
        text = work_out()
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(note, json.dumps([depends_on, text]))
        return text

    def of_file(self, about: str, file: Path, work_out: Callable[[], str]) -> str:
        """The same for a text that depends on a file's content.

        Args:
            about: What the text is, in one word.
            file: The file. Its device, inode, size and times tell whether it is as it was.
            work_out: Makes the text.

        Returns:
            The text.

        Raises:
            OSError: If there is no such file.
        """
        now = file.stat()
        if time.time() - max(now.st_mtime, now.st_ctime) < _SETTLED:
            return work_out()
        state = [now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns]
        return self.of(f"{about} of {file.absolute()}", json.dumps(state), work_out)
