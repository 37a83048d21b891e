"""``zentfx backup`` and ``zentfx restore``."""

from __future__ import annotations

from pathlib import Path

import click

from zentfx.analysis.printable import printable
from zentfx.cli.options import Store, repository_option
from zentfx.cli.output import echo
from zentfx.errors import StoreError

__all__ = ["backup", "restore"]

_SHOWN = 10


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@repository_option
def backup(file: Path, repository: Path | None) -> None:
    """Writes a backup of the metadata.

    It has all runs, and lists which files their artifacts have. The files themselves are not in it;
    copy .zentfx/artifacts for that. Runs may go on meanwhile.

    Example: zentfx backup monday.zip
    """
    from zentfx.backup import back_up

    count = back_up(Store(repository).workspace(), file)
    echo(printable(f"Wrote {file}: the metadata store, and a list of {count} artifact files."))


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@repository_option
def restore(file: Path, repository: Path | None) -> None:
    """Puts the metadata of a backup in place.

    Says which files of artifacts are missing, and exits with 1 if any are. The metadata store that
    is there goes to the trash, where it is kept for 30 days.

    Example: zentfx restore monday.zip
    """
    from zentfx.backup import restore as restore_backup
    from zentfx.workspace import Workspace

    try:
        root = Workspace.find(repository, create=False).root
    except StoreError:  # all of it is gone
        root = Path.cwd() if repository is None else repository
    done = restore_backup(root, file)
    echo(printable(f"Restored the metadata store of {root} from {file}."))
    if done.entry:
        echo(f"The one that was there is in the trash, in {done.entry}.")
    if done.unknown:
        echo(f"{done.unknown} files of artifacts are newer than the backup, and stay.")
    for name in done.missing[:_SHOWN]:
        echo(printable(f"missing, or of another size: {name}"))
    if len(done.missing) > _SHOWN:
        echo(f"… and {len(done.missing) - _SHOWN} more.")
    if done.missing:
        raise click.exceptions.Exit(1)
