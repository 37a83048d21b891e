"""Clones of runs read as the run that they were made of."""

from __future__ import annotations

import importlib.util
import json
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2 as pb

from zentfx import Repository

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
COUNT, PIPELINES = 60, 7

# A chain of plain steps: data that is reused, a training, and one that measures it.
STEPS = """
import json
import sys
from zentfx import BaseStep, Pipeline, Repository, log_metric
from zentfx.errors import StepFailedError

class Data(BaseStep):
    outputs = {"data": "Numbers", "notes": "Notes"}
    def __init__(self, size: int = 5):
        self.size = size
    def process(self, inputs, outputs):
        (outputs["data"].path / "data.txt").write_text("1" * self.size)
        (outputs["notes"].path / "notes.txt").write_text("ones")

class Train(BaseStep):
    inputs = {"data": "Numbers"}
    outputs = {"model": "Weights", "zentfx_metrics": "Metrics"}
    def __init__(self, lr: float, epochs: int = 1, fail: bool = False, note: str = "x" * 5000):
        self.lr = lr
        self.epochs = epochs
        self.fail = fail
    def process(self, inputs, outputs):
        if self.fail:
            raise RuntimeError("asked to fail")
        (outputs["model"].path / "weights.txt").write_text(str(self.lr))
        log_metric("loss", self.lr / 3)

class Measure(BaseStep):
    inputs = {"model": "Weights", "data": "Numbers"}
    outputs = {"report": "Report"}
    def __init__(self):
        pass
    def process(self, inputs, outputs):
        (outputs["report"].path / "report.txt").write_text("good")

def run(name, **arguments):
    pipeline = Pipeline(name, repository=Repository("."))
    pipeline.add_step(Data(), "data")
    pipeline.add_step(Train(**arguments), "train", {"data": "data.data"})
    pipeline.add_step(Measure(), "measure", {"model": "train.model", "data": "data.data"})
    try:
        return pipeline.run(progress=None).id
    except StepFailedError as error:
        return error.run_id
"""


def child(folder: Path, *runs: str) -> list[str]:
    """Makes real runs in a process of their own: SQLite must not open what MLMD has open here."""
    made = ", ".join(f"steps.run({arguments})" for arguments in runs)
    code = f"import json, large_store_steps as steps; print(json.dumps([{made}]))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def benchmark(name):
    """A benchmark, which imports others of its folder."""
    known = set(sys.modules)
    sys.path.insert(0, str(BENCHMARKS))
    try:
        spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(BENCHMARKS))
        for own in {"measure", "taxi_data"} - known:
            sys.modules.pop(own, None)
    return module


@pytest.fixture(scope="module")
def large_store():
    return benchmark("large_store")


@pytest.fixture(scope="module")
def store(large_store, tmp_path_factory):
    """A store with clones: its folder, ids of its real runs, what SQLite says, and a new run."""
    folder = tmp_path_factory.mktemp("large")
    (folder / "large_store_steps.py").write_text(STEPS, encoding="utf-8")
    first, changed, failed, elsewhere = child(
        folder,
        "'Plain', lr=0.25",
        "'Plain', lr=0.5",
        "'Plain', lr=0.75, fail=True",
        "'Elsewhere', lr=0.875",
    )
    database = folder / ".zentfx" / "metadata.db"
    large_store.clone(database, changed, COUNT, PIPELINES, failed)
    with closing(sqlite3.connect(database)) as connection:
        said = [
            connection.execute(f"PRAGMA {check}").fetchall()
            for check in ("integrity_check", "foreign_key_check")
        ]
        orphans = {name: connection.execute(query).fetchone()[0] for name, query in ORPHANS.items()}
    [after] = child(folder, "'Pipeline 002', lr=0.625")
    return SimpleNamespace(
        folder=folder,
        real=[first, changed, failed, elsewhere],
        changed=changed,
        failed=failed,
        elsewhere=elsewhere,
        said=said,
        orphans=orphans,
        after=after,
    )


