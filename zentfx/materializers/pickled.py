"""Values by cloudpickle: those that have no file format of their own."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

from zentfx.errors import DataError
from zentfx.materializers.base import BaseMaterializer, dotted_name
from zentfx.warn import warn

__all__ = ["PickleMaterializer", "has_pickle", "load_pickle", "save_pickle", "warn_of"]

_FILE = "value.pkl"
_warned: set[str] = set()


class PickleMaterializer(BaseMaterializer):
    """Any value, by cloudpickle; says once for each type what would be better."""

    def save(self, value: Any, folder: Path) -> None:
        """See the base class."""
        warn_of(type(value))
        save_pickle(value, folder)

    def load(self, folder: Path, type: type[Any] | None) -> Any:
        """See the base class."""
        return load_pickle(folder)


def warn_of(kind: type) -> None:
    """Says, once, that values of a type are pickled because nothing else is known for them.

    Args:
        kind: The type.
    """
    name = dotted_name(kind)
    if name not in _warned:
        _warned.add(name)
        warn(
            f"There is no materializer for {name}: it is pickled, and may not load with other "
            "versions of Python or of its package. Define one: class "
            f"{kind.__name__}Materializer(BaseMaterializer): handles = ({kind.__name__},), "
            "with save(value, folder) and load(folder, type).",
        )


def save_pickle(value: Any, folder: Path) -> None:
    """Pickles a value.

    Args:
        value: The value.
        folder: Where to write it.

    Raises:
        DataError: If it cannot be pickled.
    """
    import cloudpickle  # here, because a run that reuses everything pickles nothing

    try:
        with (folder / _FILE).open("wb") as file:
            cloudpickle.dump(value, file, protocol=5)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise DataError(
            f"A {dotted_name(type(value))} cannot be pickled, and there is no materializer for it: "
            f"{error}. Return what it is made of, or define a BaseMaterializer."
        ) from error


def load_pickle(folder: Path) -> Any:
    """Loads what :func:`save_pickle` wrote.

    Args:
        folder: Where it is.

    Returns:
        The value.

    Raises:
        DataError: If what it is made of cannot be found.
    """
    try:
        with (folder / _FILE).open("rb") as file:
            return pickle.load(file)
    except (AttributeError, ImportError) as error:
        raise DataError(
            f"A pickled value cannot be loaded here: {error}. Its class must be in a module that "
            "Python can import."
        ) from error


def has_pickle(folder: Path) -> bool:
    """Whether :func:`save_pickle` wrote to a folder."""
    return (folder / _FILE).exists()
