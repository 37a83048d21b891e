"""The repository: a place with stores and pipelines, and the way to look things up in it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zentfx.analysis.compare import compare, trains
from zentfx.analysis.differences import Difference
from zentfx.analysis.selection import selected
from zentfx.annotations import annotating, checked_text
from zentfx.errors import (
    ConfigError,
    DataError,
    NotFoundError,
    ParameterTypeError,
    near_matches,
)
from zentfx.light_imports import uncollected
from zentfx.pipelines.base import Pipeline
from zentfx.records.models import MarkRecord
from zentfx.registration import register
from zentfx.stores.artifacts import ArtifactStore
from zentfx.stores.metadata import MetadataStore as AnyMetadataStore
from zentfx.views.artifact import ArtifactVersion, NamedArtifact
from zentfx.views.catalog import Catalog, checked_number
from zentfx.views.comparison import Comparison
from zentfx.views.context import Context
from zentfx.views.listing import Listing
from zentfx.views.run import Run
from zentfx.views.told import told_of_artifact, told_of_run
from zentfx.warn import warn
from zentfx.workspace import Workspace

if TYPE_CHECKING:
    from ml_metadata import MetadataStore
    from ml_metadata.proto.metadata_store_pb2 import ConnectionConfig

__all__ = ["Repository", "Stack", "register_artifact"]


@dataclass(frozen=True)
class Stack:
    """What a repository works with.

    Attributes:
        metadata_store: Where runs are recorded.
        artifact_store: Where artifacts are kept.
        orchestrator: Name of what runs the steps.
    """

    metadata_store: AnyMetadataStore
    artifact_store: ArtifactStore
    orchestrator: str


class Repository:
    """Opens a repository; makes one where there is none. Cheap, as often as you like.

    Args:
        path: The folder that holds ``.zentfx``. None for ``$ZENTFX_REPOSITORY``, else the nearest
            folder upwards from the working directory that has one, else the working directory.
        metadata: Instead of a repository, a metadata store that somebody else wrote: its SQLite
            file, MLMD's ``ConnectionConfig``, or an open ``MetadataStore``. It is only read: what
            would write to it raises ``StoreError``.

    Raises:
        ForeignStoreError: If the metadata store is something else than one.
        StoreError: If the repository cannot be made or the store cannot be opened.
        ConfigError: If its config file is not valid.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        metadata: str | os.PathLike[str] | ConnectionConfig | MetadataStore | None = None,
    ) -> None:
        if path is not None and metadata is not None:
            raise TypeError("Repository takes a path or metadata=…, not both.")
        if metadata is None:
            self._workspace = Workspace.find(path)
        else:
            self._workspace = Workspace.of_others(metadata)
        self._workspace.metadata.check()
        self._catalog = Catalog(self._workspace)

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
        self._workspace.note_search("mlmd")
        return self._workspace.metadata.connect()

    def get_pipeline_names(self) -> list[str]:
        """Lists the names of all pipelines that have run, sorted."""
        self._workspace.note_search("get_pipeline_names")
        return sorted({item.pipeline for item in self._workspace.reader.pipeline_versions()})

    def get_pipelines(self) -> list[Pipeline]:
        """Lists the latest version of every pipeline that has run, by name.

        Returns:
            The pipelines, frozen: copy one to change it. One whose YAML is gone is left out with a
            warning; of one whose steps' classes are not here, ``missing`` says so.
        """
        self._workspace.note_search("get_pipelines")
        # In order of their numbers, so that the last one of a name stays.
        latest = {item.pipeline: item for item in self._workspace.reader.pipeline_versions()}
        found = []
        for record in latest.values():
            try:
                found.append(Pipeline.recorded(record, self))
            except (ConfigError, DataError) as error:
                warn(f"left out: {error}")
        return found

    def get_pipeline_by_name(self, name: str, version: int | None = None) -> Pipeline:
        """Finds a pipeline that has run.

        Args:
            name: Its name.
            version: 1, 2, …; None for the latest.

        Returns:
            The pipeline, frozen: copy it to change it. If the class of a step is not here, as one
            of a notebook or one that is gone, the pipeline can be looked at and not run: see
            ``missing``.

        Raises:
            NotFoundError: If there is no such pipeline or version; names near matches.
            ConfigError: If its YAML is not valid.
            DataNotFoundError: If its YAML is gone from the artifact store.
        """
        self._workspace.note_search("get_pipeline_by_name")
        if not isinstance(name, str):
            raise NotFoundError(f"There is no pipeline {name!r}: expected its name, a text.")
        versions = self._workspace.reader.pipeline_versions(name)
        if not versions:
            raise NotFoundError(
                f"There is no pipeline {name!r} that zentfx has run here."
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

    def get_runs(
        self,
        pipeline: str | None = None,
        *,
        newest: int | None = None,
        status: str | None = None,
        project: str | None = None,
        experiment: str | None = None,
        owner: str | None = None,
        changelist: str | None = None,
        tag: str | None = None,
    ) -> Listing[Run]:
        """Lists runs, oldest first.

        An execution that somebody wrote by plain MLMD, and that is in no ``pipeline_run`` context,
        is a run by itself.

        Args:
            pipeline: Name of the pipeline; None for the runs of all, and so on.
            newest: How many of the latest ones.
            status: How they ended.
            project: Their project.
            experiment: Their experiment.
            owner: Their owner.
            changelist: Their changelist.
            tag: One of their tags.

        Returns:
            The runs; they print as a table, and ``.to_dataframe()`` is for pandas.

        Raises:
            NotFoundError: If no run at all has that pipeline, project, …; names near matches.
        """
        self._workspace.note_search("get_runs")
        return self._catalog.runs(
            newest,
            pipeline=pipeline,
            status=status,
            project=project,
            experiment=experiment,
            owner=owner,
            changelist=changelist,
            tag=tag,
        )

    def get_pipeline_run(self, run_id: str) -> Run:
        """Finds a run.

        Args:
            run_id: Its id.

        Returns:
            The run.

        Raises:
            NotFoundError: If there is none; names near matches.
        """
        try:
            return self._catalog.run(run_id)
        except NotFoundError:
            self._workspace.note_search("get_pipeline_run")  # there may be one the next time
            raise

    def compare_training_runs(
        self,
        pipeline: str | None = None,
        all_parameters: bool = False,
        *,
        newest: int | None = None,
        status: str | None = None,
        project: str | None = None,
        experiment: str | None = None,
        owner: str | None = None,
        changelist: str | None = None,
        tag: str | None = None,
    ) -> Comparison:
        """Puts all runs that train side by side, oldest first.

        Args:
            pipeline: Name of the pipeline whose runs to compare; None for all, and so on.
            all_parameters: Whether to show parameters that are the same in all runs, too.
            newest: How many of the latest ones; None for all.
            status: How they ended.
            project: Their project.
            experiment: Their experiment.
            owner: Their owner.
            changelist: Their changelist.
            tag: One of their tags.

        Returns:
            The comparison: print it, or see :class:`~zentfx.views.comparison.Comparison`.

        Raises:
            NotFoundError: If no run at all has that pipeline, project, …; names near matches.
        """
        self._workspace.note_search("compare_training_runs")
        with uncollected():
            shown = selected(
                self._workspace.compared_runs(every=all_parameters),
                lambda item: item.run,
                pipeline=pipeline,
                status=status,
                project=project,
                experiment=experiment,
                owner=owner,
                changelist=changelist,
                tag=tag,
            )
            runs = list(filter(trains, shown))
            if newest is not None:
                runs = runs[max(0, len(runs) - checked_number("newest", newest)) :]
            marked = self._workspace.reader.marked_runs()
            return Comparison(compare(runs, all_parameters, marked))

    def compare_runs(
        self, first: str | Run, second: str | Run, *, all_values: bool = False
    ) -> Listing[Difference]:
        """Puts two runs side by side: parameters, code, data, metrics and environments.

        Args:
            first: A run, or its id.
            second: Another.
            all_values: Whether to show values that are the same, too.

        Returns:
            A line a value, and whether it differs.

        Raises:
            NotFoundError: If there is no such run; names near matches.
        """
        self._workspace.note_search("compare_runs")
        runs = [
            item if isinstance(item, Run) else self.get_pipeline_run(item)
            for item in (first, second)
        ]
        return self._catalog.compare(
            told_of_run(runs[0]), told_of_run(runs[1]), (runs[0].id, runs[1].id), all_values
        )

    def list_artifacts(self) -> Listing[NamedArtifact]:
        """Lists named artifacts: for each its latest version, and how many there are.

        Returns:
            The artifacts by name; they print as a table, and ``.to_dataframe()`` is for pandas.
        """
        self._workspace.note_search("list_artifacts")
        return self._catalog.named_artifacts()

    def list_artifact_versions(
        self,
        name: str | None = None,
        *,
        type: str | None = None,
        state: str | None = "live",
        marked: bool | None = None,
        exists: bool | None = None,
        older_than: datetime | timedelta | None = None,
        unused_for: datetime | timedelta | None = None,
        larger_than: int | None = None,
        pipeline: str | None = None,
        project: str | None = None,
        experiment: str | None = None,
        owner: str | None = None,
        changelist: str | None = None,
        tag: str | None = None,
    ) -> Listing[ArtifactVersion]:
        """Lists versions of artifacts, oldest first.

        Args:
            name: The name that they are versions of; None for all, those without a name too.
            type: Name of their type: ``Model``, ``Examples``, …; or of a base type, as MLMD calls
                it: ``mlmd.Dataset``, …; None for all, and so on.
            state: MLMD's state of them; ``live`` is also what has none, as of plain MLMD code.
            marked: Whether they are marked.
            exists: Whether their files are there, as far as this machine can tell.
            older_than: An age, or a time before which they were made; local time, if it has no
                zone.
            unused_for: A time span, or a time since when no step has written, reused or read them.
            larger_than: Bytes.
            pipeline: A pipeline with a run that wrote, reused or read them.
            project: A project with such a run.
            experiment: An experiment with such a run.
            owner: An owner of such a run.
            changelist: A changelist with such a run.
            tag: A tag of theirs, or of such a run.

        Returns:
            The artifacts; they print as a table, and ``.to_dataframe()`` is for pandas.

        Raises:
            NotFoundError: If there is no such name, type, pipeline, …; names near matches.
        """
        self._workspace.note_search("list_artifact_versions")
        return self._catalog.artifacts(
            type,
            name=name,
            state=state,
            marked=marked,
            exists=exists,
            before=_moment(older_than),
            unused_since=_moment(unused_for),
            larger_than=larger_than,
            pipeline=pipeline,
            project=project,
            experiment=experiment,
            owner=owner,
            changelist=changelist,
            tag=tag,
        )

    def get_artifact_version(
        self, name_or_id: str | int, version: str | int | None = None
    ) -> ArtifactVersion:
        """Finds an artifact.

        Args:
            name_or_id: Its name; its id in MLMD; or an address ``pipeline::step::output``: what the
                latest completed run of that pipeline wrote or reused there.
            version: The version of that name; None for the latest.

        Returns:
            The artifact.

        Raises:
            NotFoundError: If there is none; names near matches.
        """
        return self._catalog.find.looked_up(name_or_id, version)

    def register_artifact(
        self,
        folder_or_file_uri: str | os.PathLike[str],
        name: str,
        version: str | int | None = None,
        tags: Iterable[str] = (),
    ) -> ArtifactVersion:
        """Registers a file or folder, as it is, as a version of a named artifact.

        In a step it counts as one of the step's outputs.

        Args:
            folder_or_file_uri: The file or folder. In the artifact store
                (``active_stack.artifact_store.path``) it stays where it is; else it is copied,
                which is said on stderr.
            name: The artifact's name.
            version: A version of your own; None for the next number.
            tags: Words to find it by.

        Returns:
            The version. It loads as a :class:`pathlib.Path`, to a copy in a temporary place.

        Raises:
            DataNotFoundError: If there is nothing there.
            StepDefinitionError: If the name or version cannot be one.
            DataError: If the version is taken.
            StoreError: If the repository is read-only.
        """
        number = register(self._workspace, folder_or_file_uri, name, version, tags)
        return self._catalog.find.artifact(number)

    def compare_artifacts(
        self,
        first: int | str | ArtifactVersion,
        second: int | str | ArtifactVersion,
        *,
        all_values: bool = False,
    ) -> Listing[Difference]:
        """Puts two artifacts of one type side by side: what they are, and how they came to be.

        Args:
            first: An artifact, its id or its address.
            second: Another.
            all_values: Whether to show values that are the same, too.

        Returns:
            A line a value, and whether it differs.

        Raises:
            NotFoundError: If there is no such artifact.
            DataError: If they are not of one type.
        """
        self._workspace.note_search("compare_artifacts")
        pair = [
            item if isinstance(item, ArtifactVersion) else self.get_artifact_version(item)
            for item in (first, second)
        ]
        if pair[0].type != pair[1].type:
            raise DataError(
                f"Two artifacts of one type can be compared; {pair[0].type} ({pair[0].id}) and "
                f"{pair[1].type} ({pair[1].id}) came."
            )
        names = (f"{pair[0].type} {pair[0].id}", f"{pair[1].type} {pair[1].id}")
        return self._catalog.compare(
            told_of_artifact(pair[0]), told_of_artifact(pair[1]), names, all_values
        )

    def get_contexts(self, type: str | None = None) -> Listing[Context]:
        """Lists contexts of MLMD: groups of executions and artifacts.

        Args:
            type: ``project``, ``experiment``, ``owner``, ``changelist`` or ``tag``, or the name of
                any type of contexts in the store; None for all.

        Returns:
            The contexts, oldest first.

        Raises:
            NotFoundError: If there are no contexts of that type; names near matches.
        """
        self._workspace.note_search("get_contexts")
        return self._catalog.contexts(type)

    def get_context(self, type: str, name: str) -> Context:
        """Finds a context.

        Args:
            type: As in :meth:`get_contexts`.
            name: Its name.

        Returns:
            The context: its ``artifacts``, and its ``graph()``.

        Raises:
            NotFoundError: If there is none; names near matches.
        """
        self._workspace.note_search("get_context")
        return self._catalog.context(type, name)

    @contextlib.contextmanager
    def experiment(
        self, name: str, *, note: str | None = None, **annotations: Any
    ) -> Iterator[None]:
        """Within it, runs of this repository are part of an experiment.

        Args:
            name: The experiment's name.
            note: A remark to keep with the experiment.
            **annotations: Further ones, see :meth:`annotated`.

        Raises:
            ParameterTypeError: If one is no text.
        """
        with self.annotated(experiment=name, **annotations):
            if note is not None:
                checked_text("note", note)
                self._workspace.annotator.context("experiment", name, note)
            yield

    @contextlib.contextmanager
    def annotated(
        self,
        *,
        project: str | None = None,
        experiment: str | None = None,
        owner: str | None = None,
        changelist: str | None = None,
        tags: Iterable[str] = (),
        note: str | None = None,
    ) -> Iterator[None]:
        """Within it, runs of this repository are annotated; blocks within one another add up.

        Args:
            project: The project that they belong to.
            experiment: The experiment that they belong to.
            owner: Who answers for them.
            changelist: The change of the code that they are made of.
            tags: Words to find them by.
            note: A remark on each of them.

        Raises:
            ParameterTypeError: If one is no text.
        """
        given = {
            "project": project,
            "experiment": experiment,
            "owner": owner,
            "changelist": changelist,
            "note": note,
        }
        changes = {name: value for name, value in given.items() if value is not None}
        with annotating(self._workspace.root, tags=tags, **changes):
            yield

    def get_marks(self) -> list[MarkRecord]:
        """Lists the marks that hold, oldest first: notes, and the ids of marked artifacts."""
        self._workspace.note_search("get_marks")
        return self._catalog.marks

    def __repr__(self) -> str:
        if self._workspace.metadata.read_only:
            return f"Repository(metadata={self._workspace.metadata.place!r})"
        return f"Repository({str(self.path)!r})"


def register_artifact(
    folder_or_file_uri: str | os.PathLike[str],
    name: str,
    version: str | int | None = None,
    tags: Iterable[str] = (),
) -> ArtifactVersion:
    """Registers a file or folder in the repository that ``Repository()`` opens.

    Args:
        folder_or_file_uri: See :meth:`Repository.register_artifact`.
        name: The artifact's name.
        version: A version of your own; None for the next number.
        tags: Words to find it by.

    Returns:
        The version.
    """
    return Repository().register_artifact(folder_or_file_uri, name, version, tags)


def _moment(time: datetime | timedelta | None) -> datetime | None:
    if time is None:
        return None
    if not isinstance(time, (datetime, timedelta)):
        raise ParameterTypeError(f"A time must be a datetime or a timedelta; {time!r} came.")
    try:
        if isinstance(time, timedelta):
            return datetime.now(timezone.utc) - time
        # Without a zone it is local time, as datetime itself takes it.
        return datetime.fromtimestamp(time.timestamp(), timezone.utc)
    except (OverflowError, OSError, ValueError) as error:
        raise ParameterTypeError(f"{time!r} is no time that can be: {error}") from error
