"""Runs, step runs and artifacts as their user sees them, over a real store."""

import json
from datetime import datetime, timedelta, timezone

import pytest
from ml_metadata.proto import metadata_store_pb2 as pb

from zentfx import ArtifactVersion, Repository, Run, StepRun
from zentfx.errors import DataNotFoundError, NotFoundError
from zentfx.parameters import canonical_json
from zentfx.records import schema
from zentfx.records.encoding import chunked


@pytest.fixture
def repository(tmp_path):
    repository = Repository(tmp_path)
    writer = repository.workspace.writer
    writer.begin_run(
        "r1",
        "Pipeline A",
        {
            schema.Run.VERSION: 3,
            schema.Run.USER: "ada",
            schema.Run.HOST: "engine",
            schema.Run.CODE_REVISION: "abc",
        },
    )
    return repository


def record_step(
    repository, name, metrics=None, *, reads=None, reuses=None, python="3.10", **arguments
):
    """Records what TFX would of one step of the run; returns the id of its one output."""
    client = repository.workspace.metadata.connect()
    folder = repository.path / name
    folder.mkdir()
    (folder / "metrics.json").write_text(json.dumps(metrics))
    if reuses is None:
        artifact = pb.Artifact(
            type_id=client.put_artifact_type(pb.ArtifactType(name="Metrics")),
            uri=str(folder),
            state=pb.Artifact.LIVE,
        )
        artifact.custom_properties["mse"].double_value = 0.5
    else:
        [artifact] = client.get_artifacts_by_id([reuses])
    execution = pb.Execution(
        type_id=client.put_execution_type(pb.ExecutionType(name="mysteps.Gate")),
        last_known_state=pb.Execution.COMPLETE if reuses is None else pb.Execution.CACHED,
    )
    texts = chunked(
        schema.Execution.RECORDED, canonical_json({"arguments": arguments, "derived": {"fixed": 1}})
    )
    texts[schema.Execution.FINGERPRINT] = f"code of {name}"
    texts[schema.Execution.SOURCES] = f"text of {name}"
    texts[schema.Execution.ENVIRONMENT] = json.dumps({"python": python})
    for key, value in texts.items():
        execution.custom_properties[key].string_value = value
    [pipeline] = client.get_contexts_by_type("pipeline")
    node_type = client.put_context_type(pb.ContextType(name="node"))
    node = pb.Context(type_id=node_type, name=f"{pipeline.name}.{name}")
    run = client.get_context_by_type_and_name("pipeline_run", "r1")
    pairs = [(artifact, event_of(pb.Event.OUTPUT, "metrics"))]
    if reads is not None:
        [source] = client.get_artifacts_by_id([reads])
        pairs.append((source, event_of(pb.Event.INPUT, "examples")))
    _, artifact_ids, _ = client.put_execution(execution, pairs, [pipeline, run, node])
    return artifact_ids[0]


def event_of(kind, name):
    return pb.Event(type=kind, path=pb.Event.Path(steps=[pb.Event.Path.Step(key=name)]))


class TestRun:
    def test_it_says_what_was_recorded(self, repository):
        run = repository.get_pipeline_run("r1")
        assert isinstance(run, Run)
        assert (run.id, run.status, run.pipeline, run.version) == ("r1", "running", "Pipeline A", 3)
        assert (run.user, run.host, run.code_revision, run.error) == ("ada", "engine", "abc", None)
        assert repr(run) == "Run('r1', pipeline='Pipeline A', status='running')"

    def test_it_keeps_what_was_recorded_when_it_was_made(self, repository):
        run = repository.get_pipeline_run("r1")
        repository.workspace.writer.end_run("r1", "failed", "it broke")
        assert run.status == "running"
        again = repository.get_pipeline_run("r1")
        assert (again.status, again.error) == ("failed", "it broke")

    def test_its_duration_counts_until_its_end(self, repository):
        running = repository.get_pipeline_run("r1")
        first = running.duration
        assert 0 <= first <= running.duration
        repository.workspace.writer.end_run("r1", "completed")
        ended = repository.get_pipeline_run("r1")
        assert ended.duration == ended.duration >= first - 0.001  # times are in milliseconds
        assert ended.started.tzinfo == timezone.utc
        assert ended.started + timedelta(seconds=ended.duration) <= datetime.now(timezone.utc)

    def test_its_steps_come_in_order_and_a_miss_helps(self, repository):
        for name in ("trainer", "evaluator"):
            record_step(repository, name)
        run = repository.get_pipeline_run("r1")
        assert list(run.steps) == ["trainer", "evaluator"]
        with pytest.raises(
            NotFoundError, match="no step 'trainr' in run 'r1'. Did you mean 'trainer'"
        ):
            run.steps["trainr"]

    def test_its_parameters_are_those_of_all_steps(self, repository):
        record_step(repository, "a", lr=0.5)
        record_step(repository, "b", lr=1e-07, names=["x"])
        assert repository.get_pipeline_run("r1").parameters == {
            "a.fixed": 1,
            "a.lr": 0.5,
            "b.fixed": 1,
            "b.lr": 1e-07,
            "b.names": ["x"],
        }

    def test_a_run_without_steps_has_no_parameters(self, repository):
        run = repository.get_pipeline_run("r1")
        assert (run.steps, run.parameters) == ({}, {})


