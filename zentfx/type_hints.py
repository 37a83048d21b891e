"""Annotations of functions as objects, also where they name what is not imported.

Standard library only.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["Unresolved", "is_unresolved", "resolved_hints", "unresolved_in"]


@dataclass(frozen=True)
class Unresolved:
    """A name in an annotation that is not there, as one imported under ``TYPE_CHECKING``.

    It stands in its place in the annotation, so that the rest can be read: in
    ``tuple[pd.DataFrame, int]`` there are two. It is not taken for a missing annotation: a path
    would be a text, and its content would not count.

    Attributes:
        text: The name, or the whole annotation where it cannot be evaluated.
        error: Why not.
    """

    text: str
    error: str

    def __getattr__(self, name: str) -> Unresolved:
        if name.startswith("__"):
            raise AttributeError(name)
        return Unresolved(f"{self.text}.{name}", self.error)

    def __getitem__(self, item: object) -> Unresolved:
        return self

    def __or__(self, other: object) -> Any:
        return typing.Union[self, other]  # noqa: UP007 - `|` is what comes here

    def __ror__(self, other: object) -> Any:
        return typing.Union[other, self]  # noqa: UP007

    def __call__(self) -> None:
        """Never called: `typing` takes what can be called for a type."""


def is_unresolved(annotation: Any) -> bool:
    """Whether an annotation names, anywhere in it, what is not there."""
    return unresolved_in(annotation) is not None


def unresolved_in(annotation: Any) -> Unresolved | None:
    """The first name in an annotation that is not there.

    Args:
        annotation: The annotation.

    Returns:
        What stands for it; None if all are there.
    """
    if isinstance(annotation, Unresolved):
        return annotation
    parts = typing.get_args(annotation)
    return next((found for part in parts if (found := unresolved_in(part)) is not None), None)


def resolved_hints(function: Callable[..., Any]) -> dict[str, Any]:
    """Annotations as objects.

    Args:
        function: The function.

    Returns:
        Annotations by name; in place of names that are not there, and of annotations that cannot
        be evaluated, an :class:`Unresolved`.
    """
    function = inspect.unwrap(function)
    try:
        # With a namespace more, `typing` looks up anew what another module has looked up before.
        return typing.get_type_hints(function, localns={}, include_extras=True)
    # A user's annotation may raise anything; one that does fails all, so try them one by one.
    except Exception:  # noqa: BLE001
        known = getattr(function, "__globals__", {})
        return {
            name: _resolved(annotation, known)
            for name, annotation in getattr(function, "__annotations__", {}).items()
        }


def _resolved(annotation: Any, known: dict[str, Any]) -> Any:
    missing: dict[str, Unresolved] = {}
    references: list[typing.ForwardRef] = []
    try:
        while True:
            try:
                if isinstance(annotation, str):
                    annotation = eval(annotation, known, missing)  # as `typing` does
                references += _forward_references(annotation)
                probe = types.SimpleNamespace(__annotations__={"it": annotation})
                return typing.get_type_hints(probe, known, missing, include_extras=True)["it"]
            except NameError as error:
                if error.name is None or error.name in missing:
                    return Unresolved(str(annotation), str(error))
                missing[error.name] = Unresolved(error.name, str(error))
            except Exception as error:  # noqa: BLE001 - see above
                return Unresolved(str(annotation), str(error))
    finally:
        # `List["Table"]` is one object for all modules, and keeps what its names once were.
        for reference in references:
            reference.__forward_evaluated__ = False
            reference.__forward_value__ = None


def _forward_references(annotation: Any) -> Iterator[typing.ForwardRef]:
    if isinstance(annotation, typing.ForwardRef):
        yield annotation
    parts = annotation if isinstance(annotation, list) else typing.get_args(annotation)
    for part in parts:
        yield from _forward_references(part)
