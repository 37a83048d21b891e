"""``zentfx logs``: what a step logged."""

from __future__ import annotations

import codecs
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zentfx.analysis.printable import printable
from zentfx.cli.options import Store, json_option, store_options
from zentfx.cli.output import echo, echo_json, note
from zentfx.errors import NotFoundError, near_matches

if TYPE_CHECKING:
    from zentfx.workspace import Workspace

__all__ = ["logs"]


@click.command()
@click.argument("step", required=False)
@click.option("--run", "run_id", metavar="ID", help="The run's id; by default the latest run.")
@click.option("--follow", "-f", is_flag=True, help="Go on until the run has ended.")
@json_option
@store_options
def logs(store: Store, step: str | None, run_id: str | None, follow: bool, as_json: bool) -> None:
    """Shows what a step of a run logged.

    Without STEP, which steps logged something. A step that was reused logged nothing: its log is
    with the run that computed it. A log is text: --json is for the list.

    Example: zentfx logs trainer --follow
    """
    if as_json and step is not None:
        raise click.UsageError("A log is text: --json is for the list, without STEP.")
    workspace = store.workspace()
    found = [workspace.run(run_id)] if run_id else workspace.runs(newest=1)
    if not found:
        raise NotFoundError(f"Nothing has run in {workspace.root}.")
    [run] = found
    folder = workspace.logs / run.id
    files = {file.stem: file for file in sorted(folder.glob("*.log"))}
    sizes = {name: file.stat().st_size for name, file in files.items()}
    if as_json:
        echo_json({"run": run.id, "pipeline": run.pipeline, "status": run.status, "bytes": sizes})
        return
    if step is None:
        echo(printable(f"Run {run.id} of {run.pipeline!r} ({run.status}):"))
        for name, size in sizes.items():
            echo(f"  {name:<16} {size:>9} bytes")
        return
    known = run.steps or tuple(files)
    if step not in known:
        raise NotFoundError(f"The run {run.id} has no step {step!r}.{near_matches(step, known)}")
    if not _show(workspace, run.id, folder / f"{step}.log", follow):
        note(
            f"{step!r} logged nothing in the run {run.id}. The log of a step that was reused is "
            "with the run that computed it: zentfx logs --run ID."
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
            echo(decoder.decode(text, final=ended), newline=False)
        if ended:
            return shown > 0
        time.sleep(0.5)
