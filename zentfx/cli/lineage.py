"""``zentfx lineage``: which steps read and wrote what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from zentfx.cli.options import Store, json_option, store_options
from zentfx.cli.output import clean_lines, echo, echo_json

if TYPE_CHECKING:
    from zentfx.views.graph import Graph

__all__ = ["lineage"]


@click.command()
@click.argument("artifact", required=False)
@click.option(
    "--upstream/--downstream",
    default=None,
    help="How the artifact came to be (the default), or what was made from it.",
)
@click.option("--run", "run_id", metavar="ID", help="Instead, the steps of a run.")
@click.option(
    "--context",
    type=(str, str),
    metavar="TYPE NAME",
    help="Instead, what belongs to a context: an experiment, project, owner, changelist or tag, "
    "or one of any type in the store.",
)
@json_option
@store_options
def lineage(
    store: Store,
    artifact: str | None,
    upstream: bool | None,
    run_id: str | None,
    context: tuple[str, str] | None,
    as_json: bool,
) -> None:
    """Shows which steps read and wrote what.

    ARTIFACT is an id, or an address pipeline::step::output: what the latest completed run of that
    pipeline wrote there. A line a step, each after those that it reads from; then, with "!", what
    is not as it should be: marks, files that are gone, cycles.

    Example: zentfx lineage "Pipeline A::trainer::model"

    Example: zentfx lineage 3 --downstream

    Example: zentfx lineage --context experiment widths
    """
    if [artifact, run_id, context].count(None) != 2:
        raise click.UsageError("Give one of ARTIFACT, --run ID and --context TYPE NAME.")
    if artifact is None and upstream is not None:
        raise click.UsageError("--upstream and --downstream are about an artifact.")
    graph = _graph(store, artifact, upstream is False, run_id, context)
    if as_json:
        echo_json(graph.to_dict())
    else:
        echo(clean_lines(str(graph)))


def _graph(
    store: Store,
    artifact: str | None,
    downstream: bool,
    run_id: str | None,
    context: tuple[str, str] | None,
) -> Graph:
    repository = store.open()
    if artifact is not None:
        found = repository.get_artifact_version(artifact)
        return found.downstream() if downstream else found.upstream()
    if run_id is not None:
        return repository.get_pipeline_run(run_id).graph()
    assert context is not None
    return repository.get_context(*context).graph()