# Rows that lead nowhere: MLMD declares no foreign keys.
ORPHANS = {
    f"{table}.{column}": (
        f"SELECT count(*) FROM {table} WHERE {column} NOT IN (SELECT id FROM {target})"
    )
    for table, column, target in [
        ("ContextProperty", "context_id", "Context"),
        ("ParentContext", "context_id", "Context"),
        ("ParentContext", "parent_context_id", "Context"),
        ("ExecutionProperty", "execution_id", "Execution"),
        ("ArtifactProperty", "artifact_id", "Artifact"),
        ("Event", "artifact_id", "Artifact"),
        ("Event", "execution_id", "Execution"),
        ("EventPath", "event_id", "Event"),
        ("Association", "context_id", "Context"),
        ("Association", "execution_id", "Execution"),
        ("Attribution", "context_id", "Context"),
        ("Attribution", "artifact_id", "Artifact"),
    ]
}


@pytest.fixture(scope="module")
def repository(store):
    return Repository(store.folder)


@pytest.fixture(scope="module")
def client(store):
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(store.folder / ".zentfx" / "metadata.db")
    return mlmd.MetadataStore(config)


@pytest.fixture(scope="module")
def clones(repository, store):
    """By the status that the original ended with."""
    found = [run for run in repository.get_runs() if run.pipeline.startswith("Pipeline 00")]
    found = [run for run in found if run.id != store.after]
    assert len(found) == COUNT
    return {
        status: [run for run in found if run.status == status] for status in ("completed", "failed")
    }


def kinds(properties):
    return sorted((name, value.WhichOneof("value")) for name, value in properties.items())


def shape(client, run):
    """All that MLMD's client tells of a run, without what differs between any two."""
    [context] = [client.get_context_by_type_and_name("pipeline_run", run)]
    shapes = [kinds(context.custom_properties)]
    shapes.append([parent.type for parent in client.get_parent_contexts_by_context(context.id)])
    executions = client.get_executions_by_context(context.id)
    for execution in sorted(executions, key=lambda item: item.id):
        contexts = client.get_contexts_by_execution(execution.id)
        belonging = {
            item.type: {artifact.id for artifact in client.get_artifacts_by_context(item.id)}
            for item in contexts
        }
        events = []
        for event in client.get_events_by_execution_ids([execution.id]):
            [artifact] = client.get_artifacts_by_id([event.artifact_id])
            assert event.milliseconds_since_epoch >= execution.create_time_since_epoch
            events.append(
                (
                    event.type,
                    str(event.path),
                    artifact.type,
                    artifact.state,
                    kinds(artifact.custom_properties),
                    sorted(kind for kind, ids in belonging.items() if artifact.id in ids),
                )
            )
        shapes.append(
            (
                execution.type,
                execution.last_known_state,
                kinds(execution.custom_properties),
                sorted(item.type for item in contexts),
                sorted(events),
            )
        )
    return shapes


def test_sqlite_finds_nothing_wrong(store):
    assert store.said == [[("ok",)], []]
    assert store.orphans == dict.fromkeys(store.orphans, 0)


def test_mlmd_tells_the_same_of_a_clone_as_of_its_original(store, client, clones):
    original, other = shape(client, store.changed), shape(client, store.elsewhere)
    assert original == other  # the layout does not depend on the pipeline
    for run in clones["completed"]:
        assert shape(client, run.id) == original
    original = shape(client, store.failed)
    assert clones["failed"]
    for run in clones["failed"]:
        assert shape(client, run.id) == original


def test_contexts_hold_what_their_executions_touched_and_nothing_else(client):
    """So they do in a store of real runs."""
    for kind in ("pipeline", "pipeline_run", "node", "execution_cache"):
        for context in client.get_contexts_by_type(kind):
            executions = client.get_executions_by_context(context.id)
            events = client.get_events_by_execution_ids([item.id for item in executions])
            if kind == "execution_cache":  # it has what was computed under its key
                events = [event for event in events if event.type == pb.Event.OUTPUT]
            held = {item.id for item in client.get_artifacts_by_context(context.id)}
            assert held == {event.artifact_id for event in events}, context


