"""``zentfx doctor``: finds what killed processes left behind, and cleans it up."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.filesize import decimal

from zentfx.cli.options import repository_option
from zentfx.leftovers import leftovers, remove
from zentfx.workspace import Workspace

__all__ = ["doctor"]


@click.command()
@click.option("--clean", is_flag=True, help="Record crashes, and remove the files that are listed.")
@repository_option
@click.pass_context
def doctor(context: click.Context, clean: bool, repository: Path | None) -> None:
    """Lists what killed runs left behind. Runs that are alive are left alone.

    Exits with 1 if there is something that was not cleaned.

    Example: zentfx doctor --clean
    """
    console = Console(soft_wrap=True, highlight=False)
    workspace = Workspace.find(repository, create=False)
    found = leftovers(workspace)
    for item in found:
        size = f" ({decimal(item.size)})" if item.removable else ""
        # As text: a path may look like markup.
        console.print(f"{item.what}: {item.path}{size}", markup=False)
    if not found:
        console.print(f"Nothing is left over in {workspace.root}.", markup=False)
    elif clean:
        remove(workspace, found)
        total = decimal(sum(item.size for item in found))
        console.print(f"Cleaned: {len(found)} leftovers, {total}.")
    else:
        console.print(f"{len(found)} leftovers. zentfx doctor --clean removes them.")
        context.exit(1)
