"""Objects of a script or notebook, pickled by value for another process.

cloudpickle takes along what a function's code mentions. What only the text of an annotation names
stays behind: under ``from __future__ import annotations`` that is every annotation. So annotations
travel as the objects that they stand for.
"""

from __future__ import annotations

import io
import sys
import types
import typing
from collections.abc import Mapping
from typing import Any

import cloudpickle

from zentfx.type_hints import resolved_hints

__all__ = ["dumps"]

_ANNOTATIONS = "__annotations__"


def dumps(thing: Any) -> bytes:
    """Pickles a thing, what cannot be imported by value, with its annotations resolved.

    Args:
        thing: Anything.

    Returns:
        Bytes for ``cloudpickle.loads``.

    Raises:
        Exception: Whatever an object raises that cannot be pickled.
    """
    file = io.BytesIO()
    try:
        _Pickler(file).dump(thing)
    except Exception:  # noqa: BLE001 - perhaps only what an annotation names cannot be pickled
        return bytes(cloudpickle.dumps(thing))
    return file.getvalue()


class _Pickler(cloudpickle.CloudPickler):  # type: ignore[misc] # cloudpickle has no types
    def reducer_override(self, thing: Any) -> Any:
        """Called by pickle for everything that is no plain data."""
        reduced = super().reducer_override(thing)
        # By value: the maker, its arguments, and the attributes that the result is given.
        if isinstance(reduced, tuple) and len(reduced) > 2 and isinstance(reduced[2], tuple):
            for attributes in reduced[2]:
                if isinstance(attributes, dict) and attributes.get(_ANNOTATIONS):
                    attributes[_ANNOTATIONS] = _resolved(thing, attributes[_ANNOTATIONS])
        return reduced


def _resolved(thing: Any, annotations: Mapping[str, Any]) -> dict[str, Any]:
    if not any(map(_has_text, annotations.values())):
        return dict(annotations)
    if not isinstance(thing, types.FunctionType):
        # In place of a class, a function of its module with the annotations of its body.
        module = sys.modules.get(thing.__module__)
        thing = types.FunctionType(_nothing.__code__, vars(module) if module else {})
        thing.__annotations__ = dict(annotations)
    return {**annotations, **resolved_hints(thing)}


def _nothing() -> None:
    """Its code is that of a function which does nothing."""


def _has_text(annotation: Any) -> bool:
    """Whether an annotation is a text, or has one in it, as ``Optional["Table"]`` does."""
    return isinstance(annotation, (str, typing.ForwardRef)) or any(
        map(_has_text, typing.get_args(annotation))
    )
