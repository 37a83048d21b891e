"""Writes what users say of runs and artifacts: projects, experiments, owners, notes, marks."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterable, Iterator, Sequence

from zentfx.errors import NotFoundError
from zentfx.records import schema
from zentfx.records.encoding import annotation_properties, chunked
from zentfx.records.models import Annotations
from zentfx.records.writer import context_type, named_context, now, set_properties
from zentfx.stores.mlmd import mlmd, pb

__all__ = ["Annotator"]


class Annotator:
    """Writes to one metadata store.

    What is said of a run is written into its context, where it can be taken back. Each project,
    experiment, owner, changelist and tag is a context too, so that tools that know MLMD alone find
    its runs, executions and artifacts by it. MLMD takes nothing out of a context again: there, a
    run stays in what it was ever in.

    Args:
        client: The MLMD client.
    """

    def __init__(self, client: mlmd.MetadataStore) -> None:
        self._client = client

    def annotate(self, run_id: str, annotations: Annotations, changed: Iterable[str]) -> None:
        """Writes what has changed of what is said of a run; what others write meanwhile stays.

        Args:
            run_id: The run's id.
            annotations: What is said of it now.
            changed: Names of the annotations that are to be written.

        Raises:
            NotFoundError: If there is no such run with a context of its own.
        """
        run = self._client.get_context_by_type_and_name(schema.PIPELINE_RUN, run_id)
        if run is None:
            raise NotFoundError(
                f"The run {run_id!r} has no context in the store that could be annotated."
            )
        self._write(run, annotations, changed)
        self.group(run_id, annotations)

    def annotate_version(
        self, name: str, version: str, annotations: Annotations, changed: Iterable[str]
    ) -> None:
        """Writes what has changed of what is said of a version of a named artifact.

        The artifact itself stays as it is, being part of cache keys.

        Args:
            name: The artifact's name.
            version: The version.
            annotations: What is said of it now: tags and note.
            changed: Names of the annotations that are to be written.

        Raises:
            NotFoundError: If there is no such version.
        """
        found = self._client.get_context_by_type_and_name(
            schema.ARTIFACT_VERSION, f"{name}@{version}"
        )
        if found is None:
            raise NotFoundError(f"The artifact {name!r} has no version {version!r}.")
        self._write(found, annotations, changed)

    def _write(self, context: pb.Context, annotations: Annotations, changed: Iterable[str]) -> None:
        properties = annotation_properties(annotations)
        names = {getattr(schema.Run, name.upper()) for name in changed}
        # Chunks of a longer text from before would be read as its end.
        known = {*context.custom_properties, *properties}
        names |= {name for name in known if name.rpartition("_")[0] in names}
        update = pb.Context(id=context.id, type_id=context.type_id, name=context.name)
        set_properties(update, {name: properties.get(name, "") for name in sorted(names)})
        paths = [f"custom_properties.{name}" for name in update.custom_properties]
        self._client.put_contexts([update], field_mask_paths=paths)

    def group(self, run_id: str, annotations: Annotations) -> None:
        """Makes a run, its executions and artifacts part of the contexts that are named.

        Args:
            run_id: The run's id.
            annotations: What is said of it.
        """
        named = list(_named(annotations))
        if not named:
            return
        run = self._client.get_context_by_type_and_name(schema.PIPELINE_RUN, run_id)
        executions = [item.id for item in self._client.get_executions_by_context(run.id)]
        artifacts = self._written_by(executions)
        for kind, name in named:
            group = self.context(kind, name)
            with contextlib.suppress(mlmd.errors.AlreadyExistsError):
                self._client.put_parent_contexts(
                    [pb.ParentContext(parent_id=group, child_id=run.id)]
                )
            self._client.put_attributions_and_associations(
                [pb.Attribution(context_id=group, artifact_id=item) for item in artifacts],
                [pb.Association(context_id=group, execution_id=item) for item in executions],
            )

    def _written_by(self, executions: Sequence[int]) -> list[int]:
        if not executions:
            return []
        events = self._client.get_events_by_execution_ids(executions)
        return sorted({event.artifact_id for event in events})

    def context(self, kind: str, name: str, note: str | None = None) -> int:
        """Finds or makes a context.

        Args:
            kind: ``project``, ``experiment``, ``owner``, ``changelist`` or ``tag``.
            name: Its name.
            note: A remark to keep with it; None for leaving what there is.

        Returns:
            Its id in MLMD.
        """
        found = named_context(self._client, schema.ANNOTATIONS[kind], name)
        if note is not None:
            texts = chunked(schema.NOTE, note)
            stale = {
                key: ""
                for key in found.custom_properties
                if key.startswith(schema.NOTE) and key not in texts
            }
            set_properties(found, {**stale, **texts})
            self._client.put_contexts([found])
        return int(found.id)

    def mark(
        self, artifact_ids: Iterable[int], note: str, user: str = "", root: int | None = None
    ) -> str:
        """Marks artifacts: while they are, no step reuses them.

        The artifacts themselves must not be changed, because they are part of cache keys.

        Args:
            artifact_ids: Ids in MLMD.
            note: Why.
            user: Who says so.
            root: The artifact that the others were made from, if there is one.

        Returns:
            The mark's name.
        """
        mark = pb.Context(type_id=context_type(self._client, schema.MARK), name=str(uuid.uuid4()))
        set_properties(mark, {**chunked(schema.Mark.NOTE, note), schema.Mark.USER: user})
        if root is not None:
            set_properties(mark, {schema.Mark.ARTIFACT: str(root)})
        [context_id] = self._client.put_contexts([mark])
        self._client.put_attributions_and_associations(
            [pb.Attribution(context_id=context_id, artifact_id=item) for item in artifact_ids], []
        )
        return str(mark.name)

    def unmark(self, mark: str) -> None:
        """Takes a mark back; it stays in the store, with the time.

        Args:
            mark: Its name.

        Raises:
            NotFoundError: If there is none of this name.
        """
        context = self._client.get_context_by_type_and_name(schema.MARK, mark)
        if context is None:
            raise NotFoundError(f"There is no mark {mark!r}.")
        set_properties(context, {schema.Mark.REMOVED: now()})
        self._client.put_contexts([context])


def _named(annotations: Annotations) -> Iterator[tuple[str, str]]:
    for kind in ("project", "experiment", "owner", "changelist"):
        name = getattr(annotations, kind)
        if name is not None:
            yield kind, name
    for tag in annotations.tags:
        yield "tag", tag
