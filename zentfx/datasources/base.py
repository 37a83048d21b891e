"""The base of datasources: where a pipeline's examples come from."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping
from types import MappingProxyType

from zentfx.class_paths import class_path
from zentfx.parameters import canonical_json, encode
from zentfx.steps.base import BaseStep
from zentfx.steps.node import Node
from zentfx.stores.memos import Memos

__all__ = ["Datasource", "columns_of"]


class Datasource(BaseStep):
    """Brings data into a pipeline as ``tf.train.Example`` records.

    The records form one split, ``all``; a split step divides them.
    """

    outputs = MappingProxyType({"examples": "Examples"})
    unkeyed = frozenset({"name"})

    @abstractmethod
    def columns(self) -> Mapping[str, str] | None:
        """Looks at the data, before anything runs.

        Returns:
            The kind of each column by name: ``int``, ``float``, ``string``, or ``empty`` where a
            column has no values. None where that is known only when the step runs.

        Raises:
            DataError: If the data is missing, empty or malformed.
        """


def columns_of(node: Node, memos: Memos) -> Mapping[str, str] | None:
    """Looks at the data of a datasource, unless it is known what would be seen.

    That is so where all that it reads is in files, by the same rule by which it is reused.

    Args:
        node: The datasource in its pipeline.
        memos: What was seen before.

    Returns:
        What :meth:`Datasource.columns` says; None where the data may be written by then.

    Raises:
        DataError: If the data is missing, empty or malformed.
    """
    datasource = node.step
    assert isinstance(datasource, Datasource)
    if node.after:  # a step before may write the data
        return None
    if not node.digests or not node.enable_cache:
        return datasource.columns()
    about = f"columns of {class_path(type(datasource))}, {encode(datasource.arguments)}"
    depends_on = canonical_json([node.code.fingerprint, dict(node.digests)])

    def look() -> str:
        found = datasource.columns()
        return json.dumps(None if found is None else dict(found))

    columns: dict[str, str] | None = json.loads(memos.of(about, depends_on, look))
    return columns
