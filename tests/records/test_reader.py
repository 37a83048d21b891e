"""What readers hand out, of records of ours and of others, on a real store."""

import json
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest
from google.protobuf import struct_pb2
from ml_metadata.proto import metadata_store_pb2 as pb

from tests.records.by_sql import BySql
from zentfx.errors import NotFoundError
from zentfx.parameters import canonical_json, encode
from zentfx.records import schema
from zentfx.records.encoding import chunked
from zentfx.records.models import Origin
from zentfx.records.reader import Reader
from zentfx.records.writer import Writer
from zentfx.stores.metadata import OpenMetadataStore, SQLiteMetadataStore

ROOT = Path("/repo")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "metadata.db"


@pytest.fixture
def client(path):
    return SQLiteMetadataStore(path).connect()


@pytest.fixture(params=["by SQL", "over MLMD's API"])
def reader(request, client, path):
    store = BySql(path) if request.param == "by SQL" else OpenMetadataStore(client)
    return Reader(store, ROOT, str)


@pytest.fixture
def put(client):
    """Writes what TFX, or anyone, would write."""

    class Put:
        def context(self, kind, name):
            found = client.get_context_by_type_and_name(kind, name)
            if found is None:
                type_id = client.put_context_type(pb.ContextType(name=kind))
                client.put_contexts([pb.Context(type_id=type_id, name=name)])
                found = client.get_context_by_type_and_name(kind, name)
            return found

        def artifact(self, kind="Examples", uri="/a", **properties):
            type_id = client.put_artifact_type(pb.ArtifactType(name=kind))
            artifact = pb.Artifact(type_id=type_id, uri=uri, state=pb.Artifact.LIVE)
            self._fill(artifact, properties)
            return client.put_artifacts([artifact])[0]

        def execution(self, run, node, state=pb.Execution.COMPLETE, events=(), **properties):
            type_id = client.put_execution_type(pb.ExecutionType(name="mysteps.Gate"))
            execution = pb.Execution(type_id=type_id, last_known_state=state)
            self._fill(execution, properties)
            contexts = [self.context("pipeline_run", run)]
            if node:
                contexts += [self.context("pipeline", "P"), self.context("node", f"P.{node}")]
            execution_id, _, _ = client.put_execution(execution, [], contexts)
            for event in events:
                event.execution_id = execution_id
            if events:
                client.put_events(events)
            return execution_id

        @staticmethod
        def _fill(message, properties):
            for name, value in properties.items():
                kind = {int: "int_value", float: "double_value", bool: "bool_value"}
                setattr(
                    message.custom_properties[name], kind.get(type(value), "string_value"), value
                )

    return Put()


def event(artifact_id, kind, *keys):
    steps = [pb.Event.Path.Step(key=key) for key in keys]
    return pb.Event(artifact_id=artifact_id, type=kind, path=pb.Event.Path(steps=steps))


class TestRuns:
    def test_runs_come_oldest_first(self, client, reader):
        writer = Writer(client)
        for run_id in ("c", "a", "b"):
            writer.begin_run(run_id, "P", {})
            time.sleep(0.002)
        assert [run.id for run in reader.runs()] == ["c", "a", "b"]

    def test_an_empty_store_has_no_runs(self, reader):
        assert reader.runs() == []
        with pytest.raises(NotFoundError, match="no run 'x'. There are none"):
            reader.run("x")

    def test_a_look_up_that_misses_names_near_matches(self, client, reader):
        Writer(client).begin_run("20260102-030405-abcdef01", "P", {})
        for look_up in (reader.run, reader.step_runs):
            with pytest.raises(NotFoundError, match="Did you mean '20260102-030405-abcdef01'"):
                look_up("20260102-030405-abcdef02")

    def test_a_run_of_stock_tfx_is_listed(self, put, reader):
        before = datetime.now(timezone.utc)
        put.context("pipeline_run", "theirs")
        [run] = reader.runs()
        assert (run.id, run.version, run.pipeline, run.status) == ("theirs", 0, "", "unknown")
        assert run.ended is not None
        assert abs((run.started - before).total_seconds()) < 60


