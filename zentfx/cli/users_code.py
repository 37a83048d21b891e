"""Code of users, which the command line imports as a script of theirs would."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

__all__ = ["users_code"]


@contextlib.contextmanager
def users_code(*folders: Path, silent: bool) -> Iterator[None]:
    """Within it, modules are found in some folders first; that stays so.

    Args:
        *folders: The folders; they are put in front of ``sys.path``.
        silent: Whether what is printed goes to stderr: stdout is for the command alone.
    """
    names = [str(folder.absolute()) for folder in folders]
    sys.path[:0] = [name for name in dict.fromkeys(names) if name not in sys.path]
    with contextlib.redirect_stdout(sys.stderr) if silent else contextlib.nullcontext():
        yield
