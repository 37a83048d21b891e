"""Training runs side by side."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from zentfx.analysis.direction import best
from zentfx.parameters import Secret, canonical_json, encode
from zentfx.records.models import ComparedRun, ComparedStep

__all__ = ["ABSENT", "RUN_COLUMNS", "Table", "cell", "compare", "digests", "same", "trains"]

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
        about: Columns that say which run it is: ``RUN_COLUMNS``; and marks and annotations, where
            one of the runs has any.
        parameters: Columns that hold parameters, ``<step>.<parameter>``; and ``<step>.(verdict)``
            and ``<step>.(classes)``, where a run has one.
        metrics: Columns that hold metrics, ``metrics.<step>.<name>``.
        cells: Values by column, one a run; ``ABSENT`` where a column does not apply to a run.
        best: Indexes of the rows with the best value, by metric column; nothing for a metric whose
            name does not say which way is better, or where all values are equal. Marked runs are
            never the best.
    """

    about: tuple[str, ...]
    parameters: tuple[str, ...]
    metrics: tuple[str, ...]
    cells: Mapping[str, Sequence[Any]]
    best: Mapping[str, frozenset[int]]

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns, in order."""
        return (*self.about, *self.parameters, *self.metrics)

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


def compare(
    runs: Iterable[ComparedRun],
    all_parameters: bool = False,
    marked: Mapping[str, str] = MappingProxyType({}),
) -> Table:
    """Compares runs.

    Args:
        runs: The runs, in the order of the rows.
        all_parameters: Whether to show parameters that are the same in all of them, too.
        marked: Notes of the marks on what runs wrote or reused, by the run's id.

    Returns:
        The table. A parameter is shown if two runs have different values of it, or one lacks it
        although it has the step.
    """
    compared = list(runs)
    parameters = _parameters(compared, all_parameters) | _judged(compared)
    metrics = _metrics(compared)
    about = _about(compared) | _said(compared, marked)
    notes = about.get("marked")
    return Table(
        about=tuple(about),
        parameters=tuple(parameters),
        metrics=tuple(metrics),
        cells={**about, **parameters, **metrics},
        best={name: best(name, _unmarked(column, notes)) for name, column in metrics.items()},
    )


def _said(compared: Sequence[ComparedRun], marked: Mapping[str, str]) -> dict[str, list[Any]]:
    """What somebody has said of runs, as far as anything was said of one of them."""
    columns: dict[str, list[Any]] = {
        "marked": [marked.get(item.run.id, ABSENT) for item in compared]
    }
    for name in ("project", "experiment", "owner", "changelist"):
        values = [getattr(item.run.annotations, name) for item in compared]
        columns[name] = [ABSENT if value is None else value for value in values]
    tags = [item.run.annotations.tags for item in compared]
    columns["tags"] = [", ".join(found) if found else ABSENT for found in tags]
    return {
        name: column
        for name, column in columns.items()
        if any(value is not ABSENT for value in column)
    }


def _unmarked(column: Sequence[Any], notes: Sequence[Any] | None) -> Sequence[Any]:
    if notes is None:
        return column
    return [value if note is ABSENT else ABSENT for value, note in zip(column, notes, strict=True)]


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
    return {**step.parameters, **digests(step.fingerprint, step.content)}


def digests(fingerprint: str, content: str) -> dict[str, str]:
    """The first digits of what a step's code and input files were, as far as that is known."""
    # In brackets, so that no parameter can have the name.
    found = {"(code)": fingerprint[:_SHOWN], "(content)": content[:_SHOWN]}
    return {name: text for name, text in found.items() if text}


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


def _judged(compared: Sequence[ComparedRun]) -> dict[str, list[Any]]:
    """Whether models were blessed, and why not; and the order of classes that metrics go by."""
    columns: dict[str, list[Any]] = {}
    for index, item in enumerate(compared):
        for step, texts in item.judged.items():
            for name, text in texts.items():
                column = columns.setdefault(f"{step}.({name})", [ABSENT] * len(compared))
                column[index] = text
    return columns


def cell(value: Any) -> Any:
    """A parameter as one cell of a table: a scalar as it is, anything else as text."""
    if isinstance(value, (Path, Secret)):
        return str(value) if isinstance(value, Path) else value.variable
    if isinstance(value, (list, tuple, dict)):
        return canonical_json(encode(value))
    return value


def same(first: Any, second: Any) -> bool:
    """Whether two values are the same as cells, also in type; NaN is NaN."""
    if type(first) is type(second) and repr(first) == repr(second):
        return True  # the quick answer: the texts of lists and dicts are slow to come by
    one, other = cell(first), cell(second)
    if type(one) is not type(other):
        return False
    if isinstance(one, float) and math.isnan(one):
        return math.isnan(other)
    return bool(one == other)


def _varies(values: Sequence[Any]) -> bool:
    first = values[0]
    kind, text = type(first), repr(first)
    # The quick answer of `same`, as thousands need it.
    return any(
        (type(value) is not kind or repr(value) != text) and not same(value, first)
        for value in values
    )