class TestStepRuns:
    def test_a_step_run_comes_back_exactly(self, put, reader):
        arguments = {"lr": 1e-7, "path": ROOT / "x.csv", "big": 2**70, "none": None, "t": "a\0b"}
        data = {"arguments": encode(arguments, ROOT), "derived": {"epochs": 3}}
        put.execution(
            "r1",
            "trainer",
            **chunked(schema.Execution.RECORDED, canonical_json(data)),
            **{
                schema.Execution.FINGERPRINT: "abc",
                schema.Execution.SOURCES: "def",
                schema.Execution.ENVIRONMENT: '{"python": "3.10"}',
                "lr": 0.0,
            },
        )
        [step] = reader.step_runs("r1")
        assert (step.name, step.type, step.status) == ("trainer", "mysteps.Gate", "completed")
        assert step.arguments == arguments
        assert step.parameters == {"epochs": 3, **arguments}
        assert (step.fingerprint, step.sources) == ("abc", "def")
        assert step.environment == {"python": "3.10"}
        assert step.properties["lr"] == 0.0
        assert step.error is None
        assert step.started <= step.updated

    def test_long_arguments_are_joined(self, put, reader):
        data = {"arguments": {"text": "x" * 10_000}, "derived": {}}
        put.execution("r1", "a", **chunked(schema.Execution.RECORDED, canonical_json(data)))
        assert reader.step_runs("r1")[0].arguments == {"text": "x" * 10_000}

    @pytest.mark.parametrize(
        ("state", "status"),
        [
            (pb.Execution.NEW, "running"),
            (pb.Execution.RUNNING, "running"),
            (pb.Execution.COMPLETE, "completed"),
            (pb.Execution.CACHED, "cached"),
            (pb.Execution.FAILED, "failed"),
            (pb.Execution.CANCELED, "canceled"),
            (pb.Execution.UNKNOWN, "unknown"),
        ],
    )
    def test_the_states_of_mlmd_have_names_of_ours(self, put, reader, state, status):
        put.execution("r1", "a", state)
        assert reader.step_runs("r1")[0].status == status

    def test_steps_come_in_the_order_in_which_they_started(self, put, reader):
        for node in ("b", "c", "a"):
            put.execution("r1", node)
        put.execution("r2", "other")
        assert [step.name for step in reader.step_runs("r1")] == ["b", "c", "a"]

    def test_a_run_without_steps_has_none(self, put, reader):
        put.context("pipeline_run", "r1")
        assert reader.step_runs("r1") == []

    def test_names_with_dots_in_the_pipelines_do_not_confuse_those_of_steps(
        self, client, put, reader
    ):
        type_id = client.put_execution_type(pb.ExecutionType(name="T"))
        contexts = [
            put.context("pipeline_run", "r1"),
            put.context("pipeline", "My.Pipeline v1.0"),
            put.context("node", "My.Pipeline v1.0.trainer"),
        ]
        client.put_execution(pb.Execution(type_id=type_id), [], contexts)
        assert reader.step_runs("r1")[0].name == "trainer"

    def test_inputs_and_outputs_are_grouped_by_name_in_order(self, put, reader):
        ids = [put.artifact(uri=f"/{number}") for number in range(5)]
        put.execution(
            "r1",
            "a",
            events=[
                event(ids[0], pb.Event.INPUT, "examples"),
                event(ids[1], pb.Event.INPUT, "examples"),
                event(ids[2], pb.Event.DECLARED_INPUT, "schema"),
                event(ids[3], pb.Event.OUTPUT, "model"),
                event(ids[4], pb.Event.DECLARED_OUTPUT, "report"),
            ],
        )
        [step] = reader.step_runs("r1")
        assert step.inputs == {"examples": (ids[0], ids[1]), "schema": (ids[2],)}
        assert step.outputs == {"model": (ids[3],), "report": (ids[4],)}

    def test_inputs_and_outputs_that_nobody_named_are_listed_all_the_same(self, put, reader):
        first, second = put.artifact(), put.artifact()
        unnamed = pb.Event(artifact_id=second, type=pb.Event.OUTPUT)
        put.execution("r1", "a", events=[event(first, pb.Event.INPUT), unnamed])
        [step] = reader.step_runs("r1")
        assert (step.inputs, step.outputs) == ({"input": (first,)}, {"output": (second,)})

    def test_an_execution_of_others_is_listed_with_what_it_has(self, put, reader):
        put.execution("r1", None, learning_rate=0.5, steps=3, kind="x", flag=True)
        [step] = reader.step_runs("r1")
        assert (step.name, step.arguments, step.fingerprint) == ("Gate", {}, "")
        assert step.parameters == step.properties
        assert step.environment == {}
        assert step.properties == {"learning_rate": 0.5, "steps": 3, "kind": "x", "flag": True}

    def test_a_structured_property_comes_as_plain_data(self, client, put, reader):
        structure = struct_pb2.Struct()
        structure.update({"a": [1, {"b": "c"}]})
        artifact_id = put.artifact()
        [artifact] = client.get_artifacts_by_id([artifact_id])
        artifact.custom_properties["data"].struct_value.CopyFrom(structure)
        client.put_artifacts([artifact])
        properties = reader.artifacts([artifact_id])[artifact_id].properties
        assert json.loads(json.dumps(properties)) == {"data": {"a": [1.0, {"b": "c"}]}}

    @pytest.mark.parametrize(
        ("result", "error"),
        [
            ('{"resultMessage": "ValueError: bad"}', "ValueError: bad"),
            ("not json", "not json"),
            ("", None),
        ],
    )
    def test_the_error_is_the_text_that_tfx_noted(self, put, reader, result, error):
        put.execution("r1", "a", pb.Execution.FAILED, __execution_result__=result)
        assert reader.step_runs("r1")[0].error == error


