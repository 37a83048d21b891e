"""Writes what zentfx adds to TFX's records: runs, pipeline versions and the cache scope."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Mapping
from datetime import datetime

from zentfx.records import schema
from zentfx.records.encoding import cut
from zentfx.stores.mlmd import mlmd, pb

__all__ = ["Writer", "context_type", "named_context", "now", "set_properties"]

_TRIES = 100


class Writer:
    """Writes to one metadata store.

    Args:
        client: The MLMD client.
    """

    def __init__(self, client: mlmd.MetadataStore) -> None:
        self._client = client

    def cache_scope(self) -> str:
        """The id under which all pipelines of this store share TFX's execution cache.

        Returns:
            A random id, made at the first call and kept in the store.
        """
        type_id = context_type(self._client, schema.CACHE_SCOPE)
        known = self._client.get_contexts_by_type(schema.CACHE_SCOPE)
        if not known:
            self._client.put_contexts([pb.Context(type_id=type_id, name=str(uuid.uuid4()))])
            known = self._client.get_contexts_by_type(schema.CACHE_SCOPE)
        # Two processes may both have made one at the very first run: the older counts, for both.
        return str(min(known, key=lambda context: context.id).name)

    def pipeline_version(self, pipeline: str, digest: str, yaml_uri: str) -> int:
        """Finds the version of a pipeline with this content, or makes the next one.

        Args:
            pipeline: The pipeline's name.
            digest: Digest of its content.
            yaml_uri: Where its YAML is kept.

        Returns:
            The version: 1, 2, ….
        """
        names = schema.PipelineVersion
        type_id = context_type(self._client, schema.PIPELINE_VERSION)
        for _ in range(_TRIES):
            known: dict[str, int] = {
                context.custom_properties[names.DIGEST].string_value: context.custom_properties[
                    names.NUMBER
                ].int_value
                for context in self._client.get_contexts_by_type(schema.PIPELINE_VERSION)
                if context.custom_properties[names.PIPELINE].string_value == pipeline
            }
            if digest in known:
                return known[digest]
            number = max(known.values(), default=0) + 1
            context = pb.Context(type_id=type_id, name=f"{pipeline}@{number}")
            context.custom_properties[names.PIPELINE].string_value = pipeline
            context.custom_properties[names.NUMBER].int_value = number
            context.custom_properties[names.DIGEST].string_value = digest
            context.custom_properties[names.YAML_URI].string_value = yaml_uri
            try:
                self._client.put_contexts([context])
            except mlmd.errors.AlreadyExistsError:
                continue  # another process made this number just now
            return number
        raise mlmd.errors.AbortedError(f"no free version of {pipeline!r} after {_TRIES} tries")

    def begin_run(self, run_id: str, pipeline: str, properties: Mapping[str, str | int]) -> int:
        """Records a run before its first step.

        The contexts are TFX's own ones, made before TFX would: it takes those that it finds.

        Args:
            run_id: The run's new id.
            pipeline: The pipeline's name.
            properties: Further properties, by name in :class:`zentfx.records.schema.Run`.

        Returns:
            The id of the run's context.
        """
        parent = named_context(self._client, schema.PIPELINE, pipeline)
        run = pb.Context(type_id=context_type(self._client, schema.PIPELINE_RUN), name=run_id)
        set_properties(run, {schema.Run.PIPELINE: pipeline, schema.Run.STATUS: "running"})
        set_properties(run, {schema.Run.STARTED: now(), **properties})
        [child_id] = self._client.put_contexts([run])
        self._client.put_parent_contexts([pb.ParentContext(parent_id=parent.id, child_id=child_id)])
        return int(child_id)

    def end_run(
        self,
        run_id: str,
        status: str,
        error: str | None = None,
        ended: datetime | None = None,
    ) -> None:
        """Records how a run ended; ends its executions that are running still.

        Args:
            run_id: The run's id.
            status: ``completed``, ``failed``, ``canceled`` or ``crashed``.
            error: Text of the error, if there was one.
            ended: When; None for now.
        """
        run = self._client.get_context_by_type_and_name(schema.PIPELINE_RUN, run_id)
        if status != "completed":
            self._end_executions(run.id, status)
        when = now() if ended is None else str(round(ended.timestamp() * 1000))
        update = pb.Context(id=run.id, type_id=run.type_id, name=run.name)
        set_properties(update, {schema.Run.STATUS: status, schema.Run.ENDED: when})
        if error is not None:
            set_properties(update, {schema.Run.ERROR: cut(error)})
        # These alone: somebody may be annotating the run just now.
        paths = [f"custom_properties.{name}" for name in update.custom_properties]
        self._client.put_contexts([update], field_mask_paths=paths)

    def _end_executions(self, context_id: int, status: str) -> None:
        open_ones = [
            execution
            for execution in self._client.get_executions_by_context(context_id)
            if execution.last_known_state in (pb.Execution.NEW, pb.Execution.RUNNING)
        ]
        for execution in open_ones:
            execution.last_known_state = (
                pb.Execution.CANCELED if status == "canceled" else pb.Execution.FAILED
            )
            if status == "crashed":
                execution.custom_properties[schema.Execution.STATUS].string_value = status
        if open_ones:
            self._client.put_executions(open_ones)


def context_type(client: mlmd.MetadataStore, name: str) -> int:
    """Id of a type of contexts; makes it, if there is none."""
    type_id: int = client.put_context_type(
        pb.ContextType(name=name), can_add_fields=True, can_omit_fields=True
    )
    return type_id


def named_context(client: mlmd.MetadataStore, type_name: str, name: str) -> pb.Context:
    """A context by its name; makes it, if there is none."""
    found = client.get_context_by_type_and_name(type_name, name)
    if found is None:
        context = pb.Context(type_id=context_type(client, type_name), name=name)
        # Another process may be making it, just now.
        with contextlib.suppress(mlmd.errors.AlreadyExistsError):
            client.put_contexts([context])
        found = client.get_context_by_type_and_name(type_name, name)
    return found


def set_properties(context: pb.Context, properties: Mapping[str, str | int]) -> None:
    """Sets custom properties of a context."""
    for name, value in properties.items():
        if isinstance(value, int):
            context.custom_properties[name].int_value = value
        else:
            context.custom_properties[name].string_value = value


def now() -> str:
    """Milliseconds since the epoch, UTC, as text."""
    return str(time.time_ns() // 1_000_000)
