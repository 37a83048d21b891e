"""``zentfx runs``: lists runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from zentfx.cli.options import (
    Store,
    json_option,
    label_options,
    newest_option,
    store_options,
)
from zentfx.cli.output import echo_json, echo_table, note
from zentfx.cli.records import told_of_run
from zentfx.records.models import RUN_STATUSES

if TYPE_CHECKING:
    from zentfx.views.run import Run

__all__ = ["runs"]

_COLUMNS: dict[str, Callable[[Run], Any]] = {
    "id": lambda run: run.id,
    "pipeline": lambda run: run.pipeline,
    "version": lambda run: run.version or None,
    "status": lambda run: run.status,
    "started (UTC)": lambda run: run.started,
    "duration": lambda run: f"{run.duration:.1f} s",
    "project": lambda run: run.project,
    "experiment": lambda run: run.experiment,
    "owner": lambda run: run.owner,
    "changelist": lambda run: run.changelist,
    "tags": lambda run: run.tags,
    "note": lambda run: run.note,
}
_OPTIONAL = ("pipeline", "version", "project", "experiment", "owner", "changelist", "tags", "note")


@click.command()
@click.option("--pipeline", metavar="NAME", help="Only those of this pipeline.")
@click.option("--status", type=click.Choice(RUN_STATUSES), help="Only those that ended so.")
@label_options
@newest_option(50, "How many of the latest ones; 0 for all.")
@json_option
@store_options
def runs(store: Store, newest: int, as_json: bool, **criteria: str | None) -> None:
    """Lists runs, oldest first.

    Example: zentfx runs --pipeline "Pipeline A" --status failed
    """
    # One more than asked for, to know whether there are more.
    found = store.open().get_runs(newest=newest + 1 if newest else None, **criteria)
    left_out = bool(newest) and len(found) > newest
    listed = found[-newest:] if newest else found
    if as_json:
        echo_json([told_of_run(run) for run in listed])
    elif listed:
        rows = [[told(run) for told in _COLUMNS.values()] for run in listed]
        echo_table(list(_COLUMNS), rows, cut=("note",), optional=_OPTIONAL)
    else:
        note("No runs yet, or none of these.")
    if left_out:
        note(f"These are the newest {newest}; --newest 0 lists all.")
