"""Holds values against annotations, when a function step runs."""

from __future__ import annotations

import inspect
import types
import typing
from typing import Any

from zentfx.errors import DataTypeError
from zentfx.parameters import MISSING
from zentfx.type_hints import is_unresolved

__all__ = ["checked", "may_be", "named"]


def checked(value: Any, annotation: Any, where: str) -> Any:
    """Checks that a value is what an annotation says.

    An int is a float too, and a scalar of NumPy is its Python twin; both are converted. Of long
    lists and dicts the first entry is looked at.

    Args:
        value: The value.
        annotation: A type or a construct of ``typing``; ``Any``, a missing annotation, and one that
            cannot be resolved, take everything.
        where: Step and argument, for the message.

    Returns:
        The value, converted.

    Raises:
        DataTypeError: If it is something else; says what.
    """
    if annotation in (MISSING, Any, object, inspect.Parameter.empty) or is_unresolved(annotation):
        return value
    if typing.get_origin(annotation) is typing.Annotated:
        return checked(value, typing.get_args(annotation)[0], where)
    problem = _problem(value, annotation)
    if problem is not None and hasattr(value, "item") and getattr(value, "shape", None) == ():
        twin = value.item()
        if _problem(twin, annotation) is None:
            value, problem = twin, None
    if problem is not None:
        came = f"{_shown(value)} of type {named(type(value))} came"
        raise DataTypeError(f"{where}: expected {named(annotation)}; {came}{problem}.")
    return float(value) if annotation is float and type(value) is int else value


def _problem(value: Any, annotation: Any) -> str | None:
    """What else there is to say of a value that does not fit; None if it does."""
    if annotation is None:
        return None if value is None else ""
    if _is_class(annotation) and annotation not in (float, complex):
        return None if isinstance(value, annotation) else ""
    # Late: most annotations are classes, which need none of it.
    from typeguard import ForwardRefPolicy, TypeCheckError, check_type

    try:
        check_type(value, annotation, forward_ref_policy=ForwardRefPolicy.IGNORE)
    except TypeCheckError as error:
        return "" if _is_class(annotation) else f": {error}"
    return None


def _is_class(annotation: Any) -> bool:
    """Whether ``isinstance`` can answer."""
    special = getattr(annotation, "_is_protocol", False) or typing.is_typeddict(annotation)
    return isinstance(annotation, type) and not typing.get_origin(annotation) and not special


def may_be(kind: type, annotation: Any) -> bool:
    """Whether values of a class may be what an annotation says; where in doubt, they may.

    Args:
        kind: The class.
        annotation: A type or a construct of ``typing``.

    Returns:
        Whether they may.
    """
    if annotation is MISSING:
        return True
    if typing.get_origin(annotation) is typing.Annotated:
        return may_be(kind, typing.get_args(annotation)[0])
    origin = typing.get_origin(annotation) or annotation
    if origin is types.UnionType:
        return any(may_be(kind, part) for part in typing.get_args(annotation))
    return not _is_class(origin) or origin is Any or issubclass(kind, origin)


def named(annotation: Any) -> str:
    """An annotation as messages name it."""
    if _is_class(annotation):
        name: str = annotation.__qualname__
        return name
    return str(annotation).replace("typing.", "")


def _shown(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}…"
