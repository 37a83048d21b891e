"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["repository_option"]

repository_option = click.option(
    "--repository",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder that holds .zentfx; by default the nearest one upwards.",
)
