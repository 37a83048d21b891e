"""Registers files and folders that were not written by a materializer."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterable
from pathlib import Path

from zentfx.errors import DataNotFoundError, StepDefinitionError
from zentfx.materializers.builtin import FilesMaterializer, copy_of
from zentfx.records.schema import Artifact
from zentfx.running_step import running_step
from zentfx.steps.outputs import ArtifactConfig, check_name, check_version
from zentfx.stores.digests import digest_of
from zentfx.warn import warn
from zentfx.workspace import Workspace

__all__ = ["register"]


def register(
    workspace: Workspace,
    source: str | os.PathLike[str],
    name: str,
    version: str | int | None = None,
    tags: Iterable[str] = (),
) -> int:
    """Registers a file or folder as a version of a named artifact.

    Args:
        workspace: The repository.
        source: The file or folder. In the artifact store it stays where it is; else it is copied.
        name: The artifact's name.
        version: A version of your own; None for the next number.
        tags: Words to find it by.

    Returns:
        The artifact's id in MLMD.

    Raises:
        DataNotFoundError: If there is nothing there.
        StepDefinitionError: If the name or the version cannot be one.
        DataError: If the version is taken.
        StoreError: If the repository is read-only.
    """
    checked = None if version is None else check_version(version, "register_artifact")
    check_name(name, "register_artifact", checked)
    if "{" in name:
        raise StepDefinitionError(
            f"register_artifact: the name {name!r} has a placeholder, which nothing fills in here."
        )
    tags = ArtifactConfig(tags=tags).tags  # type: ignore[arg-type] # which checks them
    versions = workspace.versions
    place = Path(os.path.abspath(os.path.expanduser(source)))  # noqa: PTH100, PTH111 - links stay
    if not place.exists():
        raise DataNotFoundError(f"There is no file or folder {place} to register.")
    step = running_step()
    own = step is not None and step.root == workspace.root
    owner = f"{step.run}:{step.execution}" if step is not None and own else ""
    taken = versions.claim(name, checked, owner)
    place = _in_store(workspace, place)
    digest = digest_of(place)
    lost = _lost(workspace, name, place, digest)
    artifact_id = versions.register(
        str(place),
        {
            Artifact.NAME: name,
            Artifact.VERSION: taken,
            Artifact.MATERIALIZER: FilesMaterializer.__name__,
            Artifact.PYTHON_TYPE: "pathlib.Path",
            Artifact.DIGEST: digest,
            Artifact.MANIFEST: workspace.artifacts.keep_manifest(place),
        },
        step.execution if step is not None and own else None,
    )
    versions.publish(name, taken, artifact_id, tags)
    if lost:
        warn(
            f"The files of {place} have changed since they were registered as {name!r} "
            f"{', '.join(lost)}, which cannot be loaded any more. Register each state in a folder "
            "of its own, or from outside of the artifact store: then it is copied.",
        )
    return artifact_id


def _lost(workspace: Workspace, name: str, place: Path, digest: str) -> list[str]:
    """Earlier versions that were the same files, with another content."""
    return [
        str(item.properties[Artifact.VERSION])
        for item in workspace.reader.artifact_versions(name)
        if os.path.realpath(item.uri) == os.path.realpath(place)
        and item.properties.get(Artifact.DIGEST) != digest
    ]


def _in_store(workspace: Workspace, place: Path) -> Path:
    """The files in the artifact store: themselves, or a copy."""
    store = Path(workspace.artifacts.path)
    if place.resolve().is_relative_to(store.resolve()):
        return place
    copy = store / "registered" / uuid.uuid4().hex / place.name
    copy.parent.mkdir(parents=True)
    copy_of(place, copy)
    sys.stderr.write(f"zentfx: copied {place} into the artifact store: {copy}\n")
    return copy
