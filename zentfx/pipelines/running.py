"""Runs the steps of a pipeline and records the run."""

from __future__ import annotations

import hashlib
import json
import sys
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import chain
from pathlib import Path

from zentfx import environment
from zentfx._version import __version__ as zentfx_version
from zentfx.annotations import active
from zentfx.errors import PipelineError, StepFailedError, StoreError
from zentfx.orchestrators import Listener, RunRequest, orchestrator
from zentfx.parameters import canonical_json
from zentfx.pipelines import yaml_format
from zentfx.pipelines.file_warnings import warn_of_files
from zentfx.pipelines.progress import shown
from zentfx.records.encoding import annotation_properties, chunked
from zentfx.records.schema import Run as RunNames
from zentfx.steps.node import Node
from zentfx.views.catalog import Catalog
from zentfx.views.run import Run
from zentfx.warn import warn
from zentfx.workspace import Workspace

__all__ = ["RunSettings", "run_nodes", "warn_of"]


@dataclass(frozen=True)
class RunSettings:
    """How steps are run; nothing of it changes what they compute.

    Attributes:
        max_workers: How many steps may run side by side; None for the repository's setting.
        in_process: Whether all steps run in this process.
        progress: See ``Pipeline.run``.
    """

    max_workers: int | None = None
    in_process: bool = False
    progress: Listener | bool | None = True

    def workers(self, workspace: Workspace) -> int:
        """How many steps may run side by side.

        Args:
            workspace: The repository's settings.

        Returns:
            The number.

        Raises:
            PipelineError: If the settings do not fit together.
        """
        if self.max_workers is None:
            return 1 if self.in_process else workspace.max_workers
        if isinstance(self.max_workers, bool) or not isinstance(self.max_workers, int):
            raise PipelineError(f"max_workers must be an int; {self.max_workers!r} came.")
        if self.max_workers < 1:
            raise PipelineError(f"max_workers must be at least 1; {self.max_workers} came.")
        if self.in_process and self.max_workers > 1:
            raise PipelineError(
                "With in_process=True steps run one at a time; leave max_workers out, or run them "
                f"in workers. max_workers={self.max_workers} came."
            )
        return self.max_workers


def run_nodes(
    name: str,
    text: str,
    nodes: Sequence[Node],
    workspace: Workspace,
    settings: RunSettings,
    begun: Callable[[int], None],
) -> Run:
    """Runs the steps of a pipeline and records the run.

    Args:
        name: The pipeline's name.
        text: Its YAML.
        nodes: Its steps, each after those that it reads from.
        workspace: The repository's stores.
        settings: How they are run.
        begun: Told the pipeline's version, once the run is recorded as begun.

    Returns:
        The run, as it was recorded.

    Raises:
        ZenTFXError: If the steps cannot run here; nothing is recorded.
        StepFailedError: If a step raised. The run is recorded as failed.
    """
    writer = workspace.writer
    run_id = _new_run_id()
    used = {node.name: node.code.packages for node in nodes}
    _remember_versions(workspace, {*environment.base_packages(), *chain(*used.values())})
    request = RunRequest(
        run_id=run_id,
        pipeline=name,
        nodes=nodes,
        cache_scope=writer.cache_scope(),
        metadata=workspace.metadata,
        artifacts=workspace.artifacts,
        logs=workspace.logs / run_id,
        root=workspace.root,
        beam_args=workspace.beam_args,
        environment={"zentfx": zentfx_version, **environment.package_versions()},
        packages={name: environment.package_versions(found) for name, found in used.items()},
        max_workers=settings.workers(workspace),
        in_process=settings.in_process,
        memos=workspace.memos,
        is_alive=workspace.is_alive,
        exclusive=workspace.exclusive,
    )
    start = orchestrator(workspace.orchestrator).prepare(request)
    for node in nodes:
        workspace.artifacts.keep_text(
            "sources", f"{node.code.sources_digest}.json", node.code.sources_text
        )
    workspace.record_crashes()
    with workspace.hold_run(run_id) as lock:
        properties = _run_properties(name, text, nodes, workspace)
        properties.update(annotation_properties(active(workspace.root)))
        context_id = writer.begin_run(run_id, name, properties)
        workspace.pairing.note(request.cache_scope, context_id, run_id)
        begun(int(properties[RunNames.VERSION]))
        try:
            with shown(settings.progress, [node.name for node in nodes]) as listener:
                start(listener)
        except BaseException as failure:
            # KeyboardInterrupt and SystemExit end a run too, and must not leave it running.
            canceled = isinstance(failure, KeyboardInterrupt)
            own = isinstance(failure, (StepFailedError, KeyboardInterrupt))
            error = str(failure) if own else f"{type(failure).__name__}: {failure}"
            writer.end_run(run_id, "canceled" if canceled else "failed", error or None)
            lock.settled = True
            _group(workspace, run_id)
            raise
        writer.end_run(run_id, "completed")
        lock.settled = True
        _group(workspace, run_id)
    return Catalog(workspace).run(run_id)


def _group(workspace: Workspace, run_id: str) -> None:
    """Puts what a run has recorded into the contexts of what is said of it."""
    try:
        # By now, somebody may have said more.
        workspace.annotator.group(run_id, workspace.reader.run(run_id).annotations)
    except StoreError as error:
        warn(f"The run {run_id} is recorded, but not in its experiment's context: {error}")


def warn_of(nodes: Sequence[Node]) -> None:
    """Says, once each, what of steps is perhaps not as the user thinks: code, and named files.

    Args:
        nodes: The steps.
    """
    for sentence in dict.fromkeys(text for node in nodes for text in node.code.warnings):
        names = [repr(node.name) for node in nodes if sentence in node.code.warnings]
        warn(f"Step {', '.join(names)}: {sentence}")
    warn_of_files(nodes)


def _run_properties(
    name: str, text: str, nodes: Sequence[Node], workspace: Workspace
) -> dict[str, str | int]:
    whole = hashlib.sha256(text.encode()).hexdigest()
    uri = workspace.artifacts.keep_text("pipelines", f"{whole}.yaml", text)
    digest = yaml_format.digest(text)
    properties: dict[str, str | int] = {
        RunNames.VERSION: workspace.writer.pipeline_version(name, digest, uri),
        RunNames.USER: environment.user(),
        RunNames.HOST: environment.host(),
        **chunked(RunNames.STEPS, canonical_json([node.name for node in nodes])),
    }
    revision = environment.code_revision(Path.cwd())
    if revision is not None:
        properties[RunNames.CODE_REVISION] = revision
    return properties


def _remember_versions(workspace: Workspace, packages: Iterable[str]) -> None:
    """Looks versions of packages up for this process, or has them from an earlier one."""
    # Whatever is installed, or removed, changes the folder that it is in.
    folders = [folder for folder in map(Path, sys.path) if folder.is_dir()]
    times = [folder.stat().st_mtime_ns for folder in folders]
    names = sorted(packages)
    text = workspace.memos.of(
        f"versions of {names} in {sys.path}",
        canonical_json([sys.version, times]),
        lambda: canonical_json(environment.versions_by_package(names, fresh=True)),
    )
    environment.remember(json.loads(text))


def _new_run_id() -> str:
    """Sortable by time, readable, and unique across processes and machines."""
    now = datetime.now(timezone.utc)
    return f"{now:%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:8]}"
