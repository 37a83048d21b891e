"""Writes versions of named artifacts: first they are claimed, and published when they are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from zentfx.errors import DataError
from zentfx.records.encoding import annotation_properties
from zentfx.records.models import Annotations
from zentfx.records.schema import (
    ARTIFACT_NAME,
    ARTIFACT_VERSION,
    Artifact,
    ArtifactName,
    ArtifactVersion,
    Run,
)
from zentfx.records.writer import context_type, named_context, set_properties
from zentfx.stores.files import is_gone
from zentfx.stores.mlmd import mlmd, pb

__all__ = ["Versions"]

_TRIES = 10_000
_FILES = "zentfx.Data"  # type of artifacts that are plain files


class Versions:
    """Writes to one metadata store.

    Name and version together are unique in a store, whatever the type, because MLMD has one context
    of a type and a name at most: whoever makes it has the version.

    Args:
        client: The MLMD client.
        is_alive: Says of the id of a run or registration whether it is still at work.
        exclusive: Keeps others from taking a version over meanwhile.
        located: Says of a recorded uri where the files are now.
    """

    def __init__(
        self,
        client: mlmd.MetadataStore,
        is_alive: Callable[[str], bool],
        exclusive: Callable[[], AbstractContextManager[None]],
        located: Callable[[str], str],
    ) -> None:
        self._client = client
        self._is_alive = is_alive
        self._exclusive = exclusive
        self._located = located

    def claim(
        self, name: str, version: str | None, run: str, gone: frozenset[int] = frozenset()
    ) -> str:
        """Takes a version, so that nobody else gets it.

        Args:
            name: The artifact's name.
            version: The version; None for the next number.
            run: Who makes it, and must still have it when it is published: a run's id, and behind a
                colon the step; or a registration's token.
            gone: Ids of artifacts whose files are gone, and which are now made again of the same.

        Returns:
            The version.

        Raises:
            DataError: If it is taken.
        """
        if version is None:
            return self._next(name, run)
        if not self._made(name, version, run):
            with self._exclusive():
                self._take_over(name, version, run, gone)
        return version

    def _next(self, name: str, run: str) -> str:
        group = self._group(name)
        start = int(group.custom_properties[ArtifactName.LATEST].string_value or 0) + 1
        for number in range(start, start + _TRIES):
            if self._made(name, str(number), run):
                update = pb.Context(id=group.id, type_id=group.type_id, name=group.name)
                set_properties(update, {ArtifactName.LATEST: str(number)})
                path = f"custom_properties.{ArtifactName.LATEST}"
                self._client.put_contexts([update], field_mask_paths=[path])
                return str(number)
        raise DataError(f"There is no free version of {name!r} after {_TRIES} tries.")

    def _made(self, name: str, version: str, run: str) -> bool:
        type_id = context_type(self._client, ARTIFACT_VERSION)
        context = pb.Context(type_id=type_id, name=f"{name}@{version}")
        set_properties(context, {ArtifactVersion.RUN: run})
        try:
            self._client.put_contexts([context])
        except mlmd.errors.AlreadyExistsError:
            return False
        return True

    def _take_over(self, name: str, version: str, run: str, gone: frozenset[int]) -> None:
        """Takes a version that a run has claimed which is no more, or that is made again."""
        what = f"Version {version!r} of the artifact {name!r}"
        context = self._context(name, version)
        owner = context.custom_properties[ArtifactVersion.RUN].string_value
        busy = owner != run and self._is_alive(owner.partition(":")[0])
        # After that: whoever has ended meanwhile may have published it.
        made = self._client.get_artifacts_by_context(context.id)
        if not gone.issuperset(artifact.id for artifact in made):
            if all(is_gone(self._located(artifact.uri)) for artifact in made):
                raise DataError(
                    f"{what} is there already, though its files are gone: only the same step on "
                    "the same inputs makes it again. Name another."
                )
            raise DataError(f"{what} is there already, and is never changed: name another.")
        if busy:
            raise DataError(
                f"{what} is being made by {owner or 'another process'}: name another, or wait."
            )
        for artifact in made:
            artifact.state = pb.Artifact.DELETED
        if made:
            self._client.put_artifacts(made)
        set_properties(context, {ArtifactVersion.RUN: run})
        self._client.put_contexts([context])

    def publish(
        self,
        name: str,
        version: str,
        artifact_id: int,
        tags: Sequence[str] = (),
        owner: str | None = None,
    ) -> None:
        """Makes an artifact the version that was claimed for it.

        Args:
            name: The artifact's name.
            version: The version.
            artifact_id: Its id in MLMD.
            tags: Words to find it by.
            owner: Who has claimed it; None for a version that its artifact names already.

        Raises:
            DataError: If somebody else has the version by now.
        """
        with self._exclusive():
            contexts = self._held(name, version, owner, tags)
            self._client.put_attributions_and_associations(
                [pb.Attribution(context_id=item.id, artifact_id=artifact_id) for item in contexts],
                [],
            )

    def register(
        self,
        uri: str,
        properties: Mapping[str, str],
        owner: str,
        tags: Sequence[str] = (),
        execution_id: int | None = None,
    ) -> int:
        """Writes an artifact that no step returned, files as they are, and publishes it.

        Args:
            uri: Where its files are.
            properties: Custom properties, its name and version among them.
            owner: Who has claimed that version.
            tags: Words to find it by.
            execution_id: The execution that wrote it; None if none did.

        Returns:
            Its id in MLMD.

        Raises:
            DataError: If somebody else has the version by now.
        """
        name, version = properties[Artifact.NAME], properties[Artifact.VERSION]
        type_id = self._client.put_artifact_type(
            pb.ArtifactType(name=_FILES), can_add_fields=True, can_omit_fields=True
        )
        artifact = pb.Artifact(type_id=type_id, uri=uri, state=pb.Artifact.LIVE)
        for key, text in properties.items():
            artifact.custom_properties[key].string_value = text
        with self._exclusive():
            contexts = self._held(name, version, owner, tags)
            # One transaction: no artifact is ever there without its version.
            _, [artifact_id], _ = self._client.put_lineage_subgraph([], [artifact], contexts, [])
        if execution_id is not None:
            event = pb.Event(
                type=pb.Event.OUTPUT, execution_id=execution_id, artifact_id=artifact_id
            )
            # A key that no output of the step has.
            event.path.steps.add(key=f"registered:{name}@{version}")
            event.path.steps.add(index=0)
            self._client.put_events([event])
        return int(artifact_id)

    def _held(
        self, name: str, version: str, owner: str | None, tags: Sequence[str]
    ) -> list[pb.Context]:
        """The contexts of a version that its owner still has, with tags; nobody may interfere."""
        context = self._context(name, version)
        if owner not in (None, context.custom_properties[ArtifactVersion.RUN].string_value):
            raise DataError(
                f"Version {version!r} of the artifact {name!r} was taken over by another process, "
                "which found no sign of life of this one. Name another."
            )
        # Before it can be found, and so before anybody else writes tags. Those of a version that is
        # made again stay.
        if tags and not context.custom_properties[Run.TAGS].string_value:
            properties = annotation_properties(Annotations(tags=tuple(sorted(set(tags)))))
            set_properties(context, properties)
            self._client.put_contexts([context])
            context = self._context(name, version)
        return [self._group(name), context]

    def _group(self, name: str) -> Any:
        return named_context(self._client, ARTIFACT_NAME, name)

    def _context(self, name: str, version: str) -> Any:
        return self._client.get_context_by_type_and_name(ARTIFACT_VERSION, f"{name}@{version}")
