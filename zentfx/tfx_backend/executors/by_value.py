"""Steps inside Beam's transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import cloudpickle

from zentfx.pickling import dumps
from zentfx.steps.base import BaseStep

__all__ = ["ByValue"]

Step = TypeVar("Step", bound=BaseStep)


class ByValue(Generic[Step]):
    """Holds a step where Beam pickles it, even with its runner in this process.

    Beam's pickler (dill) fails on an abstract class of ``__main__``. cloudpickle takes such a class
    along, and any other by its name.

    Args:
        step: The step.
    """

    def __init__(self, step: Step) -> None:
        self.step = step

    def __reduce__(self) -> tuple[Callable[[bytes], ByValue[Step]], tuple[bytes]]:
        return _restored, (dumps(self.step),)


def _restored(pickled: bytes) -> ByValue[Any]:
    return ByValue(cloudpickle.loads(pickled))