class TestOrigins:
    def test_the_first_that_wrote_an_artifact_made_it(self, put, reader):
        one, two, three = put.artifact(), put.artifact(), put.artifact()
        first = put.execution("r1", "a", events=[event(one, pb.Event.OUTPUT, "x")])
        put.execution(
            "r2",
            "a",
            pb.Execution.CACHED,
            events=[event(one, pb.Event.OUTPUT, "x"), event(two, pb.Event.INPUT, "y")],
        )
        origin = Origin(first, "r1", "P", "a", "x")
        assert reader.origins([one, two, three]) == {one: origin}
        assert origin.address == "P::a::x"
        assert reader.origins([]) == {}

    def test_the_environment_of_an_execution_is_read_by_its_id(self, put, reader):
        versions = {f"package-{number}": "1.0" * 50 for number in range(40)}
        texts = chunked(schema.Execution.ENVIRONMENT, canonical_json(versions))
        assert len(texts) > 1
        assert reader.environment(put.execution("r1", "a", **texts)) == versions
        assert reader.environment(put.execution("r1", "b")) == {}


class TestArtifacts:
    def test_an_artifact_comes_back_as_it_was_written(self, put, reader):
        before = datetime.now(timezone.utc)
        artifact_id = put.artifact("Model", "/models/1", name="x", rows=3, share=0.5)
        record = reader.artifacts([artifact_id])[artifact_id]
        assert (record.id, record.type, record.uri) == (artifact_id, "Model", "/models/1")
        assert (record.state, record.properties) == ("live", {"name": "x", "rows": 3, "share": 0.5})
        assert abs((record.created - before).total_seconds()) < 60

    def test_several_are_found_by_id_and_others_left_out(self, put, reader):
        ids = [put.artifact(uri=f"/{number}") for number in range(3)]
        assert {key: item.uri for key, item in reader.artifacts([*ids, ids[0], 999]).items()} == {
            ids[0]: "/0",
            ids[1]: "/1",
            ids[2]: "/2",
        }
        assert reader.artifacts([]) == {}
        assert reader.artifacts(iter(ids[:1])).keys() == {ids[0]}
