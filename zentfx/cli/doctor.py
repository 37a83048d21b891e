"""``zentfx doctor``: finds what killed processes left behind, and cleans it up."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from zentfx.analysis.printable import printable
from zentfx.cli.options import Store, json_option, repository_option
from zentfx.cli.output import echo, echo_json
from zentfx.cli.quantities import size_text

if TYPE_CHECKING:
    from zentfx.workspace import Workspace

__all__ = ["doctor"]


_KEPT = 30  # days that what was cleaned stays in the trash


@click.command()
@click.option("--clean", "cleans", is_flag=True, help="Record crashes, and remove what is listed.")
@click.option("--restore", "restores", is_flag=True, help="Bring back what was removed last.")
@click.option("--empty-trash", "empties", is_flag=True, help="Delete what was removed, for good.")
@click.option(
    "--accept-store",
    "accepts",
    is_flag=True,
    help="Go on with a metadata store that is another, or older, than the artifacts'.",
)
@json_option
@repository_option
@click.pass_context
def doctor(
    context: click.Context,
    cleans: bool,
    restores: bool,
    empties: bool,
    accepts: bool,
    as_json: bool,
    repository: Path | None,
) -> None:
    """Lists what killed runs left behind. Runs that are alive are left alone.

    What --clean removes is kept in .zentfx/trash and .zentfx/artifacts/trash for 30 days.

    Exits with 1 if there is something that was not cleaned.

    Example: zentfx doctor --clean
    """
    if cleans + restores + empties + accepts > 1:
        raise click.UsageError(
            "--clean, --restore, --empty-trash and --accept-store exclude each other."
        )
    workspace = Store(repository).workspace()
    if restores:
        _restore(workspace)
    elif accepts:
        known = workspace.accept_store()
        latest = f" (their latest run was {known.run})" if known else ""
        echo(printable(f"The artifacts belong to {workspace.metadata.place} now{latest}."))
    elif empties:
        count = sum(trash.empty() for trash in workspace.trashes)
        echo(f"Deleted for good: {count} entries of the trash." if count else "The trash is empty.")
    else:
        _examine(context, workspace, cleans, as_json)


def _examine(context: click.Context, workspace: Workspace, cleans: bool, as_json: bool) -> None:
    from zentfx.leftovers import leftovers, remove

    found = leftovers(workspace)
    if as_json:
        names = ("what", "path", "size", "removable")
        items = [{name: getattr(item, name) for name in names} for item in found]
        echo_json([{**item, "path": str(item["path"])} for item in items])
    else:
        for item in found:
            suffix = f" ({size_text(item.size)})" if item.removable else ""
            echo(printable(f"{item.what}: {item.path}{suffix}"))
    problems = []
    if cleans:
        problems = remove(workspace, found)
        for trash in workspace.trashes:
            try:
                trash.empty(older_than=_KEPT * 24 * 3600.0)
            except OSError as error:
                problems.append(f"The trash of {trash.root} cannot be emptied: {error}")
    for problem in problems:
        click.echo(printable(problem), err=True)
    if not as_json:
        size = sum(item.size for item in found)
        echo(_verdict(len(found), len(problems), size, cleans, str(workspace.root)))
    context.exit(1 if problems or (found and not cleans) else 0)


def _restore(workspace: Workspace) -> None:
    """Brings back what was cleaned away last, in all folders."""
    entries = [
        (trash, entry)
        for trash in workspace.trashes
        for entry in trash.entries()
        if not entry.replaced
    ]
    if not entries:
        echo(printable(f"There is nothing in the trash of {workspace.root}."))
        return
    newest = max(entry.name for _, entry in entries)
    for trash, entry in entries:
        if entry.name == newest:
            for path in trash.restore(entry.name):
                echo(printable(f"restored: {path}"))


def _verdict(count: int, failed: int, size: int, cleans: bool, place: str) -> str:
    if not count:
        return printable(f"Nothing is left over in {place}.")
    if cleans:
        kept = f"Cleaned: {count - failed} leftovers, {size_text(size)}; zentfx doctor --restore"
        return f"{kept} brings them back, for {_KEPT} days."
    return f"{count} leftovers. zentfx doctor --clean removes them."
