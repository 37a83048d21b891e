"""Rows by SQL and rows over MLMD's API are the same, and are what was written."""

import gc
import json
import math
import sqlite3
import string
import uuid
from collections.abc import Iterator
from contextlib import closing

import pytest
from google.protobuf import any_pb2, struct_pb2
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from ml_metadata.proto import metadata_store_pb2 as pb

from tests.records.by_sql import BySql
from zentfx.analysis.compare import compare, trains
from zentfx.parameters import canonical_json, encode
from zentfx.records import schema
from zentfx.records.api_rows import ApiRows
from zentfx.records.encoding import as_property, chunked, metric_properties
from zentfx.records.reader import Reader
from zentfx.records.sql_rows import SqlRows
from zentfx.stores.metadata import OpenMetadataStore, SQLiteMetadataStore


class BothWays:
    """One store, by SQL and over the API. Nothing else writes to it, so that is safe here."""

    def __init__(self, path, client):
        self.path = path
        self.client = client

    def ask(self, method, *arguments):
        """The answer, which is the same both ways."""
        over_api = whole(getattr(ApiRows(self.client), method)(*arguments))
        with BySql(self.path).reading() as database:
            found = whole(getattr(SqlRows(database), method)(*arguments))
        found_in_order, expected = comparable(found), comparable(over_api)
        assert found_in_order == expected
        return found


def whole(answer):
    return list(answer) if isinstance(answer, Iterator) else answer


def comparable(answer):
    """Items in any order: that of links and events is of the database's choosing."""
    if not isinstance(answer, list):
        return answer
    # As JSON, in which -0.0, 1 and 1.0 are three.
    return sorted(json.dumps(item, sort_keys=True) for item in answer)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "metadata.db"
    return BothWays(path, SQLiteMetadataStore(path).connect())


# MLMD cuts at a NUL and refuses lone surrogates.
texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"))
names = st.text(string.ascii_letters + "é_.", min_size=1, max_size=20)
values = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(-1e300, 1e300),
    texts,
    st.just("long" * 3000),
    st.just("null"),
    st.just('a:null,"b'),
    st.just("mlmd-struct:"),
    st.dictionaries(names, st.one_of(texts, st.floats(-1e6, 1e6), st.booleans()), max_size=3),
)


def fill(table, name, value):
    """Sets a property; a dict is a struct."""
    if isinstance(value, dict):
        structure = struct_pb2.Struct()
        structure.update(value)
        table[name].struct_value.CopyFrom(structure)
    else:
        kinds = {bool: "bool_value", int: "int_value", float: "double_value", str: "string_value"}
        setattr(table[name], kinds[type(value)], value)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(properties=st.dictionaries(names, values, max_size=6), name=names)
def test_properties_come_back_as_they_went_in(both, properties, name):
    kind = both.client.put_artifact_type(pb.ArtifactType(name="T"))
    artifact = pb.Artifact(type_id=kind, uri="/é", state=pb.Artifact.LIVE)
    for key, value in properties.items():
        fill(artifact.custom_properties, key, value)
    [number] = both.client.put_artifacts([artifact])
    [item] = both.ask("artifacts", [number])
    assert item.properties.keys() == properties.keys()
    for key, value in properties.items():
        found = item.properties[key]
        assert type(found) is type(value)
        if isinstance(value, float):
            # MLMD itself keeps six decimals, and fifteen digits.
            assert math.isclose(found, value, rel_tol=1e-14, abs_tol=5.1e-7)
        else:
            assert found == value


def test_of_two_properties_of_one_name_the_custom_one_counts(both):
    kind = both.client.put_execution_type(
        pb.ExecutionType(name="E", properties={"x": pb.INT, "y": pb.INT})
    )
    execution = pb.Execution(type_id=kind)
    execution.properties["x"].int_value = 1
    execution.properties["y"].int_value = 2
    execution.custom_properties["x"].string_value = "custom"
    [number] = both.client.put_executions([execution])
    [item] = both.ask("executions", [number])
    assert item.properties == {"x": "custom", "y": 2}


