"""Stores that others have written: plain MLMD code, as in MLMD's own guide, and stock TFX."""

import gc
import hashlib
import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2 as pb

from zentfx import Repository
from zentfx.errors import DataError, DataNotFoundError, NotFoundError, StoreError


def config_of(path):
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(path)
    config.sqlite.connection_mode = 3  # READWRITE_OPENCREATE
    return config


def walk_through(store):
    """The example of MLMD's guide, step by step. Returns the ids of data, model and execution."""
    # 1) Artifact types
    data_type = pb.ArtifactType(name="DataSet")
    data_type.properties["day"] = pb.INT
    data_type.properties["split"] = pb.STRING
    data_type_id = store.put_artifact_type(data_type)
    model_type = pb.ArtifactType(name="SavedModel")
    model_type.properties["version"] = pb.INT
    model_type.properties["name"] = pb.STRING
    model_type_id = store.put_artifact_type(model_type)
    # 2) Execution types
    trainer_type = pb.ExecutionType(name="Trainer")
    trainer_type.properties["state"] = pb.STRING
    trainer_type_id = store.put_execution_type(trainer_type)
    # 3) An artifact
    data = pb.Artifact(uri="path/to/data", type_id=data_type_id)
    data.properties["day"].int_value = 1
    data.properties["split"].string_value = "train"
    [data_id] = store.put_artifacts([data])
    # 4) The execution
    trainer = pb.Execution(type_id=trainer_type_id)
    trainer.properties["state"].string_value = "RUNNING"
    [run_id] = store.put_executions([trainer])
    # 5) The input event
    put_event(store, data_id, run_id, pb.Event.DECLARED_INPUT)
    # 6) The output artifact
    model = pb.Artifact(uri="path/to/model/file", type_id=model_type_id)
    model.properties["version"].int_value = 1
    model.properties["name"].string_value = "MNIST-v1"
    [model_id] = store.put_artifacts([model])
    # 7) The output event
    put_event(store, model_id, run_id, pb.Event.DECLARED_OUTPUT)
    # 8) The execution is completed
    trainer.id = run_id
    trainer.properties["state"].string_value = "COMPLETED"
    store.put_executions([trainer])
    # 9) An experiment
    experiment_type = pb.ContextType(name="Experiment")
    experiment_type.properties["note"] = pb.STRING
    experiment = pb.Context(type_id=store.put_context_type(experiment_type), name="exp1")
    experiment.properties["note"].string_value = "My first experiment."
    [experiment_id] = store.put_contexts([experiment])
    store.put_attributions_and_associations(
        [pb.Attribution(artifact_id=model_id, context_id=experiment_id)],
        [pb.Association(execution_id=run_id, context_id=experiment_id)],
    )
    return data_id, model_id, run_id


def put_event(store, artifact_id, execution_id, kind):
    store.put_events([pb.Event(artifact_id=artifact_id, execution_id=execution_id, type=kind)])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "theirs.db"


@pytest.fixture
def ids(path):
    ids = walk_through(mlmd.MetadataStore(config_of(path)))
    gc.collect()
    return ids


@pytest.fixture(params=["a path", "a config", "an open store"])
def repository(request, path, ids):
    ways = {
        "a path": lambda: path,
        "a config": lambda: config_of(path),
        "an open store": lambda: mlmd.MetadataStore(config_of(path)),
    }
    return Repository(metadata=ways[request.param]())


