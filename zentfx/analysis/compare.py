"""Training runs side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from zentfx.analysis.direction import best
from zentfx.parameters import Secret, canonical_json, encode
from zentfx.records.models import ComparedRun, ComparedStep

__all__ = ["ABSENT", "RUN_COLUMNS", "Table", "cell", "compare", "trains"]

# What is said of every run. `cached` marks a repeat: its training step reused an earlier result.
RUN_COLUMNS = ("run", "pipeline", "version", "status", "cached", "started", "duration")
_TRAINER = "trainer"
_SHOWN = 8  # digits of a digest


class _Absent:
    """There is no such value: None may be one."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()


@dataclass(frozen=True)
class Table:
    """A comparison as plain data.

    Attributes:
        parameters: Columns that hold parameters, ``<step>.<parameter>``.
        metrics: Columns that hold metrics, ``metrics.<step>.<name>``.
        cells: Values by column, one a run; ``ABSENT`` where a column does not apply to a run.
        best: Indexes of the rows with the best value, by metric column; nothing for a metric whose
            name does not say which way is better, or where all values are equal.
    """

    parameters: tuple[str, ...]
    metrics: tuple[str, ...]
    cells: Mapping[str, Sequence[Any]]
    best: Mapping[str, frozenset[int]]

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns, in order."""
        return (*RUN_COLUMNS, *self.parameters, *self.metrics)

    def __len__(self) -> int:
        return len(self.cells["run"])

    def row(self, index: int) -> dict[str, Any]:
        """One row: value by column, of those that apply."""
        values = {name: column[index] for name, column in self.cells.items()}
        return {name: value for name, value in values.items() if value is not ABSENT}

    @cached_property
    def rows(self) -> tuple[dict[str, Any], ...]:
        """All rows."""
        return tuple(map(self.row, range(len(self))))


def trains(item: ComparedRun) -> bool:
    """Whether a run has a training step, or would have had one if it had come to it."""
    return any(step.trains for step in item.steps) or _TRAINER in item.run.steps


def compare(runs: Iterable[ComparedRun], all_parameters: bool = False) -> Table:
    """Compares runs.

    Args:
        runs: The runs, in the order of the rows.
        all_parameters: Whether to show parameters that are the same in all of them, too.

    Returns:
        The table. A parameter is shown if two runs have different values of it, or one lacks it
        although it has the step.
    """
    compared = list(runs)
    parameters = _parameters(compared, all_parameters)
    metrics = _metrics(compared)
    return Table(
        parameters=tuple(parameters),
        metrics=tuple(metrics),
        cells={**_about(compared), **parameters, **metrics},
        best={name: best(name, column) for name, column in metrics.items()},
    )


def _about(compared: Sequence[ComparedRun]) -> dict[str, list[Any]]:
    runs = [item.run for item in compared]
    return {
        "run": [run.id for run in runs],
        "pipeline": [run.pipeline for run in runs],
        "version": [run.version for run in runs],
        "status": [run.status for run in runs],
        "cached": list(map(_is_repeat, compared)),
        "started": [run.started for run in runs],
        "duration": [
            None if run.ended is None else (run.ended - run.started).total_seconds() for run in runs
        ],
    }


def _is_repeat(item: ComparedRun) -> bool:
    statuses = {step.status for step in item.steps if step.trains}
    return statuses == {"cached"}


def _parameters(compared: Sequence[ComparedRun], all_parameters: bool) -> dict[str, list[Any]]:
    """The columns of parameters, those of one step together, both in the order of appearance."""
    columns: dict[str, list[Any]] = {}
    for step, places in _by_step(compared).items():
        # Runs share what is the same of a step, which is all there is to see of most steps.
        kinds = {_kind(item): item for _, item in places}
        if len(kinds) == 1 and not all_parameters:
            continue
        told = {kind: _values(item) for kind, item in kinds.items()}
        rows = [(index, told[_kind(item)]) for index, item in places]
        for name in dict.fromkeys(name for values in told.values() for name in values):
            if all_parameters or _varies([values.get(name, ABSENT) for values in told.values()]):
                column: list[Any] = [ABSENT] * len(compared)
                for index, values in rows:
                    column[index] = cell(values.get(name, ABSENT))
                columns[f"{step}.{name}"] = column
    return columns


def _by_step(
    compared: Sequence[ComparedRun],
) -> dict[str, list[tuple[int, ComparedStep]]]:
    """The runs' steps by name, each with its run's index."""
    found: dict[str, list[tuple[int, ComparedStep]]] = defaultdict(list)
    for index, item in enumerate(compared):
        for step in item.steps:
            found[step.name].append((index, step))
    return found


def _kind(step: ComparedStep) -> tuple[int, str, str]:
    return id(step.parameters), step.fingerprint, step.content


def _values(step: ComparedStep) -> dict[str, Any]:
    values = dict(step.parameters)
    # In brackets, so that no parameter can have the name.
    if step.fingerprint:
        values["(code)"] = step.fingerprint[:_SHOWN]
    if step.content:
        values["(content)"] = step.content[:_SHOWN]
    return values


def _metrics(compared: Sequence[ComparedRun]) -> dict[str, list[Any]]:
    by_step: dict[str, dict[str, list[Any]]] = {}
    for index, item in enumerate(compared):
        for step, values in item.metrics.items():
            columns = by_step.setdefault(step, {})
            for name, value in values.items():
                if name not in columns:
                    columns[name] = [ABSENT] * len(compared)
                columns[name][index] = value
    return {
        f"metrics.{step}.{name}": column
        for step, columns in by_step.items()
        for name, column in columns.items()
    }


def cell(value: Any) -> Any:
    """A parameter as one cell of a table: a scalar as it is, anything else as text."""
    if isinstance(value, (Path, Secret)):
        return str(value) if isinstance(value, Path) else value.variable
    if isinstance(value, (list, tuple, dict)):
        return canonical_json(encode(value))
    return value


def _varies(values: Sequence[Any]) -> bool:
    """Whether two values differ, as they are shown, or in type."""
    first = values[0]
    kind = type(first)
    if kind in (list, tuple, dict):
        # Without a look at their texts, which are much slower to come by.
        if any(type(value) is not kind or value != first for value in values):
            return len({_kind_and_text(value) for value in values}) > 1
        return len(set(map(repr, values))) > 1  # [1], [1.0] and [True] are equal
    return any(type(value) is not kind or value != first for value in values)


def _kind_and_text(value: Any) -> tuple[type, Any]:
    shown = cell(value)
    return type(shown), shown
