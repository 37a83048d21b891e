"""Inputs where they are now, for code that opens their files."""

from __future__ import annotations

from copy import copy, deepcopy
from typing import Any

from zentfx.stores.artifacts import ArtifactStore

__all__ = ["with_located_inputs"]


def with_located_inputs(info: Any, artifacts: ArtifactStore) -> Any:
    """What an executor or a driver is given, while the artifacts' rows stay as they were recorded.

    Args:
        info: TFX's ``ExecutionInfo``.
        artifacts: The artifact store.

    Returns:
        The same with the present uris of inputs; everything else is shared.
    """
    found = copy(info)
    found.input_dict = {
        name: [_located(item, artifacts) for item in items]
        for name, items in info.input_dict.items()
    }
    return found


def _located(artifact: Any, artifacts: ArtifactStore) -> Any:
    uri = artifacts.located(artifact.uri)
    if uri == artifact.uri:
        return artifact
    moved = deepcopy(artifact)
    moved.uri = uri
    return moved
