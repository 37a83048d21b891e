"""``zentfx run``: runs a pipeline that is written in YAML."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zentfx.cli.options import json_option, repository_option
from zentfx.cli.output import echo, echo_json
from zentfx.cli.records import told_of_run
from zentfx.cli.users_code import users_code
from zentfx.errors import StepFailedError

if TYPE_CHECKING:
    from zentfx.views.run import Run

__all__ = ["run"]


@click.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="PIPELINE.yaml")
@click.option("--no-cache", is_flag=True, help="Reuse no earlier result.")
@click.option(
    "--max-workers",
    type=click.IntRange(min=1),
    metavar="N",
    help="How many steps may run side by side; by default the repository's setting.",
)
@click.option("--in-process", is_flag=True, help="Run all steps in this process, for a debugger.")
@click.option("--project", metavar="NAME", help="The project that the run belongs to.")
@click.option("--experiment", metavar="NAME", help="The experiment that it belongs to.")
@click.option("--owner", metavar="NAME", help="Who answers for it.")
@click.option("--changelist", metavar="NAME", help="The change of the code that it is made of.")
@click.option(
    "--tag", "tags", multiple=True, metavar="TAG", help="A word to find it by; any number."
)
@click.option("--note", metavar="TEXT", help="A remark.")
@json_option
@repository_option
def run(
    file: Path,
    repository: Path | None,
    no_cache: bool,
    max_workers: int | None,
    in_process: bool,
    as_json: bool,
    **annotations: Any,
) -> None:
    """Runs a pipeline that is written in YAML.

    Classes of steps are found beside the file, in the working directory, or installed. The run is
    recorded in the nearest repository; where there is none, one is made. Prints the run's id and
    how it ended. Exits with 1 if a step failed, with 130 after Ctrl-C.

    Example: zentfx run pipeline.yaml --experiment widths --tag nightly
    """
    from zentfx import Pipeline, Repository

    failure: StepFailedError | None = None
    with users_code(file.parent, Path.cwd(), silent=as_json), _warnings_on_stderr():
        pipeline = Pipeline.from_yaml(file, repository=repository)
        place = Repository(repository)
        with place.annotated(**annotations):
            try:
                ended = pipeline.run(
                    enable_cache=False if no_cache else None,
                    max_workers=max_workers,
                    in_process=in_process,
                )
            except StepFailedError as error:
                failure = error
                ended = place.get_pipeline_run(error.run_id)
    if as_json:
        steps = {
            name: {"status": step.status, "duration": step.duration, "error": step.error}
            for name, step in ended.steps.items()
        }
        echo_json({**told_of_run(ended), "steps": steps})
    else:
        echo(_sentence(ended))
    if failure is not None:
        raise failure


@contextlib.contextmanager
def _warnings_on_stderr() -> Iterator[None]:
    """Within it, what is logged as a warning shows; but for the traceback of a step that failed.

    That is in the step's log, and what matters of it in the message that the command ends with.
    """
    handler = logging.StreamHandler()
    handler.setLevel(logging.WARNING)
    handler.setFormatter(logging.Formatter(logging.BASIC_FORMAT))
    handler.addFilter(lambda record: record.name != "zentfx.step")
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


def _sentence(run: Run) -> str:
    counts = Counter(step.status for step in run.steps.values())
    steps = ", ".join(f"{count} {status}" for status, count in counts.items())
    return f"Run {run.id}: {run.status} in {run.duration:.1f} s (steps: {steps})"
