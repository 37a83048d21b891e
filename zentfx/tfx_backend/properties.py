"""The execution parameters of a node: TFX's own, the step's, and what identifies the step."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from zentfx.class_paths import class_path
from zentfx.errors import DataError
from zentfx.orchestrators import RunRequest
from zentfx.parameters import canonical_json, encode, ordered_json
from zentfx.records.encoding import as_property, chunked
from zentfx.records.schema import Execution, Recorded
from zentfx.steps.input_files import AWAITED, input_digests
from zentfx.steps.node import Node

__all__ = ["NodeProperties", "node_properties", "renew_digests"]


@dataclass(frozen=True)
class NodeProperties:
    """The execution parameters that zentfx adds to a component.

    Attributes:
        values: All of them by name. None values are left out, as TFX would.
        unkeyed: Names of those that the driver drops before TFX computes the cache key.
    """

    values: Mapping[str, int | float | str | bool]
    unkeyed: frozenset[str]


def node_properties(node: Node, request: RunRequest) -> NodeProperties:
    """Composes the parameters of a node.

    Args:
        node: The step in its place.
        request: The run that it is part of.

    Returns:
        One property a parameter, for anyone who reads the store; the recorded and the keyed JSON
        text; class, fingerprint, digests and environment.
    """
    step, root = node.step, request.root
    # Parameters by name; within one, a dict keeps the order that its step sees.
    tables = {
        Recorded.ARGUMENTS: dict(sorted(step.arguments.items())),
        Recorded.DERIVED: dict(sorted(step.derived.items())),
    }
    digests = canonical_json(dict(node.digests)) if node.digests else ""
    recorded = {
        **{kind: encode(table, root) for kind, table in tables.items()},
        Recorded.SOURCE: class_path(type(step)),
        Recorded.STEP: node.name,
        Recorded.CODE: node.code.fingerprint,
        Recorded.CONTENT: hashlib.sha256(digests.encode()).hexdigest() if digests else "",
    }
    keyed = {
        kind: {name: _placeless(value) for name, value in table.items() if name not in step.unkeyed}
        for kind, table in tables.items()
    }
    named = step.named_outputs()
    if named:  # without them, keys are as they were before there were any
        keyed["outputs"] = {key: [item.name, item.version] for key, item in named.items()}
    parameters = node.parameters
    unkeyed: dict[str, Any] = {
        name: as_property(value, root)
        for name, value in parameters.items()
        if name in step.unkeyed or _placeless(value) != encode(value)
    }
    unkeyed |= chunked(Execution.RECORDED, ordered_json(dict(sorted(recorded.items()))))
    versions = {**request.environment, **request.packages.get(node.name, {})}
    unkeyed |= chunked(Execution.ENVIRONMENT, canonical_json(versions))
    unkeyed[Execution.SOURCES] = node.code.sources_digest
    unkeyed[Execution.RUN] = request.run_id
    values: dict[str, Any] = {
        **{name: as_property(value, root) for name, value in parameters.items()},
        **chunked(Execution.KEYED, ordered_json(dict(sorted(keyed.items())))),
        **(chunked(Execution.DIGESTS, digests) if digests else {}),
        Execution.SOURCE: class_path(type(step)),
        Execution.FINGERPRINT: node.code.fingerprint,
        **unkeyed,
    }
    return NodeProperties(
        {name: value for name, value in values.items() if value is not None}, frozenset(unkeyed)
    )


def renew_digests(ir_node: Any, node: Node, request: RunRequest) -> None:
    """Has a compiled node identified by its input files as they are now.

    Steps before it may have written them since the pipeline was compiled, or removed them: then
    nothing is reused, and the step, when it is run, says best what is wrong with its files.

    Args:
        ir_node: The node in the IR; changed.
        node: The step in its place.
        request: The run that it is part of.
    """
    try:
        digests = input_digests(node.step, request.memos, awaited=True)
    except DataError:
        digests = dict.fromkeys(node.digests, AWAITED)
    for name, value in node_properties(replace(node, digests=digests), request).values.items():
        if name.startswith((Execution.DIGESTS, Execution.RECORDED)):
            ir_node.parameters.parameters[name].field_value.string_value = str(value)


def _placeless(value: Any) -> Any:
    """A value as JSON data without the places of files: what is in them is keyed by digests."""
    if isinstance(value, Path):
        return encode(Path())
    if isinstance(value, (list, tuple)):
        return [_placeless(part) for part in value]
    if isinstance(value, dict):
        return {encode(key): _placeless(part) for key, part in value.items()}
    return encode(value)
