"""``zentfx logs``: what a step logged."""

from __future__ import annotations

import codecs
import time
from pathlib import Path

import click

from zentfx.cli.options import repository_option
from zentfx.errors import NotFoundError, near_matches
from zentfx.workspace import Workspace

__all__ = ["logs"]


@click.command()
@click.argument("step", required=False)
@click.option("--run", "run_id", help="The run's id; by default the latest run.")
@click.option("--follow", "-f", is_flag=True, help="Go on until the run has ended.")
@repository_option
def logs(step: str | None, run_id: str | None, follow: bool, repository: Path | None) -> None:
    """Shows what a step of a run logged; without STEP, which steps logged something.

    A step that was reused logged nothing: its log is with the run that computed it.

    Example: zentfx logs trainer --follow
    """
    workspace = Workspace.find(repository, create=False)
    runs = workspace.runs()
    if not runs:
        raise NotFoundError(f"Nothing has run in {workspace.root}.")
    run = workspace.run(run_id) if run_id else runs[-1]
    folder = workspace.logs / run.id
    files = {file.stem: file for file in sorted(folder.glob("*.log"))}
    if step is None:
        click.echo(f"Run {run.id} of {run.pipeline!r} ({run.status}):")
        for name, file in files.items():
            click.echo(f"  {name:<16} {file.stat().st_size:>9} bytes")
        return
    if step not in run.steps:
        raise NotFoundError(
            f"The run {run.id} has no step {step!r}.{near_matches(step, run.steps)}"
        )
    if not _show(workspace, run.id, folder / f"{step}.log", follow):
        click.echo(
            f"{step!r} logged nothing in the run {run.id}. The log of a step that was reused is "
            "with the run that computed it: zentfx logs --run ID.",
            err=True,
        )


def _show(workspace: Workspace, run_id: str, file: Path, follow: bool) -> bool:
    """Shows a log, and what is added to it; says whether there was anything."""
    shown = 0
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    while True:
        # Before the last look: what is written until then is shown.
        ended = not follow or workspace.run(run_id).status != "running"
        if file.is_file():
            with file.open("rb") as stream:
                stream.seek(shown)
                text = stream.read()
            shown += len(text)
            click.echo(decoder.decode(text, final=ended), nl=False)
        if ended:
            return shown > 0
        time.sleep(0.5)
