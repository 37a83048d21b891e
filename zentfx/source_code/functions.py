"""Functions of classes, modules and compiled texts, and what they do.

Standard library only.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import cached_property
from types import CodeType, FunctionType, ModuleType
from typing import Any

__all__ = ["functions_in", "instructions", "instructions_by_name", "unwrapped"]


def functions_in(thing: Any) -> Iterator[FunctionType]:
    """The functions of a class or a module, those behind properties and decorators too.

    Args:
        thing: A class, a module, or a function.

    Yields:
        The functions; a function itself.
    """
    members = list(vars(thing).values()) if isinstance(thing, (type, ModuleType)) else [thing]
    for member in members:
        parts = [member]
        if isinstance(member, (staticmethod, classmethod, property, cached_property)):
            behind = ("__func__", "fget", "fset", "fdel", "func")
            parts = [getattr(member, name, None) for name in behind]
        for function in map(unwrapped, parts):
            if isinstance(function, FunctionType):
                yield function


def instructions_by_name(code: CodeType, prefix: str = "") -> dict[str, set[str]]:
    """What the functions of a compiled text do.

    Args:
        code: What the text was compiled to.
        prefix: What their qualified names begin with.

    Returns:
        By qualified name, the instructions of each function that has it.
    """
    found: dict[str, set[str]] = {}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            name = f"{prefix}{constant.co_name}"
            found.setdefault(name, set()).add(instructions(constant))
            for inner, texts in instructions_by_name(constant, f"{name}.").items():
                found.setdefault(inner, set()).update(texts)
    return found


def instructions(code: CodeType) -> str:
    """What a function does, as text: equal for equal code in one process.

    Args:
        code: Its code object.

    Returns:
        Its instructions, names and constants, those of inner functions too.
    """
    return f"{code.co_code!r}{code.co_names}{[*map(_as_text, code.co_consts)]}"


def _as_text(constant: Any) -> str:
    if isinstance(constant, CodeType):
        return instructions(constant)
    if isinstance(constant, tuple):
        return f"({[*map(_as_text, constant)]})"
    if isinstance(constant, frozenset):  # read from a .pyc, it may have another order
        return f"{{{sorted(map(_as_text, constant))}}}"
    return repr(constant)


def unwrapped(thing: Any) -> Any:
    """The function behind decorators, or a thing itself.

    Args:
        thing: Anything.

    Returns:
        What ``functools.wraps`` noted, as far down as it goes.
    """
    try:
        return inspect.unwrap(thing) if callable(thing) else thing
    except Exception:  # noqa: BLE001 - things that make up attributes when they are asked
        return thing