def test_a_packed_proto_is_text(both):
    kind = both.client.put_context_type(pb.ContextType(name="C"))
    context = pb.Context(type_id=kind, name="packed")
    message = any_pb2.Any()
    message.Pack(struct_pb2.Value(string_value="x"))
    context.custom_properties["p"].proto_value.CopyFrom(message)
    both.client.put_contexts([context])
    item = both.ask("context", "C", "packed")
    assert "google.protobuf.Value" in item.properties["p"]


def test_what_is_not_there_is_left_out(both):
    assert both.ask("context", "Nope", "x") is None
    for method in (
        "executions",
        "artifacts",
        "executions_in",
        "contexts_with_executions",
        "artifacts_in",
        "events_of_executions",
        "events_of_artifacts",
        "writers",
        "last_events",
    ):
        for ids in ([], [10**6]):
            assert not both.ask(method, ids), method
    assert both.ask("contexts", "Nope") == []
    assert both.ask("artifacts_of_type", "Nope") == []


def test_verdicts_and_classes_come_with_those_who_wrote_or_reused_them(both):
    kind = both.client.put_artifact_type(pb.ArtifactType(name="Metrics"))
    other = both.client.put_artifact_type(pb.ArtifactType(name="ModelBlessing"))
    step = both.client.put_execution_type(pb.ExecutionType(name="Evaluates"))
    verdict = f"not blessed: {'why ' * 1000}"
    texts = chunked(schema.Artifact.VERDICT, json.dumps(verdict))
    texts |= chunked(schema.Artifact.CLASSES, json.dumps({"paid": ["no", "yes"]}))
    ids = []
    for number in (kind, other):
        artifact = pb.Artifact(type_id=number, uri="/m", state=pb.Artifact.LIVE)
        for name, text in {**texts, "zentfx_other": "x"}.items():
            artifact.custom_properties[name].string_value = text
        ids += both.client.put_artifacts([artifact])
    state = pb.Execution.COMPLETE
    wrote, reused, read = both.client.put_executions(
        [pb.Execution(type_id=step, last_known_state=state) for _ in range(3)]
    )
    for execution, event in ((wrote, "OUTPUT"), (reused, "OUTPUT"), (read, "INPUT")):
        for artifact in ids:
            both.client.put_events(
                [
                    pb.Event(
                        execution_id=execution,
                        artifact_id=artifact,
                        type=pb.Event.Type.Value(event),
                    )
                ]
            )
    found = [row for row in both.ask("judged_by_execution") if row[0] in (wrote, reused, read)]
    assert len(texts) > 2
    assert found == [(e, name, texts[name]) for e in (wrote, reused) for name in sorted(texts)]
    reader = Reader(BySql(both.path), None, str)
    judged = [item.judged for item in reader.compared_runs() if item.judged]
    assert judged == [{"Evaluates": {"verdict": verdict, "classes": "paid: no, yes"}}] * 2


@pytest.fixture(scope="module")
def real(taxi, tmp_path_factory):
    """The store of a real run of nine steps, with a thing of somebody else's in it."""
    path = tmp_path_factory.mktemp("real") / "metadata.db"
    gc.collect()
    with (
        taxi.repository.workspace.metadata.reading() as database,
        closing(sqlite3.connect(path)) as copy,
    ):
        database.backup(copy)
    client = SQLiteMetadataStore(path).connect()
    kind = client.put_execution_type(pb.ExecutionType(name="my.TrainIt"))
    loose = pb.Execution(type_id=kind, last_known_state=pb.Execution.COMPLETE)
    loose.custom_properties["lr"].double_value = 0.5
    client.put_executions([loose])
    return BothWays(path, client)


