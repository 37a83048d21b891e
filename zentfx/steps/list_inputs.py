"""Inputs that read a list of outputs, each element as an input: ``models[0]``, ``models[1]``, …."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from zentfx.errors import PipelineError

__all__ = [
    "ListableInputs",
    "check_indexes",
    "element",
    "elements",
    "gathered",
    "ordered_inputs",
    "whole",
]

_ELEMENT = re.compile(r"(.+)\[(0|[1-9][0-9]*)\]")


class ListableInputs(Mapping[str, str]):
    """Inputs by name, each of which may be a list of them.

    Iterating gives the names alone; looking up takes elements too.

    Args:
        types: Type of the artifacts that each reads.
    """

    def __init__(self, types: Mapping[str, str]) -> None:
        self._types = dict(types)

    def __getitem__(self, key: str) -> str:
        return self._types[whole(key) if isinstance(key, str) else key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)


def element(name: str, index: int) -> str:
    """The input that is one element of a list."""
    return f"{name}[{index}]"


def elements(inputs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Takes lists apart.

    Args:
        inputs: What inputs read, some of them a list.

    Yields:
        Inputs, and the one thing that each reads.
    """
    for name, source in inputs.items():
        if isinstance(source, (list, tuple)):
            yield from ((element(name, index), item) for index, item in enumerate(source))
        else:
            yield name, source


def whole(key: str) -> str:
    """The name that an input has, or that of the list that it is an element of."""
    found = _ELEMENT.fullmatch(key)
    return key if found is None else found[1]


def ordered_inputs(keys: Iterable[str]) -> list[str]:
    """Inputs, with the elements of a list together and by their numbers; the store has no order."""
    lists: dict[str, list[str]] = {}
    for key in keys:
        lists.setdefault(whole(key), []).append(key)
    return [
        key for items in lists.values() for key in sorted(items, key=lambda item: (len(item), item))
    ]


def check_indexes(keys: Iterable[str], owner: str) -> None:
    """Checks that the elements of each list are all there.

    Args:
        keys: The inputs that read something.
        owner: The step, for the message.

    Raises:
        PipelineError: If an index is left out, or a list is connected as a whole too.
    """
    connected: dict[str, list[str]] = {}
    for key in ordered_inputs(keys):
        connected.setdefault(whole(key), []).append(key)
    for name, came in connected.items():
        if came not in ([name], [element(name, index) for index in range(len(came))]):
            raise PipelineError(
                f"{owner}: {name!r} reads one output, or a list of them, {element(name, 0)}, "
                f"{element(name, 1)}, …; connected are {', '.join(came)}."
            )


def gathered(values: Mapping[str, Any]) -> dict[str, Any]:
    """Puts elements together.

    Args:
        values: Values by input.

    Returns:
        Values by name, a list for those that have elements.
    """
    lists: dict[str, dict[int, Any]] = {}
    together: dict[str, Any] = {}
    for key, value in values.items():
        found = _ELEMENT.fullmatch(key)
        if found is None:
            together[key] = value
        else:
            lists.setdefault(found[1], {})[int(found[2])] = value
    together.update(
        {name: [items[index] for index in sorted(items)] for name, items in lists.items()}
    )
    return together
