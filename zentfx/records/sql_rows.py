"""What can be asked of a metadata store, answered from its SQLite file."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence

from zentfx.records import schema
from zentfx.records.encoding import EXACT, exact_metric, metric_values
from zentfx.records.from_rows import is_training
from zentfx.records.rows import JUDGED, Event, Item, StepRow
from zentfx.records.sql_items import EXECUTION_STATES, READS, SqlItems, chunks, listed

__all__ = ["SqlRows"]

_METRICS = "Metrics"  # the type of artifacts that hold metrics, or its base type
_TAIL = f',"{schema.Recorded.SOURCE}":"'


class SqlRows(SqlItems):
    """See :class:`zentfx.records.rows.Rows`."""

    def contexts(self, type_name: str | None = None, newest: int | None = None) -> list[Item]:
        """See :class:`zentfx.records.rows.Rows`."""
        where = f"i.type_id IN ({self.types_called(type_name)})" if type_name else "1"
        if newest is not None:
            order = f"ORDER BY create_time_since_epoch DESC, id DESC LIMIT {newest:d}"
            chosen = f"SELECT id FROM Context i WHERE {where} {order}"
            where = f"i.id IN ({chosen})"
        return self.items("Context", where)

    def context(self, type_name: str, name: str) -> Item | None:
        """See :class:`zentfx.records.rows.Rows`."""
        types = self.types_called(type_name)
        ids = self.ids(f"SELECT id FROM Context WHERE type_id IN ({types}) AND name = ?", name)
        found = self.by_id("Context", ids)
        return found[0] if found else None

    def executions(self, ids: Sequence[int] | None = None) -> list[Item]:
        """See :class:`zentfx.records.rows.Rows`."""
        return self.items("Execution", "1") if ids is None else self.by_id("Execution", ids)

    def loose_executions(self, since: int = 0) -> list[Item]:
        """See :class:`zentfx.records.rows.Rows`."""
        contexts = (
            f"SELECT id FROM Context WHERE type_id IN ({self.types_called(schema.PIPELINE_RUN)})"
        )
        in_contexts = f"SELECT a.execution_id FROM Association a WHERE a.context_id IN ({contexts})"
        made = f"SELECT id FROM Execution WHERE create_time_since_epoch >= {since:d}"
        if since:  # few, as a rule: not all the others are looked through for them
            ids = self.ids(made)
            for chunk in chunks(ids):
                grouped = set(
                    self.ids(
                        "SELECT a.execution_id FROM Association a CROSS JOIN Context c "
                        f"ON c.id = a.context_id WHERE a.execution_id IN ({chunk}) "
                        f"AND +c.type_id IN ({self.types_called(schema.PIPELINE_RUN)})"
                    )
                )
                ids = [number for number in ids if number not in grouped]
        else:
            ids = self.ids(f"{made} AND id NOT IN ({in_contexts})")
        return self.by_id("Execution", ids)

    def executions_in(self, context_ids: Sequence[int]) -> list[tuple[int, Item]]:
        """See :class:`zentfx.records.rows.Rows`."""
        return self.linked("Execution", "Association", "context_id", "execution_id", context_ids)

    def contexts_with_executions(self, execution_ids: Sequence[int]) -> list[tuple[int, Item]]:
        """See :class:`zentfx.records.rows.Rows`."""
        return self.linked("Context", "Association", "execution_id", "context_id", execution_ids)

    def context_names(self, execution_ids: Sequence[int]) -> list[tuple[int, str, str]]:
        """See :class:`zentfx.records.rows.Rows`."""
        return [
            (execution, self.types[type_id][0], name)
            for chunk in chunks(execution_ids)
            for execution, type_id, name in self.database.execute(
                "SELECT a.execution_id, c.type_id, c.name FROM Association a CROSS JOIN Context c "
                f"ON c.id = a.context_id WHERE a.execution_id IN ({chunk}) ORDER BY 1, c.id"
            )
        ]

    def steps_of_runs(self, every: bool) -> Iterator[StepRow]:
        """See :class:`zentfx.records.rows.Rows`."""
        same = {} if every else self._same()
        left_out = same.keys() - self._telling()
        wanted = listed([number for number in self.types if number not in left_out])
        runs = self.types_called(schema.PIPELINE_RUN)
        statuses = self._texts(schema.Execution.STATUS)
        for run, number, type_id, state, text in self.database.execute(
            "SELECT a.context_id, e.id, e.type_id, e.last_known_state, p.string_value "
            "FROM Context c JOIN Association a ON a.context_id = c.id "
            "JOIN Execution e ON e.id = a.execution_id LEFT JOIN ExecutionProperty p "
            f"ON e.type_id NOT IN ({listed(list(same))}) AND p.execution_id = e.id "
            "AND p.name = ? AND p.is_custom_property = 1 "
            f"WHERE c.type_id IN ({runs}) AND e.type_id IN ({wanted})",
            (schema.Execution.RECORDED,),
        ):
            status = statuses.get(number, EXECUTION_STATES[state or 0])
            recorded = same.get(type_id, text)
            yield StepRow(run, number, *self.types[type_id], status, recorded)
        for item in self.loose_executions():
            yield StepRow(0, item.id, item.type, item.base, item.state, None)

    def _same(self) -> dict[int, str]:
        """What is recorded of those steps that are the same in all runs, by type."""
        recorded = (schema.Execution.RECORDED,)
        [strangers] = self.database.execute(
            "SELECT (SELECT count(*) FROM Execution) - (SELECT count(*) FROM ExecutionProperty "
            "WHERE name = ? AND is_custom_property = 1 AND string_value IS NOT NULL)",
            recorded,
        ).fetchone()
        if strangers:
            return {}  # of others it is not known what step they are, before they are read
        # Answered by the index on names and values, in which equal texts stand together.
        texts = self.database.execute(
            "SELECT DISTINCT string_value FROM ExecutionProperty "
            "WHERE name = ? AND is_custom_property = 1 AND string_value IS NOT NULL",
            recorded,
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
            for number, (name, _) in self.types.items()
            if len(by_source[name]) == 1 and by_source[name][0] in alone
        }

    def _telling(self) -> set[int]:
        """Types of steps that are needed, even if they are the same in all runs."""
        measuring = self.ids(
            "SELECT DISTINCT x.type_id FROM Artifact i JOIN Event e ON e.artifact_id = i.id "
            "JOIN Execution x ON x.id = e.execution_id "
            f"WHERE i.type_id IN ({self._metrics_types()})"
        )
        return {number for number, names in self.types.items() if is_training(*names)} | set(
            measuring
        )

    def _texts(self, name: str) -> dict[int, str]:
        """Texts of a property of executions."""
        return dict(
            self.database.execute(
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
            f"AND e.type NOT IN ({listed(READS)})"
        )
        seen = set()
        for artifact, execution, name, text in self.database.execute(
            f"SELECT i.id, e.execution_id, p.name, p.string_value {wrote} "
            "CROSS JOIN ArtifactProperty p ON p.artifact_id = i.id "
            f"AND p.name GLOB '*{EXACT}' AND p.string_value IS NOT NULL "
            # By the metric's name: "A" comes before "AA", but "A_text" after "AA_text".
            f"WHERE i.type_id IN ({types}) "
            f"ORDER BY e.id, substr(p.name, 1, length(p.name) - {len(EXACT)})"
        ):
            seen.add(artifact)
            value = exact_metric(text)
            if value is not None:
                yield execution, name[: -len(EXACT)], value
        # Of others there are no exact texts.
        every = self.ids(f"SELECT id FROM Artifact WHERE type_id IN ({types})")
        others = [number for number in every if number not in seen]
        for chunk in chunks(others):
            properties = self.properties("Artifact", f"i.id IN ({chunk})")
            for artifact, execution in self.database.execute(
                f"SELECT i.id, e.execution_id {wrote} WHERE i.id IN ({chunk}) ORDER BY e.id"
            ):
                for name, value in metric_values(properties.get(artifact, {})).items():
                    yield execution, name, value

    def judged_by_execution(self) -> Iterator[tuple[int, str, str]]:
        """See :class:`zentfx.records.rows.Rows`."""
        named = " OR ".join(f"p.name = '{name}' OR p.name GLOB '{name}_*'" for name in JUDGED)
        yield from self.database.execute(
            "SELECT e.execution_id, p.name, p.string_value FROM ArtifactProperty p "
            "CROSS JOIN Artifact i ON i.id = p.artifact_id CROSS JOIN Event e "
            f"ON e.artifact_id = i.id AND e.type NOT IN ({listed(READS)}) "
            f"WHERE ({named}) AND p.string_value IS NOT NULL "
            f"AND i.type_id IN ({self._metrics_types()}) ORDER BY e.id, p.name"
        )

    def _metrics_types(self) -> str:
        return listed([number for number, names in self.types.items() if _METRICS in names])

    def artifacts(self, ids: Sequence[int] | None = None) -> list[Item]:
        """See :class:`zentfx.records.rows.Rows`."""
        return self.items("Artifact", "1") if ids is None else self.by_id("Artifact", ids)

    def artifacts_of_type(self, name: str) -> list[Item]:
        """See :class:`zentfx.records.rows.Rows`."""
        types = [
            number for number, (own, base) in self.types.items() if name in (own, f"mlmd.{base}")
        ]
        return self.items("Artifact", f"i.type_id IN ({listed(types)})")

    def artifacts_in(self, context_ids: Sequence[int]) -> list[tuple[int, Item]]:
        """See :class:`zentfx.records.rows.Rows`."""
        return self.linked("Artifact", "Attribution", "context_id", "artifact_id", context_ids)

    def events_of_executions(self, ids: Sequence[int]) -> list[Event]:
        """See :class:`zentfx.records.rows.Rows`."""
        return self.events("execution_id", ids)

    def events_of_artifacts(self, ids: Sequence[int]) -> list[Event]:
        """See :class:`zentfx.records.rows.Rows`."""
        return self.events("artifact_id", ids)

    def writers(self, artifact_ids: Sequence[int]) -> dict[int, int]:
        """See :class:`zentfx.records.rows.Rows`."""
        # Answered by the index on all three, of which the first entry is read.
        query = (
            "SELECT execution_id FROM Event WHERE artifact_id = ? "
            f"AND type NOT IN ({listed(READS)}) ORDER BY execution_id LIMIT 1"
        )
        found = {item: self.database.execute(query, (item,)).fetchone() for item in artifact_ids}
        return {item: row[0] for item, row in found.items() if row}

    def last_events(self, artifact_ids: Sequence[int]) -> dict[int, int]:
        """See :class:`zentfx.records.rows.Rows`."""
        return {
            artifact: when
            for chunk in chunks(artifact_ids)
            for artifact, when in self.database.execute(
                "SELECT artifact_id, max(coalesce(milliseconds_since_epoch, 0)) FROM Event "
                f"WHERE artifact_id IN ({chunk}) GROUP BY artifact_id"
            )
        }