class TestRealStore:
    def test_every_question_has_one_answer(self, real):
        contexts = real.ask("contexts")
        executions = [item.id for item in real.ask("executions")]
        artifacts = [item.id for item in real.ask("artifacts")]
        assert len(executions) >= 10
        assert len(artifacts) >= 12
        ids = [item.id for item in contexts]
        for kind in {item.type for item in contexts}:
            real.ask("contexts", kind)
            real.ask("contexts", kind, 1)
        for context in contexts:
            assert real.ask("context", context.type, context.name) == context
        real.ask("executions_in", ids)
        real.ask("artifacts_in", ids)
        real.ask("contexts_with_executions", executions)
        real.ask("events_of_executions", executions)
        real.ask("events_of_artifacts", artifacts)
        assert len(real.ask("writers", artifacts)) == len(artifacts)
        real.ask("last_events", artifacts)
        real.ask("metrics_by_execution")
        for kind in ("Model", "Metrics", "mlmd.Dataset", "Examples", "mlmd.Statistics"):
            assert real.ask("artifacts_of_type", kind)

    def test_newer_ones_are_found_without_the_others(self, real):
        loose = real.ask("loose_executions")
        assert [item.type for item in loose] == ["my.TrainIt"]
        assert real.ask("loose_executions", loose[0].created) == loose
        assert real.ask("loose_executions", loose[0].created + 1) == []

    @pytest.mark.parametrize("every", [True, False])
    def test_runs_are_compared_alike(self, real, every):
        over_api = Reader(OpenMetadataStore(real.client), None, str).compared_runs(every)

        found = Reader(BySql(real.path), None, str).compared_runs(every)
        assert [item.run for item in found] == [item.run for item in over_api]
        # As texts, because no two NaN are equal.
        measured = [[repr(item.metrics) for item in items] for items in (found, over_api)]
        assert measured[0] == measured[1]
        if every:
            assert [item.steps for item in found] == [item.steps for item in over_api]
        # Steps that are the same everywhere may be left out, and so are never seen.
        tables = [
            compare(filter(trains, items), all_parameters=every) for items in (found, over_api)
        ]
        assert tables[0].columns == tables[1].columns
        assert repr(tables[0].cells) == repr(tables[1].cells)
        assert ("TrainIt.lr" in tables[0].columns) is every


# What a step's constructor may be given; NUL and surrogates travel as JSON's escapes.
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(2**63, 2**80),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=30),
    st.just("lang ü" * 900),
)
arguments = st.dictionaries(
    names, st.recursive(scalars, lambda part: st.lists(part, max_size=3), max_leaves=5), max_size=5
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arguments=arguments, metrics=st.dictionaries(names, st.floats(), max_size=4))
@example(arguments={}, metrics={"AA": 0.0, "A": 1.0})
def test_parameters_and_metrics_come_back_exactly(both, arguments, metrics):
    recorded = {"arguments": encode(arguments, None), "derived": {}, "step": "train"}
    recorded |= {"code": "c", "content": "", "source": "my.Train"}
    run = str(uuid.uuid4())
    client = both.client
    execution = pb.Execution(
        type_id=client.put_execution_type(pb.ExecutionType(name="my.Train", base_type=1)),
        last_known_state=pb.Execution.COMPLETE,
    )
    properties = {name: as_property(value) for name, value in arguments.items()}
    properties |= chunked(schema.Execution.RECORDED, canonical_json(recorded))
    for name, value in {**properties, schema.Execution.RUN: run}.items():
        if value is not None:
            fill(execution.custom_properties, name, value)
    artifact = pb.Artifact(
        type_id=client.put_artifact_type(pb.ArtifactType(name="Metrics", base_type=3)),
        state=pb.Artifact.LIVE,
    )
    for name, value in {**metric_properties(metrics), "zentfx_manifest": "x"}.items():
        fill(artifact.custom_properties, name, value)
    kind = client.put_context_type(pb.ContextType(name="pipeline_run"))
    context = pb.Context(type_id=kind, name=run)
    context.custom_properties[schema.Run.STATUS].string_value = "completed"
    client.put_execution(execution, [(artifact, pb.Event(type=pb.Event.OUTPUT))], [context])

    for store in (BySql(both.path), OpenMetadataStore(client)):
        reader = Reader(store, None, str)
        [step] = reader.step_runs(run)
        assert step.name == "train"
        assert repr(step.arguments) == repr(dict(sorted(arguments.items())))
        [compared] = [item for item in reader.compared_runs() if item.run.id == run]
        assert repr(compared.steps[0].parameters) == repr(step.parameters)
        # NaN is no value that is equal to itself.
        expected = dict(sorted(metrics.items()))
        assert repr(compared.metrics.get("train", {})) == repr(expected)
