"""Finds what is recorded and makes views of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from types import NoneType
from typing import Any

from zentfx import environment
from zentfx.analysis.compare import ABSENT
from zentfx.analysis.differences import Difference, side_by_side
from zentfx.analysis.selection import selected
from zentfx.annotations import changed, checked_text, with_tags
from zentfx.errors import DataError, NotFoundError, ParameterTypeError, near_matches
from zentfx.records.models import (
    NO_ANNOTATIONS,
    Annotations,
    ArtifactRecord,
    GraphRecord,
    MarkRecord,
    Origin,
    RunRecord,
)
from zentfx.records.rows import ARTIFACT_STATES
from zentfx.records.schema import ANNOTATIONS, Artifact, spellings
from zentfx.stores.files import is_gone, size_of_files
from zentfx.views.artifact import ArtifactVersion, NamedArtifact
from zentfx.views.artifact_finder import ArtifactFinder
from zentfx.views.columns import ARTIFACT_COLUMNS, CONTEXT_COLUMNS, NAMED_COLUMNS, RUN_COLUMNS
from zentfx.views.context import Context
from zentfx.views.graph import Graph
from zentfx.views.listing import Listing, exact_text
from zentfx.views.run import Run
from zentfx.workspace import Workspace

__all__ = ["Catalog", "checked_number"]

# Plain MLMD code says nothing of a state.
_STATES = {"live": ("live", "unknown")}


def checked_number(name: str, value: Any) -> int:
    """Makes sure that something is a number of runs.

    Args:
        name: What it is called.
        value: What came.

    Returns:
        It.

    Raises:
        ParameterTypeError: If it is none.
    """
    if type(value) is not int or value < 0:
        raise ParameterTypeError(f"{name} must be a number of runs; {value!r} came.")
    return value


class Catalog:
    """What is recorded in a workspace, as views.

    Args:
        workspace: The stores.

    Attributes:
        find: Finds single artifacts.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.find = ArtifactFinder(self)

    def run(self, run: str | RunRecord) -> Run:
        """One run.

        Args:
            run: Its id or record.

        Returns:
            The run.

        Raises:
            NotFoundError: If there is none; names near matches.
        """
        if isinstance(run, RunRecord):
            return Run(run, self)
        if not isinstance(run, str):
            raise NotFoundError(f"There is no run {run!r}: expected its id, a text.")
        return Run(self.workspace.run(run), self)

    def runs(self, newest: int | None = None, **criteria: Any) -> Listing[Run]:
        """Runs, oldest first.

        Args:
            newest: How many of the latest ones; None for all.
            **criteria: See :func:`zentfx.analysis.selection.selected`.

        Returns:
            The runs.

        Raises:
            NotFoundError: If no run at all fulfils one of the criteria.
        """
        if newest is not None:
            checked_number("newest", newest)
        narrow = any(value is not None for value in criteria.values())
        records = self.workspace.runs(None if narrow else newest)
        chosen = selected(records, lambda record: record, **criteria)
        if newest is not None:
            chosen = chosen[max(0, len(chosen) - newest) :]
        marked = self.workspace.reader.marked_runs()
        columns = {**RUN_COLUMNS, "marked": lambda run: marked.get(run.id)}
        runs = [Run(record, self) for record in chosen]
        return Listing(runs, columns, "No runs yet, or none of these.")

    def named_artifacts(self) -> Listing[NamedArtifact]:
        """See :meth:`zentfx.Repository.list_artifacts`."""
        found = {
            name: records
            for name, records in self.workspace.reader.named_artifacts().items()
            if records
        }
        latest = self.views(records[-1] for records in found.values())
        items = [
            NamedArtifact(name, len(records), view)
            for (name, records), view in zip(found.items(), latest, strict=True)
        ]
        return Listing(items, NAMED_COLUMNS, "No artifacts with a name yet.")

    def annotations_of(self, artifact: ArtifactVersion) -> Annotations:
        """Tags and note of an artifact; of one without a name there are none."""
        if artifact.version is None:
            return NO_ANNOTATIONS
        return self.workspace.reader.version_annotations(artifact.name, artifact.version)

    def annotate(
        self,
        artifact: ArtifactVersion,
        changes: Mapping[str, Any],
        add: Iterable[str] = (),
        remove: Iterable[str] = (),
    ) -> None:
        """See :meth:`ArtifactVersion.annotate`, ``add_tags`` and ``remove_tags``."""
        if artifact.version is None:
            raise DataError(
                f"{artifact!r} has no name and version, which tags and notes are on. Name the "
                'output: Annotated[…, "name"].'
            )
        with self.workspace.annotating() as annotator:
            before = self.annotations_of(artifact)
            told = with_tags(before, changes, add, remove)
            annotator.annotate_version(
                artifact.name, artifact.version, changed(before, **told), told
            )

    def artifacts(
        self,
        type: str | None = None,
        *,
        name: str | None = None,
        state: str | None = "live",
        marked: bool | None = None,
        exists: bool | None = None,
        before: datetime | None = None,
        unused_since: datetime | None = None,
        larger_than: int | None = None,
        **criteria: Any,
    ) -> Listing[ArtifactVersion]:
        """Artifacts, oldest first; see :meth:`zentfx.Repository.list_artifact_versions`."""
        if isinstance(larger_than, bool) or not isinstance(larger_than, (int, float, NoneType)):
            raise ParameterTypeError(f"larger_than is a number of bytes; {larger_than!r} came.")
        if state is not None and state not in ARTIFACT_STATES:
            near = near_matches(str(state), ARTIFACT_STATES)
            raise NotFoundError(f"MLMD has no state {state!r} of artifacts.{near}")
        found = self._of_runs(type, **criteria)
        if type is not None and not found:
            self._known_type(type)
        if name is not None:
            ids = {item.id for item in self.find.versions(name)}
            found = [item for item in found if item.id in ids]
        notes = self.marked
        found = [
            item
            for item in found
            if (state is None or item.state in _STATES.get(state, (state,)))
            and (marked is None or (item.id in notes) == marked)
            and (before is None or item.created < before)
            and (exists is None or is_gone(item.uri) is not exists)
        ]
        if unused_since is not None:
            uses = self.last_uses([item.id for item in found])
            found = [item for item in found if uses.get(item.id, item.created) < unused_since]
        if larger_than is not None:
            found = [item for item in found if (self.size_of(item) or 0) > larger_than]
        return self.listed(found, notes)

    def _of_runs(
        self, type: str | None, tag: str | None = None, **criteria: Any
    ) -> list[ArtifactRecord]:
        """Artifacts of runs that fulfil criteria; a tag may be the artifact's own as well."""
        narrow = any(value is not None for value in criteria.values())
        runs = [run.id for run in self.runs(**criteria)] if narrow else None
        found = self.workspace.reader.all_artifacts(type, runs)
        if tag is None:
            return found
        tagged = self.workspace.reader.tagged_artifacts()
        known = {word for run in self.workspace.runs() for word in run.annotations.tags}
        if checked_text("tag", tag) not in known | tagged.keys():
            raise NotFoundError(
                f"There is no tag {tag!r}, neither of a version nor of a run."
                f"{near_matches(tag, known | tagged.keys())}"
            )
        kept = set(tagged.get(tag, ()))
        if tag in known:
            of_runs = [run.id for run in self.runs(tag=tag, **criteria)]
            kept |= {item.id for item in self.workspace.reader.all_artifacts(type, of_runs)}
        return [item for item in found if item.id in kept]

    def _known_type(self, name: str) -> None:
        known = {
            kind
            for item in self.workspace.reader.all_artifacts()
            for kind in (item.type, item.base_type and f"mlmd.{item.base_type}")
            if kind
        }
        if known and known.isdisjoint(spellings(name)):
            near = near_matches(name, known)
            raise NotFoundError(f"There are no artifacts of type {name!r}.{near}")

    def listed(
        self, records: Iterable[ArtifactRecord], notes: Mapping[int, str] | None = None
    ) -> Listing[ArtifactVersion]:
        """Views of artifacts, as a table; with the notes of marks, if they are known already."""
        empty = "No artifacts yet, or none of these."
        return Listing(self.views(records, notes), ARTIFACT_COLUMNS, empty)

    def views(
        self, records: Iterable[ArtifactRecord], notes: Mapping[int, str] | None = None
    ) -> list[ArtifactVersion]:
        """Views of artifacts; see :meth:`listed`."""
        records = list(records)
        origins = self.workspace.reader.origins([record.id for record in records])
        notes = self.marked if notes is None else notes
        return [
            ArtifactVersion(
                record,
                self,
                name=origins[record.id].address if record.id in origins else "",
                marked=notes.get(record.id, ""),
            )
            for record in records
        ]

    def origin(self, artifact_id: int) -> Origin | None:
        """Where an artifact comes from; None if no step wrote it."""
        return self.workspace.reader.origins([artifact_id]).get(artifact_id)

    def contexts(self, type: str | None = None) -> Listing[Context]:
        """Contexts, oldest first; see :meth:`zentfx.Repository.get_contexts`."""
        name = None if type is None else ANNOTATIONS.get(type, type)
        records = self.workspace.reader.contexts(name)
        if not records and type not in (None, *ANNOTATIONS):
            known = {*ANNOTATIONS, *(item.type for item in self.workspace.reader.contexts())}
            near = near_matches(str(type), known)
            raise NotFoundError(f"There are no contexts of type {type!r}.{near}")
        return Listing([Context(item, self) for item in records], CONTEXT_COLUMNS, "No contexts.")

    def context(self, type: str, name: str) -> Context:
        """One context; see :meth:`zentfx.Repository.get_context`."""
        return Context(self.workspace.reader.context(ANNOTATIONS.get(type, type), name), self)

    @staticmethod
    def compare(
        first: Mapping[str, Any],
        second: Mapping[str, Any],
        names: tuple[str, str],
        all_values: bool,
    ) -> Listing[Difference]:
        """Two sets of named values side by side; those that are the same only if asked for."""
        columns: dict[str, Callable[[Difference], Any]] = {
            "": lambda line: line.name,
            names[0]: lambda line: None if line.first is ABSENT else line.first,
            names[1] if names[1] != names[0] else f"{names[1]} (2)": lambda line: (
                None if line.second is ABSENT else line.second
            ),
        }
        lines = side_by_side(first, second)
        if all_values:
            columns["differs"] = lambda line: "" if line.same else "≠"
        else:
            lines = [line for line in lines if not line.same]
        return Listing(lines, columns, "Nothing differs.", shown=len(lines), text=exact_text)

    def graph(self, record: GraphRecord) -> Graph:
        """A view of a graph."""
        return Graph(record, self)

    def upstream(self, artifact_ids: Sequence[int]) -> Graph:
        """How artifacts came to be."""
        return self.graph(self.workspace.reader.upstream(artifact_ids))

    def downstream(self, artifact_ids: Sequence[int]) -> Graph:
        """What was made from artifacts."""
        return self.graph(self.workspace.reader.downstream(artifact_ids))

    def last_uses(self, artifact_ids: Sequence[int]) -> dict[int, datetime]:
        """When artifacts were last written, reused or read, by id."""
        return self.workspace.reader.last_uses(artifact_ids)

    @property
    def marks(self) -> list[MarkRecord]:
        """The marks that hold."""
        return self.workspace.reader.marks()

    @property
    def marked(self) -> dict[int, str]:
        """Notes of the artifacts that are marked, by id."""
        return self.workspace.reader.marked()

    def mark(self, artifact_id: int, note: str, downstream: bool) -> None:
        """See :meth:`ArtifactVersion.mark`."""
        checked_text("note", note)
        reader = self.workspace.reader
        below = reader.downstream([artifact_id]).artifacts if downstream else ()
        ids = sorted({artifact_id, *(item.id for item in below)})
        self.workspace.annotator.mark(ids, note, environment.user(), artifact_id)

    def unmark(self, artifact: ArtifactVersion) -> None:
        """See :meth:`ArtifactVersion.unmark`."""
        own = [mark for mark in artifact.marks if mark.artifact in (artifact.id, None)]
        if not own:
            above = sorted({mark.artifact for mark in artifact.marks if mark.artifact})
            hint = f" It has one from {above[0]}: unmark that." if above else ""
            raise NotFoundError(f"{artifact.name} ({artifact.id}) has no mark of its own.{hint}")
        for mark in own:
            self.workspace.annotator.unmark(mark.name)

    def size_of(self, record: ArtifactRecord) -> int | None:
        """Bytes in an artifact's files, as they were published; else as they are."""
        key = record.properties.get(Artifact.MANIFEST)
        text = self.workspace.artifacts.read_text("manifests", f"{key}.json") if key else None
        if text is not None:
            sizes: dict[str, int] = json.loads(text)
            return sum(sizes.values())
        return size_of_files(record.uri)
