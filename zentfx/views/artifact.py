"""An artifact, as its user sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from zentfx import materializers
from zentfx.records.models import ArtifactRecord, MarkRecord, Origin
from zentfx.records.schema import Artifact
from zentfx.running_step import running_step
from zentfx.steps.calls import PipelineInput
from zentfx.stores.files import is_gone
from zentfx.views.graph import Graph
from zentfx.views.identified import Identified

if TYPE_CHECKING:
    from zentfx.views.catalog import Catalog
    from zentfx.views.run import Run, StepRun

__all__ = ["ArtifactVersion", "NamedArtifact"]


@dataclass(frozen=True)
class NamedArtifact:
    """A name of artifacts.

    Attributes:
        name: The name.
        versions: How many versions there are.
        latest: The version that was made last.
    """

    name: str
    versions: int
    latest: ArtifactVersion


class ArtifactVersion(Identified, PipelineInput):
    """One artifact: recorded in MLMD, with its files in the artifact store.

    Args:
        record: What is recorded of it.
        catalog: Where more is looked up.
        name: Its address, ``pipeline::step::output``; None for that of the step that wrote it.
        marked: Notes of its marks, as listings show them.
    """

    def __init__(
        self,
        record: ArtifactRecord,
        catalog: Catalog,
        name: str | None = None,
        marked: str = "",
    ) -> None:
        self._record = record
        self._catalog = catalog
        self._name = name
        self._marked = marked
        self._pinned: bool | None = None

    @property
    def name(self) -> str:
        """Its name; of one without a name its address, ``pipeline::step::output``.

        Of one that no step wrote it is what MLMD calls it.
        """
        if Artifact.NAME in self.metadata:
            return str(self.metadata[Artifact.NAME])
        if self._name is None:
            self._name = self._origin.address if self._origin else ""
        return self._name or self._record.name or f"{self.type} {self.id}"

    @property
    def version(self) -> str | None:
        """Its version among the artifacts of its name; None for one without a name."""
        version = self.metadata.get(Artifact.VERSION)
        return None if version is None else str(version)

    @property
    def digest(self) -> str | None:
        """Digest of its files; None for what no materializer saved."""
        return self.metadata.get(Artifact.DIGEST)

    @cached_property
    def _origin(self) -> Origin | None:
        return self._catalog.origin(self.id)

    @property
    def id(self) -> int:
        """Its id in MLMD."""
        return self._record.id

    @property
    def type(self) -> str:
        """Name of its type, for example ``Model``."""
        return self._record.type

    @property
    def uri(self) -> str:
        """Where its files are."""
        return self._record.uri

    @property
    def state(self) -> str:
        """MLMD's state of it: ``live``, or for example ``deleted``."""
        return self._record.state

    @property
    def created(self) -> datetime:
        """When it was published, in UTC."""
        return self._record.created

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Its recorded properties."""
        return self._record.properties

    @property
    def exists(self) -> bool:
        """Whether its files are there, as far as this machine can tell."""
        return not is_gone(self.uri)

    @cached_property
    def size(self) -> int | None:
        """Bytes in its files, as they were published; None where that is not known."""
        return self._catalog.size_of(self._record)

    @property
    def last_used(self) -> datetime:
        """When a step last wrote, reused or read it, in UTC."""
        return self._catalog.last_uses([self.id]).get(self.id, self.created)

    @cached_property
    def run(self) -> Run | None:
        """The run whose step wrote it; None if no step did."""
        return self._catalog.run(self._origin.run) if self._origin else None

    @property
    def producer(self) -> StepRun | None:
        """The step run that wrote it; None if none did. Those that reused it came later."""
        if self.run is None or self._origin is None:
            return None
        return self.run.steps[self._origin.step]

    def upstream(self) -> Graph:
        """How it came to be: the step that wrote it, what that read, and so on to the beginning."""
        return self._catalog.upstream([self.id])

    def downstream(self) -> Graph:
        """Everything that was made from it, by whichever run."""
        return self._catalog.downstream([self.id])

    @property
    def tags(self) -> tuple[str, ...]:
        """Words to find it by, sorted; of one without a name there are none."""
        return self._catalog.annotations_of(self).tags

    @property
    def note(self) -> str | None:
        """A remark; of one without a name there is none."""
        return self._catalog.annotations_of(self).note

    def annotate(self, *, note: str | None) -> None:
        """Says something of it, after the fact; nothing is computed anew for it.

        Args:
            note: A remark; None takes it away.

        Raises:
            DataError: If it has no name and version.
            ParameterTypeError: If it is no text.
            StoreError: If the store is read-only.
        """
        self._catalog.annotate(self, {"note": note})

    def add_tags(self, *tags: str) -> None:
        """Adds tags; nothing is computed anew for it.

        Args:
            *tags: The tags.

        Raises:
            DataError: If it has no name and version.
            ParameterTypeError: If one is no text.
            StoreError: If the store is read-only.
        """
        self._catalog.annotate(self, {}, add=tags)

    def remove_tags(self, *tags: str) -> None:
        """Takes tags away; one that it does not have is none to be taken.

        Args:
            *tags: The tags.

        Raises:
            DataError: If it has no name and version.
            StoreError: If the store is read-only.
        """
        self._catalog.annotate(self, {}, remove=tags)

    @property
    def marks(self) -> list[MarkRecord]:
        """The marks on it, with their notes; also those that came from an artifact above it."""
        return [mark for mark in self._catalog.marks if self.id in mark.artifacts]

    def mark(self, note: str, downstream: bool = True) -> None:
        """Marks it, for example as bad data: it shows in listings, and no later run reuses it.

        Args:
            note: Why.
            downstream: Whether to mark everything that was made from it, too.

        Raises:
            StoreError: If the store is read-only.
        """
        self._catalog.mark(self.id, note, downstream)

    def unmark(self) -> None:
        """Takes back the marks that were put on it, and so on what is below it.

        Raises:
            NotFoundError: If it has none of its own; names the artifact that it has one from.
            StoreError: If the store is read-only.
        """
        self._catalog.unmark(self)

    def load(self) -> Any:
        """Loads it as a Python object.

        Returns:
            What a function returned, as it was. Else by type: Model, an
            :class:`~zentfx.materializers.models.ExportedModel` (what Keras loads from a ``.keras``
            file; the folder, if it has another format); Examples, a DataFrame by split;
            Metrics, a dict; statistics, schema and anomalies, their protos; any other, the path of
            its folder.

        Raises:
            DataNotFoundError: If its files are gone.
            MissingDependencyError: If a package is needed that is not installed.
        """
        if self._pinned is None:
            self._note_read(pinned=False)
        return materializers.load(self.type, self.uri, self.metadata)

    def _note_read(self, pinned: bool) -> None:
        """Tells the step that is running, if one is, that it has looked this up."""
        self._pinned = pinned
        step = running_step()
        if step is not None and step.root == self._catalog.workspace.root:
            step.read(self.id, self.name, pinned)

    @property
    def data(self) -> Any:
        """The same as :meth:`load`."""
        return self.load()

    def __repr__(self) -> str:
        notes = "; ".join(mark.note for mark in self.marks)
        marked = f", marked={notes!r}" if notes else ""
        version = "" if self.version is None else f", version={self.version!r}"
        return (
            f"ArtifactVersion({self.name!r}{version}, id={self.id}, type={self.type!r}, "
            f"uri={self.uri!r}{marked})"
        )
