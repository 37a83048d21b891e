"""Materializers of scripts and notebooks, kept with what they have saved.

No other process can import them. So the value lies in a folder of its own, and beside it, pickled,
the materializer and the value's class.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zentfx.errors import DataError
from zentfx.materializers.base import BaseMaterializer
from zentfx.materializers.pickled import has_pickle, load_pickle, save_pickle
from zentfx.warn import warn

__all__ = ["is_kept", "kept_with", "save_kept", "value_in"]

_VALUE = "value"


def is_kept(name: str) -> bool:
    """Whether values of a materializer have it with them.

    Args:
        name: Its dotted name.

    Returns:
        Whether no other process can import a class of this name.
    """
    return name.startswith("__main__.") or "<locals>" in name


def save_kept(materializer: BaseMaterializer, value: Any, folder: Path) -> None:
    """Saves a value, and its materializer; warns if that cannot be pickled.

    Args:
        materializer: The materializer.
        value: The value.
        folder: An empty folder.
    """
    value_in(folder).mkdir()
    materializer.save(value, value_in(folder))
    kind = type(materializer)
    try:
        save_pickle((kind, type(value)), folder)
    except DataError as error:
        warn(
            f"{kind.__qualname__} is defined in a script or notebook and cannot be kept with what "
            "it saves, so only processes that define it again can load that. Define it in a "
            f"module. {error.__cause__}"
        )


def value_in(folder: Path) -> Path:
    """The folder in it that a materializer which is kept has written to."""
    return folder / _VALUE


def kept_with(folder: Path) -> tuple[type[BaseMaterializer], type] | None:
    """What was kept with a value.

    Args:
        folder: Where it was saved.

    Returns:
        The materializer and the value's class; None if they could not be pickled.

    Raises:
        DataError: If they cannot be loaded here.
    """
    if not has_pickle(folder):
        return None
    found: tuple[type[BaseMaterializer], type] = load_pickle(folder)
    return found
