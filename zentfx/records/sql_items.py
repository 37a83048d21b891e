"""Contexts, executions, artifacts and events, read from the tables of MLMD in an SQLite file.

The tables are those of schema version 10, which :mod:`zentfx.stores.metadata` checks.
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from zentfx.records.rows import ARTIFACT_STATES, Event, Item

__all__ = ["EXECUTION_STATES", "READS", "SqlItems", "chunks", "listed"]

_CHUNK = 5000  # ids in one statement; its text may have a million characters
_STRUCT = "mlmd-struct::"  # how MLMD begins the text of a struct, before base64 of its protobuf

# By MLMD's numbers.
EXECUTION_STATES = ("unknown", "new", "running", "complete", "failed", "cached", "canceled")
_decoded = json.JSONDecoder().raw_decode  # without json.loads's looks around the text
READS = (2, 3, 5)  # DECLARED_INPUT, INPUT, INTERNAL_INPUT

# One row an item, in the order of Item's fields but for its properties.
_COLUMNS = {
    "Context": "i.id, i.type_id, i.name, '', 0",
    "Execution": "i.id, i.type_id, coalesce(i.name, ''), '', i.last_known_state",
    "Artifact": "i.id, i.type_id, coalesce(i.name, ''), coalesce(i.uri, ''), i.state",
}
_STATES: dict[str, tuple[str, ...]] = {
    "Context": ("",),
    "Execution": EXECUTION_STATES,
    "Artifact": ARTIFACT_STATES,
}


class SqlItems:
    """Reads whole items; what is asked for is put together by those that derive from it.

    Args:
        database: The open database, in a transaction, so that all answers are of the same state.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database
        self.types: dict[int, tuple[str, str]] = {
            type_id: (name, base.removeprefix("mlmd."))
            for type_id, name, base in database.execute(
                "SELECT t.id, t.name, coalesce(b.name, '') FROM Type t "
                "LEFT JOIN ParentType p ON p.type_id = t.id LEFT JOIN Type b "
                "ON b.id = p.parent_type_id"
            )
        }

    def types_called(self, name: str) -> str:
        """Ids of the types of this name, as a list in SQL."""
        return listed([number for number, names in self.types.items() if names[0] == name])

    def ids(self, query: str, *values: Any) -> list[int]:
        """The first column of a query."""
        return [number for (number,) in self.database.execute(query, values)]

    def by_id(self, table: str, ids: Sequence[int]) -> list[Item]:
        """Rows of ``Context``, ``Execution`` or ``Artifact``; those that there are."""
        return [item for chunk in chunks(ids) for item in self.items(table, f"i.id IN ({chunk})")]

    def linked(
        self, table: str, links: str, known: str, wanted: str, ids: Sequence[int]
    ) -> list[tuple[int, Item]]:
        """Items that a table of links connects with known ones, each with that one's id."""
        pairs = [
            pair
            for chunk in chunks(ids)
            for pair in self.database.execute(
                f"SELECT {known}, {wanted} FROM {links} WHERE {known} IN ({chunk}) ORDER BY 1, 2"
            )
        ]
        items = {item.id: item for item in self.by_id(table, sorted({item for _, item in pairs}))}
        return [(number, items[item]) for number, item in pairs if item in items]

    def items(self, table: str, where: str) -> list[Item]:
        """Rows of ``Context``, ``Execution`` or ``Artifact``, called ``i`` in the condition."""
        properties = self.properties(table, where)
        states = _STATES[table]
        return [
            Item(
                number,
                *self.types.get(type_id, ("", "")),
                name,
                uri,
                states[state or 0],
                properties.get(number, {}),
                created,
                updated,
            )
            for number, type_id, name, uri, state, created, updated in self.database.execute(
                f"SELECT {_COLUMNS[table]}, i.create_time_since_epoch, "
                f"i.last_update_time_since_epoch FROM {table} i WHERE {where} ORDER BY i.id"
            )
        ]

    def properties(self, table: str, where: str) -> dict[int, dict[str, Any]]:
        """The properties of the items that :meth:`items` would give, by id, each by name."""
        owner = f"p.{table.lower()}_id"
        chosen = f"{owner} IN (SELECT i.id FROM {table} i WHERE {where})"
        # Put together by SQLite, which is twice as fast as row by row. Of two with one name the
        # custom one comes later, as they stand in the index, and so stays. A double comes as its
        # text with 15 digits, which is what MLMD goes by too.
        properties: dict[int, dict[str, Any]] = {}
        rest = []
        for number, texts in self.database.execute(
            f"SELECT {owner}, json_group_object(p.name, "
            "coalesce(p.string_value, p.int_value, p.double_value)) "
            f"FROM {table}Property p WHERE {chosen} GROUP BY 1"
        ):
            # What is none of the three is null here; and a struct begins so.
            if ":null" in texts or _STRUCT in texts:
                rest.append(number)
            else:
                properties[number] = _decoded(texts)[0]
        for chunk in chunks(rest):
            for number, name, *values in self.database.execute(
                f"SELECT {owner}, p.name, p.int_value, CAST(p.double_value AS TEXT), "
                f"p.string_value, p.proto_value, p.bool_value FROM {table}Property p "
                f"WHERE {owner} IN ({chunk}) ORDER BY p.name, p.is_custom_property"
            ):
                value = _value(*values)
                if value is not None:
                    properties.setdefault(number, {})[name] = value
        return properties

    def events(self, column: str, ids: Sequence[int]) -> list[Event]:
        """The events with one of these in the column, in the order of recording."""
        found: dict[int, Event] = {}
        names: dict[int, list[str]] = defaultdict(list)
        for chunk in chunks(ids):
            for number, execution, artifact, kind, when in self.database.execute(
                "SELECT id, execution_id, artifact_id, type, milliseconds_since_epoch FROM Event "
                f"WHERE {column} IN ({chunk}) ORDER BY id"
            ):
                found[number] = Event(execution, artifact, kind in READS, (), when or 0)
            for number, name in self.database.execute(
                "SELECT p.event_id, p.step_key FROM EventPath p JOIN Event e ON e.id = p.event_id "
                f"WHERE NOT p.is_index_step AND e.{column} IN ({chunk}) ORDER BY p.rowid"
            ):
                names[number].append(name)
        return [
            event._replace(names=tuple(names[number])) if number in names else event
            for number, event in sorted(found.items())
        ]


def chunks(ids: Sequence[int]) -> Iterator[str]:
    """The ids as lists in SQL, each of a size that a statement can have."""
    for start in range(0, len(ids), _CHUNK):
        yield listed(ids[start : start + _CHUNK])


def listed(ids: Sequence[int]) -> str:
    """The ids as a list in SQL."""
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
