"""Warnings, at the line of the user's that they are about.

Standard library only.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from zentfx.errors import ZenTFXWarning

__all__ = ["warn"]

_OURS = f"{Path(__file__).parent}{os.sep}"
_PATHS = {*map(sysconfig.get_path, ("stdlib", "purelib", "platlib"))}
_OTHERS = ("<frozen", *(f"{path}{os.sep}" for path in _PATHS))


def warn(message: str) -> None:
    """Warns, at the innermost line of the user's code that led here.

    Where there is none, as in a command line, it is the innermost line outside of zentfx.

    Args:
        message: What is perhaps not as the user means it.
    """
    callers = list(_callers(sys._getframe(1)))
    outside = [frame for frame in callers if not _file(frame).startswith(_OURS)]
    users = [frame for frame in outside if not _file(frame).startswith(_OTHERS)]
    frame = (users or outside or callers)[0]
    # Not by a stacklevel: Python counts some frames and others not.
    warnings.warn_explicit(
        message,
        ZenTFXWarning,
        _file(frame),
        frame.f_lineno,
        module=frame.f_globals.get("__name__"),
        registry=frame.f_globals.setdefault("__warningregistry__", {}),
    )


def _callers(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _file(frame: FrameType) -> str:
    return frame.f_code.co_filename
