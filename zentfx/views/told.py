"""What a comparison of two runs, or of two artifacts, says of each."""

from __future__ import annotations

from typing import Any

from zentfx.analysis.compare import digests
from zentfx.views.artifact import ArtifactVersion
from zentfx.views.run import Run, StepRun

__all__ = ["told_of_artifact", "told_of_run"]


def told_of_run(run: Run) -> dict[str, Any]:
    """What there is to say of a run: value by name, parameters and metrics as in comparisons."""
    told: dict[str, Any] = {
        "pipeline": run.pipeline,
        "version": run.version,
        "status": run.status,
        "started": run.started,
        "duration": run.duration,
        "user": run.user,
        "host": run.host,
        "code revision": run.code_revision,
        "project": run.project,
        "experiment": run.experiment,
        "owner": run.owner,
        "changelist": run.changelist,
        "tags": ", ".join(run.tags) or None,
        "note": run.note,
    }
    for name, step in run.steps.items():
        told[f"{name}.status"] = step.status
        told |= _told_of_step(step, name)
    return told | {f"metrics.{name}": value for name, value in run.metrics.items()}


def told_of_artifact(artifact: ArtifactVersion) -> dict[str, Any]:
    """What there is to say of an artifact, its properties and the step that wrote it."""
    told: dict[str, Any] = {
        "name": artifact.name,
        "version": artifact.version,
        "type": artifact.type,
        "created": artifact.created,
        "size": artifact.size,
        "state": artifact.state,
        "tags": list(artifact.tags),
        "note": artifact.note,
        "marked": "; ".join(mark.note for mark in artifact.marks) or None,
        "uri": artifact.uri,
    }
    told |= {
        f"metadata.{name}": value
        for name, value in artifact.metadata.items()
        if not name.startswith(("__", "zentfx_"))
    }
    if artifact.producer is not None and artifact.run is not None:
        told["run"] = artifact.run.id
        told |= _told_of_step(artifact.producer, artifact.producer.name)
        told |= {f"inputs.{name}": item.id for name, item in artifact.producer.inputs.items()}
    return told


def _told_of_step(step: StepRun, name: str) -> dict[str, Any]:
    versions = {f"({package})": version for package, version in step.environment.items()}
    told = {**step.parameters, **digests(step.fingerprint, step.content), **versions}
    return {f"{name}.{part}": value for part, value in told.items()}