def test_clones_are_runs_of_their_own(store, client, repository, clones):
    runs = repository.get_runs()
    assert len({run.id for run in runs}) == len(runs) == COUNT + len(store.real) + 1
    every = [*clones["completed"], *clones["failed"]]
    trainings = {
        (run.steps["train"].parameters["lr"], run.steps["train"].parameters["epochs"])
        for run in every
    }
    assert len(trainings) == COUNT
    assert len({(run.pipeline, run.version) for run in every}) == COUNT
    uris = Counter(item.uri for item in client.get_artifacts())
    assert set(uris.values()) == {1}
    # One key of the cache for each that computed something, and for what all reuse.
    keys = client.get_contexts_by_type("execution_cache")
    executions = client.get_executions()
    computed = [item for item in executions if item.last_known_state != pb.Execution.CACHED]
    assert len(keys) == len(computed)


def test_they_are_spread_over_pipelines_a_minute_apart_before_the_real_runs(
    store, repository, clones
):
    runs = repository.get_runs()
    assert [run.id for run in runs[COUNT:]] == [*store.real, store.after]
    times = [run.started.timestamp() for run in runs[: COUNT + 1]]
    assert {round(after - before, 3) for before, after in pairwise(times)} == {60.0}
    spread = Counter(run.pipeline for run in runs[:COUNT])
    assert sorted(spread) == [f"Pipeline {number:03d}" for number in range(1, PIPELINES + 1)]
    assert max(spread.values()) - min(spread.values()) <= 1
    assert [run.pipeline for run in clones["failed"]] == ["Pipeline 001"]
    original = repository.get_pipeline_run(store.changed)
    assert {run.duration for run in clones["completed"]} == {original.duration}
    for run in runs[:COUNT]:
        assert run.id.startswith(f"{run.started:%Y%m%d-%H%M%S}-")


def test_a_clone_reads_like_any_run(store, repository, clones):
    original = repository.get_pipeline_run(store.changed)
    run = repository.get_pipeline_run(clones["completed"][-1].id)
    assert list(run.steps) == ["data", "train", "measure"]
    assert [step.status for step in run.steps.values()] == ["cached", "completed", "completed"]
    lr, epochs = (run.steps["train"].parameters[name] for name in ("lr", "epochs"))
    assert run.steps["train"].parameters == {
        **original.steps["train"].parameters,
        "lr": lr,
        "epochs": epochs,
    }
    assert run.metrics.keys() == original.metrics.keys() == {"train.loss"}
    assert 0 < run.metrics["train.loss"] != original.metrics["train.loss"]
    [shared, mine] = (run.steps["train"].inputs["data"], run.steps["train"].outputs["model"])
    assert shared.id == original.steps["data"].outputs["data"].id
    assert (shared.load() / "data.txt").read_text() == "11111"
    assert run.steps["measure"].inputs["model"].id == mine.id
    assert Path(mine.uri).parts[-4:-1] == (run.id, "train", "model")
    assert not Path(mine.uri).exists()
    assert run.steps["train"].fingerprint == original.steps["train"].fingerprint
    assert run.steps["train"].source_code == original.steps["train"].source_code


def test_doubles_are_as_mlmd_keeps_them_beside_exact_texts(client, clones):
    run = clones["completed"][0]
    training, measured = run.steps["train"], run.steps["train"].outputs["zentfx_metrics"]
    context = client.get_context_by_type_and_name("pipeline_run", run.id)
    [shown] = [
        item.custom_properties
        for item in client.get_executions_by_context(context.id)
        if "lr" in item.custom_properties
    ]
    lr = training.parameters["lr"]
    assert shown["lr"].double_value == float(f"{lr:.6f}") != lr
    assert shown["epochs"].int_value == training.parameters["epochs"]
    assert len(training.parameters["note"]) == 5000  # so that the texts are in several chunks
    for name in ("zentfx_keyed", "zentfx_recorded"):
        chunks = [shown[key].string_value for key in (name, f"{name}_1", f"{name}_2")]
        arguments = json.loads("".join(chunks))["arguments"]
        assert (arguments["lr"], arguments["epochs"]) == (lr, training.parameters["epochs"])
    [artifact] = client.get_artifacts_by_id([measured.id])
    loss = run.metrics["train.loss"]
    assert artifact.custom_properties["loss"].double_value == float(f"{loss:.6f}") != loss


