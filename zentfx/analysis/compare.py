"""Training runs side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zentfx.analysis.direction import best
from zentfx.parameters import Secret, canonical_json, encode
from zentfx.records.models import RunRecord, StepRunRecord

__all__ = ["RUN_COLUMNS", "ComparedRun", "Table", "compare"]

# What is said of every run. `cached` marks a repeat: its training step reused an earlier result.
RUN_COLUMNS = ("run", "pipeline", "version", "status", "cached", "started", "duration")
_TRAINER = "trainer"
_SHOWN = 8  # digits of a digest


@dataclass(frozen=True)
class ComparedRun:
    """A run, as far as a comparison needs it.

    Attributes:
        run: The run.
        steps: Its step runs; those that were skipped are not among them.
        metrics: Values by step and metric.
    """

    run: RunRecord
    steps: Sequence[StepRunRecord]
    metrics: Mapping[str, Mapping[str, float]]

    @property
    def training_steps(self) -> list[StepRunRecord]:
        """Those of its steps that train."""
        return [step for step in self.steps if step.trains]

    @property
    def trains(self) -> bool:
        """Whether it has a training step, or would have had one if it had come to it."""
        return bool(self.training_steps) or _TRAINER in self.run.steps


@dataclass(frozen=True)
class Table:
    """A comparison as plain data.

    Attributes:
        parameters: Columns that hold parameters, ``<step>.<parameter>``.
        metrics: Columns that hold metrics, ``metrics.<step>.<name>``.
        rows: Value by column; a column that does not apply to a run is not in its row.
        best: Indexes of the rows with the best value, by metric column; nothing for a metric whose
            name does not say which way is better, or where all values are equal.
    """

    parameters: tuple[str, ...]
    metrics: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]
    best: Mapping[str, frozenset[int]]

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns, in order."""
        return (*RUN_COLUMNS, *self.parameters, *self.metrics)


def compare(runs: Iterable[ComparedRun], all_parameters: bool = False) -> Table:
    """Compares those runs that train.

    Args:
        runs: The runs, in the order of the rows.
        all_parameters: Whether to show parameters that are the same in all of them, too.

    Returns:
        The table. A parameter is shown if two runs have different values of it, or one lacks it
        although it has the step.
    """
    compared = [item for item in runs if item.trains]
    parameters = [_parameters(item) for item in compared]
    metrics = [_metrics(item) for item in compared]
    names = _in_order(parameters)
    shown = [name for name in names if all_parameters or _varies(name, compared, parameters)]
    rows = tuple(
        _about(item) | {name: own[name] for name in shown if name in own} | measured
        for item, own, measured in zip(compared, parameters, metrics, strict=True)
    )
    measures = _in_order(metrics)
    return Table(
        parameters=tuple(shown),
        metrics=tuple(measures),
        rows=rows,
        best={name: best(name, [row.get(name) for row in rows]) for name in measures},
    )


def _about(item: ComparedRun) -> dict[str, Any]:
    run = item.run
    trained = item.training_steps
    return {
        "run": run.id,
        "pipeline": run.pipeline,
        "version": run.version,
        "status": run.status,
        "cached": bool(trained) and all(step.status == "cached" for step in trained),
        "started": run.started,
        "duration": None if run.ended is None else (run.ended - run.started).total_seconds(),
    }


def _parameters(item: ComparedRun) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    for step in item.steps:
        for name, value in step.parameters.items():
            cells[f"{step.name}.{name}"] = _cell(value)
        # In brackets, so that no parameter can have the name.
        if step.fingerprint:
            cells[f"{step.name}.(code)"] = step.fingerprint[:_SHOWN]
        if step.content:
            cells[f"{step.name}.(content)"] = step.content[:_SHOWN]
    return cells


def _metrics(item: ComparedRun) -> dict[str, float]:
    return {
        f"metrics.{step}.{name}": value
        for step, values in item.metrics.items()
        for name, value in values.items()
    }


def _cell(value: Any) -> Any:
    """A parameter as one cell of a table: a scalar as it is, anything else as text."""
    if isinstance(value, (Path, Secret)):
        return str(value) if isinstance(value, Path) else value.variable
    if isinstance(value, (list, tuple, dict)):
        return canonical_json(encode(value))
    return value


def _in_order(tables: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names in all tables, those of one step together, both in the order of appearance."""
    names = list(dict.fromkeys(name for table in tables for name in table))
    steps = list(dict.fromkeys(map(_step_of, names)))
    return sorted(names, key=lambda name: steps.index(_step_of(name)))


def _step_of(column: str) -> str:
    return column.removeprefix("metrics.").partition(".")[0]


def _varies(
    name: str, compared: Sequence[ComparedRun], parameters: Sequence[Mapping[str, Any]]
) -> bool:
    step = _step_of(name)
    values: set[tuple[Any, Any]] = set()
    for item, own in zip(compared, parameters, strict=True):
        if name in own:
            values.add((type(own[name]), own[name]))
        elif any(known.name == step for known in item.steps):
            values.add((None, None))
    return len(values) > 1