class TestWalkThrough:
    def test_the_execution_is_a_run_by_itself(self, repository, ids):
        _, _, execution = ids
        [run] = repository.get_runs()
        assert (run.id, run.status, run.pipeline) == (f"execution-{execution}", "completed", "")
        assert repository.get_pipeline_run(run.id).id == run.id
        [(name, step)] = run.steps.items()
        assert (name, step.source, step.status) == ("Trainer", "Trainer", "completed")
        assert (step.inputs["input"].id, step.outputs["output"].id) == ids[:2]
        with pytest.raises(NotFoundError, match=f"Did you mean 'execution-{execution}'"):
            repository.get_pipeline_run(f"execution-{execution}0")

    def test_its_artifacts_are_found_by_type_and_traced(self, repository, ids):
        data, model, execution = ids
        [found] = repository.list_artifact_versions(type="SavedModel", state=None)
        assert (found.id, found.uri) == (model, "path/to/model/file")
        assert found.metadata == {"version": 1, "name": "MNIST-v1"}
        assert [item.id for item in found.upstream().artifacts] == [data, model]
        made = repository.get_artifact_version(data).downstream()
        assert [step.id for step in made.steps] == [execution]
        assert [item.id for item in made.of_type("SavedModel")] == [model]
        assert found.run.id == f"execution-{execution}"
        assert found.producer.name == "Trainer"
        assert not found.exists
        with pytest.raises(DataNotFoundError):
            found.load()

    def test_its_experiment_is_found_with_all_that_belongs_to_it(self, repository, ids):
        data, model, execution = ids
        [experiment] = repository.get_contexts("Experiment")
        assert (experiment.name, experiment.note) == ("exp1", "My first experiment.")
        graph = repository.get_context("Experiment", "exp1").graph()
        assert [step.id for step in graph.steps] == [execution]
        assert [item.id for item in graph.artifacts] == [data, model]
        assert str(graph).startswith(f"Trainer  completed  DataSet {data}  →  SavedModel {model}")
        assert len(graph.to_dict()["edges"]) == 2
        with pytest.raises(NotFoundError, match="Did you mean 'exp1'"):
            repository.get_context("Experiment", "exp2")
        with pytest.raises(NotFoundError, match="Did you mean 'Experiment'"):
            repository.get_context("Experimnt", "exp1")

    def test_it_is_compared_like_ours(self, repository):
        frame = repository.compare_training_runs().to_dataframe()
        assert list(frame["run"]) == [run.id for run in repository.get_runs()]
        assert list(frame["status"]) == ["completed"]

    def test_artifacts_of_two_types_are_not_compared(self, repository, ids):
        with pytest.raises(DataError, match="DataSet .* SavedModel"):
            repository.compare_artifacts(*ids[:2])

    def test_mlmd_itself_is_at_hand(self, repository, ids):
        [model] = repository.mlmd.get_artifacts_by_id([ids[1]])
        assert model.properties["name"].string_value == "MNIST-v1"

    def test_nothing_can_be_written(self, repository, ids):
        artifact = repository.get_artifact_version(ids[1])
        [run] = repository.get_runs()
        for write in (
            lambda: artifact.mark("bad"),
            lambda: run.annotate(owner="ada"),
            lambda: run.add_tags("x"),
            lambda: repository.workspace.writer.cache_scope(),
        ):
            with pytest.raises(StoreError, match="to be read"):
                write()


def test_a_store_that_is_read_stays_as_it_is(path, ids):
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    repository = Repository(metadata=path)
    repository.get_runs()
    repository.compare_training_runs(all_parameters=True)
    repository.get_artifact_version(ids[1]).upstream()
    repository.list_artifact_versions()
    client = repository.mlmd
    repository.get_runs()
    with pytest.raises(mlmd.errors.StatusError):
        client.put_artifact_type(pb.ArtifactType(name="New"))
    del client, repository
    gc.collect()
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    assert [item.name for item in path.parent.iterdir()] == [path.name]
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        indexes = "SELECT count(*) FROM sqlite_master WHERE name LIKE 'zentfx%'"
        assert database.execute(indexes).fetchone() == (0,)


def test_a_store_in_memory_is_read_too():
    config = pb.ConnectionConfig()
    config.fake_database.SetInParent()
    store = mlmd.MetadataStore(config)
    data, model, _ = walk_through(store)
    repository = Repository(metadata=store)
    assert [item.id for item in repository.get_artifact_version(model).upstream().artifacts] == [
        data,
        model,
    ]


