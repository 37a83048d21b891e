"""Values to artifacts and back: which materializer, and what is recorded of it."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from zentfx.class_paths import class_path, find_class
from zentfx.errors import DataError, NotFoundError

# What they define is registered by being imported; none of them imports anything of others.
from zentfx.materializers import arrays, builtin, containers, estimators, pickled, tables
from zentfx.materializers.base import (
    BaseMaterializer,
    brought_along,
    dotted_name,
    of_scripts,
    registered,
)
from zentfx.materializers.kept import is_kept, kept_with, save_kept, value_in
from zentfx.materializers.pickled import PickleMaterializer, modules_pickled
from zentfx.source_code.project_files import packages_of
from zentfx.warn import warn

__all__ = ["Saved", "artifact_type_of", "load", "materializer_for", "save"]

_BUILT_IN = (arrays, builtin, containers, estimators, pickled, tables)
_ENTRY_POINTS = "zentfx.materializers"
# What annotations say of scikit-learn's models. No materializer handles them: they come before
# `BaseEstimator`, which somebody else's may handle.
_MODELS = frozenset(f"sklearn.base.{kind}Mixin" for kind in ("Classifier", "Regressor", "Cluster"))


@dataclass(frozen=True)
class Saved:
    """A value that was saved.

    Attributes:
        materializer: Dotted name of the materializer's class.
        python_type: Dotted name of the value's class.
        metadata: What the materializer says of it.
        packages: The packages that it is made of, by the names that are imported.
        pickled: Whether loading it needs Python and those packages in versions like these.
    """

    materializer: str
    python_type: str
    metadata: Mapping[str, str | int | float]
    packages: frozenset[str] = frozenset()
    pickled: bool = False


def materializer_for(cls: type) -> type[BaseMaterializer] | None:
    """The materializer of a class: that of its nearest base.

    Args:
        cls: The class.

    Returns:
        The materializer; None where there is none but pickling.
    """
    exact = next(registered(cls), None)
    if exact is not None:
        return exact
    _load_entry_points()
    bases = inspect.getmro(cls)[:-1]  # of object there is none
    return next((found for base in bases for found in registered(base)), None)


def artifact_type_of(annotation: Any) -> str:
    """What an artifact of this annotation is.

    Args:
        annotation: The annotation of an output.

    Returns:
        One of ``ARTIFACT_TYPES``; ``Data`` where the annotation does not say.
    """
    cls = _class_of(annotation)
    if cls is None:
        return "Data"
    found = materializer_for(cls)
    if found is None:
        return "Model" if dotted_name(cls) in _MODELS else "Data"
    return found.artifact_type


def save(value: Any, annotation: Any, folder: Path) -> Saved:
    """Saves a value.

    Args:
        value: The value.
        annotation: What it was declared to be; None where it was not.
        folder: An empty folder.

    Returns:
        What to record.

    Raises:
        DataError: If it cannot be saved.
    """
    cls = _class_of(annotation)
    chosen = materializer_for(cls) if cls is not None and isinstance(value, cls) else None
    chosen = chosen or materializer_for(type(value)) or PickleMaterializer
    own = chosen.__module__.startswith("zentfx.")
    # Ours by their names alone, which stay when a class moves between modules.
    saved_by = chosen.__name__ if own else class_path(chosen)
    materializer = chosen()
    with modules_pickled() as modules:
        if is_kept(saved_by):
            save_kept(materializer, value, folder)
        else:
            materializer.save(value, folder)
    metadata = dict(materializer.extract_metadata(value))
    for name, item in metadata.items():
        if isinstance(name, str) and name.startswith("zentfx_"):
            raise DataError(
                f"{chosen.__qualname__}.extract_metadata: names that start with 'zentfx_' are "
                f"reserved; rename {name!r}."
            )
        if not isinstance(name, str) or type(item) not in (str, int, float):
            raise DataError(
                f"{chosen.__qualname__}.extract_metadata must give texts, ints and floats by name; "
                f"{name!r} is {item!r}."
            )
    return Saved(
        saved_by,
        dotted_name(type(value)),
        metadata,
        packages_of([type(value).__module__, *modules]),
        bool(modules),
    )


def load(folder: Path, materializer: str, python_type: str) -> Any:
    """Loads a value.

    Args:
        folder: Where it is.
        materializer: Dotted name of the materializer's class.
        python_type: Dotted name of the value's class.

    Returns:
        The value.

    Raises:
        DataError: If the materializer cannot be found.
    """
    try:
        kind: type | None = find_class(python_type)
    except NotFoundError:
        kind = None
    if is_kept(materializer):
        # Unless they could not be kept: then a process that defines them again has them.
        known, kind = kept_with(folder) or (_of_script(materializer), kind)
        return (known or _found(materializer, python_type))().load(value_in(folder), kind)
    return _found(materializer, python_type)().load(folder, kind)


def _of_script(name: str) -> type[BaseMaterializer] | None:
    """A materializer of the script or notebook that is running, or one that a worker was sent."""
    return next((cls for cls in of_scripts() if class_path(cls) == name), None)


def _found(name: str, python_type: str) -> type[BaseMaterializer]:
    for module in _BUILT_IN:
        if name in module.__all__:
            own: type[BaseMaterializer] = getattr(module, name)
            return own
    try:
        cls = find_class(name)
    except NotFoundError as error:
        raise DataError(
            f"The materializer {name}, which saved this {python_type}, cannot be found: {error}"
        ) from error
    if not issubclass(cls, BaseMaterializer):
        raise DataError(f"{name}, which saved this {python_type}, is no materializer any more.")
    return cls


def _class_of(annotation: Any) -> type | None:
    """The class that an annotation stands for, if it is one that says something."""
    if typing.get_origin(annotation) is typing.Annotated:
        return _class_of(typing.get_args(annotation)[0])
    origin = typing.get_origin(annotation) or annotation
    return origin if isinstance(origin, type) and origin is not object else None


@cache
def _load_entry_points() -> None:
    """Loads the materializers that installed packages bring along."""
    import importlib.metadata  # late: importing it takes longer than all of this module

    for item in importlib.metadata.entry_points(group=_ENTRY_POINTS):
        try:
            with brought_along():
                item.load()
        except Exception as error:  # noqa: BLE001 - whatever a package's module raises
            warn(
                f"The materializer {item.name!r} ({item.value}) cannot be loaded: {error}",
            )
