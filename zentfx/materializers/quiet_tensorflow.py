"""What TensorFlow says of itself in a user's process, kept from the terminal.

Standard library only.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

__all__ = ["quiet_tensorflow"]

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_NOTHING = "3"  # even "Unable to register cuFFT factory", which means nothing, is an error
_FUNCTIONS = "tensorflow.python.eager.polymorphic_function.atomic_function"


@contextlib.contextmanager
def quiet_tensorflow() -> Iterator[None]:
    """Within it, TensorFlow may be loaded, and its native code writes nothing from then on.

    Which devices and instructions there are is no news to who loads a model. A user who has
    imported TensorFlow before, or has set ``TF_CPP_MIN_LOG_LEVEL``, keeps what was chosen. At the
    interpreter's end, functions of models are dropped silently: TensorFlow's own way of doing that
    fails by then, with a traceback for each.
    """
    _drop_functions_silently()
    first = "tensorflow" not in sys.modules and _LEVEL not in os.environ
    if first:
        os.environ[_LEVEL] = _NOTHING  # read once, by the first message
    try:
        yield
    finally:
        if first:
            os.environ.pop(_LEVEL, None)


@cache
def _drop_functions_silently() -> None:
    atexit.register(_at_exit)


def _at_exit() -> None:
    functions: Any = getattr(sys.modules.get(_FUNCTIONS), "AtomicFunction", object)
    if "__del__" in vars(functions):
        del functions.__del__
