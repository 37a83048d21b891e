"""Columns of the tables that listings print."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zentfx.views.artifact import ArtifactVersion, NamedArtifact
from zentfx.views.context import Context
from zentfx.views.run import Run

__all__ = ["ARTIFACT_COLUMNS", "CONTEXT_COLUMNS", "NAMED_COLUMNS", "RUN_COLUMNS"]

RUN_COLUMNS: dict[str, Callable[[Run], Any]] = {
    "id": lambda run: run.id,
    "pipeline": lambda run: run.pipeline,
    "version": lambda run: run.version,
    "status": lambda run: run.status,
    "started": lambda run: run.started,
    "duration": lambda run: round(run.duration, 3),
    "project": lambda run: run.project,
    "experiment": lambda run: run.experiment,
    "owner": lambda run: run.owner,
    "changelist": lambda run: run.changelist,
    "tags": lambda run: run.tags,
    "note": lambda run: run.note,
}
ARTIFACT_COLUMNS: dict[str, Callable[[ArtifactVersion], Any]] = {
    "id": lambda item: item.id,
    "name": lambda item: item.name,
    "version": lambda item: item.version,
    "type": lambda item: item.type,
    "created": lambda item: item.created,
    "state": lambda item: item.state if item.exists else f"{item.state}, files gone",
    "marked": lambda item: item._marked,
    "uri": lambda item: item.uri,
}
NAMED_COLUMNS: dict[str, Callable[[NamedArtifact], Any]] = {
    "name": lambda item: item.name,
    "versions": lambda item: item.versions,
    "latest": lambda item: item.latest.version,
    "type": lambda item: item.latest.type,
    "created": lambda item: item.latest.created,
}
CONTEXT_COLUMNS: dict[str, Callable[[Context], Any]] = {
    "type": lambda item: item.type,
    "name": lambda item: item.name,
    "note": lambda item: item.note,
    "created": lambda item: item.created,
}
