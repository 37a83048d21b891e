"""Planned hits against those of TFX's Launcher: one key, the same rows, each other's results."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2 as pb
from tfx.orchestration.local.local_dag_runner import LocalDagRunner

from zentfx import BaseStep, Pipeline, Repository
from zentfx.errors import NotFoundError
from zentfx.orchestrators import RunRequest
from zentfx.tfx_backend.compile import compile_pipeline
from zentfx.tfx_backend.local import LocalOrchestrator


class Numbers(BaseStep):
    outputs = {"numbers": "Numbers", "metrics": "Metrics"}

    def __init__(self, values: list[int] | None = None, exact: bool = True, rate: float = 0.1):
        self.values = values
        self.exact = exact
        self.rate = rate

    def process(self, inputs, outputs):
        (outputs["numbers"].path / "numbers.json").write_text(json.dumps(self.values))
        outputs["numbers"].metadata["count"] = len(self.values or [])


class Sum(BaseStep):
    inputs = {"left": "Numbers", "right": "Numbers"}
    outputs = {"total": "Total"}

    def process(self, inputs, outputs):
        parts = [json.loads((i.path / "numbers.json").read_text()) for i in inputs.values()]
        (outputs["total"].path / "total.json").write_text(json.dumps(sum(map(sum, parts))))


def build(repository, name="Sums"):
    pipeline = Pipeline(name, repository=repository)
    pipeline.add_step(Numbers([1, 2], exact=False), "one")
    pipeline.add_step(Numbers([3], rate=1e-7), "two")
    pipeline.add_step(Sum(), "sum", {"left": "one.numbers", "right": "two.numbers"})
    # One artifact under two names is one event with both.
    pipeline.add_step(Sum(), "twice", {"left": "one.numbers", "right": "one.numbers"})
    return pipeline


def request_for(pipeline, repository, max_workers=1):
    workspace = repository.workspace
    return RunRequest(
        run_id=f"run-{uuid.uuid4().hex[:8]}",
        pipeline=pipeline.name,
        nodes=pipeline._nodes(None),
        cache_scope=workspace.writer.cache_scope(),
        metadata=workspace.metadata,
        artifacts=workspace.artifacts,
        logs=workspace.logs,
        root=workspace.root,
        max_workers=max_workers,
    )


def run_by_us(pipeline, repository, max_workers=1):
    request = request_for(pipeline, repository, max_workers)
    events = []
    LocalOrchestrator().prepare(request)(events.append)
    return request.run_id, {event.step: event.state for event in events}


def node_of(client, execution):
    contexts = client.get_contexts_by_execution(execution.id)
    [name] = [context.name for context in contexts if context.type == "node"]
    return name.rpartition(".")[2]


def run_by_tfx(pipeline, repository):
    """The same IR by TFX's own runner, which launches each node with the stock Launcher."""
    request = request_for(pipeline, repository)
    LocalDagRunner().run_with_ir(compile_pipeline(request))
    client = repository.workspace.metadata.connect()
    context = client.get_context_by_type_and_name("pipeline_run", request.run_id)
    states = {
        node_of(client, item): pb.Execution.State.Name(item.last_known_state)
        for item in client.get_executions_by_context(context.id)
    }
    return request.run_id, states


def names(event):
    """Under which names; several are in the order of a map, which is any."""
    steps = event.path.steps
    return sorted(
        (key.key, index.index) for key, index in zip(steps[::2], steps[1::2], strict=True)
    )


