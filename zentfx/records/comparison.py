"""What a comparison of runs needs, read at once: every other way is too slow for many runs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from zentfx.parameters import decode
from zentfx.records import schema
from zentfx.records.encoding import metric_values
from zentfx.records.from_rows import (
    LOOSE,
    is_training,
    parameters_of,
    status_of,
)
from zentfx.records.models import ComparedRun, ComparedStep
from zentfx.records.rows import Item, Rows
from zentfx.records.runs import names_of, runs_of

__all__ = ["compared_runs"]

# Parameters, fingerprint, content, name.
_Told = tuple[Mapping[str, Any], str, str, str]


def compared_runs(rows: Rows, root: Path | None, every: bool) -> list[ComparedRun]:
    """Reads runs for a comparison.

    Args:
        rows: The store.
        root: The repository's folder, from which recorded relative paths start.
        every: Whether every step is needed, see
            :meth:`zentfx.records.reader.Reader.compared_runs`.

    Returns:
        The runs, oldest first.
    """
    tell = _teller(root)
    steps: dict[str, list[tuple[int, ComparedStep]]] = defaultdict(list)
    strangers: list[tuple[str, Item]] = []
    for run, execution, recorded in rows.steps_of_runs(schema.PIPELINE_RUN, every):
        told = None if recorded is None else tell(recorded)
        if told is None:
            strangers.append((run, execution))
        else:
            steps[run].append((execution.id, _step(execution, told)))
    strangers += [
        (f"{LOOSE}{item.id}", item) for item in rows.loose_executions(schema.PIPELINE_RUN)
    ]
    names = names_of(rows, [item for _, item in strangers])
    for run, execution in strangers:
        parameters, _ = parameters_of(execution.properties, root)
        fingerprint = execution.properties.get(schema.Execution.FINGERPRINT, "")
        told = (parameters, fingerprint, "", names[execution.id])
        steps[run].append((execution.id, _step(execution, told)))
    measured: dict[int, dict[str, float]] = defaultdict(dict)
    for execution_id, properties in rows.metrics_by_execution():
        measured[execution_id].update(metric_values(properties))
    found = []
    for record in runs_of(rows):
        own = sorted(steps.get(record.id, ()), key=lambda pair: pair[0])
        metrics = {step.name: measured[number] for number, step in own if number in measured}
        found.append(ComparedRun(record, [step for _, step in own], metrics))
    return found


def _step(execution: Item, told: _Told) -> ComparedStep:
    parameters, fingerprint, content, name = told
    trains = is_training(execution.type, execution.base)
    return ComparedStep(name, status_of(execution), trains, parameters, fingerprint, content)


def _teller(root: Path | None) -> Callable[[str], _Told | None]:
    """Reads recorded texts; equal ones once."""
    known: dict[str, _Told | None] = {}
    names = schema.Recorded

    def tell(text: str) -> _Told | None:
        if text not in known:
            data = json.loads(text)
            parameters = {**data.get(names.DERIVED, {}), **data.get(names.ARGUMENTS, {})}
            if "$" in text:  # as paths and secrets have it
                parameters = decode(parameters, root)
            told = (parameters, data.get(names.CODE, ""), data.get(names.CONTENT, ""))
            known[text] = (*told, data[names.STEP]) if names.STEP in data else None
        return known[text]

    return tell
