"""A repository with very many runs in its metadata store, recorded as real ones are.

Three real runs of a taxi pipeline of seven steps come first: one that computes everything, one with
another learning rate, which reuses five steps, and one whose trainer fails. What the last two have
left in the store is then written again by SQL, row by row, as often as asked: with new ids, names
and times, learning rates and epochs of their own, other metrics, and in other pipelines. Reused
steps lead to the artifacts of the first run. There are no files of what a clone's own steps wrote,
and no logs.

A run whose arguments are new makes a version of its pipeline, so each clone has one. They share
YAML files, one a pipeline: those have its steps, with the arguments of the real run.

Clones are a minute apart and older than the real runs, so that what runs afterwards is the latest.
Only the real runs' ids are not in the order of time.

The SQLite here is Python's, and MLMD brings its own: no MLMD client of the process that clones may
have the store open (`zentfx/stores/metadata.py` says why). So the real runs have their own process.
"""

import argparse
import contextlib
import hashlib
import json
import random
import re
import sqlite3
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from types import MappingProxyType
from typing import Any

from measure import run_once
from taxi_data import write_taxi_csv

from zentfx.parameters import canonical_json
from zentfx.records import schema
from zentfx.records.encoding import chunked, joined

_HERE = Path(__file__).parent
_PIPELINE = "Pipeline {:03d}"
_MINUTE = 60_000  # milliseconds, as all times here
_FAILS = 50  # one run in so many
_BATCH = 20_000  # rows
_ROWS = 300  # taxi trips
_DATABASE = Path(".zentfx", "metadata.db")

# MLMD's schema 10. In these orders rows are read and written here.
_VALUES = ("int_value", "double_value", "string_value", "byte_value", "proto_value", "bool_value")
_TIMES = ("create_time_since_epoch", "last_update_time_since_epoch")
_COLUMNS = {
    "Context": ("id", "type_id", "name", "external_id", *_TIMES),
    "ContextProperty": ("context_id", "name", "is_custom_property", *_VALUES),
    "ParentContext": ("context_id", "parent_context_id"),
    "Execution": ("id", "type_id", "last_known_state", "name", "external_id", *_TIMES),
    "ExecutionProperty": ("execution_id", "name", "is_custom_property", *_VALUES),
    "Artifact": ("id", "type_id", "uri", "state", "name", "external_id", *_TIMES),
    "ArtifactProperty": ("artifact_id", "name", "is_custom_property", *_VALUES),
    "Event": ("id", "artifact_id", "execution_id", "type", "milliseconds_since_epoch"),
    "EventPath": ("event_id", "is_index_step", "step_index", "step_key"),
    "Association": ("id", "context_id", "execution_id"),
    "Attribution": ("id", "context_id", "artifact_id"),
}
# Tables of the store in which a run leaves nothing: types are there after the first.
_OTHERS = {"Type", "TypeProperty", "ParentType", "MLMDEnv", "sqlite_sequence"}
_CACHED, _OUTPUT = 5, 4  # in MLMD's enums, of executions' states and events' types
_CACHE = "execution_cache"

Row = dict[str, Any]