def rows_of_run(repository, run_id):
    """What a run has written, without ids of executions, names by chance, and times."""
    client = repository.workspace.metadata.connect()
    run = client.get_context_by_type_and_name("pipeline_run", run_id)

    def context_name(context):
        return (context.type, context.name.replace(run_id, "RUN"), *properties(context))

    def properties(item):
        tables = (item.properties, item.custom_properties)
        return [
            sorted((k, str(v).replace(run_id, "RUN")) for k, v in table.items()) for table in tables
        ]

    rows = {}
    for execution in client.get_executions_by_context(run.id):
        name = node_of(client, execution)
        rows[name] = {
            "type": execution.type,
            "state": execution.last_known_state,
            "named": len(execution.name),
            "properties": properties(execution),
            "contexts": sorted(
                map(context_name, client.get_contexts_by_execution(execution.id)), key=str
            ),
            "events": sorted(
                (event.type, event.artifact_id, names(event))
                for event in client.get_events_by_execution_ids([execution.id])
            ),
        }
    parents = client.get_parent_contexts_by_context(run.id)
    rows["run"] = [*map(context_name, parents), context_name(run)]
    rows["artifacts"] = {
        item.id: (str(item), sorted(map(context_name, client.get_contexts_by_artifact(item.id))))
        for item in client.get_artifacts_by_context(run.id)
    }
    return rows


def test_a_planned_hit_leaves_the_rows_that_the_launcher_leaves(tmp_path):
    repository = Repository(tmp_path)
    pipeline = build(repository)
    run_by_us(pipeline, repository)
    ours, states = run_by_us(pipeline, repository)
    assert set(states.values()) == {"cached"}
    after_us = rows_of_run(repository, ours)
    theirs, tfx_states = run_by_tfx(pipeline, repository)
    assert set(tfx_states.values()) == {"CACHED"}
    after_tfx = rows_of_run(repository, theirs)
    assert {name: after_us[name] for name in states} == {name: after_tfx[name] for name in states}
    assert after_us["run"] == after_tfx["run"]
    assert after_us["artifacts"].keys() == after_tfx["artifacts"].keys()
    for artifact, (text, contexts) in after_us["artifacts"].items():
        then_text, then_contexts = after_tfx["artifacts"][artifact]
        assert text == then_text  # not even its time of update has changed
        runs = [context for context in contexts if context[0] == "pipeline_run"]
        then_runs = [context for context in then_contexts if context[0] == "pipeline_run"]
        assert len(then_runs) == len(runs) + 1
        others = [context for context in contexts if context not in runs]
        assert others == [context for context in then_contexts if context not in then_runs]


def test_a_step_that_we_run_leaves_the_rows_that_the_launcher_leaves(tmp_path):
    """Of two stores, each from nothing: one by our short way, one by the stock Launcher."""
    by_us, by_tfx = Repository(tmp_path / "us"), Repository(tmp_path / "tfx")
    ours, states = run_by_us(build(by_us), by_us)
    assert set(states.values()) == {"completed"}
    theirs, tfx_states = run_by_tfx(build(by_tfx), by_tfx)
    assert set(tfx_states.values()) == {"COMPLETE"}
    left, right = comparable(by_us, ours), comparable(by_tfx, theirs)
    for name in [*states, "run", "artifacts"]:
        assert left[name] == right[name]


def comparable(repository, run_id):
    """Rows of a run in a store of its own, without what differs between stores by chance."""
    rows = rows_of_run(repository, run_id)
    client = repository.workspace.metadata.connect()
    artifacts = {
        item.id: item
        for item in client.get_artifacts_by_context(
            client.get_context_by_type_and_name("pipeline_run", run_id).id
        )
    }
    written = {}
    for name, row in rows.items():
        if name in ("run", "artifacts"):
            continue
        # The key has the scope's random id in it; ids of artifacts are in no fixed order.
        row["contexts"] = [c if c[0] != "execution_cache" else c[0] for c in row["contexts"]]
        row["events"] = sorted(
            (kind, artifacts[number].type, path) for kind, number, path in row["events"]
        )
    for item in artifacts.values():
        # Which files there are is noted by us alone; a folder ends in the execution's id.
        table = {
            key: str(value)
            for key, value in [*item.properties.items(), *item.custom_properties.items()]
            if key != "zentfx_manifest"
        }
        _, contexts = rows["artifacts"][item.id]
        kinds = [context[0] for context in contexts]
        written[str(Path(item.uri).parent)] = [item.type, item.state, sorted(table.items()), kinds]
    rows["artifacts"] = sorted(written.items())
    scope = repository.workspace.writer.cache_scope()
    text = json.dumps(rows, default=str, sort_keys=True)
    for name, chance in (("SCOPE", scope), ("ROOT", str(repository.path)), ("RUN", run_id)):
        text = text.replace(chance, name)
    return json.loads(text)


