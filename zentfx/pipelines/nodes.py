"""From wired steps to the nodes that an orchestrator is given."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from zentfx.errors import NotFoundError, PipelineError
from zentfx.pipelines.baselines import latest_blessed
from zentfx.records.models import ArtifactRecord
from zentfx.source_code.identity import CodeIdentity, code_of
from zentfx.steps.base import ANYTHING, BaseStep
from zentfx.steps.evaluator import BASELINE, EvaluatorStep
from zentfx.steps.input_files import input_digests
from zentfx.steps.node import Node, OutputReference, PlacedStep
from zentfx.views.catalog import Catalog
from zentfx.workspace import Workspace

__all__ = ["nodes_of"]


def nodes_of(
    placed: Mapping[str, PlacedStep],
    wiring: Mapping[str, Mapping[str, OutputReference]],
    workspace: Workspace | None,
    run_caching: bool | None,
    pipeline_caching: bool,
    pipeline: str,
) -> list[Node]:
    """Makes the nodes of a run.

    Args:
        placed: The steps, by name.
        wiring: What their inputs read; steps after those that they need.
        workspace: Where they are to run; None to leave out what a repository is needed for.
        run_caching: Whether earlier results may be reused, if the run says so.
        pipeline_caching: Whether they may be where neither the run nor the step says anything.
        pipeline: The pipeline's name.

    Returns:
        The nodes, in the order of the wiring.

    Raises:
        StepDefinitionError: If a step's code cannot be told.
        PipelineError: If an artifact that a step reads is not there, or of another type.
        DataError: If a file that a step reads is not there.
    """
    memos = None if workspace is None else workspace.memos
    nodes = []
    known: dict[tuple[type, str | None], CodeIdentity] = {}  # many steps may be of one class
    for name, inputs in wiring.items():
        step, after = placed[name].step, placed[name].after
        artifacts = _stored(name, placed[name], workspace)
        if _lacks_baseline(step, {*inputs, *artifacts}) and workspace is not None:
            baseline = latest_blessed(workspace, pipeline, name)
            if baseline is not None:
                artifacts[BASELINE] = baseline
        code = type(step), step.options.code_version
        if code not in known:
            known[code] = code_of(*code)
        types = {
            key: placed[reference.step].step.outputs[reference.output]
            for key, reference in inputs.items()
        }
        caching = (run_caching, step.options.enable_cache, pipeline_caching)
        nodes.append(
            Node(
                name=name,
                step=step,
                inputs=inputs,
                code=known[code],
                digests=input_digests(step, memos, awaited=bool(after)),
                enable_cache=next(said for said in caching if said is not None),
                artifacts=artifacts,
                after=after,
                input_types={**types, **{key: item.type for key, item in artifacts.items()}},
            )
        )
    return nodes


def _lacks_baseline(step: BaseStep, connected: Collection[str]) -> bool:
    wanted = isinstance(step, EvaluatorStep) and step.needs_baseline
    return wanted and BASELINE not in connected


def _stored(
    name: str, placed: PlacedStep, workspace: Workspace | None
) -> dict[str, ArtifactRecord]:
    """The artifacts from before that a step reads."""
    if not placed.artifacts or workspace is None:
        return {}
    catalog = Catalog(workspace)
    found = {}
    for key, reference in placed.artifacts.items():
        where = f"Input {key!r} of step {name!r}"
        if reference.root not in (None, workspace.root):
            raise PipelineError(
                f"{where} reads {reference} of the repository at {reference.root}; the pipeline "
                f"runs in {workspace.root}. Load it, and return it from a step; or register its "
                "files."
            )
        try:
            artifact = catalog.find.referenced(reference)
        except NotFoundError as error:
            raise PipelineError(f"{where} reads {reference}: {error}") from error
        wanted = placed.step.inputs[key]
        if wanted not in (artifact.type, ANYTHING):
            raise PipelineError(f"{where} takes {wanted}; {reference} is {artifact.type}.")
        found[key] = artifact
    return found
