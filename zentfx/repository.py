"""The repository: a place with stores and pipelines, and the way to look things up in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from zentfx.stores.artifacts import ArtifactStore
from zentfx.stores.metadata import SQLiteMetadataStore
from zentfx.views.run import Run
from zentfx.workspace import Workspace

__all__ = ["Repository", "Stack"]


@dataclass(frozen=True)
class Stack:
    """What a repository works with.

    Attributes:
        metadata_store: Where runs are recorded.
        artifact_store: Where artifacts are kept.
        orchestrator: Name of what runs the steps.
    """

    metadata_store: SQLiteMetadataStore
    artifact_store: ArtifactStore
    orchestrator: str


class Repository:
    """Opens a repository; makes one where there is none. Cheap, as often as you like.

    Args:
        path: The folder that holds ``.zentfx``. None for ``$ZENTFX_REPOSITORY``, else the nearest
            folder upwards from the working directory that has one, else the working directory.

    Raises:
        ForeignStoreError: If the repository's metadata store is something else than one.
        StoreError: If the repository cannot be made or its store cannot be opened.
        ConfigError: If its config file is not valid.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self._workspace = Workspace.find(path)
        self._workspace.metadata.connect()

    @property
    def path(self) -> Path:
        """The folder that holds ``.zentfx``."""
        return self._workspace.root

    @property
    def workspace(self) -> Workspace:
        """The stores and settings."""
        return self._workspace

    @property
    def active_stack(self) -> Stack:
        """The stores and the orchestrator that pipelines of this repository use."""
        workspace = self._workspace
        return Stack(workspace.metadata, workspace.artifacts, workspace.orchestrator)

    def get_runs(self) -> list[Run]:
        """Lists all runs, oldest first."""
        return [Run(record, self._workspace) for record in self._workspace.runs()]

    def get_pipeline_run(self, run_id: str) -> Run:
        """Finds a run.

        Args:
            run_id: Its id.

        Returns:
            The run.

        Raises:
            NotFoundError: If there is none; names near matches.
        """
        return Run(self._workspace.run(run_id), self._workspace)

    def __repr__(self) -> str:
        return f"Repository({str(self.path)!r})"
