"""Values by cloudpickle: those that have no file format of their own."""

from __future__ import annotations

import contextlib
import hashlib
import io
import pickle
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

from zentfx.errors import DataError
from zentfx.materializers.base import BaseMaterializer, dotted_name
from zentfx.source_code.identity import contents_of
from zentfx.warn import warn

__all__ = [
    "PickleMaterializer",
    "has_pickle",
    "load_pickle",
    "modules_pickled",
    "note_pickled",
    "save_pickle",
    "warn_of",
]

_FILE = "value.pkl"
_warned: set[str] = set()
_noted: ContextVar[set[str] | None] = ContextVar("zentfx_modules_pickled", default=None)


class PickleMaterializer(BaseMaterializer):
    """Any value, by cloudpickle; says once for each type what would be better."""

    def save(self, value: Any, folder: Path) -> None:
        """See the base class."""
        save_pickle(value, folder)
        warn_of(type(value))  # now that it has been

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


@contextlib.contextmanager
def modules_pickled() -> Iterator[set[str]]:
    """Within it, what is pickled is noted, by the modules that its classes and functions are of.

    Yields:
        The modules' names; empty while nothing was pickled.
    """
    noted = _noted.get()
    if noted is not None:  # a part of a value
        yield noted
        return
    noted = set()
    token = _noted.set(noted)
    try:
        yield noted
    finally:
        _noted.reset(token)


def note_pickled(*modules: str) -> None:
    """Notes that something was pickled, by whatever pickler.

    Args:
        *modules: Modules whose classes and functions are in it.
    """
    noted = _noted.get()
    if noted is not None:
        noted.update(modules, ("builtins",))


def save_pickle(value: Any, folder: Path) -> None:
    """Pickles a value.

    Args:
        value: The value.
        folder: Where to write it.

    Raises:
        DataError: If it cannot be pickled.
    """
    try:
        with (folder / _FILE).open("wb") as file:
            pickler = _pickler()(file, protocol=5)
            pickler.dump(value)
    except OSError:
        raise
    except Exception as error:  # whatever a class of the user's raises
        (folder / _FILE).unlink(missing_ok=True)
        raise DataError(
            f"A {dotted_name(type(value))} cannot be pickled, and there is no materializer for it: "
            f"{error}. Return what it is made of, or define a BaseMaterializer."
        ) from error
    note_pickled(*pickler.modules)


@cache
def _pickler() -> Any:
    # Late, because a run that reuses everything pickles nothing.
    import cloudpickle

    class NotingPickler(cloudpickle.Pickler):  # type: ignore[misc] # it has no types
        """Notes which modules are needed to load what it pickles."""

        def __init__(self, file: io.BufferedWriter, protocol: int) -> None:
            super().__init__(file, protocol=protocol)
            self.modules: set[str] = set()

        def reducer_override(self, thing: Any) -> Any:
            """Called by pickle for all but plain data."""
            owner = thing if isinstance(thing, (type, FunctionType)) else type(thing)
            self.modules.add(str(owner.__module__))
            if isinstance(thing, type) and thing.__module__ == "__main__":
                digest = _digest_of(thing)
                return _class_of_main, (thing.__qualname__, digest, cloudpickle.dumps(thing))
            return super().reducer_override(thing)

    return NotingPickler


# Pickles name this function: it keeps its name and arguments.
def _class_of_main(qualname: str, digest: str, by_value: bytes) -> Any:
    """A class of a script or notebook: the one that is there now if it is the same, else by value.

    So what a notebook has saved is of the notebook's own classes when its cells have run again.
    """
    from cloudpickle import cloudpickle

    found: Any = sys.modules.get("__main__")
    for name in qualname.split("."):
        found = getattr(found, name, None)
    # In a worker process they are those that it was sent.
    sent = getattr(cloudpickle, "_DYNAMIC_CLASS_TRACKER_BY_CLASS", {})
    for cls in (found, *sent):
        if isinstance(cls, type) and cls.__qualname__ == qualname and _digest_of(cls) == digest:
            return cls
    return pickle.loads(by_value)


def _digest_of(cls: type) -> str:
    texts = [*(dotted_name(base) for base in cls.__bases__), *contents_of(cls)]
    return hashlib.sha256("\n".join(texts).encode("utf-8", "surrogatepass")).hexdigest()


def load_pickle(folder: Path) -> Any:
    """Loads what :func:`save_pickle` wrote.

    Args:
        folder: Where it is.

    Returns:
        The value.

    Raises:
        DataError: If it cannot be made here.
    """
    try:
        with (folder / _FILE).open("rb") as file:
            return pickle.load(file)
    except (AttributeError, ImportError) as error:
        raise DataError(
            f"A pickled value cannot be loaded here: {error}. Its class must be in a module that "
            "Python can import."
        ) from error
    except OSError:
        raise
    except Exception as error:  # made by other versions it may raise anything
        raise DataError(
            f"A pickled value cannot be loaded here: {type(error).__name__}: {error}."
        ) from error


def has_pickle(folder: Path) -> bool:
    """Whether :func:`save_pickle` wrote to a folder."""
    return (folder / _FILE).exists()
