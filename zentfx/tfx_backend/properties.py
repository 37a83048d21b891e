"""The execution parameters of a node: TFX's own, the step's, and what identifies the step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zentfx.class_paths import class_path
from zentfx.parameters import canonical_json, encode
from zentfx.records.encoding import as_property, chunked
from zentfx.records.schema import Execution
from zentfx.steps.node import Node

__all__ = ["NodeProperties", "node_properties"]


@dataclass(frozen=True)
class NodeProperties:
    """The execution parameters that zentfx adds to a component.

    Attributes:
        values: All of them by name. None values are left out, as TFX would.
        unkeyed: Names of those that the driver drops before TFX computes the cache key.
    """

    values: Mapping[str, int | float | str | bool]
    unkeyed: frozenset[str]


def node_properties(node: Node, root: Path, environment: Mapping[str, str]) -> NodeProperties:
    """Composes the parameters of a node.

    Args:
        node: The step in its place.
        root: The repository's folder, to which recorded paths are relative.
        environment: Versions of the packages that run the step.

    Returns:
        One property a parameter, for anyone who reads the store; the recorded and the keyed JSON
        text; class, fingerprint, digests and environment.
    """
    step = node.step
    arguments, derived = step.arguments, step.derived
    paths = {name for name, value in arguments.items() if isinstance(value, Path)}
    dropped = paths | (step.unkeyed & arguments.keys())
    recorded = {"arguments": encode(arguments, root), "derived": encode(derived, root)}
    keyed = {name: encode(value) for name, value in arguments.items() if name not in dropped}

    recorded_chunks = chunked(Execution.RECORDED, canonical_json(recorded))
    values: dict[str, Any] = {
        name: as_property(value, root) for name, value in {**derived, **arguments}.items()
    }
    values |= {
        Execution.SOURCE: class_path(type(step)),
        Execution.FINGERPRINT: node.code.fingerprint,
        Execution.DIGESTS: canonical_json(dict(node.digests)) if node.digests else None,
        Execution.ENVIRONMENT: canonical_json(dict(environment)),
        **chunked(Execution.KEYED, canonical_json(keyed)),
        **recorded_chunks,
    }
    unkeyed = {*dropped, *recorded_chunks, Execution.ENVIRONMENT, Execution.UNKEYED}
    values = {name: value for name, value in values.items() if value is not None}
    return NodeProperties(values, frozenset(unkeyed & (values.keys() | {Execution.UNKEYED})))
