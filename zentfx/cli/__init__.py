"""The command line."""

from __future__ import annotations

import contextlib
import io
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import click

import zentfx
from zentfx.cli.lazy import LazyGroup, Place
from zentfx.cli.output import clean_lines
from zentfx.errors import ZenTFXError, ZenTFXWarning

__all__ = ["cli", "main"]

_INTERRUPTED = 130  # what shells say of a process that Ctrl-C ended

_PLACES = {
    "artifact": Place("zentfx.cli.artifact", "Lists, describes, compares and marks artifacts."),
    "backup": Place("zentfx.cli.backup", "Writes a backup of the metadata."),
    "compare": Place("zentfx.cli.compare", "Compares all runs that train, or any two runs."),
    "demo": Place("zentfx.cli.demo", "Trains two models on 15,000 taxi trips, and compares them."),
    "doctor": Place("zentfx.cli.doctor", "Lists what killed runs left behind."),
    "init": Place("zentfx.cli.init", "Makes a repository."),
    "lineage": Place("zentfx.cli.lineage", "Shows which steps read and wrote what."),
    "logs": Place("zentfx.cli.logs", "Shows what a step of a run logged."),
    "pipeline": Place("zentfx.cli.pipeline", "Lists the pipelines that have run, and prints them."),
    "restore": Place("zentfx.cli.backup", "Puts the metadata of a backup in place."),
    "run": Place("zentfx.cli.run", "Runs a pipeline that is written in YAML."),
    "runs": Place("zentfx.cli.runs", "Lists runs, oldest first."),
}


@click.group(
    cls=LazyGroup,
    places=_PLACES,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(zentfx.__version__, prog_name="zentfx")
def cli() -> None:
    """Pipelines on TFX, recorded in ML Metadata.

    Exits with 0 if all is well; with 1 after an error, or if what was asked for is not there; with
    2 if it was called wrongly.
    """


def main() -> None:
    """Runs the command line; an error of zentfx is one message, not a traceback."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that knows few characters shows the others by their numbers.
        sys.stdout.reconfigure(errors="backslashreplace")
    with _plain_warnings():
        sys.exit(_exit_code())


def _exit_code() -> int:
    try:
        result = cli.main(standalone_mode=False)
    except click.UsageError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        _tell(error.format_message())
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        _tell("interrupted")
        return _INTERRUPTED
    except (ZenTFXError, OSError) as error:
        _tell(str(error))
        return 1
    return result if isinstance(result, int) else 0


def _tell(message: str) -> None:
    click.secho(clean_lines(f"error: {message}"), fg="red", err=True)


@contextlib.contextmanager
def _plain_warnings() -> Iterator[None]:
    """Within it, a warning of zentfx is one line: where in zentfx it was given is of no use."""
    usual = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, ZenTFXWarning):
            click.secho(clean_lines(f"warning: {message}"), fg="yellow", err=True)
        else:
            usual(message, category, *place, **more)

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = usual