class Tables:
    """The tables of one store: reads rows, writes them in batches, and gives ids.

    Args:
        database: The store.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._pending: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        self._count = 0
        self._check()
        self._last = {
            table: self.value(f"SELECT coalesce(max(id), 0) FROM {table}")
            for table, columns in _COLUMNS.items()
            if columns[0] == "id"
        }
        known = database.execute("SELECT name, seq FROM sqlite_sequence")
        for table, last in known.fetchall():
            if table in self._last:
                self._last[table] = max(self._last[table], last)
        self.types: dict[int, str] = dict(
            database.execute("SELECT id, name FROM Type WHERE type_kind = 2").fetchall()
        )

    def _check(self) -> None:
        names = self._database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        tables = {name for (name,) in names} - _OTHERS
        found = {
            table: {row[1] for row in self._database.execute(f"PRAGMA table_info({table})")}
            for table in tables
        }
        if found != {table: set(columns) for table, columns in _COLUMNS.items()}:
            raise ValueError(f"expected the tables of MLMD's schema 10; {found} came.")

    def value(self, query: str, *values: Any) -> Any:
        """The first column of a query's first row; None if there is none."""
        row = self._database.execute(query, values).fetchone()
        return row[0] if row else None

    def rows(self, table: str, where: str, *values: Any) -> list[Row]:
        """Rows of a table, by column."""
        columns = _COLUMNS[table]
        query = f"SELECT {', '.join(columns)} FROM {table} WHERE {where}"
        found = self._database.execute(query, values)
        return [dict(zip(columns, row, strict=True)) for row in found]

    def context(self, kind: str, name: str) -> int | None:
        """Id of a context."""
        ids = [type_id for type_id, known in self.types.items() if known == kind]
        query = "SELECT id FROM Context WHERE type_id = ? AND name = ?"
        return self.value(query, ids[0], name) if ids else None

    def runs(self) -> tuple[int, int]:
        """How many runs there are, and when the first of them started."""
        query = "SELECT count(*), min(CAST(string_value AS INTEGER)) FROM ContextProperty"
        found = self._database.execute(f"{query} WHERE name = ?", (schema.Run.STARTED,))
        count, first = found.fetchone()
        return count, first

    def latest_version(self, pipeline: str) -> int:
        """Number of a pipeline's latest version; 0 if there is none."""
        names = schema.PipelineVersion
        query = (
            "SELECT coalesce(max(numbers.int_value), 0) FROM ContextProperty AS numbers "
            "JOIN ContextProperty AS pipelines ON pipelines.context_id = numbers.context_id "
            "WHERE numbers.name = ? AND pipelines.name = ? AND pipelines.string_value = ?"
        )
        number: int = self.value(query, names.NUMBER, names.PIPELINE, pipeline)
        return number

    def attributed(self, context: int, artifact: int) -> bool:
        """Whether an artifact belongs to a context."""
        query = "SELECT 1 FROM Attribution WHERE context_id = ? AND artifact_id = ?"
        return self.value(query, context, artifact) is not None

    def new(self, table: str) -> int:
        """The next id."""
        self._last[table] += 1
        return self._last[table]

    def add(self, table: str, row: Row) -> None:
        """Writes a row, with the next batch."""
        self._pending[table].append(tuple(row[column] for column in _COLUMNS[table]))
        self._count += 1
        if self._count >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Writes what is left."""
        for table, rows in self._pending.items():
            columns = _COLUMNS[table]
            marks = ", ".join("?" * len(columns))
            self._database.executemany(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows
            )
        self._pending.clear()
        self._count = 0


@dataclass
class Original:
    """What one run has left in a store. Rows also hold the rows that belong to them.

    Attributes:
        context: Its `pipeline_run` context, with `properties` and `parents`.
        pipeline: Its pipeline's name.
        version: The context of the pipeline's version, with `properties`.
        contexts: All others of its executions, by id, with `properties`.
        executions: In order, each with its `properties`, ids of `contexts`, and `events`; these
            with their `paths`.
        artifacts: Those that it wrote itself, by id, each with its `properties` and the id of its
            `execution`.
        attributions: Pairs of context and artifact, each once.
        started: Milliseconds since the epoch.
    """

    context: Row
    pipeline: str
    version: Row
    contexts: dict[int, Row]
    executions: list[Row]
    artifacts: dict[int, Row]
    attributions: dict[tuple[int, int], None]
    started: int

    @classmethod
    def read(cls, tables: Tables, run: str) -> "Original":
        """Reads a run, and the contexts and artifacts that it is connected with."""
        run_id = tables.context(schema.PIPELINE_RUN, run)
        if run_id is None:
            raise LookupError(f"the store has no run {run!r}.")
        context = _context(tables, run_id)
        context["parents"] = tables.rows("ParentContext", "context_id = ?", run_id)
        texts = _texts(context["properties"])
        [number] = [
            row["int_value"] for row in context["properties"] if row["name"] == schema.Run.VERSION
        ]
        pipeline = texts[schema.Run.PIPELINE]
        version = tables.context(schema.PIPELINE_VERSION, f"{pipeline}@{number}")
        original = cls(
            context=context,
            pipeline=pipeline,
            version=_context(tables, version),
            contexts={},
            executions=tables.rows(
                "Execution",
                "id IN (SELECT execution_id FROM Association WHERE context_id = ?) ORDER BY id",
                run_id,
            ),
            artifacts={},
            attributions={},
            started=int(texts[schema.Run.STARTED]),
        )
        for execution in original.executions:
            original._complete(tables, execution)
        return original

    def _complete(self, tables: Tables, execution: Row) -> None:
        """Reads what belongs to an execution."""
        number = execution["id"]
        execution["properties"] = tables.rows("ExecutionProperty", "execution_id = ?", number)
        linked = tables.rows("Association", "execution_id = ? ORDER BY id", number)
        execution["contexts"] = [row["context_id"] for row in linked]
        for context in execution["contexts"]:
            if context != self.context["id"]:
                self.contexts[context] = _context(tables, context)
        execution["events"] = tables.rows("Event", "execution_id = ? ORDER BY id", number)
        for event in execution["events"]:
            event["paths"] = tables.rows("EventPath", "event_id = ? ORDER BY rowid", event["id"])
            artifact = event["artifact_id"]
            if event["type"] == _OUTPUT and execution["last_known_state"] != _CACHED:
                [row] = tables.rows("Artifact", "id = ?", artifact)
                row["properties"] = tables.rows("ArtifactProperty", "artifact_id = ?", artifact)
                self.artifacts[artifact] = {**row, "execution": number}
            for context in execution["contexts"]:
                if tables.attributed(context, artifact):
                    self.attributions[context, artifact] = None


def _context(tables: Tables, context: int | None) -> Row:
    [row] = tables.rows("Context", "id = ?", context)
    row["properties"] = tables.rows("ContextProperty", "context_id = ?", context)
    return row


def _texts(rows: list[Row]) -> dict[str, Any]:
    return {row["name"]: row["string_value"] for row in rows}


@dataclass
class Arguments:
    """What differs between the trainings of clones.

    Attributes:
        lr: Learning rate, with more decimals than MLMD keeps of a double.
        epochs: Passes over the data.
        worse: By what its metrics are multiplied.
    """

    lr: float
    epochs: int
    worse: float

    def of(self, execution: Row) -> list[Row]:
        """Properties of an execution with these arguments: each by itself, and in the texts."""
        rows = []
        texts = _texts(execution["properties"])
        exact = (schema.Execution.RECORDED, schema.Execution.KEYED)
        for row in execution["properties"]:
            if row["name"] == "lr":
                row = {**row, "double_value": round(self.lr, 6)}
            elif row["name"] == "epochs":
                row = {**row, "int_value": self.epochs}
            elif row["name"] in exact:
                data = json.loads(joined(row["name"], texts))
                data["arguments"] |= {"lr": self.lr, "epochs": self.epochs}
                chunks = chunked(row["name"], canonical_json(data))
                rows += [{**row, "name": key, "string_value": chunks[key]} for key in chunks]
                continue
            elif any(re.fullmatch(rf"{name}_\d+", row["name"]) for name in exact):
                continue
            rows.append(row)
        return rows

    def metrics(self, rows: list[Row]) -> list[Row]:
        """Properties of an artifact, with metrics multiplied: the exact text, and its double."""
        texts = _texts(rows)
        new: dict[str, float] = {}
        for name, text in texts.items():
            metric = name.removesuffix("_text")
            if metric != name and metric in texts and texts[metric] is None:
                with contextlib.suppress(TypeError, ValueError):  # a property of somebody else's
                    new[metric] = float(text) * self.worse
        changed = []
        for row in rows:
            metric = row["name"].removesuffix("_text")
            if metric not in new:
                changed.append(row)
            elif metric == row["name"]:
                changed.append({**row, "double_value": round(new[metric], 6)})
            else:
                changed.append({**row, "string_value": repr(new[metric])})
        return changed


def _trains(execution: Row) -> bool:
    """Whether an execution has arguments that vary, and has computed something with them."""
    values = {row["name"]: row for row in execution["properties"]}
    return (
        execution["last_known_state"] != _CACHED
        and values.get("lr", {}).get("double_value") is not None
        and values.get("epochs", {}).get("int_value") is not None
    )


@dataclass
class Clone:
    """One run to be written.

    Attributes:
        run: What it is a clone of.
        pipeline: Its pipeline.
        name: Its run id.
        shift: By how much later it is, in milliseconds.
        arguments: What its trainer has.
        contexts: Ids of its contexts, by those of the original.
        own: Those of them that no other run has.
        executions: Ids of its executions, likewise.
        artifacts: Ids of the artifacts that it wrote, likewise.
    """

    run: Original
    pipeline: str
    name: str
    shift: int
    arguments: Arguments
    contexts: dict[int, int]
    own: set[int]
    executions: dict[int, int]
    artifacts: dict[int, int]

    def moved(self, row: Row, **new: Any) -> Row:
        """A row with times, as it is in the clone."""
        return {**row, **{key: row[key] + self.shift for key in _TIMES}, **new}


class Cloner:
    """Writes the rows of runs again.

    Args:
        tables: The store's.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        # What clones share; it does not grow with their number.
        self._contexts: dict[tuple[str, str], int] = {}
        self._attributions: set[tuple[int, int]] = set()
        self._numbers: dict[str, int] = {}
        self._same: dict[tuple[str, str], int] = {}
        self._yaml: dict[tuple[str, str], str] = {}
        self._chance = random.Random(0)
        self._count, _ = tables.runs()

    def clone(self, run: Original, pipeline: str, started: int) -> None:
        """Writes a run again.

        Args:
            run: What is cloned.
            pipeline: The new run's pipeline.
            started: When it is to have started, in milliseconds since the epoch.
        """
        when = datetime.fromtimestamp(started / 1000, timezone.utc)
        clone = Clone(
            run=run,
            pipeline=pipeline,
            name=f"{when:%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:8]}",
            shift=started - run.started,
            arguments=Arguments(
                lr=round(0.001 + self._count * 1e-7, 7),
                epochs=1 + self._count % 5,
                worse=self._chance.uniform(0.5, 2.0),
            ),
            contexts={},
            own=set(),
            executions={row["id"]: self._tables.new("Execution") for row in run.executions},
            artifacts={item: self._tables.new("Artifact") for item in run.artifacts},
        )
        self._count += 1
        self._run(clone, self._version(clone))
        for row in run.executions:
            self._execution(clone, row)
        for row in run.artifacts.values():
            self._artifact(clone, row)
        for context, artifact in run.attributions:
            self._attribute(clone, context, artifact)

    def _version(self, clone: Clone) -> int:
        """Number of the pipeline version: a new one, unless the arguments are the same."""
        names = schema.PipelineVersion
        pipeline, original = clone.pipeline, clone.run.version
        of_original = _texts(original["properties"])
        varied = any(map(_trains, clone.run.executions))
        digest = of_original[names.DIGEST]
        if varied:
            digest = hashlib.sha256(clone.name.encode()).hexdigest()
        elif (pipeline, digest) in self._same:
            return self._same[pipeline, digest]
        if pipeline not in self._numbers:
            self._numbers[pipeline] = self._tables.latest_version(pipeline)
        number = self._numbers[pipeline] = self._numbers[pipeline] + 1
        if not varied:
            self._same[pipeline, digest] = number
        new = {
            names.PIPELINE: {"string_value": pipeline},
            names.NUMBER: {"int_value": number},
            names.DIGEST: {"string_value": digest},
            names.YAML_URI: {"string_value": self._text(of_original[names.YAML_URI], pipeline)},
        }
        self._add_context(clone, original, f"{pipeline}@{number}", new)
        return number

    def _text(self, uri: str, pipeline: str) -> str:
        """Keeps the original's YAML with another name in it."""
        key = (uri, pipeline)
        if key not in self._yaml:
            text = Path(uri).read_text(encoding="utf-8")
            text = re.sub(r"(?m)^name: .*$", lambda _: f"name: {pipeline}", text, count=1)
            file = Path(uri).with_name(f"{hashlib.sha256(text.encode()).hexdigest()}.yaml")
            file.write_text(text, encoding="utf-8")
            self._yaml[key] = str(file)
        return self._yaml[key]

    def _run(self, clone: Clone, version: int) -> None:
        """Writes the context of the run, and finds or writes those of its executions."""
        names, original = schema.Run, clone.run.context
        texts = _texts(original["properties"])
        new = {
            names.PIPELINE: {"string_value": clone.pipeline},
            names.VERSION: {"int_value": version},
        }
        for name in {names.STARTED, names.ENDED} & texts.keys():
            new[name] = {"string_value": str(int(texts[name]) + clone.shift)}
        if names.ERROR in texts:
            was, now = repr(clone.run.pipeline), repr(clone.pipeline)
            new[names.ERROR] = {"string_value": texts[names.ERROR].replace(was, now, 1)}
        run = self._add_context(clone, original, clone.name, new)
        clone.contexts[original["id"]] = run
        clone.own.add(run)
        for row in clone.run.contexts.values():
            clone.contexts[row["id"]] = self._context(clone, row)
        for parent in original["parents"]:
            parent_id = clone.contexts[parent["parent_context_id"]]
            self._tables.add("ParentContext", {"context_id": run, "parent_context_id": parent_id})

    def _context(self, clone: Clone, row: Row) -> int:
        """Id of the clone's context that stands for one of the original's."""
        kind = self._tables.types[row["type_id"]]
        if kind == _CACHE and any(
            row["id"] in execution["contexts"] and execution["last_known_state"] != _CACHED
            for execution in clone.run.executions
        ):
            key = hashlib.sha256(f"{clone.name} {row['name']}".encode()).hexdigest()
            context = self._add_context(clone, row, key)
            clone.own.add(context)
            return context
        if kind not in (schema.PIPELINE, schema.NODE):
            return row["id"]
        name = clone.pipeline + row["name"].removeprefix(clone.run.pipeline)
        if (kind, name) not in self._contexts:
            known = self._tables.context(kind, name)
            self._contexts[kind, name] = known or self._add_context(clone, row, name)
        return self._contexts[kind, name]

    def _add_context(
        self, clone: Clone, row: Row, name: str, new: Mapping[str, Row] = MappingProxyType({})
    ) -> int:
        context = self._tables.new("Context")
        self._tables.add("Context", clone.moved(row, id=context, name=name))
        for item in row["properties"]:
            item = {**item, **new.get(item["name"], {}), "context_id": context}
            self._tables.add("ContextProperty", item)
        return context

    def _execution(self, clone: Clone, row: Row) -> None:
        tables, execution = self._tables, clone.executions[row["id"]]
        tables.add("Execution", clone.moved(row, id=execution, name=str(uuid.uuid4())))
        properties = clone.arguments.of(row) if _trains(row) else row["properties"]
        for item in properties:
            own = {"string_value": clone.name} if item["name"] == schema.Execution.RUN else {}
            tables.add("ExecutionProperty", {**item, **own, "execution_id": execution})
        for context in row["contexts"]:
            link = {"context_id": clone.contexts[context], "execution_id": execution}
            tables.add("Association", {"id": tables.new("Association"), **link})
        for item in row["events"]:
            event = {
                **item,
                "id": tables.new("Event"),
                "execution_id": execution,
                "artifact_id": clone.artifacts.get(item["artifact_id"], item["artifact_id"]),
                "milliseconds_since_epoch": item["milliseconds_since_epoch"] + clone.shift,
            }
            tables.add("Event", event)
            for step in item["paths"]:
                tables.add("EventPath", {**step, "event_id": event["id"]})

    def _artifact(self, clone: Clone, row: Row) -> None:
        artifact = clone.artifacts[row["id"]]
        uri = row["uri"].replace(f"/{clone.run.context['name']}/", f"/{clone.name}/")
        # <run>/<step>/<output>/<id of the execution>
        folder, _, last = uri.rpartition("/")
        if last == str(row["execution"]):
            uri = f"{folder}/{clone.executions[row['execution']]}"
        self._tables.add("Artifact", clone.moved(row, id=artifact, uri=uri))
        for item in clone.arguments.metrics(row["properties"]):
            self._tables.add("ArtifactProperty", {**item, "artifact_id": artifact})

    def _attribute(self, clone: Clone, context: int, artifact: int) -> None:
        pair = (clone.contexts[context], clone.artifacts.get(artifact, artifact))
        if pair[0] not in clone.own and artifact not in clone.artifacts:
            # Both are older than the clone, so it may be there.
            if pair in self._attributions or self._tables.attributed(*pair):
                return
            self._attributions.add(pair)
        new = {"id": self._tables.new("Attribution"), "context_id": pair[0]}
        self._tables.add("Attribution", {**new, "artifact_id": pair[1]})


