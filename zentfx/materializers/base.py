"""Materializers: how Python values become the files of an artifact, and values again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from zentfx.errors import StepDefinitionError
from zentfx.source_code.user_sources import note_loaded

__all__ = [
    "ARTIFACT_TYPES",
    "BaseMaterializer",
    "brought_along",
    "dotted_name",
    "of_scripts",
    "register",
    "registered",
]

# What an artifact can be. MLMD has base types of these names, but for plain data.
ARTIFACT_TYPES = ("Data", "Dataset", "Model", "Statistics", "Metrics")

# By what they handle, a class or its dotted name; the latest comes first.
_registered: dict[str, list[type[BaseMaterializer]]] = {}
# While those of packages are loaded: they come last, whenever that is.
_loading: list[bool] = []


class BaseMaterializer:
    """Saves values of some types in a folder, and loads them again.

    A subclass is known as soon as it is defined, and is used for every value of the types that it
    handles, and of their subclasses that nobody handles::

        class ImageMaterializer(BaseMaterializer):
            handles = (Image.Image,)

            def save(self, value, folder):
                value.save(folder / "image.png")

            def load(self, folder, type):
                return Image.open(folder / "image.png")

    One that comes with an installed package is named in its entry points, in the group
    ``zentfx.materializers``. zentfx makes an instance without arguments for each value.

    Attributes:
        handles: The types: classes, or their dotted names (``"PIL.Image.Image"``), so that the
            package need not be imported.
        artifact_type: What their values are: ``Data``, ``Dataset``, ``Model``, ``Statistics`` or
            ``Metrics``. A step that returns a model counts as one that trains.
    """

    handles: ClassVar[tuple[type | str, ...]] = ()
    artifact_type: ClassVar[str] = "Data"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not cls.__module__.startswith("zentfx."):
            note_loaded()
        if cls.artifact_type not in ARTIFACT_TYPES:
            raise StepDefinitionError(
                f"{cls.__qualname__}: artifact_type must be one of {', '.join(ARTIFACT_TYPES)}; "
                f"{cls.artifact_type!r} came."
            )
        handles: Any = cls.handles
        if not isinstance(handles, tuple) or not all(
            isinstance(item, (type, str)) for item in handles
        ):
            raise StepDefinitionError(
                f"{cls.__qualname__}: handles must be a tuple of classes or of their dotted names, "
                f"as (np.ndarray,); {handles!r} came."
            )
        for name in ("save", "load"):
            if handles and getattr(cls, name) is getattr(BaseMaterializer, name):
                raise StepDefinitionError(f"{cls.__qualname__} has no {name}(): define both.")
        register(cls)

    def save(self, value: Any, folder: Path) -> None:
        """Writes a value.

        Args:
            value: The value.
            folder: An empty folder.
        """
        raise NotImplementedError(f"{type(self).__name__} has no save(value, folder).")

    def load(self, folder: Path, type: type[Any] | None) -> Any:
        """Reads a value.

        Args:
            folder: The folder that :meth:`save` wrote to.
            type: The value's type; None where it cannot be imported.

        Returns:
            The value.
        """
        raise NotImplementedError(f"{self.__class__.__name__} has no load(folder, type).")

    def extract_metadata(self, value: Any) -> Mapping[str, str | int | float]:
        """Says what to record of a value, for people to look it up.

        Args:
            value: The value.

        Returns:
            By default nothing.
        """
        return {}


def register(cls: type[BaseMaterializer]) -> None:
    """Makes a materializer known; done when it is defined.

    Args:
        cls: The materializer.
    """
    for item in cls.handles:
        name = dotted_name(item) if isinstance(item, type) else item
        known = _registered.setdefault(name, [])
        known.insert(len(known) if _loading else 0, cls)


def of_scripts() -> list[type[BaseMaterializer]]:
    """The materializers that were defined in a script or notebook, the latest of each name."""
    found = {
        cls.__qualname__: cls
        for known in _registered.values()
        for cls in reversed(known)
        if cls.__module__ == "__main__"
    }
    return [found[name] for name in sorted(found)]


@contextlib.contextmanager
def brought_along() -> Iterator[None]:
    """Within it, materializers are defined that packages bring along."""
    _loading.append(True)
    try:
        yield
    finally:
        _loading.pop()


def dotted_name(cls: type) -> str:
    """The name of a class, as materializers name what they handle.

    Args:
        cls: The class.

    Returns:
        ``module.Class``.
    """
    return f"{cls.__module__}.{cls.__qualname__}"


def registered(cls: type) -> Iterator[type[BaseMaterializer]]:
    """The materializers that were defined for exactly this class, the latest first.

    Args:
        cls: The class.

    Returns:
        The materializers.
    """
    yield from _registered.get(dotted_name(cls), ())
