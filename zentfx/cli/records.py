"""Views as plain data, for ``--json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zentfx.views.artifact import ArtifactVersion
    from zentfx.views.run import Run, StepRun

__all__ = ["files_there", "told_of_artifact", "told_of_run", "told_of_step"]


def told_of_run(run: Run) -> dict[str, Any]:
    """What there is to say of a run, without its steps."""
    return {
        "id": run.id,
        "pipeline": run.pipeline,
        "version": run.version or None,
        "status": run.status,
        "started": run.started,
        "duration": run.duration,
        "user": run.user,
        "host": run.host,
        "code_revision": run.code_revision,
        "project": run.project,
        "experiment": run.experiment,
        "owner": run.owner,
        "changelist": run.changelist,
        "tags": run.tags,
        "note": run.note,
        "error": run.error,
    }


def told_of_step(step: StepRun) -> dict[str, Any]:
    """What there is to say of a step of a run; artifacts by their ids."""
    return {
        "name": step.name,
        "source": step.source,
        "status": step.status,
        "duration": step.duration,
        "parameters": step.parameters,
        "metrics": step.metrics,
        "fingerprint": step.fingerprint or None,
        "content": step.content or None,
        "environment": step.environment,
        "inputs": {name: item.id for name, item in step.inputs.items()},
        "outputs": {name: item.id for name, item in step.outputs.items()},
        "error": step.error,
    }


def told_of_artifact(artifact: ArtifactVersion) -> dict[str, Any]:
    """What there is to say of an artifact by itself."""
    return {
        "id": artifact.id,
        "name": artifact.name,
        "type": artifact.type,
        "state": artifact.state,
        "exists": files_there(artifact),
        "created": artifact.created,
        "uri": artifact.uri,
    }


def files_there(artifact: ArtifactVersion) -> bool | None:
    """Whether an artifact's files are there; None where they would be elsewhere, or nowhere."""
    if not artifact.uri or "://" in artifact.uri.removeprefix("file://"):
        return None
    return artifact.exists
