"""Exceptions on their way from a worker, as they were raised.

Python pickles an exception as its class and ``args``, and calls the class with those again: one
whose ``__init__`` makes its message of what it is given would have it made of the message.
"""

from __future__ import annotations

import inspect
import pickle
from typing import Any

import cloudpickle

__all__ = ["pack_exception", "unpack_exception"]


def pack_exception(error: BaseException) -> bytes | None:
    """Pickles an exception.

    Args:
        error: The exception.

    Returns:
        The pickle; None where it cannot be pickled, or not be read again.
    """
    cls: Any = type(error)
    parts: Any = error
    if inspect.isfunction(cls.__init__) and not inspect.isfunction(cls.__reduce__):
        parts = (cls, *error.__reduce__()[1:])  # arguments, and attributes where there are any
    try:
        packed: bytes = cloudpickle.dumps(parts)
        unpack_exception(packed)
    except Exception:  # noqa: BLE001 - whatever the user's class raises
        return None
    return packed


def unpack_exception(packed: bytes) -> BaseException:
    """Makes an exception of its pickle.

    Args:
        packed: What :func:`pack_exception` gave.

    Returns:
        The exception; it has neither cause nor traceback.

    Raises:
        Exception: Whatever unpickling raises, of a class that is another one here.
    """
    parts = pickle.loads(packed)
    if isinstance(parts, BaseException):
        return parts
    cls, args, *states = parts
    error: BaseException = cls.__new__(cls, *args)
    # That of the built-in base alone, which keeps what Python itself needs of the arguments.
    constructors = [vars(item)["__init__"] for item in cls.__mro__ if "__init__" in vars(item)]
    next(item for item in constructors if not inspect.isfunction(item))(error, *args)
    for state in states:
        error.__setstate__(state)
    return error
