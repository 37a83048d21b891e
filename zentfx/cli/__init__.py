"""The command line."""

from __future__ import annotations

import sys

import click

import zentfx
from zentfx.cli.demo import demo
from zentfx.cli.doctor import doctor
from zentfx.cli.logs import logs
from zentfx.errors import ZenTFXError

__all__ = ["cli", "main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(zentfx.__version__, prog_name="zentfx")
def cli() -> None:
    """Pipelines on TFX, recorded in ML Metadata."""


for command in (demo, doctor, logs):
    cli.add_command(command)


def main() -> None:
    """Runs the command line; an error of zentfx is one message, not a traceback."""
    try:
        cli()
    except ZenTFXError as error:
        click.secho(f"error: {error}", fg="red", err=True)
        sys.exit(1)