def test_a_failed_clone_has_its_error(store, repository, clones):
    for run in clones["failed"]:
        assert [step.status for step in run.steps.values()] == ["cached", "failed", "skipped"]
        assert "asked to fail" in run.steps["train"].error
        assert f"of {run.pipeline!r} failed" in run.error


def test_a_clones_pipeline_can_be_looked_up(store, repository, clones, monkeypatch):
    monkeypatch.syspath_prepend(store.folder)
    run = clones["completed"][-1]
    pipeline = repository.get_pipeline_by_name(run.pipeline, run.version)
    assert (pipeline.name, pipeline.version) == (run.pipeline, run.version)
    assert list(pipeline.steps) == ["data", "train", "measure"]
    assert {item.pipeline for items in clones.values() for item in items} < set(
        repository.get_pipeline_names()
    )


def test_a_real_run_goes_on_after_the_clones(store, repository, client):
    run = repository.get_pipeline_run(store.after)
    assert [step.status for step in run.steps.values()] == ["cached", "completed", "completed"]
    original = repository.get_pipeline_run(store.changed)
    assert run.steps["data"].outputs["data"].id == original.steps["data"].outputs["data"].id
    versions = [item.version for item in repository.get_runs("Pipeline 002")]
    assert versions == list(range(1, len(versions) + 1))
    assert shape(client, run.id) == shape(client, store.changed)
    context = client.get_context_by_type_and_name("pipeline_run", run.id)
    latest = {item.id for item in client.get_executions_by_context(context.id)}
    assert latest == set(range(min(latest), min(latest) + 3))
    assert max(latest) == max(item.id for item in client.get_executions())


def test_a_folder_with_a_repository_is_refused(large_store, store):
    with pytest.raises(FileExistsError, match=r"has a repository already \(\.zentfx\)"):
        large_store.make_store(store.folder, 10)


@pytest.mark.parametrize("every", [True, False])
def test_long_texts_are_compared_alike_by_sql_and_over_the_api(store, every):
    workspace = Repository(store.folder).workspace
    by_sql = workspace.compared_runs(every)
    client = workspace.metadata.connect()
    over_api = workspace.compared_runs(every)
    del client
    assert by_sql == over_api
    assert len(by_sql) == COUNT + 5
    assert {len(step.parameters["note"]) for run in by_sql for step in run.steps[1:2]} == {5000}


@pytest.mark.slow
def test_the_taxi_store_has_as_many_runs_as_asked(large_store, tmp_path):
    large_store.make_store(tmp_path / "taxi", 110, pipelines=3)
    repository = Repository(tmp_path / "taxi")
    runs = repository.get_runs()
    assert Counter(run.status for run in runs) == {"completed": 107, "failed": 3}
    assert len(repository.get_pipelines()) == 3
    run, real = runs[0], runs[-2]
    assert {name: step.status for name, step in run.steps.items()} == {
        name: step.status for name, step in real.steps.items()
    }
    assert len(real.steps) == 7
    assert run.metrics.keys() == real.metrics.keys()
    frame = repository.compare_training_runs("Pipeline 002").to_dataframe()
    assert len(frame) == len(repository.get_runs("Pipeline 002"))
    assert frame["trainer.lr"].is_unique
    # By one SQL query, by zentfx, and by zentfx over MLMD's API.
    assert benchmark("comparison").assert_equal_tables(tmp_path / "taxi") == len(runs)
