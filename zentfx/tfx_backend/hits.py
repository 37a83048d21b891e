"""Hits of TFX's cache that must not be used."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from zentfx.materializers.environments import unlike_here
from zentfx.records.encoding import joined
from zentfx.records.schema import Artifact
from zentfx.steps.artifacts import InputArtifact
from zentfx.steps.base import BaseStep
from zentfx.stores.artifacts import ArtifactStore
from zentfx.stores.manifests import missing_files

__all__ = ["Lost", "as_input", "refusal"]


def as_input(artifact: Any) -> InputArtifact:
    """A TFX artifact as steps see it.

    Args:
        artifact: The artifact, as TFX's object or as a plan has it.

    Returns:
        Its type, place and properties.
    """
    proto = artifact.mlmd_artifact
    properties = {
        name: getattr(value, value.WhichOneof("value"))
        for table in (proto.properties, proto.custom_properties)
        for name, value in table.items()
        if value.WhichOneof("value")
    }
    return InputArtifact(artifact.type_name, artifact.uri, properties)


class Lost(str):
    """A reason why a result cannot be used: it is not there any more."""


def refusal(
    step: BaseStep,
    outputs: Mapping[str, Sequence[Any]],
    store: ArtifactStore,
    marked: Mapping[int, str],
) -> str | None:
    """Says why outputs of an earlier execution cannot be used.

    Args:
        step: The step that is about to run.
        outputs: The TFX artifacts by name.
        store: The artifact store.
        marked: Notes of the artifacts that are marked, by id.

    Returns:
        The reason, or None.
    """
    for name, items in outputs.items():
        for item in items:
            if item.id in marked:
                return f"{name} is marked: {marked[item.id]}"
    known = {
        name: [replace(found, uri=store.located(found.uri)) for found in map(as_input, items)]
        for name, items in outputs.items()
    }
    for name, artifacts in known.items():
        for artifact in artifacts:
            looked_up = joined(Artifact.LOOKED_UP, artifact.metadata)
            if looked_up is not None:
                found = ", ".join(json.loads(looked_up))
                return f"the step looked up {found}, and may find another version now"
            other = unlike_here(artifact.metadata)
            if other:
                return f"{name} was pickled with {other}"
            key = artifact.metadata.get(Artifact.MANIFEST)
            if key is None:
                continue  # published by stock TFX, which has looked at the folder
            manifest = store.read_text("manifests", f"{key}.json")
            if manifest is None:
                return Lost(f"the list of the files of {name} is gone")
            try:
                missing = missing_files(Path(artifact.uri), manifest)
            except ValueError:
                return Lost(f"the list of the files of {name} is damaged")
            if missing:
                return Lost(f"of {name}, {len(missing)} files are gone or cut, as {missing[0]}")
    if not step.reusable({name: artifacts[0] for name, artifacts in known.items() if artifacts}):
        return "its effect outside the artifact store is gone"
    return None
