"""``zentfx doctor``: finds what killed processes left behind, and cleans it up."""

from __future__ import annotations

from pathlib import Path

import click

from zentfx.analysis.printable import printable
from zentfx.cli.options import Store, json_option, repository_option
from zentfx.cli.output import echo, echo_json
from zentfx.cli.quantities import size_text

__all__ = ["doctor"]


@click.command()
@click.option("--clean", "cleans", is_flag=True, help="Record crashes, and remove what is listed.")
@json_option
@repository_option
@click.pass_context
def doctor(context: click.Context, cleans: bool, as_json: bool, repository: Path | None) -> None:
    """Lists what killed runs left behind. Runs that are alive are left alone.

    Exits with 1 if there is something that was not cleaned.

    Example: zentfx doctor --clean
    """
    from zentfx.leftovers import leftovers, remove

    workspace = Store(repository).workspace()
    found = leftovers(workspace)
    if as_json:
        names = ("what", "path", "size", "removable")
        items = [{name: getattr(item, name) for name in names} for item in found]
        echo_json([{**item, "path": str(item["path"])} for item in items])
    else:
        for item in found:
            size = f" ({size_text(item.size)})" if item.removable else ""
            echo(printable(f"{item.what}: {item.path}{size}"))
    if cleans and found:
        remove(workspace, found)
    if not as_json:
        echo(_verdict(len(found), sum(item.size for item in found), cleans, str(workspace.root)))
    context.exit(1 if found and not cleans else 0)


def _verdict(count: int, size: int, cleans: bool, place: str) -> str:
    if not count:
        return printable(f"Nothing is left over in {place}.")
    if cleans:
        return f"Cleaned: {count} leftovers, {size_text(size)}."
    return f"{count} leftovers. zentfx doctor --clean removes them."
