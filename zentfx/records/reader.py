"""Reads runs, step runs, artifacts and contexts from a metadata store.

Neither protobuf nor SQL is seen above this module.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from zentfx.errors import NotFoundError, near_matches
from zentfx.records import schema
from zentfx.records.comparison import compared_runs
from zentfx.records.from_rows import (
    annotations_of,
    artifact_record,
    context_record,
    environment,
    mark_record,
    pipeline_version,
    run_id_of,
    step_record,
    time_of,
)
from zentfx.records.lineage import downstream, graph_of, upstream
from zentfx.records.models import (
    NO_ANNOTATIONS,
    Annotations,
    ArtifactRecord,
    ComparedRun,
    ContextRecord,
    GraphRecord,
    MarkRecord,
    Origin,
    PipelineVersionRecord,
    RunRecord,
    StepRunRecord,
)
from zentfx.records.rows import Event, Item, Rows, rows_of
from zentfx.records.runs import (
    artifacts_of,
    contexts_of,
    executions_of,
    names_of,
    numbered,
    origins_of,
    run_of,
    runs_of,
)
from zentfx.stores.metadata import MetadataStore

__all__ = ["Reader"]


class Reader:
    """Reads one metadata store. Every method looks at the store anew.

    Args:
        store: The store.
        root: The repository's folder, from which recorded relative paths start.
        located: Says of a recorded uri where the files are now.
    """

    def __init__(
        self, store: MetadataStore, root: Path | None, located: Callable[[str], str]
    ) -> None:
        self._store = store
        self._root = root
        self._located = located

    def runs(self, newest: int | None = None) -> list[RunRecord]:
        """Runs, oldest first.

        Args:
            newest: How many, of those that were recorded last; None for all.

        Returns:
            The records. An execution that is in no ``pipeline_run`` context is a run by itself.
        """
        with rows_of(self._store) as rows:
            return runs_of(rows, newest)

    def run(self, run_id: str) -> RunRecord:
        """One run.

        Args:
            run_id: Its id.

        Returns:
            The record.

        Raises:
            NotFoundError: If there is no such run.
        """
        with rows_of(self._store) as rows:
            return run_of(rows, run_id)

    def last_sign(self, run_id: str) -> datetime | None:
        """When anything was last written of a run's steps.

        Args:
            run_id: The run's id.

        Returns:
            The time in UTC, or None where it has no steps.
        """
        with rows_of(self._store) as rows:
            times = [item.updated for item in executions_of(rows, run_id)]
        return time_of(max(times)) if times else None

    def step_runs(self, run_id: str) -> list[StepRunRecord]:
        """The step runs of a run, in the order in which they started.

        Args:
            run_id: The run's id.

        Returns:
            The records.

        Raises:
            NotFoundError: If there is no such run.
        """
        with rows_of(self._store) as rows:
            return self._step_records(rows, executions_of(rows, run_id))

    def _step_records(self, rows: Rows, executions: Sequence[Item]) -> list[StepRunRecord]:
        events: dict[int, list[Event]] = defaultdict(list)
        for event in rows.events_of_executions([item.id for item in executions]):
            events[event.execution].append(event)
        names = names_of(rows, executions)
        # Ours have one name twice only where a step was tried again: the last attempt counts.
        attempts: dict[str, list[int]] = defaultdict(list)
        for item in executions:
            if schema.Execution.RECORDED in item.properties:
                attempts[names[item.id]].append(item.id)
        passed = {number for ids in attempts.values() for number in ids[:-1]}
        kept = [item for item in executions if item.id not in passed]
        unique = numbered(names[item.id] for item in kept)
        return [
            step_record(
                item,
                name,
                events[item.id],
                self._root,
                attempts=max(1, len(attempts.get(name, ()))),
            )
            for item, name in zip(kept, unique, strict=True)
        ]

    def compared_runs(self, every: bool = False) -> list[ComparedRun]:
        """All runs, as far as a comparison needs them, oldest first.

        Args:
            every: Whether every step is needed. Otherwise those may be left out that neither
                train, nor have metrics, nor differ in any two runs of the store.

        Returns:
            The runs.
        """
        with rows_of(self._store) as rows:
            return compared_runs(rows, self._root, every)

    def origins(self, artifact_ids: Iterable[int]) -> dict[int, Origin]:
        """Where artifacts come from.

        Args:
            artifact_ids: Ids of artifacts in MLMD.

        Returns:
            The origin by the artifact's id; an artifact that nothing wrote is left out.
        """
        with rows_of(self._store) as rows:
            return origins_of(rows, list(artifact_ids))

    def environment(self, execution_id: int) -> dict[str, str]:
        """Versions of the packages that ran an execution.

        Args:
            execution_id: Its id in MLMD.

        Returns:
            Version by distribution name; empty where none are recorded.
        """
        with rows_of(self._store) as rows:
            found = rows.executions([execution_id])
        return environment(found[0].properties) if found else {}

    def artifacts(self, artifact_ids: Iterable[int]) -> dict[int, ArtifactRecord]:
        """Artifacts by id.

        Args:
            artifact_ids: Their ids in MLMD.

        Returns:
            The records that there are, by id.
        """
        with rows_of(self._store) as rows:
            found = rows.artifacts(sorted(set(artifact_ids)))
        return {item.id: self._artifact(item) for item in found}

    def artifact_versions(self, name: str) -> list[ArtifactRecord]:
        """The versions of a named artifact, oldest first.

        Args:
            name: Its name.

        Returns:
            The artifacts.
        """
        with rows_of(self._store) as rows:
            context = rows.context(schema.ARTIFACT_NAME, name)
            found = rows.artifacts_in([context.id]) if context is not None else []
        return self._as_versions(item for _, item in found)

    def artifact_names(self) -> list[str]:
        """Names of artifacts, sorted."""
        with rows_of(self._store) as rows:
            return sorted(item.name for item in rows.contexts(schema.ARTIFACT_NAME))

    def named_artifacts(self) -> dict[str, list[ArtifactRecord]]:
        """All versions of all named artifacts, by name, oldest first; names that have none, too."""
        with rows_of(self._store) as rows:
            groups = {item.id: item.name for item in rows.contexts(schema.ARTIFACT_NAME)}
            found: dict[str, list[Item]] = {name: [] for name in sorted(groups.values())}
            for group, item in rows.artifacts_in(list(groups)):
                found[groups[group]].append(item)
        return {name: self._as_versions(items) for name, items in found.items()}

    def version_annotations(self, name: str, version: str) -> Annotations:
        """What is said of a version of a named artifact.

        Args:
            name: The artifact's name.
            version: The version.

        Returns:
            Its tags and its note.
        """
        with rows_of(self._store) as rows:
            context = rows.context(schema.ARTIFACT_VERSION, f"{name}@{version}")
        return NO_ANNOTATIONS if context is None else annotations_of(context.properties)

    def tagged_artifacts(self) -> dict[str, list[int]]:
        """Artifacts by the tags of their versions.

        Returns:
            Their ids in MLMD, by tag.
        """
        with rows_of(self._store) as rows:
            tags = {
                item.id: annotations_of(item.properties).tags
                for item in rows.contexts(schema.ARTIFACT_VERSION)
            }
            found: dict[str, list[int]] = {}
            for version, artifact in rows.artifacts_in([key for key in tags if tags[key]]):
                for tag in tags[version]:
                    found.setdefault(tag, []).append(artifact.id)
        return found

    def all_artifacts(
        self, type_name: str | None = None, run_ids: Iterable[str] | None = None
    ) -> list[ArtifactRecord]:
        """Artifacts of every state, oldest first.

        Args:
            type_name: Name of their type, or MLMD's of its base type (``mlmd.Dataset``); None for
                all types.
            run_ids: Ids of the runs that wrote, reused or read them; None for all.

        Returns:
            The records.
        """
        with rows_of(self._store) as rows:
            found = rows.artifacts() if type_name is None else _of_type(rows, type_name)
            if run_ids is not None:
                kept = artifacts_of(rows, set(run_ids))
                found = [item for item in found if item.id in kept]
        return list(map(self._artifact, found))

    def upstream(self, artifact_ids: Iterable[int]) -> GraphRecord:
        """How artifacts came to be; see :func:`zentfx.records.lineage.upstream`."""
        with rows_of(self._store) as rows:
            return self._graph(upstream(rows, artifact_ids))

    def downstream(self, artifact_ids: Iterable[int]) -> GraphRecord:
        """What was made from artifacts; see :func:`zentfx.records.lineage.downstream`."""
        with rows_of(self._store) as rows:
            return self._graph(downstream(rows, artifact_ids))

    def graph_of_run(self, run_id: str) -> GraphRecord:
        """The steps of a run, and what they read and wrote.

        Args:
            run_id: The run's id.

        Returns:
            The graph.

        Raises:
            NotFoundError: If there is no such run.
        """
        with rows_of(self._store) as rows:
            return self._graph(graph_of(rows, executions_of(rows, run_id)))

    def graph_of_context(self, context_id: int) -> GraphRecord:
        """The executions of a context, what they read and wrote, and its other artifacts.

        Args:
            context_id: The context's id in MLMD.

        Returns:
            The graph.
        """
        with rows_of(self._store) as rows:
            executions = [item for _, item in rows.executions_in([context_id])]
            artifacts = [item.id for _, item in rows.artifacts_in([context_id])]
            return self._graph(graph_of(rows, executions, artifacts))

    def last_uses(self, artifact_ids: Iterable[int]) -> dict[int, datetime]:
        """When artifacts were last written, reused or read.

        Args:
            artifact_ids: Ids of artifacts in MLMD.

        Returns:
            The time in UTC by the artifact's id, where there is one.
        """
        with rows_of(self._store) as rows:
            found = rows.last_events(sorted(set(artifact_ids)))
        return {item: time_of(when) for item, when in found.items() if when}

    def marks(self) -> list[MarkRecord]:
        """The marks that hold, oldest first."""
        with rows_of(self._store) as rows:
            contexts = [
                context
                for context in rows.contexts(schema.MARK)
                if schema.Mark.REMOVED not in context.properties
            ]
            members: dict[int, list[int]] = defaultdict(list)
            for context_id, artifact in rows.artifacts_in([context.id for context in contexts]):
                members[context_id].append(artifact.id)
        return [mark_record(context, members[context.id]) for context in contexts]

    def marked(self) -> dict[int, str]:
        """The artifacts that are marked.

        Returns:
            The notes of its marks by the artifact's id in MLMD.
        """
        notes: dict[int, list[str]] = defaultdict(list)
        for mark in self.marks():
            for artifact in mark.artifacts:
                notes[artifact].append(mark.note)
        return {artifact: "; ".join(dict.fromkeys(found)) for artifact, found in notes.items()}

    def marked_runs(self) -> dict[str, str]:
        """The runs whose steps wrote or reused artifacts that are marked.

        Returns:
            The notes of the marks by the run's id.
        """
        notes = self.marked()
        if not notes:
            return {}
        found: dict[str, dict[str, None]] = defaultdict(dict)
        with rows_of(self._store) as rows:
            events = [item for item in rows.events_of_artifacts(sorted(notes)) if not item.reads]
            named = contexts_of(rows, sorted({event.execution for event in events}))
            for event in events:
                run = run_id_of(event.execution, named[event.execution])
                found[run][notes[event.artifact]] = None
        return {run: "; ".join(texts) for run, texts in found.items()}

    def contexts(self, type_name: str | None = None) -> list[ContextRecord]:
        """Contexts, oldest first.

        Args:
            type_name: Name of their type; None for all.

        Returns:
            The records.
        """
        with rows_of(self._store) as rows:
            return list(map(context_record, rows.contexts(type_name)))

    def context(self, type_name: str, name: str) -> ContextRecord:
        """One context.

        Args:
            type_name: Name of its type.
            name: Its name.

        Returns:
            The record.

        Raises:
            NotFoundError: If there is none; names near matches.
        """
        with rows_of(self._store) as rows:
            found = rows.context(type_name, name)
            if found is not None:
                return context_record(found)
            known = rows.contexts(type_name)
            if known:
                near = near_matches(name, [item.name for item in known])
                raise NotFoundError(f"There is no context {name!r} of type {type_name!r}.{near}")
            near = near_matches(type_name, {item.type for item in rows.contexts()})
        raise NotFoundError(f"There are no contexts of type {type_name!r}.{near}")

    def pipeline_versions(self, pipeline: str | None = None) -> list[PipelineVersionRecord]:
        """The versions of one pipeline, or of all, oldest first.

        Args:
            pipeline: The pipeline's name; None for all.

        Returns:
            The records.
        """
        with rows_of(self._store) as rows:
            records = map(pipeline_version, rows.contexts(schema.PIPELINE_VERSION))
        found = [record for record in records if pipeline in (None, record.pipeline)]
        return sorted(found, key=lambda item: (item.pipeline, item.number))

    def _as_versions(self, items: Iterable[Item]) -> list[ArtifactRecord]:
        """Artifacts of a name, oldest first: of each version the last one.

        A version is made again when its files are gone.
        """
        records = map(self._artifact, sorted(items, key=lambda item: item.id))
        last = {record.properties.get(schema.Artifact.VERSION): record for record in records}
        return sorted(last.values(), key=lambda record: record.id)

    def _artifact(self, item: Item) -> ArtifactRecord:
        return self._found(artifact_record(item))

    def _graph(self, graph: GraphRecord) -> GraphRecord:
        return replace(graph, artifacts=tuple(map(self._found, graph.artifacts)))

    def _found(self, artifact: ArtifactRecord) -> ArtifactRecord:
        uri = self._located(artifact.uri)
        return artifact if uri == artifact.uri else replace(artifact, uri=uri)


def _of_type(rows: Rows, name: str) -> list[Item]:
    found = {
        item.id: item for kind in schema.spellings(name) for item in rows.artifacts_of_type(kind)
    }
    return [found[number] for number in sorted(found)]