@pytest.mark.parametrize("first", [run_by_us, run_by_tfx])
def test_each_reuses_what_the_other_has_computed(tmp_path, first):
    repository = Repository(tmp_path)
    pipeline = build(repository)
    first(pipeline, repository)
    second = run_by_tfx if first is run_by_us else run_by_us
    _, states = second(build(repository, "Other name"), repository)
    assert {state.lower() for state in states.values()} == {"cached"}


@pytest.mark.slow
def test_tfx_reuses_a_whole_training_pipeline(taxi):
    _, states = run_by_tfx(taxi.pipeline.copy("By TFX"), taxi.repository)
    assert set(states.values()) == {"CACHED"}
    assert len(states) == 9


KILLED = """
import os, sys
from tests.tfx_backend.test_plan import build
from zentfx import Repository
import zentfx.tfx_backend.connection as connection

calls = 0
last = int(sys.argv[2])

def killing(name):
    def call(self, *args, **options):
        global calls
        calls += 1
        if calls > last:
            os.kill(os.getpid(), 9)
        return getattr(self._client, name)(*args, **options)
    return call

WRITES = ["put_lineage_subgraph", "put_attributions_and_associations", "put_executions"]
for name in WRITES:
    setattr(connection._RunStore, name, killing(name))
build(Repository(sys.argv[1])).run(progress=None)
print("survived")
"""


@pytest.mark.slow
@pytest.mark.parametrize("writes", [0, 1, 2, 3])
def test_killed_between_its_writes_a_planner_loses_nothing(tmp_path, writes):
    repository = Repository(tmp_path)
    first = build(repository).run(progress=None)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), str(writes)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ("survived" in done.stdout) == (writes == 3), done.stderr
    killed = Repository(tmp_path).get_runs()[1]
    if writes < 3:
        assert killed.status == "crashed"
        assert not {"cached", "completed"} & {step.status for step in killed.steps.values()}
    again = build(repository).run(progress=None)
    assert {step.status for step in again.steps.values()} == {"cached"}
    assert again.steps["sum"].outputs["total"].uri == first.steps["sum"].outputs["total"].uri


def test_what_is_marked_is_not_reused_until_the_mark_is_taken_back(tmp_path):
    repository = Repository(tmp_path)
    first = build(repository).run(progress=None)
    workspace = repository.workspace
    mark = workspace.annotator.mark([first.steps["one"].outputs["numbers"].id], "bad data")
    second = build(repository).run(progress=None)
    states = {name: step.status for name, step in second.steps.items()}
    assert states == {"one": "completed", "two": "cached", "sum": "completed", "twice": "completed"}
    assert "numbers is marked: bad data" in second.steps["one"].log()
    # What was computed anew is reused, and after the mark is gone the newest still is.
    assert {step.status for step in build(repository).run(progress=None).steps.values()} == {
        "cached"
    }
    workspace.annotator.unmark(mark)
    assert workspace.reader.marked() == {}
    fourth = build(repository).run(progress=None)
    assert fourth.steps["one"].outputs["numbers"].id == second.steps["one"].outputs["numbers"].id
    with pytest.raises(NotFoundError, match="no mark 'nope'"):
        workspace.annotator.unmark("nope")


def test_steps_side_by_side_leave_the_rows_of_steps_one_by_one(tmp_path):
    rows = []
    for workers in (1, 3):
        repository = Repository(tmp_path / str(workers))
        run_id, _ = run_by_us(build(repository), repository, workers)
        rows.append(comparable(repository, run_id))
    assert rows[0] == rows[1]
