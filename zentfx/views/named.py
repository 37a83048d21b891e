"""A dict of named things whose look-ups help."""

from __future__ import annotations

from typing import NoReturn, TypeVar

from zentfx.errors import NotFoundError, near_matches

__all__ = ["Named"]

_Value = TypeVar("_Value")


class Named(dict[str, _Value]):
    """A dict by name; a look-up that misses names what is near.

    Args:
        kind: What the values are, for the message.
        place: Where they are, for the message.
    """

    def __init__(self, kind: str, place: str) -> None:
        super().__init__()
        self._kind = kind
        self._place = place

    def __missing__(self, name: str) -> NoReturn:
        raise NotFoundError(
            f"There is no {self._kind} {name!r} in {self._place}.{near_matches(name, self)}"
        )
