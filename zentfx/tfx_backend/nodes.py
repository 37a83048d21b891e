"""Reads nodes of the IR."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from zentfx.light_imports import light_imports
from zentfx.records.encoding import joined
from zentfx.records.schema import Execution

with light_imports():
    from tfx.orchestration import data_types_utils

__all__ = ["all_parameters", "unkeyed_names"]


def all_parameters(node: Any) -> dict[str, Any]:
    """The parameters of a node as they were compiled, those that the driver drops included.

    Args:
        node: The node in the IR.

    Returns:
        Values by name.
    """
    # Others come from artifacts while the pipeline runs.
    written = {
        name: value
        for name, value in node.parameters.parameters.items()
        if value.HasField("field_value")
    }
    parsed: dict[str, Any] = data_types_utils.build_parsed_value_dict(written)
    return parsed


def unkeyed_names(parameters: Mapping[str, Any]) -> list[str]:
    """The parameters of a node that are recorded and do not count for its cache key.

    Args:
        parameters: All parameters.

    Returns:
        Those that the node lists, and the list itself.
    """
    names: list[str] = json.loads(joined(Execution.UNKEYED, parameters) or "[]")
    return [*names, *(name for name in parameters if name.startswith(Execution.UNKEYED))]
