"""Metrics that a step logs while it runs."""

from __future__ import annotations

import contextlib
import logging
import operator
from collections.abc import Iterator, Mapping
from typing import Any

from zentfx.errors import ParameterError, StepDefinitionError
from zentfx.names import check_length

__all__ = ["MetricLog", "collecting", "keep_values", "log_metric"]

_log = logging.getLogger(__name__)


class MetricLog:
    """What a step has logged.

    Args:
        step: The step's class, for messages.
        recorded: Whether the step has an output to record metrics in.

    Attributes:
        history: By metric, the values in the order in which they came, each with its step or None.
        kept: By metric, values that count instead of the last ones.
    """

    def __init__(self, step: str, recorded: bool) -> None:
        self._step = step
        self._recorded = recorded
        self.history: dict[str, list[tuple[int | None, float]]] = {}
        self.kept: dict[str, float] = {}

    def add(self, name: str, value: float, step: int | None) -> None:
        """Adds a value.

        Args:
            name: The metric.
            value: Its value.
            step: When.

        Raises:
            StepDefinitionError: If the step has nowhere to record it.
        """
        if not self._recorded:
            raise StepDefinitionError(
                f"{self._step} logs the metric {name!r}, and has no output to record it in. Add "
                'one of type Metrics: outputs = {…, "metrics": "Metrics"}. A function step has one '
                "if it mentions log_metric, or a function of its module that does."
            )
        self.history.setdefault(name, []).append((step, value))

    @property
    def overall(self) -> dict[str, float]:
        """The value of each metric that counts: the one that was kept, else the last."""
        return {name: values[-1][1] for name, values in self.history.items()} | self.kept


# Of the process, not of a context: a step may log from threads of its own, and steps run one at a
# time in a process. The last is the current one.
_running: list[MetricLog] = []


@contextlib.contextmanager
def collecting(step: str, recorded: bool) -> Iterator[MetricLog]:
    """Within it, a step runs, and what it logs is collected.

    Args:
        step: The step's class, for messages.
        recorded: Whether the step has an output to record metrics in.

    Yields:
        The log.
    """
    log = MetricLog(step, recorded)
    _running.append(log)
    try:
        yield log
    finally:
        _running.remove(log)


def log_metric(name: str, value: Any, step: int | None = None) -> None:
    """Logs a metric of the step that is running.

    That is a trainer, or any step with an output of type Metrics. The last value of each metric is
    recorded, and is what comparisons of runs show; all values are in the output's file. Where no
    step is running, as in a test of a method, it is only logged.

    Args:
        name: The metric's name.
        value: Its value: an int, a float, or a scalar of numpy, TensorFlow or PyTorch.
        step: When: an epoch, say.

    Raises:
        ParameterError: If the name cannot be recorded, or the value is no number.
        StepDefinitionError: If the step that is running has no output of type Metrics.
    """
    if not isinstance(name, str) or not name or not name.isprintable():
        raise ParameterError(f"A metric needs a name of printable characters; {name!r} came.")
    if name.endswith("_text") or name.startswith("zentfx_"):
        raise ParameterError(
            f"The metric's name {name!r} is reserved: choose one that does not end in '_text' or "
            "start with 'zentfx_'."
        )
    check_length(name, "The name of a metric", beside=len("_text"))
    try:
        if isinstance(value, (str, bytes)):
            raise TypeError("a text")
        number = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ParameterError(f"The metric {name!r} must be a number; {value!r} came.") from error
    try:
        step = None if step is None else operator.index(step)
    except TypeError as error:
        raise ParameterError(f"The step of {name!r} must be an int; {step!r} came.") from error
    if not _running:
        _log.info("%s = %r, not recorded, because no step is running", name, number)
    else:
        _running[-1].add(name, number, step)


def keep_values(values: Mapping[str, float]) -> None:
    """Has values of metrics count that are not the last ones logged.

    Args:
        values: Value by metric.
    """
    if _running:
        _running[-1].kept.update(values)