def test_runs_of_one_pipeline_in_one_store_are_told_by_their_steps(path):
    """As stock TFX writes them, of which each run has a context and no status."""
    store = mlmd.MetadataStore(config_of(path))
    types = {
        name: store.put_context_type(pb.ContextType(name=name))
        for name in ("pipeline", "pipeline_run", "node")
    }
    trainer = store.put_execution_type(
        pb.ExecutionType(name="tfx.components.trainer.component.Trainer", base_type=1)
    )
    metrics_type = store.put_artifact_type(pb.ArtifactType(name="Metrics", base_type=3))

    def contexts(store, run):
        made = []
        for kind, name in (("pipeline", "taxi"), ("pipeline_run", run), ("node", "taxi.Trainer")):
            found = store.get_context_by_type_and_name(kind, name)
            made.append(found or pb.Context(type_id=types[kind], name=name))
        return made

    for run, lr, state in (("r1", 0.1, 3), ("r2", 0.2, 4), ("r3", 0.1, 5), ("r4", 0.3, 2)):
        execution = pb.Execution(type_id=trainer, last_known_state=state)
        execution.custom_properties["lr"].double_value = lr
        execution.custom_properties["tfx_version"].string_value = "1.16.0"
        artifact = pb.Artifact(type_id=metrics_type, uri="/m", state=pb.Artifact.LIVE)
        artifact.custom_properties["auc"].double_value = lr / 2
        store.put_execution(
            execution, [(artifact, pb.Event(type=pb.Event.OUTPUT))], contexts(store, run)
        )
    del store
    gc.collect()
    repository = Repository(metadata=path)
    runs = repository.get_runs(pipeline="taxi")
    assert [run.status for run in runs] == ["completed", "failed", "completed", "running"]
    assert [list(run.steps) for run in runs] == [["Trainer"]] * 4
    assert runs[0].steps["Trainer"].environment == {"tfx": "1.16.0"}
    frame = repository.compare_training_runs().to_dataframe()
    assert list(frame["cached"]) == [False, False, True, False]
    assert list(frame["Trainer.lr"]) == [0.1, 0.2, 0.1, 0.3]
    assert list(frame["metrics.Trainer.auc"]) == [0.05, 0.1, 0.05, 0.15]
    assert [run.id for run in repository.get_runs(newest=2)] == ["r3", "r4"]


