"""The repository: a place with stores and pipelines, and the way to look things up in it."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zentfx.analysis.compare import compare, trains
from zentfx.errors import ConfigError, DataError, NotFoundError, ZenTFXWarning, near_matches
from zentfx.light_imports import uncollected
from zentfx.pipelines.base import Pipeline
from zentfx.stores.artifacts import ArtifactStore
from zentfx.stores.metadata import SQLiteMetadataStore
from zentfx.views.comparison import Comparison
from zentfx.views.run import Run
from zentfx.workspace import Workspace

if TYPE_CHECKING:
    from ml_metadata import MetadataStore

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
        self._workspace.metadata.check()

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

    @property
    def mlmd(self) -> MetadataStore:
        """MLMD's own client of the metadata store (``ml_metadata.MetadataStore``).

        As long as somebody holds it, the store is read over it, and not by SQL, which is slower
        where there are thousands of runs.
        """
        return self._workspace.metadata.connect()

    def get_pipeline_names(self) -> list[str]:
        """Lists the names of all pipelines that have run, sorted."""
        return sorted({item.pipeline for item in self._workspace.reader.pipeline_versions()})

    def get_pipelines(self) -> list[Pipeline]:
        """Lists the latest version of every pipeline that has run, by name.

        Returns:
            The pipelines, frozen: copy one to change it. One that cannot be read, because the class
            of a step is gone, is left out with a warning.
        """
        # In order of their numbers, so that the last one of a name stays.
        latest = {item.pipeline: item for item in self._workspace.reader.pipeline_versions()}
        found = []
        for record in latest.values():
            try:
                found.append(Pipeline.recorded(record, self))
            except (ConfigError, DataError) as error:
                warnings.warn(f"left out: {error}", ZenTFXWarning, stacklevel=2)
        return found

    def get_pipeline_by_name(self, name: str, version: int | None = None) -> Pipeline:
        """Finds a pipeline that has run.

        Args:
            name: Its name.
            version: 1, 2, …; None for the latest.

        Returns:
            The pipeline, frozen: copy it to change it.

        Raises:
            NotFoundError: If there is no such pipeline or version; names near matches.
            ConfigError: If it cannot be read, as when the class of a step is gone.
            DataNotFoundError: If its YAML is gone from the artifact store.
        """
        versions = self._workspace.reader.pipeline_versions(name)
        if not versions:
            raise NotFoundError(
                f"There is no pipeline {name!r} that has run."
                f"{near_matches(name, self.get_pipeline_names())}"
            )
        by_number = {item.number: item for item in versions}
        number = max(by_number) if version is None else version
        if number not in by_number:
            raise NotFoundError(
                f"The pipeline {name!r} has no version {version!r}; it has "
                f"{', '.join(map(str, by_number))}."
            )
        return Pipeline.recorded(by_number[number], self)

    def get_runs(self, pipeline: str | None = None) -> list[Run]:
        """Lists runs, oldest first.

        Args:
            pipeline: Name of the pipeline; None for the runs of all.

        Returns:
            The runs.

        Raises:
            NotFoundError: If there is no such pipeline; names near matches.
        """
        runs = [Run(record, self._workspace) for record in self._workspace.runs()]
        if pipeline is None:
            return runs
        self._known_pipeline(pipeline, {run.pipeline for run in runs})
        return [run for run in runs if run.pipeline == pipeline]

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

    def compare_training_runs(
        self, pipeline: str | None = None, all_parameters: bool = False
    ) -> Comparison:
        """Puts all runs that train side by side, oldest first.

        Args:
            pipeline: Name of the pipeline whose runs to compare; None for all.
            all_parameters: Whether to show parameters that are the same in all runs, too.

        Returns:
            The comparison: print it, or see :class:`~zentfx.views.comparison.Comparison`.

        Raises:
            NotFoundError: If there is no such pipeline; names near matches.
        """
        with uncollected():
            found = self._workspace.compared_runs(every=all_parameters)
            if pipeline is not None:
                self._known_pipeline(pipeline, {item.run.pipeline for item in found})
            shown = [
                item for item in found if trains(item) and pipeline in (None, item.run.pipeline)
            ]
            return Comparison(compare(shown, all_parameters))

    @staticmethod
    def _known_pipeline(name: str, names: set[str]) -> None:
        if name not in names:
            raise NotFoundError(
                f"There is no pipeline {name!r} that has run.{near_matches(name, names)}"
            )

    def __repr__(self) -> str:
        return f"Repository({str(self.path)!r})"
