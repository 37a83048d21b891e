"""The base of datasources: where a pipeline's examples come from."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from types import MappingProxyType

from zentfx.steps.base import BaseStep

__all__ = ["Datasource"]


class Datasource(BaseStep):
    """Brings data into a pipeline as ``tf.train.Example`` records.

    The records form one split, ``all``; a split step divides them.
    """

    outputs = MappingProxyType({"examples": "Examples"})
    unkeyed = frozenset({"name"})

    @abstractmethod
    def columns(self) -> Mapping[str, str]:
        """Looks at the data, before anything runs.

        Returns:
            The kind of each column by name: ``int``, ``float``, ``string``, or ``empty`` where a
            column has no values.

        Raises:
            DataError: If the data is missing, empty or malformed.
        """
