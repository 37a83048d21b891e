"""A context of MLMD, as its user sees it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from zentfx.records import schema
from zentfx.records.encoding import joined
from zentfx.records.models import ContextRecord
from zentfx.views.graph import Graph
from zentfx.views.identified import Identified

if TYPE_CHECKING:
    from zentfx.views.artifact import ArtifactVersion
    from zentfx.views.catalog import Catalog
    from zentfx.views.listing import Listing

__all__ = ["Context"]


class Context(Identified):
    """A group of executions and artifacts: an experiment, a project, or what others have made.

    Args:
        record: What is recorded of it.
        catalog: Where more is looked up.
    """

    def __init__(self, record: ContextRecord, catalog: Catalog) -> None:
        self._record = record
        self._catalog = catalog

    @property
    def id(self) -> int:
        """Its id in MLMD."""
        return self._record.id

    @property
    def type(self) -> str:
        """Name of its type, for example ``zentfx.Experiment``."""
        return self._record.type

    @property
    def name(self) -> str:
        """Its name, unique in its type."""
        return self._record.name

    @property
    def note(self) -> str | None:
        """A remark that is kept with it; plain MLMD code may call it ``note``."""
        properties = self._record.properties
        return joined(schema.NOTE, properties) or properties.get("note")

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Its recorded properties."""
        return self._record.properties

    @property
    def created(self) -> datetime:
        """When it was made, in UTC."""
        return self._record.created

    @property
    def artifacts(self) -> Listing[ArtifactVersion]:
        """Its artifacts, and what its executions read and wrote; oldest first."""
        return self.graph().artifacts

    def graph(self) -> Graph:
        """Its executions, and what they read and wrote, with its other artifacts."""
        return self._catalog.graph(self._catalog.workspace.reader.graph_of_context(self.id))

    def __repr__(self) -> str:
        note = f", note={self.note!r}" if self.note else ""
        return f"Context({self.type!r}, {self.name!r}{note})"
