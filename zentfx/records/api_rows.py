"""Rows of a metadata store, asked of MLMD: for stores that are no file, or that are in use."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

from google.protobuf import json_format

from zentfx.records import schema
from zentfx.records.encoding import metric_values
from zentfx.records.rows import JUDGED, Event, Item, StepRow
from zentfx.stores.mlmd import mlmd, pb, service

__all__ = ["ApiRows"]

_CHUNK = 500  # ids in one question: MLMD's answers stay small, whatever is behind it
_LARGEST = 2**63
_READS = (pb.Event.INPUT, pb.Event.DECLARED_INPUT, pb.Event.INTERNAL_INPUT)


class ApiRows:
    """See :class:`zentfx.records.rows.Rows`.

    Args:
        client: MLMD's client.
    """

    def __init__(self, client: mlmd.MetadataStore) -> None:
        self._client = client

    def contexts(self, type_name: str | None = None, newest: int | None = None) -> list[Item]:
        """See :class:`zentfx.records.rows.Rows`."""
        if type_name is None:
            found = self._client.get_contexts(list_options=_newest_first(newest))
        else:
            found = self._contexts_of_type(type_name, newest)
        return sorted(map(self._context, found), key=_by_id)

    def _contexts_of_type(self, name: str, newest: int | None = None) -> list[Any]:
        # MLMD's own method has no options.
        request = service.GetContextsByTypeRequest(type_name=name)
        found: list[Any] = self._client._call_method_with_list_options(
            "GetContextsByType", "contexts", request, _newest_first(newest)
        )
        return found

    def context(self, type_name: str, name: str) -> Item | None:
        """See :class:`zentfx.records.rows.Rows`."""
        found = self._client.get_context_by_type_and_name(type_name, name)
        return None if found is None else self._context(found)

    def executions(self, ids: Sequence[int] | None = None) -> list[Item]:
        """See :class:`zentfx.records.rows.Rows`."""
        found = (
            self._client.get_executions()
            if ids is None
            else self._chunked(ids, self._client.get_executions_by_id)
        )
        return sorted(map(self._execution, found), key=_by_id)

    def loose_executions(self, since: int = 0) -> list[Item]:
        """See :class:`zentfx.records.rows.Rows`."""
        found: list[Item] = []
        for ids in self._ids_of_executions():
            lot = self.executions(ids)
            # Of ours it is known that they are in a run, without a question for each.
            found += [item for item in lot if schema.Execution.RUN not in item.properties]
            if lot and lot[0].created < since:
                break
        return [
            item
            for item in sorted(found, key=_by_id)
            if item.created >= since
            and all(
                context.type != schema.PIPELINE_RUN
                for _, context in self.contexts_with_executions([item.id])
            )
        ]

    def _ids_of_executions(self) -> list[range]:
        """The ids that executions may have, some at a time, the newest first."""
        options = mlmd.ListOptions(limit=1, order_by=mlmd.OrderByField.ID, is_asc=False)
        newest = self._client.get_executions(list_options=options)
        last = newest[0].id if newest else 0
        starts = range(1, last + 1, _CHUNK)
        return [range(start, min(start + _CHUNK, last + 1)) for start in reversed(starts)]

    def executions_in(self, context_ids: Sequence[int]) -> list[tuple[int, Item]]:
        """See :class:`zentfx.records.rows.Rows`."""
        return self._linked(context_ids, self._executions_in, self._execution)

    def _executions_in(self, context_id: int) -> list[Any]:
        # MLMD's own method asks for pages in an order, each of which looks through all.
        request = service.GetExecutionsByContextRequest(context_id=context_id)
        found: list[Any] = self._client._call_method_with_list_options(
            "GetExecutionsByContext", "executions", request, None
        )
        return found

    def contexts_with_executions(self, execution_ids: Sequence[int]) -> list[tuple[int, Item]]:
        """See :class:`zentfx.records.rows.Rows`."""
        return self._linked(execution_ids, self._client.get_contexts_by_execution, self._context)

    def context_names(self, execution_ids: Sequence[int]) -> list[tuple[int, str, str]]:
        """See :class:`zentfx.records.rows.Rows`."""
        found = self.contexts_with_executions(execution_ids)
        return [(number, context.type, context.name) for number, context in found]

    def steps_of_runs(self, every: bool) -> Iterator[StepRow]:
        """See :class:`zentfx.records.rows.Rows`."""
        del every  # each is asked for anyway
        runs = {context.name: context.id for context in self._contexts_of_type(schema.PIPELINE_RUN)}
        strangers = []
        for ids in self._ids_of_executions():
            for execution in self._client.get_executions_by_id(list(ids)):
                if (run := _text(execution, schema.Execution.RUN)) in runs:
                    yield self._step_row(runs[run], execution)
                else:
                    strangers.append(execution.id)
        if strangers:  # they do not say in which run they are
            own = self._runs_with(strangers, set(runs.values()))
            for execution in self._chunked(strangers, self._client.get_executions_by_id):
                for context_id in own[execution.id] or [0]:
                    yield self._step_row(context_id, execution)

    def _runs_with(self, executions: list[int], runs: set[int]) -> dict[int, list[int]]:
        """Ids of the contexts of runs that executions are in; the fewer are asked one by one."""
        own: dict[int, list[int]] = {number: [] for number in executions}
        if len(executions) < len(runs):
            for number, context in self.contexts_with_executions(executions):
                if context.id in runs:
                    own[number].append(context.id)
            return own
        for context_id in sorted(runs):
            for execution in self._executions_in(context_id):
                if execution.id in own:
                    own[execution.id].append(context_id)
        return own

    def _step_row(self, run: int, execution: Any) -> StepRow:
        state = _text(execution, schema.Execution.STATUS) or _state(execution)
        recorded = _text(execution, schema.Execution.RECORDED) or None
        kind = self._execution_types[execution.type_id]
        return StepRow(run, execution.id, *kind, state, recorded)

    def metrics_by_execution(self) -> Iterator[tuple[int, str, float]]:
        """See :class:`zentfx.records.rows.Rows`."""
        found = [*self.artifacts_of_type("Metrics"), *self.artifacts_of_type("mlmd.Metrics")]
        items = {item.id: item.properties for item in found}
        for event in self.events_of_artifacts(list(items)):
            if not event.reads:
                for name, value in metric_values(items[event.artifact]).items():
                    yield event.execution, name, value

    def judged_by_execution(self) -> Iterator[tuple[int, str, str]]:
        """See :class:`zentfx.records.rows.Rows`."""
        found = [*self.artifacts_of_type("Metrics"), *self.artifacts_of_type("mlmd.Metrics")]
        items = {
            item.id: {
                name: text for name, text in item.properties.items() if name.startswith(JUDGED)
            }
            for item in found
        }
        judged = [number for number, texts in items.items() if texts]
        for event in self.events_of_artifacts(judged):
            if not event.reads:
                for name, text in sorted(items[event.artifact].items()):
                    yield event.execution, name, str(text)

    def artifacts(self, ids: Sequence[int] | None = None) -> list[Item]:
        """See :class:`zentfx.records.rows.Rows`."""
        found = (
            self._client.get_artifacts()
            if ids is None
            else self._chunked(ids, self._client.get_artifacts_by_id)
        )
        return sorted(map(self._artifact, found), key=_by_id)

    def artifacts_of_type(self, name: str) -> list[Item]:
        """See :class:`zentfx.records.rows.Rows`."""
        found = [
            artifact
            for kind in self._client.get_artifact_types()
            if name in (kind.name, f"mlmd.{self._artifact_types[kind.id][1]}")
            for artifact in self._client.get_artifacts_by_type(kind.name, kind.version or None)
        ]
        return sorted(map(self._artifact, found), key=_by_id)

    def artifacts_in(self, context_ids: Sequence[int]) -> list[tuple[int, Item]]:
        """See :class:`zentfx.records.rows.Rows`."""
        return self._linked(context_ids, self._client.get_artifacts_by_context, self._artifact)

    def events_of_executions(self, ids: Sequence[int]) -> list[Event]:
        """See :class:`zentfx.records.rows.Rows`."""
        return list(map(_event, self._events(ids, self._client.get_events_by_execution_ids)))

    def events_of_artifacts(self, ids: Sequence[int]) -> list[Event]:
        """See :class:`zentfx.records.rows.Rows`."""
        return list(map(_event, self._events(ids, self._client.get_events_by_artifact_ids)))

    def writers(self, artifact_ids: Sequence[int]) -> dict[int, int]:
        """See :class:`zentfx.records.rows.Rows`."""
        written = self._named_by_their_places(artifact_ids)
        others = [item for item in artifact_ids if item not in written]
        found: dict[int, list[int]] = defaultdict(list)
        for event in self.events_of_artifacts(others):
            if not event.reads:
                found[event.artifact].append(event.execution)
        return written | {artifact: min(ids) for artifact, ids in found.items()}

    def last_events(self, artifact_ids: Sequence[int]) -> dict[int, int]:
        """See :class:`zentfx.records.rows.Rows`."""
        found: dict[int, int] = {}
        for event in self.events_of_artifacts(artifact_ids):
            found[event.artifact] = max(event.when, found.get(event.artifact, 0))
        return found

    def _named_by_their_places(self, artifact_ids: Sequence[int]) -> dict[int, int]:
        """Writers that TFX has written into the uris, where they did write the artifacts.

        A result that was reused a thousand times has a thousand events; its first execution has
        a few.
        """
        guesses: dict[int, tuple[int, str]] = {}
        for item in self.artifacts(artifact_ids):
            # TFX's: …/<node>/<output>/<execution id>, and for one of several a number below it.
            parts = item.uri.rstrip("/").split("/")
            for output, number in zip(parts[-3:-1], parts[-2:], strict=False):
                if number.isascii() and number.isdecimal():
                    guesses[item.id] = (int(number), output)
                    break
        ids = sorted({number for number, _ in guesses.values() if number < _LARGEST})
        ran = [item.id for item in self.executions(ids) if item.state != "cached"]
        wrote = {
            (event.artifact, event.execution, name)
            for event in self.events_of_executions(ran)
            if not event.reads
            for name in event.names
        }
        return {
            artifact: number
            for artifact, (number, output) in guesses.items()
            if (artifact, number, output) in wrote
        }

    @cached_property
    def _artifact_types(self) -> dict[int, tuple[str, str]]:
        return _types(self._client.get_artifact_types(), pb.ArtifactType)

    @cached_property
    def _execution_types(self) -> dict[int, tuple[str, str]]:
        return _types(self._client.get_execution_types(), pb.ExecutionType)

    def _context(self, context: Any) -> Item:
        return _item(context, (context.type, ""), "", "")

    def _execution(self, execution: Any) -> Item:
        return _item(execution, self._execution_types[execution.type_id], "", _state(execution))

    def _artifact(self, artifact: Any) -> Item:
        state = pb.Artifact.State.Name(artifact.state).lower()
        return _item(artifact, self._artifact_types[artifact.type_id], artifact.uri, state)

    def _linked(
        self, ids: Sequence[int], ask: Callable[[int], Iterable[Any]], plain: Callable[[Any], Item]
    ) -> list[tuple[int, Item]]:
        pairs: list[tuple[int, Item]] = []
        for number in sorted(ids):
            # MLMD calls it an error if there are none at all.
            with contextlib.suppress(mlmd.errors.NotFoundError):
                found = sorted(map(plain, ask(number)), key=_by_id)
                pairs += [(number, item) for item in found]
        return pairs

    def _events(self, ids: Sequence[int], ask: Callable[[list[int]], Iterable[Any]]) -> list[Any]:
        found: list[Any] = []
        for chunk in _chunks(ids):
            # MLMD calls it an error if there are none at all.
            with contextlib.suppress(mlmd.errors.NotFoundError):
                found.extend(ask(chunk))
        return found

    @staticmethod
    def _chunked(ids: Sequence[int], ask: Callable[[list[int]], Iterable[Any]]) -> Iterator[Any]:
        for chunk in _chunks(ids):
            yield from ask(chunk)


def _chunks(ids: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), _CHUNK):
        yield list(ids[start : start + _CHUNK])


def _newest_first(count: int | None) -> mlmd.ListOptions | None:
    if count is None:
        return None
    order = mlmd.OrderByField.CREATE_TIME
    return mlmd.ListOptions(limit=count, order_by=order, is_asc=False)


def _text(execution: Any, name: str) -> str:
    properties = execution.custom_properties
    text: str = properties[name].string_value if name in properties else ""  # no look-up adds it
    return text


def _state(execution: Any) -> str:
    name: str = pb.Execution.State.Name(execution.last_known_state)
    return name.lower()


def _by_id(item: Item) -> int:
    return item.id


def _types(kinds: Iterable[Any], message: Any) -> dict[int, tuple[str, str]]:
    names = message.SystemDefinedBaseType.Name
    return {
        kind.id: (kind.name, names(kind.base_type).capitalize() if kind.base_type else "")
        for kind in kinds
    }


def _item(message: Any, kind: tuple[str, str], uri: str, state: str) -> Item:
    properties = {
        name: _value(value)
        for table in (message.properties, message.custom_properties)
        for name, value in table.items()
        if value.WhichOneof("value")
    }
    ordered = dict(sorted(properties.items()))  # in a map they are in any order
    created, updated = message.create_time_since_epoch, message.last_update_time_since_epoch
    return Item(message.id, *kind, message.name, uri, state, ordered, created, updated)


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "struct_value":
        return json_format.MessageToDict(value.struct_value)
    return str(value.proto_value) if kind == "proto_value" else getattr(value, kind)


def _event(event: Any) -> Event:
    names = tuple(step.key for step in event.path.steps if step.HasField("key"))
    when = event.milliseconds_since_epoch
    return Event(event.execution_id, event.artifact_id, event.type in _READS, names, when)
