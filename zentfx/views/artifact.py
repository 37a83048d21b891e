"""An artifact, as its user sees it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from zentfx import materializers
from zentfx.records.models import ArtifactRecord

__all__ = ["ArtifactVersion"]


class ArtifactVersion:
    """One artifact: recorded in MLMD, with its files in the artifact store.

    Args:
        name: Its address, ``pipeline::step::output``.
        record: What is recorded of it.
    """

    def __init__(self, name: str, record: ArtifactRecord) -> None:
        self.name = name
        self._record = record

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
    def created(self) -> datetime:
        """When it was published, in UTC."""
        return self._record.created

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Its recorded properties."""
        return self._record.properties

    def load(self) -> Any:
        """Loads it as a Python object.

        Returns:
            By type: Model, an :class:`~zentfx.materializers.models.ExportedModel`; Examples, a
            DataFrame by split; Metrics, a dict; statistics, schema and anomalies, their protos;
            any other, the path of its folder.

        Raises:
            DataNotFoundError: If its files are gone.
            MissingDependencyError: If a package is needed that is not installed.
        """
        return materializers.load(self.type, self.uri, self.metadata)

    @property
    def data(self) -> Any:
        """The same as :meth:`load`."""
        return self.load()

    def __repr__(self) -> str:
        return f"ArtifactVersion({self.name!r}, type={self.type!r}, uri={self.uri!r})"