class TestStepRun:
    @pytest.fixture
    def step(self, repository):
        record_step(repository, "gate", metrics={"overall": {"mse": 0.5}}, lr=0.5)
        return repository.get_pipeline_run("r1").steps["gate"]

    def test_it_says_what_was_recorded(self, step):
        assert isinstance(step, StepRun)
        assert (step.name, step.source, step.status) == ("gate", "mysteps.Gate", "completed")
        assert step.parameters == {"fixed": 1, "lr": 0.5}
        assert (step.fingerprint, step.environment) == ("code of gate", {"python": "3.10"})
        assert step.error is None
        assert step.duration >= 0
        assert repr(step) == "StepRun('gate', status='completed', source='mysteps.Gate')"

    def test_what_it_hands_out_is_a_copy(self, step):
        step.parameters["lr"] = 5
        step.environment.clear()
        assert step.parameters["lr"] == 0.5
        assert step.environment == {"python": "3.10"}

    def test_its_log_is_the_file_of_its_run(self, step, repository):
        assert step.log() == ""
        folder = repository.workspace.logs / "r1"
        folder.mkdir(parents=True)
        (folder / "gate.log").write_bytes(b"line 1\ncaf\xe9\n")
        assert step.log() == "line 1\ncaf\ufffd\n"

    def test_its_source_code_is_what_was_kept(self, step, repository):
        assert step.source_code == {}
        sources = {"mysteps": "class Gate: …"}
        repository.workspace.artifacts.keep_text(
            "sources", "text of gate.json", json.dumps(sources)
        )
        assert step.source_code == sources

    def test_its_outputs_have_an_address_and_load(self, step):
        artifact = step.outputs["metrics"]
        assert isinstance(artifact, ArtifactVersion)
        assert (artifact.name, artifact.type) == ("Pipeline A::gate::metrics", "Metrics")
        assert artifact.metadata == {"mse": 0.5}
        assert artifact.load() == artifact.data == {"overall": {"mse": 0.5}}
        assert artifact.created.tzinfo == timezone.utc
        assert artifact.id > 0
        assert repr(artifact).startswith(
            f"ArtifactVersion('Pipeline A::gate::metrics', id={artifact.id}, type='Metrics'"
        )

    def test_an_input_has_the_address_of_what_made_it(self, repository):
        made = record_step(repository, "maker")
        record_step(repository, "reader", reads=made)
        steps = repository.get_pipeline_run("r1").steps
        source = steps["reader"].inputs["examples"]
        assert source.name == "Pipeline A::maker::metrics"
        assert source.id == steps["maker"].outputs["metrics"].id

    def test_an_input_that_another_run_made_has_the_address_of_its_place(self, repository):
        client = repository.workspace.metadata.connect()
        kind = client.put_artifact_type(pb.ArtifactType(name="Examples"))
        [made] = client.put_artifacts([pb.Artifact(type_id=kind, uri="/elsewhere")])
        record_step(repository, "reader", reads=made)
        source = repository.get_pipeline_run("r1").steps["reader"].inputs["examples"]
        assert (source.name, source.uri) == ("Pipeline A::reader::examples", "/elsewhere")

    def test_a_step_that_was_reused_has_the_environment_that_computed_it(self, repository):
        made = record_step(repository, "maker", python="3.9")
        record_step(repository, "again", reuses=made, python="3.10")
        steps = repository.get_pipeline_run("r1").steps
        assert steps["again"].status == "cached"
        assert steps["again"].environment == {"python": "3.9"}
        assert steps["again"].outputs["metrics"].id == made

    def test_an_output_or_input_that_does_not_exist_is_named(self, step):
        with pytest.raises(NotFoundError, match="no output 'metric' in step 'gate'.*'metrics'"):
            step.outputs["metric"]
        with pytest.raises(NotFoundError, match="no input 'x' in step 'gate'. There are none"):
            step.inputs["x"]

    def test_an_output_whose_files_are_gone_says_so(self, step, repository):
        (repository.path / "gate").rename(repository.path / "elsewhere")
        with pytest.raises(DataNotFoundError, match="files of this Metrics are gone"):
            step.outputs["metrics"].load()
