"""What two views of one thing have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zentfx.views.catalog import Catalog

__all__ = ["Identified"]


class Identified:
    """A view that is equal to any other of the same thing in the same store."""

    _catalog: Catalog

    @property
    def id(self) -> int | str:
        """Its id, unique among those of its kind."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Identified) or type(other) is not type(self):
            return NotImplemented
        return self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[str, str | int]:
        return self._catalog.workspace.metadata.place, self.id
