"""What a comparison of runs needs, read at once: every other way is too slow for many runs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from operator import itemgetter
from pathlib import Path
from typing import Any

from zentfx.parameters import decode
from zentfx.records import schema
from zentfx.records.encoding import CHUNK, joined
from zentfx.records.from_rows import (
    is_training,
    loose_run,
    parameters_of,
    recorded_of,
    status_named,
    status_of,
)
from zentfx.records.models import ComparedRun, ComparedStep, RunRecord
from zentfx.records.rows import Item, Rows, StepRow
from zentfx.records.runs import names_of, numbered, records_of

__all__ = ["compared_runs"]

_decoded = json.JSONDecoder().raw_decode  # without json.loads's looks around the text

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
    contexts = rows.contexts(schema.PIPELINE_RUN)
    # Steps by run, each behind its execution's id: the order in which they started.
    steps: dict[int, list[tuple[int, ComparedStep]]] = defaultdict(list)
    tell = _teller(root)
    strangers: list[StepRow] = []
    for row in rows.steps_of_runs(every):
        told = tell(row.recorded) if row.recorded else None
        if told is None:
            strangers.append(row)
        else:
            parameters, fingerprint, content, name = told
            trains = is_training(row.type, row.base)
            status = status_named(row.state)
            step = ComparedStep(name, status, trains, parameters, fingerprint, content)
            steps[row.run].append((row.execution, step))
    _add_strangers(rows, strangers, root, steps)
    metrics: dict[int, dict[str, float]] = defaultdict(dict)
    for execution_id, metric, value in rows.metrics_by_execution():
        metrics[execution_id][metric] = value
    texts: dict[int, dict[str, str]] = defaultdict(dict)
    for execution_id, name, text in rows.judged_by_execution():
        texts[execution_id][name] = text
    judged = {number: _judged(properties) for number, properties in texts.items()}
    found = [
        _compared(record, steps.get(context.id, []), metrics, judged)
        for context, record in zip(contexts, records_of(rows, contexts), strict=True)
    ]
    loose = {number: (number, step) for number, step in steps.get(0, [])}
    found += [
        _compared(loose_run(item), [loose[item.id]], metrics, judged)
        for item in rows.executions(sorted(loose))
    ]
    return sorted(found, key=lambda item: (item.run.started, item.run.id))


def _compared(
    run: RunRecord,
    steps: list[tuple[int, ComparedStep]],
    metrics: Mapping[int, Mapping[str, float]],
    judged: Mapping[int, Mapping[str, str]],
) -> ComparedRun:
    steps.sort(key=itemgetter(0))
    # Of a step that was tried again (those of zentfx have a fingerprint) the last attempt counts.
    last = {step.name: number for number, step in steps if step.fingerprint}
    steps = [pair for pair in steps if last.get(pair[1].name, pair[0]) == pair[0]]
    own = [step for _, step in steps]
    if len({step.name for step in own}) < len(own):
        names = numbered(step.name for step in own)
        own = [step._replace(name=name) for step, name in zip(own, names, strict=True)]
    measured = {
        step.name: metrics[number]
        for (number, _), step in zip(steps, own, strict=True)
        if number in metrics
    }
    said = {
        step.name: judged[number]
        for (number, _), step in zip(steps, own, strict=True)
        if number in judged
    }
    return ComparedRun(run, own, measured, said)


def _judged(properties: Mapping[str, str]) -> dict[str, str]:
    """A verdict, and classes as ``label: first, second``; as far as they are there."""
    found = {}
    verdict, classes = (
        json.loads(joined(name, properties) or "null")
        for name in (schema.Artifact.VERDICT, schema.Artifact.CLASSES)
    )
    if verdict:
        found["verdict"] = verdict
    if classes:
        found["classes"] = "; ".join(
            f"{label}: {', '.join(names)}" for label, names in classes.items()
        )
    return found


def _add_strangers(
    rows: Rows,
    strangers: list[StepRow],
    root: Path | None,
    steps: dict[int, list[tuple[int, ComparedStep]]],
) -> None:
    """Adds the steps that zentfx did not write, or whose texts are long."""
    items = {item.id: item for item in rows.executions([row.execution for row in strangers])}
    names = names_of(rows, list(items.values()))
    for row in strangers:
        step = _stranger(items[row.execution], names[row.execution], root)
        steps[row.run].append((row.execution, step))


def _stranger(execution: Item, name: str, root: Path | None) -> ComparedStep:
    parameters, _ = parameters_of(execution.properties, root)
    recorded = recorded_of(execution.properties)
    return ComparedStep(
        name,
        status_of(execution),
        is_training(execution.type, execution.base),
        parameters,
        recorded.get(schema.Recorded.CODE, ""),
        recorded.get(schema.Recorded.CONTENT, ""),
    )


def _teller(root: Path | None) -> Callable[[str], _Told | None]:
    """Reads recorded texts; equal ones once. Of a text that goes on elsewhere it says nothing."""
    known: dict[str, _Told | None] = {}
    names = schema.Recorded

    def tell(text: str) -> _Told | None:
        if text in known:
            return known[text]
        data = _decoded(text)[0] if len(text) < CHUNK else {}
        told = None
        if names.STEP in data:
            parameters = {**data[names.DERIVED], **data[names.ARGUMENTS]}
            if "$" in text:  # as paths and secrets have it
                parameters = decode(parameters, root)
            told = (parameters, data[names.CODE], data[names.CONTENT], data[names.STEP])
        known[text] = told
        return told

    return tell
