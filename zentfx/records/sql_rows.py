"""Rows of a metadata store, read from its SQLite file.

The tables are MLMD's (schema version 10, which :mod:`zentfx.stores.metadata` checks).
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from zentfx.records import schema
from zentfx.records.encoding import EXACT, exact_metric, metric_values
from zentfx.records.from_rows import is_training
from zentfx.records.rows import Event, Item, StepRow

__all__ = ["SqlRows"]

_CHUNK = 5000  # ids in one statement; its text may have a million characters
_STRUCT = "mlmd-struct::"  # how MLMD begins the text of a struct, before base64 of its protobuf

# By MLMD's numbers.
_EXECUTION_STATES = ("unknown", "new", "running", "complete", "failed", "cached", "canceled")
_ARTIFACT_STATES = (
    "unknown",
    "pending",
    "live",
    "marked_for_deletion",
    "deleted",
    "abandoned",
    "reference",
)
_METRICS = "Metrics"  # the type of artifacts that hold metrics, or its base type
_decoded = json.JSONDecoder().raw_decode  # without json.loads's looks around the text
_TAIL = f',"{schema.Recorded.SOURCE}":"'
_READS = (2, 3, 5)  # DECLARED_INPUT, INPUT, INTERNAL_INPUT

# One row an item, in the order of Item's fields but for its properties.
_COLUMNS = {
    "Context": "i.id, i.type_id, i.name, '', 0",
    "Execution": "i.id, i.type_id, coalesce(i.name, ''), '', i.last_known_state",
    "Artifact": "i.id, i.type_id, coalesce(i.name, ''), coalesce(i.uri, ''), i.state",
}
_STATES: dict[str, tuple[str, ...]] = {
    "Context": ("",),
    "Execution": _EXECUTION_STATES,
    "Artifact": _ARTIFACT_STATES,
}


class SqlRows:
    """See :class:`zentfx.records.rows.Rows`.

    Args:
        database: The open database, in a transaction, so that all answers are of the same state.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._types: dict[int, tuple[str, str]] = {
            type_id: (name, base.removeprefix("mlmd."))
            for type_id, name, base in database.execute(
                "SELECT t.id, t.name, coalesce(b.name, '') FROM Type t "
                "LEFT JOIN ParentType p ON p.type_id = t.id LEFT JOIN Type b "
                "ON b.id = p.parent_type_id"
            )
        }

    def contexts(self, type_name: str | None = None, newest: int | None = None) -> list[Item]:
        """See :class:`zentfx.records.rows.Rows`."""
        where = f"i.type_id IN ({self._types_called(type_name)})" if type_name else "1"
        if newest is not None:
            order = f"ORDER BY create_time_since_epoch DESC, id DESC LIMIT {newest:d}"
            chosen = f"SELECT id FROM Context i WHERE {where} {order}"
            where = f"i.id IN ({chosen})"
        return self._items("Context", where)

    def context(self, type_name: str, name: str) -> Item | None:
        """See :class:`zentfx.records.rows.Rows`."""
        types = self._types_called(type_name)
        ids = self._ids(f"SELECT id FROM Context WHERE type_id IN ({types}) AND name = ?", name)
        found = self._by_id("Context", ids)
        return found[0] if found else None

    def child_contexts(self, context_id: int) -> list[Item]:
        """See :class:`zentfx.records.rows.Rows`."""
        chosen = f"SELECT context_id FROM ParentContext WHERE parent_context_id = {context_id:d}"
        return self._items("Context", f"i.id IN ({chosen})")

    def parent_contexts(self, context_ids: Sequence[int]) -> list[tuple[int, Item]]:
        """See :class:`zentfx.records.rows.Rows`."""
        return self._linked(
            "Context", "ParentContext", "context_id", "parent_context_id", context_ids
        )

    def executions(self, ids: Sequence[int] | None = None) -> list[Item]:
        """See :class:`zentfx.records.rows.Rows`."""
        return self._items("Execution", "1") if ids is None else self._by_id("Execution", ids)

    def loose_executions(self, since: int = 0) -> list[Item]:
        """See :class:`zentfx.records.rows.Rows`."""
        contexts = (
            f"SELECT id FROM Context WHERE type_id IN ({self._types_called(schema.PIPELINE_RUN)})"
        )
        in_contexts = f"SELECT a.execution_id FROM Association a WHERE a.context_id IN ({contexts})"
        made = f"SELECT id FROM Execution WHERE create_time_since_epoch >= {since:d}"
        if since:  # few, as a rule: not all the others are looked through for them
            ids = self._ids(made)
            for chunk in _chunks(ids):
                grouped = set(
                    self._ids(
                        "SELECT a.execution_id FROM Association a CROSS JOIN Context c "
                        f"ON c.id = a.context_id WHERE a.execution_id IN ({chunk}) "
                        f"AND +c.type_id IN ({self._types_called(schema.PIPELINE_RUN)})"
                    )
                )
                ids = [number for number in ids if number not in grouped]
        else:
            ids = self._ids(f"{made} AND id NOT IN ({in_contexts})")
        return self._by_id("Execution", ids)

    def executions_in(self, context_ids: Sequence[int]) -> list[tuple[int, Item]]:
        """See :class:`zentfx.records.rows.Rows`."""
        return self._linked("Execution", "Association", "context_id", "execution_id", context_ids)

    def contexts_with_executions(self, execution_ids: Sequence[int]) -> list[tuple[int, Item]]:
        """See :class:`zentfx.records.rows.Rows`."""
        return self._linked("Context", "Association", "execution_id", "context_id", execution_ids)

    def steps_of_runs(self, every: bool) -> Iterator[StepRow]:
        """See :class:`zentfx.records.rows.Rows`."""
        same = {} if every else self._same()
        left_out = same.keys() - self._telling()
        wanted = _listed([number for number in self._types if number not in left_out])
        statuses = self._texts(schema.Execution.STATUS)
        for run, number, type_id, state, text in self._database.execute(
            "SELECT a.context_id, e.id, e.type_id, e.last_known_state, p.string_value "
            "FROM Context c JOIN Association a ON a.context_id = c.id "
            "JOIN Execution e ON e.id = a.execution_id LEFT JOIN ExecutionProperty p "
            f"ON e.type_id NOT IN ({_listed(list(same))}) AND p.execution_id = e.id "
            "AND p.name = ? AND p.is_custom_property = 1 "
            f"WHERE c.type_id IN ({self._types_called(schema.PIPELINE_RUN)}) AND e.type_id IN ({wanted})",
            (schema.Execution.RECORDED,),
        ):
            status = statuses.get(number, _EXECUTION_STATES[state or 0])
            recorded = same.get(type_id, text)
            yield StepRow(run, number, *self._types[type_id], status, recorded)
        for item in self.loose_executions():
            yield StepRow(0, item.id, item.type, item.base, item.state, None)

    def _same(self) -> dict[int, str]:
        """What is recorded of those steps that are the same in all runs, by type."""
        # Answered by the index on names and values, in which equal texts stand together.
        texts = self._database.execute(
            "SELECT DISTINCT string_value FROM ExecutionProperty "
            "WHERE name = ? AND is_custom_property = 1 AND string_value IS NOT NULL",
            (schema.Execution.RECORDED,),
        )
        # In canonical JSON the keys are sorted: the class and the step come last.
        by_tail: dict[str, list[str]] = defaultdict(list)
        for (text,) in texts:
            by_tail[text[text.rfind(_TAIL) + 1 :]].append(text)
        by_step: dict[str, list[str]] = defaultdict(list)
        by_source: dict[str, list[str]] = defaultdict(list)
        for tail, found in by_tail.items():
            try:
                data = json.loads("{" + tail)
                by_step[data[schema.Recorded.STEP]] += found
                by_source[data[schema.Recorded.SOURCE]] += found
            except (ValueError, KeyError):
                return {}  # a text that goes on elsewhere
        alone = {found[0] for found in by_step.values() if len(found) == 1}
        return {
            number: by_source[name][0]
            for number, (name, _) in self._types.items()
            if len(by_source[name]) == 1 and by_source[name][0] in alone
        }

    def _telling(self) -> set[int]:
        """Types of steps that are needed, even if they are the same in all runs."""
        measuring = self._ids(
            "SELECT DISTINCT x.type_id FROM Artifact i JOIN Event e ON e.artifact_id = i.id "
            "JOIN Execution x ON x.id = e.execution_id "
            f"WHERE i.type_id IN ({self._metrics_types()})"
        )
        return {number for number, names in self._types.items() if is_training(*names)} | set(
            measuring
        )

    def _texts(self, name: str) -> dict[int, str]:
        """Texts of a property of executions."""
        return dict(
            self._database.execute(
                "SELECT execution_id, string_value FROM ExecutionProperty "
                "WHERE name = ? AND is_custom_property = 1 AND string_value IS NOT NULL",
                (name,),
            )
        )

    def metrics_by_execution(self) -> Iterator[tuple[int, str, float]]:
        """See :class:`zentfx.records.rows.Rows`."""
        types = self._metrics_types()
        wrote = (
            "FROM Artifact i CROSS JOIN Event e ON e.artifact_id = i.id "
            f"AND e.type NOT IN ({_listed(_READS)})"
        )
        seen = set()
        for artifact, execution, name, text in self._database.execute(
            f"SELECT i.id, e.execution_id, p.name, p.string_value {wrote} "
            "CROSS JOIN ArtifactProperty p ON p.artifact_id = i.id "
            f"AND p.name GLOB '*{EXACT}' AND p.string_value IS NOT NULL "
            f"WHERE i.type_id IN ({types}) ORDER BY e.id, p.name"
        ):
            seen.add(artifact)
            value = exact_metric(text)
            if value is not None:
                yield execution, name[: -len(EXACT)], value
        # Of others there are no exact texts.
        every = self._ids(f"SELECT id FROM Artifact WHERE type_id IN ({types})")
        others = [number for number in every if number not in seen]
        for chunk in _chunks(others):
            properties = self._properties("Artifact", f"i.id IN ({chunk})")
            for artifact, execution in self._database.execute(
                f"SELECT i.id, e.execution_id {wrote} WHERE i.id IN ({chunk}) ORDER BY e.id"
            ):
                for name, value in metric_values(properties.get(artifact, {})).items():
                    yield execution, name, value

    def _metrics_types(self) -> str:
        return _listed([number for number, names in self._types.items() if _METRICS in names])

    def artifacts(self, ids: Sequence[int] | None = None) -> list[Item]:
        """See :class:`zentfx.records.rows.Rows`."""
        return self._items("Artifact", "1") if ids is None else self._by_id("Artifact", ids)

    def artifacts_of_type(self, name: str) -> list[Item]:
        """See :class:`zentfx.records.rows.Rows`."""
        types = [number for number, names in self._types.items() if name in names]
        return self._items("Artifact", f"i.type_id IN ({_listed(types)})")

    def artifacts_in(self, context_ids: Sequence[int]) -> list[tuple[int, Item]]:
        """See :class:`zentfx.records.rows.Rows`."""
        return self._linked("Artifact", "Attribution", "context_id", "artifact_id", context_ids)

    def contexts_with_artifacts(self, artifact_ids: Sequence[int]) -> list[tuple[int, Item]]:
        """See :class:`zentfx.records.rows.Rows`."""
        return self._linked("Context", "Attribution", "artifact_id", "context_id", artifact_ids)

    def events_of_executions(self, ids: Sequence[int]) -> list[Event]:
        """See :class:`zentfx.records.rows.Rows`."""
        return self._events("execution_id", ids)

    def events_of_artifacts(self, ids: Sequence[int]) -> list[Event]:
        """See :class:`zentfx.records.rows.Rows`."""
        return self._events("artifact_id", ids)

    def writers(self, artifact_ids: Sequence[int]) -> dict[int, int]:
        """See :class:`zentfx.records.rows.Rows`."""
        # Answered by the index on all three, of which the first entry is read.
        query = (
            "SELECT execution_id FROM Event WHERE artifact_id = ? "
            f"AND type NOT IN ({_listed(_READS)}) ORDER BY execution_id LIMIT 1"
        )
        found = {item: self._database.execute(query, (item,)).fetchone() for item in artifact_ids}
        return {item: row[0] for item, row in found.items() if row}

    def last_events(self, artifact_ids: Sequence[int]) -> dict[int, int]:
        """See :class:`zentfx.records.rows.Rows`."""
        return {
            artifact: when
            for chunk in _chunks(artifact_ids)
            for artifact, when in self._database.execute(
                "SELECT artifact_id, max(coalesce(milliseconds_since_epoch, 0)) FROM Event "
                f"WHERE artifact_id IN ({chunk}) GROUP BY artifact_id"
            )
        }

    def _types_called(self, name: str) -> str:
        return _listed([number for number, names in self._types.items() if names[0] == name])

    def _ids(self, query: str, *values: Any) -> list[int]:
        return [number for (number,) in self._database.execute(query, values)]

    def _by_id(self, table: str, ids: Sequence[int]) -> list[Item]:
        return [item for chunk in _chunks(ids) for item in self._items(table, f"i.id IN ({chunk})")]

    def _linked(
        self, table: str, links: str, known: str, wanted: str, ids: Sequence[int]
    ) -> list[tuple[int, Item]]:
        pairs = [
            pair
            for chunk in _chunks(ids)
            for pair in self._database.execute(
                f"SELECT {known}, {wanted} FROM {links} WHERE {known} IN ({chunk}) ORDER BY 1, 2"
            )
        ]
        items = {item.id: item for item in self._by_id(table, sorted({item for _, item in pairs}))}
        return [(number, items[item]) for number, item in pairs]

    def _items(self, table: str, where: str) -> list[Item]:
        properties = self._properties(table, where)
        states = _STATES[table]
        return [
            Item(
                number,
                *self._types.get(type_id, ("", "")),
                name,
                uri,
                states[state or 0],
                properties.get(number, {}),
                created,
                updated,
            )
            for number, type_id, name, uri, state, created, updated in self._database.execute(
                f"SELECT {_COLUMNS[table]}, i.create_time_since_epoch, "
                f"i.last_update_time_since_epoch FROM {table} i WHERE {where} ORDER BY i.id"
            )
        ]

    def _properties(self, table: str, where: str) -> dict[int, dict[str, Any]]:
        owner = f"p.{table.lower()}_id"
        chosen = f"{owner} IN (SELECT i.id FROM {table} i WHERE {where})"
        # Put together by SQLite, which is twice as fast as row by row. Of two with one name the
        # custom one comes later, as they stand in the index, and so stays. A double comes as its
        # text with 15 digits, which is what MLMD goes by too.
        properties: dict[int, dict[str, Any]] = {}
        rest = []
        for number, texts in self._database.execute(
            f"SELECT {owner}, json_group_object(p.name, "
            "coalesce(p.string_value, p.int_value, p.double_value)) "
            f"FROM {table}Property p WHERE {chosen} GROUP BY 1"
        ):
            # What is none of the three is null here; and a struct begins so.
            if ":null" in texts or _STRUCT in texts:
                rest.append(number)
            else:
                properties[number] = _decoded(texts)[0]
        for chunk in _chunks(rest):
            for number, name, *values in self._database.execute(
                f"SELECT {owner}, p.name, p.int_value, CAST(p.double_value AS TEXT), "
                f"p.string_value, p.proto_value, p.bool_value FROM {table}Property p "
                f"WHERE {owner} IN ({chunk}) ORDER BY p.name, p.is_custom_property"
            ):
                value = _value(*values)
                if value is not None:
                    properties.setdefault(number, {})[name] = value
        return properties

    def _events(self, column: str, ids: Sequence[int]) -> list[Event]:
        found: dict[int, Event] = {}
        names: dict[int, list[str]] = defaultdict(list)
        for chunk in _chunks(ids):
            for number, execution, artifact, kind, when in self._database.execute(
                "SELECT id, execution_id, artifact_id, type, milliseconds_since_epoch FROM Event "
                f"WHERE {column} IN ({chunk}) ORDER BY id"
            ):
                found[number] = Event(execution, artifact, kind in _READS, (), when or 0)
            for number, name in self._database.execute(
                "SELECT p.event_id, p.step_key FROM EventPath p JOIN Event e ON e.id = p.event_id "
                f"WHERE NOT p.is_index_step AND e.{column} IN ({chunk}) ORDER BY p.rowid"
            ):
                names[number].append(name)
        return [
            event._replace(names=tuple(names[number])) if number in names else event
            for number, event in sorted(found.items())
        ]


def _chunks(ids: Sequence[int]) -> Iterator[str]:
    for start in range(0, len(ids), _CHUNK):
        yield _listed(ids[start : start + _CHUNK])


def _listed(ids: Sequence[int]) -> str:
    # Numbers and nothing else: they become part of a statement.
    return ",".join(map(str, map(int, ids)))


def _value(
    integer: int | None,
    double: str | None,
    string: str | None,
    proto: str | bytes | None,
    boolean: int | None,
) -> Any:
    if string is not None:
        return _struct(string) if string.startswith(_STRUCT) else string
    if integer is not None:
        return integer
    if double is not None:
        return float(double)
    if boolean is not None:
        return bool(boolean)
    return None if proto is None else _proto(proto)


def _struct(text: str) -> Any:
    from google.protobuf import json_format, struct_pb2

    data = base64.b64decode(text.removeprefix(_STRUCT))
    return json_format.MessageToDict(struct_pb2.Struct.FromString(data))


def _proto(data: str | bytes) -> str:
    from google.protobuf import any_pb2

    return str(any_pb2.Any.FromString(base64.b64decode(data)))