def _connect(database: Path) -> sqlite3.Connection:
    """Opens a store that is there."""
    return sqlite3.connect(f"{database.resolve().as_uri()}?mode=rw", isolation_level=None, uri=True)


def clone(
    database: Path, run: str, count: int, pipelines: int = 20, failed: str | None = None
) -> None:
    """Writes a run again, many times, into its own store, in one transaction.

    Args:
        database: The store. No MLMD client of this process may have it open.
        run: Id of a run that has ended, of any pipeline.
        count: How many runs to write.
        pipelines: Over how many pipelines to spread them.
        failed: Id of another run, which one in fifty is a clone of; None for none.
    """
    with contextlib.closing(_connect(database)) as connection:
        connection.execute("PRAGMA cache_size = -65536")  # KiB
        connection.execute("BEGIN IMMEDIATE")
        tables = Tables(connection)
        cloner = Cloner(tables)
        usual = Original.read(tables, run)
        failing = usual if failed is None else Original.read(tables, failed)
        _, oldest = tables.runs()
        for number in range(count):
            # One in each fifty, each time a place earlier, so that every pipeline has some.
            fails = (number + number // _FAILS) % _FAILS == _FAILS - 1
            cloner.clone(
                failing if fails else usual,
                _PIPELINE.format(number % pipelines + 1),
                oldest - (count - number) * _MINUTE,
            )
        tables.flush()
        connection.execute("COMMIT")


def run_templates(folder: Path) -> None:
    """Runs the pipeline three times, in this process: from nothing, changed, and so that it fails.

    Args:
        folder: Where the repository is to be.
    """
    # Here, because a process that clones needs none of it.
    from zentfx import (
        CSVDatasource,
        Pipeline,
        RandomSplit,
        Repository,
        SchemaStep,
        StandardPreprocessor,
        StatisticsStep,
        TFMAEvaluator,
        TrainerStep,
        TrainingPipeline,
    )
    from zentfx.errors import StepFailedError

    repository = Repository(folder)
    csv = write_taxi_csv(folder / "taxi.csv", _ROWS)

    def build(lr: float, loss: str = "mse") -> Pipeline:
        # Not a TrainingPipeline, which also validates.
        pipeline = Pipeline(_PIPELINE.format(1), repository=repository)
        for name, step in {
            "datasource": CSVDatasource(name="taxi", path=csv),
            "statistics": StatisticsStep(),
            "schema": SchemaStep(),
            "split": RandomSplit(split_map={"train": 0.7, "eval": 0.3}, seed=0),
            "preprocessor": StandardPreprocessor(features=["trip_miles", "fare"], labels=["tips"]),
            "trainer": TrainerStep(
                lr=lr, loss=loss, hidden_layers=[16], last_activation="linear", batch_size=32
            ),
            "evaluator": TFMAEvaluator(
                metrics={"tips": ["mean_squared_error"]}, slices=[["company"]]
            ),
        }.items():
            pipeline.add_step(step, name, TrainingPipeline.implied_inputs[name])
        return pipeline

    # Clones have larger learning rates.
    states = [
        [step.status for step in build(lr).run(progress=None).steps.values()]
        for lr in (0.0005, 0.0006)
    ]
    assert states == [7 * ["completed"], [*5 * ["cached"], "completed", "completed"]], states
    try:
        # Tips are numbers, of which this loss takes the ones above zero for classes that are not.
        build(0.0007, "sparse_categorical_crossentropy").run(progress=None)
    except StepFailedError as error:
        if error.step != "trainer":
            raise
    else:
        raise AssertionError("the third run should have failed")


def make_templates(folder: Path) -> tuple[Path, str, str]:
    """Makes a repository with three real runs, in a process of their own.

    Args:
        folder: Where. It is made if it is not there.

    Returns:
        The store, and ids of the run to clone and of the one that failed.

    Raises:
        FileExistsError: If the folder has a repository.
    """
    folder = folder.resolve()
    if (folder / _DATABASE.parent).exists():
        raise FileExistsError(
            f"{folder} has a repository already (.zentfx): expected a folder without. "
            "Name another one, or remove that."
        )
    folder.mkdir(parents=True, exist_ok=True)
    code = f"import sys; sys.path.insert(0, {str(_HERE)!r}); import large_store; "
    code += f"large_store.run_templates(large_store.Path({str(folder)!r}))"
    run_once([sys.executable, "-c", code])
    database = folder / _DATABASE
    with contextlib.closing(_connect(database)) as connection:
        tables = Tables(connection)
        runs = f"SELECT id FROM Type WHERE name = '{schema.PIPELINE_RUN}' AND type_kind = 2"
        found = tables.rows("Context", f"type_id = ({runs}) ORDER BY id")
    _, changed, failed = (row["name"] for row in found)
    return database, changed, failed


def make_store(folder: Path, runs: int, pipelines: int = 20) -> Path:
    """Makes a repository with so many runs.

    Args:
        folder: Where. It is made if it is not there.
        runs: How many, the three real ones included.
        pipelines: Over how many pipelines they are spread.

    Returns:
        The store's file.

    Raises:
        FileExistsError: If the folder has a repository.
    """
    database, changed, failed = make_templates(folder)
    clone(database, changed, runs - 3, pipelines, failed)
    return database


def main() -> None:
    """Makes one, and says what is in it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="has no repository yet")
    parser.add_argument("--runs", type=int, default=10_000, help="at least 3, which are real")
    parser.add_argument("--pipelines", type=int, default=20)
    args = parser.parse_args()
    if args.runs < 3 or args.pipelines < 1:
        parser.error("expected --runs of 3 or more, and --pipelines of 1 or more")
    begun = time.monotonic()
    try:
        database, changed, failed = make_templates(args.folder)
    except FileExistsError as error:
        parser.error(str(error))
    real = time.monotonic()
    clone(database, changed, args.runs - 3, args.pipelines, failed)
    print(f"3 real runs in {real - begun:.0f} s, the others in {time.monotonic() - real:.0f} s.")
    print(f"{database}: {database.stat().st_size / 2**20:,.1f} MiB\n\n| table | rows |\n|---|---|")
    with contextlib.closing(_connect(database)) as connection:
        for table in _COLUMNS:
            [count] = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            print(f"| {table} | {count:,} |")


if __name__ == "__main__":
    main()
