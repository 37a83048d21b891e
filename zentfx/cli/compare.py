"""``zentfx compare``: training runs, or any two runs, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zentfx.cli.differences import echo_differences
from zentfx.cli.options import (
    Store,
    json_option,
    label_options,
    newest_option,
    store_options,
)
from zentfx.cli.output import Best, echo_json, echo_table, note
from zentfx.records.models import RUN_STATUSES

if TYPE_CHECKING:
    from zentfx.analysis.compare import Table

__all__ = ["compare"]

_SHOWN = 50  # rows of a table, if nobody says how many


@click.command()
@click.argument("pipeline", required=False)
@click.option("--status", type=click.Choice(RUN_STATUSES), help="Only those that ended so.")
@label_options
@newest_option(None, f"Compare so many of the latest ones; by default all, and show {_SHOWN}.")
@click.option("--all-parameters", is_flag=True, help="Also parameters that are the same in all.")
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a page to sort and to send, instead of a table.",
)
@click.option(
    "--run", "pair", multiple=True, metavar="ID", help="Instead, two runs; give it twice."
)
@click.option("--all-values", is_flag=True, help="Of two runs, also values that are the same.")
@json_option
@store_options
@click.pass_context
def compare(
    context: click.Context,
    /,
    store: Store,
    pair: tuple[str, ...],
    all_values: bool,
    all_parameters: bool,
    newest: int | None,
    html: Path | None,
    as_json: bool,
    **criteria: str | None,
) -> None:
    """Compares all runs that train, or any two runs.

    Example: zentfx compare "Pipeline A" --experiment widths

    Example: zentfx compare --html compare.html

    Example: zentfx compare --run 20260102-090000-1f2e3d4c --run 20260103-090000-5a6b7c8d
    """
    if pair:
        _check_alone(context)
        if len(pair) != 2:
            raise click.UsageError("--run compares two runs: give it twice.")
        found = store.open().compare_runs(*pair, all_values=all_values)
        echo_differences(found, pair, all_values, as_json)
        return
    if all_values:
        raise click.UsageError("--all-values is for two runs; did you mean --all-parameters?")
    comparison = store.open().compare_training_runs(
        all_parameters=all_parameters, newest=newest or None, **criteria
    )
    table = comparison.table
    if html is not None:
        note(f"Wrote {comparison.save(html)}: {len(comparison)} training runs.")
    if as_json:
        echo_json(_told(table))
    elif html is None:
        _show(table, newest)


def _check_alone(context: click.Context) -> None:
    """Options about all runs have no meaning for two."""
    alike = ("pair", "all_values", "as_json", "repository", "metadata")
    given = click.core.ParameterSource.COMMANDLINE
    for item in context.command.params:
        name = item.name or ""
        if name not in alike and context.get_parameter_source(name) is given:
            raise click.UsageError(
                f"With --run two runs are compared; {item.opts[0]} chooses among all."
            )


def _told(table: Table) -> dict[str, Any]:
    runs = table.cells["run"]
    return {
        "parameters": table.parameters,
        "metrics": table.metrics,
        "rows": table.rows,
        "best": {
            name: [runs[index] for index in sorted(found)]
            for name, found in table.best.items()
            if found
        },
    }


def _show(table: Table, newest: int | None) -> None:
    if not len(table):
        note("No training runs yet, or none of these: a run with a trainer shows here.")
        return
    first = 0 if newest is not None else max(0, len(table) - _SHOWN)
    titles = ["started (UTC)" if name == "started" else name for name in table.columns]
    rows = [
        [_cell(table, name, index) for name in table.columns] for index in range(first, len(table))
    ]
    echo_table(titles, rows, cut=table.parameters, optional=("pipeline", "version", "cached"))
    if first:
        note(f"These are the newest {_SHOWN} of {len(table)}; --newest 0 shows all.")


def _cell(table: Table, name: str, index: int) -> Any:
    from zentfx.analysis.compare import ABSENT

    value = table.cells[name][index]
    if value is ABSENT:
        return None
    if name == "cached":
        return "repeat" if value else None
    if name == "duration":
        return None if value is None else f"{value:.1f} s"
    if name == "version":
        return value or None
    return Best(value) if index in table.best.get(name, ()) else value
