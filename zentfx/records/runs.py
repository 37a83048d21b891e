"""Runs and their executions, found in rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from zentfx.errors import NotFoundError, near_matches
from zentfx.records import schema
from zentfx.records.from_rows import (
    LOOSE,
    loose_run,
    node_name,
    recorded_of,
    run_id_of,
    run_record,
    status_of,
    step_name,
    time_of,
)
from zentfx.records.models import Origin, RunRecord
from zentfx.records.rows import Item, Rows

__all__ = [
    "artifacts_of",
    "contexts_of",
    "executions_of",
    "names_of",
    "numbered",
    "origins_of",
    "records_of",
    "run_of",
    "runs_of",
]


def runs_of(rows: Rows, newest: int | None = None) -> list[RunRecord]:
    """The runs of a store, see :meth:`zentfx.records.reader.Reader.runs`."""
    contexts = rows.contexts(schema.PIPELINE_RUN, newest)
    enough = newest is not None and len(contexts) >= newest
    since = min((item.created for item in contexts), default=0) if enough else 0
    loose = rows.loose_executions(since)
    records = [*records_of(rows, contexts), *map(loose_run, loose)]
    records.sort(key=lambda run: (run.started, run.id))
    return records if newest is None else records[max(0, len(records) - newest) :]


def run_of(rows: Rows, run_id: str) -> RunRecord:
    """One run, see :meth:`zentfx.records.reader.Reader.run`."""
    context = rows.context(schema.PIPELINE_RUN, run_id)
    if context is not None:
        return records_of(rows, [context])[0]
    return loose_run(executions_of(rows, run_id)[0])


def executions_of(rows: Rows, run_id: str) -> list[Item]:
    """The executions of a run, oldest first."""
    context = rows.context(schema.PIPELINE_RUN, run_id)
    if context is not None:
        return [item for _, item in rows.executions_in([context.id])]
    number = run_id.removeprefix(LOOSE)
    if number != run_id and number.isascii() and number.isdecimal() and len(number) < 19:
        found = rows.executions([int(number)])
        if found and not _in_a_run(rows, found[0].id):
            return found
    known = [item.name for item in rows.contexts(schema.PIPELINE_RUN)]
    known += [f"{LOOSE}{item.id}" for item in rows.loose_executions()]
    raise NotFoundError(f"There is no run {run_id!r}.{near_matches(run_id, known)}")


def _in_a_run(rows: Rows, execution_id: int) -> bool:
    contexts = rows.contexts_with_executions([execution_id])
    return any(context.type == schema.PIPELINE_RUN for _, context in contexts)


def records_of(rows: Rows, contexts: Sequence[Item]) -> list[RunRecord]:
    """The runs of these contexts; what others than zentfx wrote is told from their executions."""
    records = {context.id: run_record(context) for context in contexts}
    others = [item for item in contexts if schema.Run.STATUS not in item.properties]
    if others:
        steps: dict[int, list[Item]] = defaultdict(list)
        for context_id, execution in rows.executions_in([item.id for item in others]):
            steps[context_id].append(execution)
        first = {context_id: items[0].id for context_id, items in steps.items()}
        named = contexts_of(rows, sorted(first.values()))
        for context in others:
            records[context.id] = _told_by_steps(
                records[context.id],
                context.updated,
                steps[context.id],
                named.get(first.get(context.id, 0), {}).get(schema.PIPELINE, ""),
            )
    return [records[context.id] for context in contexts]


def _told_by_steps(run: RunRecord, updated: int, steps: Sequence[Item], pipeline: str) -> RunRecord:
    states = set(map(status_of, steps))
    for status in ("running", "failed", "canceled", "unknown", "completed"):
        if status in states:
            break
    else:
        status = "completed" if states else "unknown"  # all of them cached, or none at all
    ended = None
    if status != "running":
        ended = time_of(max((item.updated for item in steps), default=updated))
    return run._replace(status=status, pipeline=pipeline or run.pipeline, ended=ended)


def names_of(rows: Rows, executions: Sequence[Item]) -> dict[int, str]:
    """The steps' names by the ids of their executions."""
    # Ours say it themselves.
    unsaid = [
        item.id for item in executions if schema.Recorded.STEP not in recorded_of(item.properties)
    ]
    named = contexts_of(rows, unsaid)
    return {item.id: step_name(item, named[item.id]) for item in executions}


def numbered(names: Iterable[str]) -> list[str]:
    """Names, those that come again with a number: ``Trainer``, ``Trainer_2``, ….

    zentfx never has two step runs of one name in a run; others may.
    """
    seen: dict[str, int] = defaultdict(int)
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return found


def contexts_of(rows: Rows, execution_ids: Sequence[int]) -> dict[int, dict[str, str]]:
    """Names of the contexts of executions, by type."""
    named: dict[int, dict[str, str]] = defaultdict(dict)
    for execution_id, kind, name in rows.context_names(execution_ids):
        named[execution_id][kind] = name
    return named


def origins_of(rows: Rows, artifact_ids: Sequence[int]) -> dict[int, Origin]:
    """Where artifacts come from, see :meth:`zentfx.records.reader.Reader.origins`."""
    writers = rows.writers(artifact_ids)
    executions = sorted(set(writers.values()))
    outputs = {
        (event.execution, event.artifact): event.names[0] if event.names else "output"
        for event in rows.events_of_executions(executions)
        if not event.reads
    }
    named = contexts_of(rows, executions)
    # Others than TFX have no context that names a step.
    unnamed = [number for number in executions if not node_name(named[number])]
    steps = {item.id: step_name(item, {}) for item in rows.executions(unnamed)}
    return {
        artifact: Origin(
            execution,
            run=run_id_of(execution, named[execution]),
            pipeline=named[execution].get(schema.PIPELINE, ""),
            step=node_name(named[execution]) or steps.get(execution, ""),
            output=outputs.get((execution, artifact), ""),
        )
        for artifact, execution in writers.items()
    }


def artifacts_of(rows: Rows, run_ids: set[str]) -> set[int]:
    """Ids of the artifacts that runs wrote, reused or read."""
    contexts = [item.id for item in rows.contexts(schema.PIPELINE_RUN) if item.name in run_ids]
    kept = {artifact.id for _, artifact in rows.artifacts_in(contexts)}
    # Others than TFX need not attribute artifacts to a run.
    loose = [int(item.removeprefix(LOOSE)) for item in run_ids if item.startswith(LOOSE)]
    steps = [item.id for _, item in rows.executions_in(contexts)]
    return kept | {event.artifact for event in rows.events_of_executions([*loose, *steps])}