class TestBadInput:
    def test_an_empty_store_has_nothing(self, path):
        mlmd.MetadataStore(config_of(path))
        gc.collect()
        repository = Repository(metadata=path)
        assert list(repository.get_runs()) == []
        assert list(repository.list_artifact_versions(type="Model")) == []
        assert len(repository.compare_training_runs()) == 0
        assert list(repository.get_contexts()) == []
        assert repository.get_pipeline_names() == []

    def test_there_is_no_file(self, path):
        with pytest.raises(StoreError, match="There is no metadata store at .*theirs.db"):
            Repository(metadata=path)
        assert not path.exists()

    def test_it_is_a_folder(self, tmp_path):
        with pytest.raises(StoreError, match="is a folder"):
            Repository(metadata=tmp_path)

    def test_it_is_no_database(self, path):
        path.write_text("hello, this is my diary" * 100)
        with pytest.raises(StoreError, match="no metadata store"):
            Repository(metadata=path)

    def test_it_is_of_a_newer_mlmd(self, path, ids):
        with closing(sqlite3.connect(path)) as database:
            database.execute("UPDATE MLMDEnv SET schema_version = 12")
            database.commit()
        with pytest.raises(StoreError, match=r"newer ML Metadata \(schema 12"):
            Repository(metadata=path)

    def test_it_is_something_else(self):
        with pytest.raises(StoreError, match="must be an SQLite file's path"):
            Repository(metadata=42)
        with pytest.raises(TypeError, match="not both"):
            Repository("x", metadata="y")

    def test_it_is_locked(self, path, ids, monkeypatch):
        monkeypatch.setattr("zentfx.stores.sqlite_files._PATIENCE", 0.2)
        code = (
            "import sqlite3, sys, time; d = sqlite3.connect(sys.argv[1]); "
            "d.execute('BEGIN EXCLUSIVE'); print('locked', flush=True); time.sleep(60)"
        )
        other = subprocess.Popen(
            [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
        )
        try:
            assert other.stdout.readline() == "locked\n"
            with pytest.raises(StoreError, match=r"theirs.db is locked by another process"):
                Repository(metadata=path)
        finally:
            other.kill()
            other.wait()

    def test_it_cannot_be_written_to(self, path, ids):
        path.chmod(0o444)
        path.parent.chmod(0o555)
        try:
            assert len(Repository(metadata=path).get_runs()) == 1
        finally:
            path.parent.chmod(0o755)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_it_cannot_be_read(self, path, ids):
        path.chmod(0)
        with pytest.raises(StoreError, match="cannot be read"):
            Repository(metadata=path)

    def test_a_cycle_is_walked_once_and_told(self, path):
        store = mlmd.MetadataStore(config_of(path))
        kind = store.put_artifact_type(pb.ArtifactType(name="Thing"))
        one, two = store.put_artifacts([pb.Artifact(type_id=kind) for _ in range(2)])
        step = store.put_execution_type(pb.ExecutionType(name="Step"))
        first, second = store.put_executions([pb.Execution(type_id=step) for _ in range(2)])
        put_event(store, one, first, pb.Event.INPUT)
        put_event(store, two, first, pb.Event.OUTPUT)
        put_event(store, two, second, pb.Event.INPUT)
        put_event(store, one, second, pb.Event.OUTPUT)
        for way in (path, store):
            if way is path:
                gc.collect()
            artifact = Repository(metadata=way).get_artifact_version(one)
            for graph in (artifact.upstream(), artifact.downstream()):
                assert len(graph.steps) == 2
                assert len(graph.artifacts) == 2
                assert "(a cycle)" in str(graph)

    def test_an_artifact_that_is_not_in_the_store_makes_the_graph_partial(self, path, ids):
        data, model, _ = ids
        with closing(sqlite3.connect(path)) as database:
            database.execute("DELETE FROM Artifact WHERE id = ?", (data,))
            database.commit()
        repository = Repository(metadata=path)
        graph = repository.get_artifact_version(model).upstream()
        assert [item.id for item in graph.artifacts] == [model]
        assert f"the graph is partial: artifacts {data} are not in the store" in str(graph)
        [run] = repository.get_runs()
        assert list(run.steps["Trainer"].inputs) == []

    def test_a_property_of_a_megabyte_comes_whole_and_is_cut_in_tables(self, path):
        store = mlmd.MetadataStore(config_of(path))
        kind = store.put_artifact_type(pb.ArtifactType(name="Thing"))
        text = "é" * 500_000
        artifact = pb.Artifact(type_id=kind, uri=text[:3000])
        artifact.custom_properties["text"].string_value = text
        [number] = store.put_artifacts([artifact])
        del store
        gc.collect()
        repository = Repository(metadata=path)
        listing = repository.list_artifact_versions(type="Thing", state=None)
        assert listing[0].metadata["text"] == text
        assert len(max(repr(listing).splitlines(), key=len)) < 400
        assert repository.get_artifact_version(number).metadata["text"] == text


class TestSeveralStepsOfOneType:
    def put(self, path, *executions, context=None):
        store = mlmd.MetadataStore(config_of(path))
        kind = store.put_execution_type(pb.ExecutionType(name="Trainer"))
        metrics = store.put_artifact_type(pb.ArtifactType(name="Metrics"))
        contexts = []
        if context:
            type_id = store.put_context_type(pb.ContextType(name="pipeline_run"))
            contexts = [pb.Context(type_id=type_id, name=context)]
        for name, lr in executions:
            execution = pb.Execution(type_id=kind, last_known_state=pb.Execution.COMPLETE)
            if name:
                execution.name = name
            execution.custom_properties["lr"].double_value = lr
            artifact = pb.Artifact(type_id=metrics)
            artifact.custom_properties["accuracy"].double_value = 1 - lr
            store.put_execution(
                execution,
                [(artifact, pb.Event(type=pb.Event.OUTPUT))],
                contexts,
                reuse_context_if_already_exist=True,
            )
        del store
        gc.collect()
        return Repository(metadata=path)

    def test_in_one_run_they_are_numbered(self, path):
        repository = self.put(path, ("", 0.1), ("", 0.2), context="sweep")
        [run] = repository.get_runs()
        assert run.parameters == {"Trainer.lr": 0.1, "Trainer_2.lr": 0.2}
        assert run.metrics == {"Trainer.accuracy": 0.9, "Trainer_2.accuracy": 0.8}
        frame = repository.compare_training_runs().to_dataframe()
        assert list(frame["metrics.Trainer_2.accuracy"]) == [0.8]

    def test_names_of_executions_do_not_keep_them_apart(self, path):
        repository = self.put(path, ("train_0", 0.1), ("train_1", 0.2))
        frame = repository.compare_training_runs().to_dataframe()
        assert list(frame["Trainer.lr"]) == [0.1, 0.2]
        assert list(frame["metrics.Trainer.accuracy"]) == [0.9, 0.8]


def test_a_process_that_was_forked_while_another_thread_read_can_read(path, ids):
    code = """
import os, sys, threading, time
from zentfx import Repository
repository = Repository(metadata=sys.argv[1])
metadata = repository.workspace.metadata
def hold():
    with metadata.reading():
        time.sleep(2)
threading.Thread(target=hold, daemon=True).start()
time.sleep(0.3)
if os.fork() == 0:
    os._exit(7 if len(repository.get_runs()) == 1 else 1)
_, status = os.wait()
print(os.waitstatus_to_exitcode(status))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "7\n", done.stderr
