"""``zentfx init``: makes a repository."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import click

from zentfx.cli.options import json_option
from zentfx.cli.output import echo, echo_json

__all__ = ["init"]


@click.command()
@click.argument(
    "folder", type=click.Path(path_type=Path, file_okay=False), default=Path(), required=False
)
@json_option
def init(folder: Path, as_json: bool) -> None:
    """Makes a repository.

    It is the folder .zentfx in FOLDER, by default the working directory: pipelines that run below
    FOLDER are recorded there. If it is there already, nothing happens.

    Example: zentfx init projects/taxi
    """
    from zentfx import Repository
    from zentfx.workspace import FOLDER, Workspace

    made = not (folder / FOLDER / "config.yaml").is_file()
    with contextlib.redirect_stderr(io.StringIO()):  # it says so there, as to whoever did not ask
        Workspace.find(folder)
    repository = Repository(folder)
    if as_json:
        echo_json({"path": str(repository.path), "made": made})
    elif made:
        echo(f"Made a repository: {repository.workspace.folder}")
    else:
        echo(f"There is a repository already: {repository.workspace.folder}")
