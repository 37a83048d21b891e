"""A graph of steps and artifacts, as its user sees it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from zentfx.analysis import graph as graphs
from zentfx.records.models import GraphRecord, StepNode
from zentfx.records.schema import spellings
from zentfx.stores.files import is_gone
from zentfx.views.listing import Listing

if TYPE_CHECKING:
    from zentfx.views.artifact import ArtifactVersion
    from zentfx.views.catalog import Catalog

__all__ = ["Graph"]


class Graph:
    """Steps and artifacts, and which reads and writes which. Printed, it is a line a step.

    Args:
        record: The graph.
        catalog: Where the artifacts are looked up.
    """

    def __init__(self, record: GraphRecord, catalog: Catalog) -> None:
        self._record = record
        self._catalog = catalog

    @cached_property
    def steps(self) -> list[StepNode]:
        """The step runs, each after those whose artifacts it reads."""
        ordered, rest = graphs.in_order(self._record)
        return [*ordered, *rest]

    @cached_property
    def artifacts(self) -> Listing[ArtifactVersion]:
        """The artifacts, oldest first."""
        return self._catalog.listed(self._record.artifacts)

    def of_type(self, name: str) -> Listing[ArtifactVersion]:
        """The artifacts of one type.

        Args:
            name: Name of the type: ``Model``, ``Examples``, …; or of a base type, as MLMD calls it:
                ``mlmd.Dataset``, ….

        Returns:
            The artifacts, oldest first.
        """
        wanted = spellings(name)
        found = [
            item
            for item in self._record.artifacts
            if item.type in wanted or name == f"mlmd.{item.base_type}"
        ]
        return self._catalog.listed(found)

    @property
    def sources(self) -> Listing[ArtifactVersion]:
        """Where it begins: the artifacts of steps that read nothing, and those of no step."""
        return self._catalog.listed(graphs.sources(self._record))

    @cached_property
    def remarks(self) -> list[str]:
        """What is not as it should be: marks, files that are gone, cycles, what is missing."""
        gone = [item.id for item in self._record.artifacts if is_gone(item.uri)]
        return graphs.remarks(self._record, self._catalog.marked, gone)

    def to_dict(self) -> dict[str, Any]:
        """As data that JSON can hold: ``steps``, ``artifacts``, ``edges`` and ``remarks``."""
        return graphs.as_records(self._record, self.remarks)

    def __str__(self) -> str:
        return graphs.as_text(self._record, self.remarks)

    __repr__ = __str__

    def __len__(self) -> int:
        return len(self._record.steps)
